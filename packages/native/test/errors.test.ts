import { readdirSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { native } from '../src/index.ts';
import { nativeQueue as queue } from './support/native-queue.ts';

describe('errors', () => {
  const binding = native();
  const errorStrings = (code: number): readonly [string, string] => binding.errorStrings(code);
  const systemError = (errno: number): readonly [string, string] => binding.systemError(errno);
  beforeEach(() => queue.clear());

  describe('errorStrings', () => {
    it('gives the texts that OpenSSL has, before any context was made too', () => {
      expect(errorStrings(0x0a000126)).to.deep.equal(['SSL routines', 'unexpected eof while reading']);
      expect(errorStrings(0x1c800066)).to.deep.equal(['Provider routines', 'cipher operation failed']);
      expect(errorStrings(0x0a0c0100)).to.deep.equal(['SSL routines', 'malloc failure']);
    });

    it('gives empty texts where OpenSSL has none', () => {
      expect(errorStrings(0x6400004d)).to.deep.equal(['', '']);
      expect(errorStrings(0x80000068)).to.deep.equal(['system library', '']);
    });

    it('leaves the queue as it was', () => {
      queue.raise(0x0a000126, 'a.c', 1, 'f');
      queue.setMark();
      errorStrings(0x0a000126);
      expect(queue.countToMark()).to.equal(0);
      expect(queue.get()?.[0]).to.equal(0x0a000126);
    });
  });

  describe('systemError', () => {
    it('names error numbers', () => {
      const { ECONNRESET, EPIPE, ENOENT } = constants.errno;
      expect(systemError(ECONNRESET)).to.deep.equal(['ECONNRESET', 'Connection reset by peer']);
      expect(systemError(EPIPE)).to.deep.equal(['EPIPE', 'Broken pipe']);
      expect(systemError(ENOENT)[0]).to.equal('ENOENT');
    });

    it('says so when there is no such number', () => {
      const [name, message] = systemError(99_999);
      expect(name).to.match(/^Unknown system error/);
      expect(message).to.contain('99999');
    });
  });

  it('refuse arguments of a wrong type', () => {
    // @ts-expect-error -- a bug of the caller's
    expect(() => errorStrings('x')).to.throw(TypeError, 'argument 0 must be a number');
    // @ts-expect-error -- a bug of the caller's
    expect(() => systemError(undefined)).to.throw(TypeError, 'argument 0 must be a number');
  });

  it('are touched by the bracket alone: no other source of the addon knows the queue', () => {
    const directory = fileURLToPath(new URL('../src', import.meta.url));
    const sources = readdirSync(directory).filter((name) => /\.(?:cc|h)$/.test(name) && name !== 'addon_test.cc');
    const touching = sources.filter((name) => {
      const code = readFileSync(join(directory, name), 'utf8').replaceAll(/\/\/.*/g, '');
      return /\b(?:ERR_(?!LIB_)[a-z]\w*|OSSL_ERR_\w+)\s*\(/.test(code);
    });
    expect(sources).to.include.members(['tls_context.cc', 'tls_engine.cc', 'errors.h']);
    expect(touching).to.deep.equal(['errors.cc']);
  });

  describe('the queue of the test addon', () => {
    it("is this thread's own, entry for entry", () => {
      queue.raise(0x0a000126, 'ssl/x.c', 12, 'ssl_read', '100%d of it');
      queue.raise(0x80000068, '', -1, '');
      expect(queue.peek()).to.deep.equal([0x0a000126, 'ssl/x.c', 12, 'ssl_read', '100%d of it', 3]);
      expect(queue.peekLast()).to.deep.equal([0x80000068, '', -1, '', '', 0]);
      expect(queue.countToMark()).to.equal(2);
      expect(queue.getCode()).to.equal(0x0a000126);
      expect(queue.pop()).to.equal(1);
      expect(queue.get()).to.equal(undefined);
      expect(queue.getCode()).to.equal(0);
    });

    it('keeps the newest 15', () => {
      for (let reason = 1; reason <= 20; reason++) queue.raise(0x0a000000 + reason, '', 0, '');
      const left: number[] = [];
      for (let code = queue.getCode(); code !== 0; code = queue.getCode()) left.push(code & 0xff);
      expect(left).to.deep.equal(Array.from({ length: 15 }, (_, index) => index + 6));
    });

    it('saves, restores and frees states', () => {
      const state = queue.newState();
      queue.raise(0x0a000001, '', 1, '');
      queue.setMark();
      queue.raise(0x0a000002, '', 2, '', 'two');
      queue.saveStateToMark(state);
      expect(queue.popToMark()).to.equal(1);
      queue.restoreState(state);
      queue.restoreState(state);
      expect([queue.getCode(), queue.getCode(), queue.get()?.[4], queue.get()]).to.deep.equal([
        0x0a000001,
        0x0a000002,
        'two',
        undefined,
      ]);
      queue.freeState(state);
      expect(() => queue.restoreState(state)).to.throw('freed');
    });

    it('skips entries that were cleared in constant time', () => {
      queue.raise(0x0a000001, '', 1, '');
      queue.raise(0x0a000002, '', 1, '');
      queue.clearLastConstantTime();
      expect([queue.getCode(), queue.getCode()]).to.deep.equal([0x0a000001, 0]);
    });

    it('prints, appends, and leaves errno alone', () => {
      queue.setErrno(77);
      queue.raise(0x0a000126, 'x.c', 3, 'f');
      expect(queue.getErrno()).to.equal(77);
      queue.addErrorData('y', 'z');
      queue.addErrorText(', ', 'more');
      expect(queue.errorStringN(0x0a000126, 256)).to.equal('error:0A000126:SSL routines::unexpected eof while reading');
      expect(queue.errorStringN(0x0a000126, 0)).to.equal(undefined);
      const [line] = queue.printErrors(5);
      expect(line).to.match(/^[0-9A-F]+:error:0A000126:SSL routines:f:unexpected eof while reading:x\.c:3:yz, more\n$/);
      expect(queue.peek()).to.equal(undefined);
      queue.setErrno(0);
    });
  });
});
