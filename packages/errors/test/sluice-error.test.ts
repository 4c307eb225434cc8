import { inspect } from 'node:util';
import { expect } from 'chai';
import {
  AbortedError,
  ApiMisuse,
  closeInfo,
  createEntry,
  errorFromErrno,
  IDLE_TIMEOUT,
  LimitError,
  QuicError,
  SluiceError,
  type SluiceErrorOptions,
  SystemError,
  TimeoutError,
  TlsError,
  UnsupportedError,
} from '../src/index.ts';

const options: SluiceErrorOptions = {
  code: 'SLUICE_TLS_TRUNCATED',
  layer: 'tls',
  operation: 'read',
  blame: 'remote',
  remedy: 'close',
};

const kinds = [TlsError, QuicError, LimitError, TimeoutError, AbortedError, UnsupportedError];

describe('SluiceError', () => {
  it('is told by kind, and each kind is a SluiceError and an Error', () => {
    for (const Kind of kinds) {
      const error = new Kind('m', options);
      expect(error.name).to.equal(Kind.name);
      expect([error instanceof Kind, error instanceof SluiceError, error instanceof Error]).to.deep.equal([
        true,
        true,
        true,
      ]);
      expect(kinds.filter((Other) => error instanceof Other)).to.deep.equal([Kind]);
    }
    for (const other of [undefined, null, 'text', {}, new Error('x')])
      expect(other instanceof SluiceError).to.equal(false);
  });

  it("a user's subclass is told by its own class, not by its parent's kind", () => {
    class MyError extends TlsError {}
    expect(new MyError('m', options) instanceof MyError).to.equal(true);
    expect(new MyError('m', options) instanceof TlsError).to.equal(true);
    expect(new TlsError('m', options) instanceof MyError).to.equal(false);
  });

  it('owns its entries', () => {
    const entry = createEntry({ code: 1, data: new Uint8Array([1]) });
    const error = new TlsError('m', { ...options, entries: [entry] });
    (entry.data as Uint8Array)[0] = 9;
    expect(error.entries[0]?.data).to.deep.equal(new Uint8Array([1]));
  });

  it('has no end, direction or close info where there is none', () => {
    expect(Object.keys(new TlsError('m', options))).to.not.include.members(['end', 'direction', 'closeInfo']);
  });

  it('is logged at info when the peer is to blame, else at error, unless its maker knows better', () => {
    const levelOf = (more: Partial<SluiceErrorOptions>) => new TlsError('m', { ...options, ...more }).logLevel;
    expect(levelOf({ blame: 'remote' })).to.equal('info');
    expect(levelOf({ blame: 'local' })).to.equal('error');
    expect(levelOf({ blame: 'system' })).to.equal('error');
    expect(levelOf({ blame: 'remote', logLevel: 'warn' })).to.equal('warn');
  });

  it("ApiMisuse is the caller's own fault", () => {
    const error = new ApiMisuse('pull first', { layer: 'core', operation: 'read' });
    expect(error).to.include({ code: 'SLUICE_CORE_API_MISUSE', blame: 'local', remedy: 'fix', layer: 'core' });
    expect(error instanceof TlsError).to.equal(false);
    const told = new ApiMisuse('m', { ...options, blame: 'remote', entries: [createEntry({ code: 1 })] });
    expect(told).to.include({ code: options.code, blame: 'local', remedy: 'fix' });
    expect(told.entries).to.have.length(1);
  });

  it('becomes plain JSON, causes included', () => {
    const info = closeInfo({ code: 2n ** 60n, reason: 'r', remote: true, transport: false });
    const error = new TlsError('m', {
      ...options,
      end: 'truncated',
      direction: 'read',
      closeInfo: info,
      entries: [createEntry({ code: 0x0a000126, data: new Uint8Array([255]) })],
      cause: errorFromErrno(-104, { operation: 'read', cause: new TypeError('deep') }),
    });
    const json = JSON.parse(JSON.stringify(error)) as Record<string, unknown>;
    expect(json).to.deep.include({
      name: 'TlsError',
      message: 'm',
      code: 'SLUICE_TLS_TRUNCATED',
      blame: 'remote',
      end: 'truncated',
      closeInfo: { ...info, code: String(2n ** 60n), frameType: '0' },
      entries: [
        {
          code: '0A000126',
          text: 'error:0A000126:SSL routines::unexpected eof while reading',
          func: '',
          file: '',
          line: -1,
          data: 'ff',
        },
      ],
    });
    expect(json['cause']).to.deep.include({ errno: 'ECONNRESET', cause: { name: 'TypeError', message: 'deep' } });
  });

  it('becomes JSON whatever its cause is, and however long the chain of causes', () => {
    const causeOf = (cause: unknown): unknown =>
      (JSON.parse(JSON.stringify(new SluiceError('m', { ...options, cause }))) as { cause: unknown }).cause;
    expect(causeOf(5n)).to.equal('5n');
    expect(causeOf('text')).to.equal('text');
    expect(causeOf({ plain: [1, null] })).to.deep.equal({ plain: [1, null] });
    expect(causeOf({ big: 1n })).to.equal('{ big: 1n }');
    expect(causeOf(Symbol('s'))).to.equal('Symbol(s)');
    const circle: { self?: unknown } = {};
    circle.self = circle;
    expect(causeOf(circle)).to.match(/Circular/);

    const inner = Object.assign(new Error('inner'), { code: 'E_INNER' });
    const outer = new Error('outer', { cause: new SluiceError('between', { ...options, cause: inner }) });
    expect(causeOf(outer)).to.deep.include({ name: 'Error', message: 'outer' });
    expect(causeOf(outer)).to.have.nested.property('cause.cause.code', 'E_INNER');

    const error = new Error('bites its tail');
    error.cause = new SluiceError('between', { ...options, cause: error });
    expect(JSON.stringify(causeOf(error)).match(/bites its tail/g)).to.have.length(4);
    expect(causeOf(outer), 'the next one is told from its beginning').to.have.nested.property('cause.cause.code');
  });

  it('is inspected with who closed the channel', () => {
    const shown = (init: Partial<Parameters<typeof closeInfo>[0]>): string => {
      const info = closeInfo({ code: 42, remote: true, transport: false, ...init });
      return inspect(new QuicError('m', { ...options, closeInfo: info })).split('\n')[2] ?? '';
    };
    expect(shown({ reason: 'bye' })).to.equal('  closed by the peer\'s application: code 0x2a, "bye"');
    expect(shown({ remote: false, transport: true })).to.equal("  closed by this side's transport: code 0x2a");
    expect(shown({ remote: false, transport: true, code: IDLE_TIMEOUT })).to.equal("  closed by this side's transport");
  });

  it('is inspected as many lines, with entries and cause', () => {
    const error = new SystemError('the peer is gone', {
      ...options,
      errno: 'EPIPE',
      end: 'reset',
      direction: 'write',
      entries: [createEntry({ code: 0x0a000126, data: 'why' })],
      cause: new Error('underneath'),
    });
    const lines = inspect(error).split('\n');
    expect(lines.slice(0, 5)).to.deep.equal([
      'SystemError [SLUICE_TLS_TRUNCATED]: the peer is gone',
      '  layer: tls, operation: read, blame: remote, remedy: close',
      '  end: reset (write)',
      '  entries, oldest first:',
      '    error:0A000126:SSL routines::unexpected eof while reading {why}',
    ]);
    expect(lines.some((line) => line.includes('sluice-error.test.ts'))).to.equal(true);
    expect(lines.some((line) => line.startsWith('  cause: Error: underneath'))).to.equal(true);
    expect(String(error)).to.equal('SystemError: the peer is gone (SLUICE_TLS_TRUNCATED)');
  });
});
