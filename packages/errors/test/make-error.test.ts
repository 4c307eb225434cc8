import { constants } from 'node:os';
import { expect } from 'chai';
import {
  AbortedError,
  ApiMisuse,
  closeInfo,
  contextOf,
  createEntry,
  errorFromEntries,
  errorFromErrno,
  Library,
  LimitError,
  packCode,
  QuicError,
  SluiceError,
  type SluiceErrorOptions,
  SystemError,
  TimeoutError,
  TlsError,
  UnsupportedError,
} from '../src/index.ts';
import { ssl } from './support/memory-channel.ts';

describe('errors made from entries', () => {
  it('are of the kind of their layer, and say what, why and what to do', () => {
    const entries = [createEntry({ code: ssl('certificateVerifyFailed'), data: 'has expired' })];
    const error = errorFromEntries(entries, { layer: 'tls', operation: 'handshake', direction: 'both' });
    expect(error).to.be.instanceOf(TlsError);
    expect(error.message).to.equal(
      "handshake failed: the peer's certificate was not accepted (certificate verify failed: has expired). " +
        'If it should be, add its issuer to ca, and check the name and the dates.',
    );
    expect(error).to.include({
      code: 'SLUICE_TLS_BAD_CERTIFICATE',
      end: 'failed',
      logLevel: 'warn',
      direction: 'both',
    });
    const quic = errorFromEntries(entries, { layer: 'quic', operation: 'handshake' });
    expect(quic).to.be.instanceOf(QuicError);
    expect(quic.code).to.equal('SLUICE_QUIC_BAD_CERTIFICATE');
  });

  it('what the caller knows better outranks the table', () => {
    const cause = new Error('x');
    const error = errorFromEntries([createEntry({ code: ssl('badPacket') })], {
      layer: 'tls',
      operation: 'read',
      what: 'MINE',
      blame: 'local',
      remedy: 'retry',
      logLevel: 'debug',
      end: 'aborted',
      message: 'in my words',
      cause,
    });
    expect(error).to.be.instanceOf(AbortedError);
    expect(error).to.include({
      code: 'SLUICE_TLS_MINE',
      remedy: 'retry',
      logLevel: 'debug',
      message: 'in my words',
      cause,
    });
  });

  it('a rule broken by the caller is an ApiMisuse, with its entries, and never told as a fault of the peer', () => {
    for (const layer of ['tls', 'quic'] as const) {
      const error = errorFromEntries([createEntry({ code: ssl('badWriteRetry') })], { layer, operation: 'write' });
      expect(error).to.be.instanceOf(ApiMisuse).and.not.instanceOf(TlsError);
      expect(error).to.include({ code: `SLUICE_${layer.toUpperCase()}_API_MISUSE`, blame: 'local', remedy: 'fix' });
      expect(error.entries).to.have.length(1);
    }
  });

  it("a reason of a protocol of one's own is told as it is, by what its maker knows", () => {
    const mine = createEntry({ code: packCode(Library.user + 3, 7), data: 'room 12 is closed' });
    const error = errorFromEntries([mine], { layer: 'application', operation: 'join', what: 'ROOM', blame: 'local' });
    expect(error).to.include({ code: 'SLUICE_APPLICATION_ROOM', blame: 'local', end: 'failed' });
    expect(error.message).to.equal('join failed: the protocol failed (reason 7 of library 131: room 12 is closed)');
    expect(errorFromEntries([mine], { layer: 'application', operation: 'join' }).code).to.equal(
      'SLUICE_APPLICATION_FAILED',
    );
  });

  it('contextOf makes another error that says the same', () => {
    const full: SluiceErrorOptions = {
      code: 'SLUICE_TLS_WHATEVER',
      layer: 'tls',
      operation: 'read',
      blame: 'local',
      remedy: 'retry',
      logLevel: 'debug',
      end: 'reset',
      direction: 'write',
      closeInfo: closeInfo({ code: 4, remote: true, transport: false }),
      cause: 'why',
      entries: [createEntry({ code: ssl('badPacket'), data: new Uint8Array([1]) })],
    };
    const errors = [SluiceError, TlsError, QuicError, LimitError, TimeoutError, AbortedError, UnsupportedError].map(
      (Kind) => new Kind('in so many words', full),
    );
    errors.push(
      new SystemError('in so many words', { ...full, errno: 'EMINE', syscall: 'mine' }),
      new ApiMisuse('in so many words', { ...full, code: 'SLUICE_TLS_ORDER' }),
    );
    for (const error of errors) {
      const again = errorFromEntries(error.entries, contextOf(error));
      expect(again).to.not.equal(error);
      expect(again.constructor).to.equal(error.constructor);
      expect(again.toJSON()).to.deep.equal(error.toJSON());
    }
  });

  it("contextOf knows a class of somebody else's by the kind it extends", () => {
    class LoginError extends LimitError {}
    const error = new LoginError('three times', {
      code: 'SLUICE_LOGIN',
      layer: 'application',
      operation: 'login',
      blame: 'remote',
      remedy: 'close',
    });
    expect(errorFromEntries([], contextOf(error)).constructor).to.equal(LimitError);
    Object.defineProperty(error, 'name', { value: 'LoginError' });
    const again = errorFromEntries([], contextOf(error));
    expect(again.constructor).to.equal(SluiceError);
    expect(again).to.include({ code: 'SLUICE_LOGIN', message: 'three times' });
  });

  it('an end by time is a TimeoutError', () => {
    const error = errorFromEntries([createEntry({ code: ssl('readTimeoutExpired') })], {
      layer: 'tls',
      operation: 'read',
    });
    expect(error).to.be.instanceOf(TimeoutError);
  });

  it('an empty queue is said to be empty', () => {
    const error = errorFromEntries([], { layer: 'core', operation: 'read' });
    expect(error).to.be.instanceOf(SluiceError);
    expect(error.message).to.include('no entry was recorded');
    expect(error.code).to.equal('SLUICE_CORE_INTERNAL');
  });
});

describe('errors made from an errno', () => {
  const cases: [name: string, blame: string, remedy: string, end: string | undefined][] = [
    ['ECONNRESET', 'remote', 'close', 'reset'],
    ['EPIPE', 'remote', 'close', 'reset'],
    ['ETIMEDOUT', 'system', 'retry', 'timeout'],
    ['ECONNREFUSED', 'remote', 'retry', 'failed'],
    ['EMFILE', 'system', 'retry', undefined],
    ['ENOBUFS', 'system', 'retry', undefined],
    ['EADDRINUSE', 'local', 'fix', 'failed'],
    ['EACCES', 'local', 'fix', 'failed'],
    ['ENETUNREACH', 'system', 'retry', 'failed'],
  ];
  for (const [name, blame, remedy, end] of cases) {
    it(`${name}: ${blame}, ${remedy}${end === undefined ? '' : `, ${end}`}`, () => {
      const number = constants.errno[name as keyof typeof constants.errno];
      for (const errno of [name, number, -number]) {
        const error = errorFromErrno(errno, { operation: 'read', syscall: 'recv' });
        expect(error).to.be.instanceOf(SystemError);
        expect(error).to.include({ code: `SLUICE_SYSTEM_${name}`, errno: name, syscall: 'recv', layer: 'system' });
        expect(error).to.include({ blame, remedy });
        expect(error.end).to.equal(end);
        expect(error.entries.map((entry) => entry.errno)).to.deep.equal([number]);
      }
    });
  }

  it('the message names the operation, the subject, the error, and the way out', () => {
    expect(errorFromErrno('EADDRINUSE', { operation: 'listen', subject: '127.0.0.1:80' }).message).to.equal(
      'listen 127.0.0.1:80 failed: the address is in use (EADDRINUSE, address already in use). ' +
        'Stop what listens there, or choose another address or port.',
    );
  });

  it('an unknown number or name still makes a whole error', () => {
    expect(errorFromErrno(-9876, { operation: 'read' })).to.include({
      code: 'SLUICE_SYSTEM_ERRNO_9876',
      blame: 'system',
    });
    const named = errorFromErrno('EWHATEVER', { operation: 'read' });
    expect(named).to.include({ code: 'SLUICE_SYSTEM_EWHATEVER' });
    expect(named.entries).to.deep.equal([]);
  });
});
