import { constants } from 'node:os';
import { expect } from 'chai';
import {
  AbortedError,
  createEntry,
  errorFromEntries,
  errorFromErrno,
  QuicError,
  SluiceError,
  SystemError,
  TimeoutError,
  TlsError,
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
