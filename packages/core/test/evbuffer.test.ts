import { inspect } from 'node:util';
import { ApiMisuse, LimitError } from '@sluice/errors';
import { expect } from 'chai';
import { type Data, EvBuffer, type EolStyle, LINE_BYTES_MAX } from '../src/evbuffer.ts';
import { Slab } from '../src/slab.ts';
import { assertInvariants } from '../src/testing/evbuffer-invariants.ts';
import { chunked, chunkSizes, endTurn, RecordingOwner, receive, sliced, thrownBy } from './support/evbuffer-fixture.ts';

describe('EvBuffer: memory', () => {
  it('never shows slab memory: what is handed out outlives the turn', () => {
    const slab = new Slab(1024, -1);
    const buffer = new EvBuffer();
    const shown: Uint8Array[] = [];
    receive(buffer, slab, 'peeked');
    shown.push(...buffer.peek());
    receive(buffer, slab, 'pulled');
    shown.push(buffer.pullup());
    receive(buffer, slab, 'line\r\n');
    shown.push(buffer.read(12), buffer.readLine() ?? Buffer.alloc(0));
    receive(buffer, slab, 'into');
    const view = Buffer.alloc(4);
    buffer.copy(view);
    shown.push(view, buffer.read());
    endTurn(slab);
    expect(shown.map((each) => Buffer.from(each).toString())).to.deep.equal([
      'peeked',
      'peekedpulled',
      'peekedpulled',
      'line',
      'into',
      'into',
    ]);
    for (const each of shown) expect(each.buffer).to.not.equal(slab.bytes.buffer);
  });

  it('keeps views as they are, whatever is appended, prepended and drained afterwards', () => {
    const buffer = new EvBuffer();
    buffer.append('abcdef');
    const views = [...buffer.peek(), buffer.pullup(3)];
    buffer.append('ghi');
    buffer.drain(4);
    buffer.prepend('XY');
    buffer.prepend('Z');
    buffer.clear();
    buffer.append('012345678');
    expect(views.map(String)).to.deep.equal(['abcdef', 'abc']);
  });

  it('returns copies from read: writing to them changes no buffer', () => {
    const buffer = new EvBuffer();
    buffer.append('abcd');
    const other = new EvBuffer();
    other.appendShared(buffer);
    buffer.read(2).fill('x');
    buffer.readLine('lf', 2)?.fill('x');
    expect([buffer.toString(), other.toString()]).to.deep.equal(['cd', 'abcd']);
  });

  it('puts small appends into the scratch slab, as one chunk when they come on end', () => {
    const scratch = new Slab(16 * 1024, -2);
    const buffer = new EvBuffer(new RecordingOwner(scratch));
    buffer.append('VALUE ');
    buffer.append('ünï', 'latin1');
    buffer.append('\u{1f600}\r\n');
    buffer.append(Buffer.from('bytes'));
    buffer.appendAll(['x', Buffer.from('y')]);
    expect(chunkSizes(buffer)).to.deep.equal([6 + 3 + 6 + 5 + 2]);
    expect(buffer._head?.slab).to.equal(scratch);
    expect(scratch.free).to.equal(16 * 1024 - 22);
    endTurn(scratch);
    expect(buffer.read()).to.deep.equal(
      Buffer.concat([Buffer.from('VALUE '), Buffer.from('ünï', 'latin1'), Buffer.from('\u{1f600}\r\nbytesxy')]),
    );
  });

  it('puts large appends, and all of them when the scratch slab is full, into memory of its own', () => {
    const scratch = new Slab(65_536, -2);
    const buffer = new EvBuffer(new RecordingOwner(scratch));
    buffer.append('x'.repeat(4097));
    buffer.append(Buffer.alloc(4097));
    buffer.appendAll([Buffer.alloc(4097)]);
    expect(scratch.free).to.equal(65_536);
    expect(buffer._transient).to.equal(0);
    scratch.reserve(65_534);
    const full = new EvBuffer(new RecordingOwner(scratch));
    for (const data of ['text', Buffer.from('bytes')]) full.append(data);
    full.appendAll(['more']);
    expect(full._transient).to.equal(0);
    expect(full.toString()).to.equal('textbytesmore');
  });

  it('continues a backlog in its own memory, which would be copied from the scratch slab anyway', () => {
    const scratch = new Slab(4096, -2);
    const buffer = new EvBuffer(new RecordingOwner(scratch));
    buffer.append('kept');
    endTurn(scratch);
    for (const data of ['text', Buffer.from('bytes')]) buffer.append(data);
    buffer.appendAll(['more']);
    expect(chunkSizes(buffer).length).to.be.at.most(2);
    expect(scratch.free).to.be.at.least(4092);
    expect(buffer.toString()).to.equal('kepttextbytesmore');
  });

  it('fills a chunk of its own to the last byte', () => {
    const buffer = new EvBuffer();
    buffer.append('x');
    const room = (buffer._tail?.high ?? 0) - 1;
    buffer.append(Buffer.alloc(room - 2));
    buffer.append('y');
    buffer.append(Buffer.from('z'));
    expect(chunkSizes(buffer)).to.deep.equal([room + 1]);
    buffer.append('!');
    expect(chunkSizes(buffer)).to.deep.equal([room + 1, 1]);
  });

  it('moves a whole buffer by relinking, and a part by sharing its last chunk', () => {
    const source = sliced(Buffer.alloc(100, 'x'), 10);
    const [first, last] = [source._head, source._tail];
    const destination = chunked('before');
    destination.appendFrom(source);
    expect([destination._head?.next, destination._tail]).to.deep.equal([first, last]);
    expect([source.length, source._head]).to.deep.equal([0, undefined]);
    destination.moveTo(source, 6 + 15);
    expect(chunkSizes(source)).to.deep.equal([6, 10, 5]);
    expect(source._tail?.bytes).to.equal(destination._head?.bytes);
    for (const buffer of [source, destination]) assertInvariants(buffer);
  });

  it('does not write where another buffer shows the same memory', () => {
    const [one, two] = [new EvBuffer(), new EvBuffer()];
    one.append('0123456789');
    one.moveTo(two, 4);
    two.append('AAAA');
    one.append('BBBB');
    one.prepend('CC');
    two.prepend('DD');
    expect([one.toString(), two.toString()]).to.deep.equal(['CC456789BBBB', 'DD0123AAAA']);
  });

  it('moves nothing into itself, nor nothing at all', () => {
    const owner = new RecordingOwner();
    const buffer = new EvBuffer(owner);
    buffer.append('abc');
    owner.changes.length = 0;
    expect([buffer.appendFrom(buffer), buffer.moveTo(buffer, 2), buffer.prepend(buffer)]).to.deep.equal([0, 0, 0]);
    expect([buffer.appendFrom(new EvBuffer()), buffer.append(''), buffer.append(Buffer.alloc(0))]).to.deep.equal([
      0, 0, 0,
    ]);
    expect([buffer.appendAll([]), buffer.appendAll(['']), buffer.appendShared(new EvBuffer())]).to.deep.equal([
      0, 0, 0,
    ]);
    buffer.drain(0);
    buffer.pullup(2);
    buffer.own();
    buffer.appendSlab(new Slab(1, -1), 0, 0);
    expect(owner.changes).to.deep.equal([]);
    expect(buffer.toString()).to.equal('abc');
  });

  it('takes and gives text in the encoding that is asked for', () => {
    const texts = ['', 'plain', 'ünïcödé', '\u{1f600}'.repeat(30), '\ud800 alone', 'x'.repeat(5000), 'ü'.repeat(5000)];
    for (const encoding of ['utf8', 'utf-8', 'latin1', 'binary', 'ascii', 'utf16le', 'hex', 'base64'] as const) {
      for (const text of texts) {
        const expected = Buffer.from(text, encoding);
        for (const scratch of [undefined, new Slab(32 * 1024, -2)]) {
          const buffer = new EvBuffer(new RecordingOwner(scratch));
          expect(buffer.append(text, encoding)).to.equal(expected.length);
          expect(buffer.appendString(text, encoding)).to.equal(expected.length);
          expect(buffer.toString(encoding)).to.equal(Buffer.concat([expected, expected]).toString(encoding));
          expect(buffer.read(expected.length), `${encoding} ${text.slice(0, 9)}`).to.deep.equal(expected);
          expect(buffer.readString(expected.length, encoding)).to.equal(expected.toString(encoding));
          expect(buffer.prepend(text, encoding)).to.equal(expected.length);
          expect(buffer.read()).to.deep.equal(expected);
        }
      }
    }
    expect(sliced('ünïcödé', 1).readString()).to.equal('ünïcödé');
  });

  it('shows its length when inspected, and no bytes', () => {
    expect(inspect(chunked('secret', 'secret'))).to.equal('EvBuffer { length: 12, chunks: 2 }');
  });

  it('knows how much lies on end', () => {
    const buffer = chunked('abc', 'defg');
    expect([buffer.contiguousLength, new EvBuffer().contiguousLength]).to.deep.equal([3, 0]);
    expect(buffer.pullup(2).toString()).to.equal('ab');
    expect(chunkSizes(buffer)).to.deep.equal([3, 4]);
    buffer.pullup(5);
    expect(buffer.contiguousLength).to.equal(5);
    expect(buffer.toString()).to.equal('abcdefg');
  });
});

describe('EvBuffer: lines', () => {
  const STYLES: readonly EolStyle[] = ['any', 'crlf', 'crlf-strict', 'lf', 'nul'];
  const END: Record<EolStyle, string> = { any: '\n', crlf: '\r\n', 'crlf-strict': '\r\n', lf: '\n', nul: '\0' };

  for (const style of STYLES) {
    it(`${style}: takes a line of maxLength and refuses a longer one, however it comes`, () => {
      for (const [size, fits] of [
        [7, true],
        [8, true],
        [9, false],
      ] as const) {
        const text = `${'x'.repeat(size)}${END[style]}`;
        const whole = chunked(text);
        if (fits) expect(whole.readLineString(style, 8)).to.equal('x'.repeat(size));
        else {
          const error = thrownBy(() => whole.readLine(style, 8));
          expect(error).to.be.instanceOf(LimitError);
          expect(error).to.include({
            code: 'SLUICE_CORE_LINE_TOO_LONG',
            layer: 'core',
            blame: 'remote',
            remedy: 'close',
          });
          expect(whole.toString()).to.equal(text);
          expect(() => whole.readLineString(style, 8)).to.throw(LimitError, /readLineString: .* 8 bytes/);
          expect(whole.readLineString(style, 9)).to.equal('x'.repeat(size));
        }

        const dribbled = new EvBuffer();
        let line: string | undefined;
        let refusedAt = -1;
        for (let at = 0; at < text.length && refusedAt < 0; at += 1) {
          dribbled.append(text.slice(at, at + 1));
          try {
            line = dribbled.readLineString(style, 8);
          } catch (error) {
            expect(error).to.be.instanceOf(LimitError);
            refusedAt = dribbled.length;
          }
        }
        expect(line).to.equal(fits ? 'x'.repeat(size) : undefined);
        expect(refusedAt).to.equal(fits ? -1 : 9);
      }
    });

    it(`${style}: does not search twice what held no end`, () => {
      const buffer = new EvBuffer();
      const memory = Buffer.alloc(100, 'x');
      buffer.appendRef(memory);
      expect(buffer.readLine(style)).to.equal(undefined);
      // Nobody may do this; here it shows what is looked at.
      memory.fill('\n\0');
      expect(buffer.readLine(style)).to.equal(undefined);
      buffer.append(`y${END[style]}`);
      expect(buffer.readLine(style)?.length).to.equal(101);
    });
  }

  it('has a limit by default, below the high watermark of input', () => {
    expect(LINE_BYTES_MAX).to.equal(8192);
    const buffer = new EvBuffer();
    buffer.append('x'.repeat(8192));
    expect(buffer.readLine()).to.equal(undefined);
    buffer.append('x');
    expect(() => buffer.readLine()).to.throw(LimitError);
  });

  it('takes the CR that may be half of an end for neither', () => {
    const buffer = chunked('12345678\r');
    expect(buffer.readLine('crlf', 8)).to.equal(undefined);
    expect(buffer.readLine('crlf-strict', 8)).to.equal(undefined);
    expect(() => buffer.readLine('lf', 8)).to.throw(LimitError);
    buffer.append('9');
    expect(() => buffer.readLine('crlf', 8)).to.throw(LimitError);
  });

  it('remembers nothing wrong when the front or the style changes', () => {
    const buffer = chunked('no end\0yet');
    expect(buffer.readLine('lf')).to.equal(undefined);
    expect(buffer.readLineString('nul')).to.equal('no end');
    expect(buffer.readLine('lf')).to.equal(undefined);
    buffer.prepend('now\n');
    expect(buffer.readLineString('lf')).to.equal('now');
    expect(buffer.readLine('lf')).to.equal(undefined);
    const source = chunked('moved\n');
    buffer.prepend(source);
    expect(buffer.readLineString('lf')).to.equal('moved');
    expect(buffer.findEol('lf', 2)).to.equal(undefined);
    buffer.append('\n');
    buffer.drain(2);
    expect(buffer.readLineString('lf')).to.equal('t');
    source.append('again\nand');
    expect(source.readLineString('lf')).to.equal('again');
    expect(source.length).to.equal(3);
    source.prepend('-');
    expect(source.readLine('lf')).to.equal(undefined);
    source.prepend('hi\n');
    expect(chunkSizes(source)).to.deep.equal([4, 3]);
    expect(source.readLineString('lf')).to.equal('hi');
  });

  it('any: what comes later of a run of ends is an empty line', () => {
    const buffer = chunked('line\r');
    expect(buffer.readLineString('any')).to.equal('line');
    buffer.append('\nnext\n');
    expect(buffer.readLineString('any')).to.equal('');
    expect(buffer.readLineString('any')).to.equal('next');
  });

  it('are decoded as asked', () => {
    expect(sliced('gr\u00fcn\r\n', 1).readLineString()).to.equal('gr\u00fcn');
    expect(sliced('gr\u00fcn\r\n', 1).readLineString('crlf', 100, 'latin1')).to.equal('gr\u00c3\u00bcn');
    expect(chunked('\r\n').readLine()).to.deep.equal(Buffer.alloc(0));
  });
});

describe('EvBuffer: memory that is lent to it', () => {
  /** Lends one piece of memory, and counts how often it comes back. */
  function lend(buffer: EvBuffer, text = '0123456789'): { readonly given: number } {
    const lent = { given: 0 };
    buffer.appendRef(Buffer.from(text), () => (lent.given += 1));
    return lent;
  }

  it('is not copied, and comes back once its last part is gone from the last buffer', () => {
    const [one, two, three] = [new EvBuffer(), new EvBuffer(), new EvBuffer()];
    const memory = new Uint8Array([97, 98, 99, 100]);
    let given = 0;
    one.appendRef(memory, () => (given += 1));
    expect(one._head?.bytes.buffer).to.equal(memory.buffer);
    one.moveTo(two, 1);
    one.moveTo(two, 1);
    expect(chunkSizes(two)).to.deep.equal([2]);
    three.appendShared(one);
    three.appendShared(two);
    one.clear();
    two.read();
    expect(given).to.equal(0);
    three.drain(3);
    expect(given).to.equal(0);
    expect(three.readString()).to.equal('b');
    expect(given).to.equal(1);
    for (const buffer of [one, two, three]) buffer.clear();
    expect(given).to.equal(1);
  });

  it('is told apart from the same memory lent for another reason', () => {
    const memory = Buffer.from('0123456789');
    const [one, two, both] = [new EvBuffer(), new EvBuffer(), new EvBuffer()];
    const given: string[] = [];
    one.appendRef(memory, () => given.push('one'));
    two.appendRef(memory, () => given.push('two'));
    two.drain(4);
    one.moveTo(both, 4);
    two.moveTo(both, 3);
    one.clear();
    two.clear();
    expect([both.toString(), given]).to.deep.equal(['0123456', []]);
    both.drain(4);
    expect(given).to.deep.equal(['one']);
    both.drain();
    expect(given).to.deep.equal(['one', 'two']);
  });

  it('comes back when it was copied away by pullup', () => {
    const buffer = chunked('before');
    const lent = lend(buffer);
    buffer.pullup(10);
    expect(lent.given).to.equal(0);
    buffer.pullup();
    expect(lent.given).to.equal(1);
    expect(buffer.toString()).to.equal('before0123456789');
  });

  it('of no bytes comes back, after the call', async () => {
    const buffer = new EvBuffer();
    const lent = lend(buffer, '');
    expect([lent.given, buffer.length]).to.deep.equal([0, 0]);
    await Promise.resolve();
    expect(lent.given).to.equal(1);
  });

  it('never comes back during the call, even when a listener drains it or throws', async () => {
    const buffer = new EvBuffer();
    buffer.onChange(({ added }) => {
      if (added === 0) return;
      buffer.clear();
      throw new Error('from the listener');
    });
    const lent = { given: 0 };
    expect(() => buffer.appendRef(Buffer.from('x'), () => (lent.given += 1))).to.throw('from the listener');
    expect(lent.given).to.equal(0);
    await Promise.resolve();
    expect(lent.given).to.equal(1);
  });

  it('is not taken when the owner refuses it', () => {
    const owner = new RecordingOwner();
    owner.cap = 9;
    const buffer = new EvBuffer(owner);
    expect(() => lend(buffer)).to.throw('full');
    expect(buffer.length).to.equal(0);
  });

  it('comes back to everybody when one throws, with the buffer whole', () => {
    const buffer = new EvBuffer();
    const seen: string[] = [];
    for (const name of ['a', 'b']) {
      buffer.appendRef(Buffer.from(name), () => {
        assertInvariants(buffer);
        seen.push(`${name} ${buffer.length}`);
        throw new Error(name);
      });
    }
    buffer.append('c');
    expect(() => buffer.drain(2)).to.throw('a');
    expect(seen).to.deep.equal(['a 1', 'b 1']);
    expect(buffer.toString()).to.equal('c');
  });

  it('may be lent again from the release', () => {
    const buffer = new EvBuffer();
    const memory = Buffer.from('ring');
    let rounds = 0;
    const lendAgain = (): void => {
      rounds += 1;
      if (rounds < 4) buffer.appendRef(memory, lendAgain);
    };
    lendAgain();
    for (let round = 0; round < 3; round += 1) expect(buffer.readString()).to.equal('ring');
    expect([rounds, buffer.length]).to.deep.equal([4, 0]);
  });
});

describe('EvBuffer: its owner', () => {
  it('hears of every change once, with the buffers whole', () => {
    const [owner, other] = [new RecordingOwner(), new RecordingOwner()];
    const [buffer, source] = [new EvBuffer(owner), new EvBuffer(other)];
    source.append('0123456789');
    buffer.append('ab\r\n');
    buffer.appendRef(Buffer.from('cd'));
    buffer.appendFrom(source, 3);
    source.moveTo(buffer);
    buffer.readLine();
    buffer.prepend('x');
    buffer.read(2);
    buffer.readInto(Buffer.alloc(2));
    buffer.readString(1);
    source.appendShared(buffer, 1);
    source.prepend(buffer);
    source.clear();
    expect(owner.changes).to.deep.equal([
      '+4 -0 =4',
      '+2 -0 =6',
      '+3 -0 =9',
      '+7 -0 =16',
      '+0 -4 =12',
      '+1 -0 =13',
      '+0 -2 =11',
      '+0 -2 =9',
      '+0 -1 =8',
      '+0 -8 =0',
    ]);
    expect(other.changes).to.deep.equal(['+10 -0 =10', '+0 -3 =7', '+0 -7 =0', '+1 -0 =1', '+8 -0 =9', '+0 -9 =0']);
  });

  it('may refuse bytes from wherever they come: then nothing is taken, and the source keeps them', () => {
    for (const scratch of [undefined, new Slab(16_384, -2)]) {
      const owner = new RecordingOwner(scratch);
      const buffer = new EvBuffer(owner);
      buffer.append('full');
      owner.cap = 6;
      const source = chunked('source');
      const attempts: (() => unknown)[] = [
        () => buffer.append('abc'),
        () => buffer.append('\u00fcx'),
        () => buffer.append('x'.repeat(5000)),
        () => buffer.append('abcd', 'utf16le'),
        () => buffer.append(Buffer.from('abc')),
        () => buffer.appendString('abc'),
        () => buffer.appendAll(['a', 'b', 'c']),
        () => buffer.appendRef(Buffer.from('abc')),
        () => buffer.appendFrom(source),
        () => buffer.appendFrom(source, 3),
        () => source.moveTo(buffer, 3),
        () => buffer.appendShared(source),
        () => buffer.prepend('abc'),
        () => buffer.prepend(source),
        () => buffer.appendUInt32BE(1),
      ];
      owner.changes.length = 0;
      for (const attempt of attempts) {
        expect(attempt, attempt.toString()).to.throw(RangeError, 'full');
        assertInvariants(buffer);
      }
      expect([buffer.toString(), source.toString(), owner.changes]).to.deep.equal(['full', 'source', []]);
      buffer.append('ok');
      expect(buffer.toString()).to.equal('fullok');
    }
  });

  it('may empty the buffer from within, as one that discards does', () => {
    const slab = new Slab(64, -1);
    const buffer: EvBuffer = new EvBuffer({
      admit() {},
      bufferChanged(_buffer, added) {
        if (added > 0) buffer.clear();
      },
    });
    receive(buffer, slab, 'unwanted');
    expect(buffer.append('unwanted')).to.equal(8);
    const source = chunked('unwanted');
    expect(source.moveTo(buffer)).to.equal(8);
    assertInvariants(buffer);
    expect([buffer.length, source.length]).to.deep.equal([0, 0]);
  });

  it('hears of what arrived though a listener of the source threw', () => {
    const owner = new RecordingOwner();
    const [source, destination] = [chunked('abc'), new EvBuffer(owner)];
    source.onChange(() => {
      throw new Error('of the source');
    });
    expect(() => destination.appendFrom(source)).to.throw('of the source');
    expect(owner.changes).to.deep.equal(['+3 -0 =3']);
  });
});

describe('EvBuffer: arguments', () => {
  const filled = (): EvBuffer => chunked('some', 'bytes');

  it('that count bytes are integers of 0 or more; the error names operation and argument', () => {
    const calls: Record<string, (buffer: EvBuffer, value: number) => unknown> = {
      'drain: n': (buffer, value) => buffer.drain(value),
      'read: n': (buffer, value) => buffer.read(value),
      'readString: n': (buffer, value) => buffer.readString(value),
      'appendFrom: n': (buffer, value) => new EvBuffer().appendFrom(buffer, value),
      'appendShared: n': (buffer, value) => new EvBuffer().appendShared(buffer, value),
      'copy: from': (buffer, value) => buffer.copy(Buffer.alloc(1), value),
      'peek: n': (buffer, value) => buffer.peek(value),
      'peek: from': (buffer, value) => buffer.peek(1, value),
      'pullup: n': (buffer, value) => buffer.pullup(value),
      'indexOf: from': (buffer, value) => buffer.indexOf('e', value),
      'indexOf: to': (buffer, value) => buffer.indexOf('e', 0, value),
      'findEol: from': (buffer, value) => buffer.findEol('lf', value),
      'readLine: maxLength': (buffer, value) => buffer.readLine('lf', value),
      'readLineString: maxLength': (buffer, value) => buffer.readLineString('lf', value),
    };
    for (const [name, call] of Object.entries(calls)) {
      for (const value of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '1' as never, null as never]) {
        const buffer = filled();
        const error = thrownBy(() => call(buffer, value));
        expect(error, name).to.be.instanceOf(ApiMisuse);
        expect(error.message).to.include(`${name} must be an integer of 0 or more, not ${String(value)}`);
        expect(buffer.toString()).to.equal('somebytes');
      }
    }
  });

  it('that are data are text or bytes', () => {
    const calls: Record<string, (buffer: EvBuffer, data: Data) => unknown> = {
      append: (buffer, data) => buffer.append(data),
      appendString: (buffer, data) => buffer.appendString(data as string),
      appendAll: (buffer, data) => buffer.appendAll(['x', data]),
      appendRef: (buffer, data) => buffer.appendRef(data as Uint8Array),
      prepend: (buffer, data) => buffer.prepend(data),
      readInto: (buffer, data) => buffer.readInto(data as Uint8Array),
      copy: (buffer, data) => buffer.copy(data as Uint8Array),
      indexOf: (buffer, data) => buffer.indexOf(data),
      appendFrom: (buffer, data) => buffer.appendFrom(data as never, 1),
      appendShared: (buffer, data) => buffer.appendShared(data as never, 1),
    };
    for (const [name, call] of Object.entries(calls)) {
      const wrong: [unknown, string][] = [
        [new ArrayBuffer(4), 'ArrayBuffer'],
        [{}, 'Object'],
        [null, 'null'],
        [undefined, 'undefined'],
      ];
      for (const [data, what] of wrong) {
        const buffer = filled();
        const error = thrownBy(() => call(buffer, data as never));
        expect(error, `${name} ${what}`).to.be.instanceOf(ApiMisuse);
        expect(error.message).to.match(new RegExp(`^(append|${name}): .* must be .*, not ${what}$`));
        expect(buffer.toString()).to.equal('somebytes');
      }
    }
  });

  it('that are bytes to look for are from 0 to 255; an empty needle is everywhere', () => {
    for (const byte of [-1, 256, 0.5]) expect(() => filled().indexOf(byte)).to.throw(ApiMisuse, /byte from 0 to 255/);
    expect([filled().indexOf(98), filled().indexOf(98, 5), filled().indexOf('e', 0, 3)]).to.deep.equal([4, -1, -1]);
    expect([filled().indexOf(''), filled().indexOf('', 9), filled().indexOf('', 10)]).to.deep.equal([0, 9, -1]);
    expect(filled().indexOf(new Uint8Array([0x65, 0x62]))).to.equal(3);
  });

  it('that name an encoding or a style name one that exists', () => {
    for (const call of [
      () => filled().append('x', 'utf9' as never),
      () => filled().prepend('x', 'utf9' as never),
      () => filled().readString(1, 'utf9' as never),
      () => filled().toString('utf9' as never),
    ]) {
      expect(call).to.throw(ApiMisuse, /encoding must be one that Buffer knows, not utf9/);
    }
    for (const call of [
      () => filled().readLine('cr' as never),
      () => filled().readLineString('cr' as never),
      () => filled().findEol('cr' as never),
    ]) {
      expect(call).to.throw(ApiMisuse, /style must be .* not cr/);
    }
  });

  it('pullup wants no more than there is', () => {
    const error = thrownBy(() => filled().pullup(10));
    expect(error).to.include({ code: 'SLUICE_CORE_BUFFER_UNDERFLOW' });
    expect(error).to.be.instanceOf(ApiMisuse);
    expect(error.message).to.equal('pullup: 10 bytes are wanted and the buffer has 9; look at length first');
  });
});
