import { createEntry, errorFromErrno, LimitError, SystemError, TimeoutError, TlsError } from '@sluice/errors';
import { expect } from 'chai';
import { alertName } from '../src/alert.ts';
import type { SessionFailure } from '../src/session-failure.ts';
import { closeTimeoutError, errorFromBelow, errorOfFailure, handshakeTimeoutError } from '../src/tls-error.ts';

const failure = (part: Partial<SessionFailure>): SessionFailure => ({
  kind: 'fault',
  operation: 'SSL_read',
  phase: 'data',
  sslError: 1,
  entries: [],
  alerts: [],
  verifyResult: 0,
  verifyText: 'ok',
  ...part,
});

describe('TLS errors', () => {
  it('pick the cause from the whole queue, not from its oldest entry', () => {
    const entries = [createEntry({ code: 0x1c800066 }), createEntry({ code: 0x0a000119 })];
    const error = errorOfFailure(failure({ entries }));
    expect(error).to.be.instanceOf(TlsError);
    expect(error).to.include({ code: 'SLUICE_TLS_BAD_RECORD', blame: 'remote', end: 'failed', operation: 'tls data' });
    expect(error.entries).to.deep.equal(entries);
  });

  it('say truncated the same way whether OpenSSL left an entry or not', () => {
    const error = errorOfFailure(failure({ kind: 'truncated', sslError: 5, phase: 'handshake/flight 1' }));
    expect(error).to.include({ code: 'SLUICE_TLS_TRUNCATED', end: 'truncated', direction: 'read' });
    expect(error.operation).to.equal('tls handshake/flight 1');
    expect(error.entries.map((entry) => entry.code)).to.deep.equal([0x0a000126]);
  });

  it('show the alerts of a handshake that was cancelled', () => {
    const alerts = [90, 0].map((description) => ({ sent: false, level: 1, description, name: alertName(description) }));
    const error = errorOfFailure(failure({ kind: 'canceled', phase: 'handshake/flight 1', alerts }));
    expect(error).to.include({ code: 'SLUICE_TLS_ALERT_USER_CANCELLED', blame: 'remote' });
    expect(error.message).to.match(/received user_canceled, received close_notify/u);
  });

  it('put the verify result into the entry that speaks of it', () => {
    const entries = [createEntry({ code: 0x0a000086 })];
    const error = errorOfFailure(failure({ entries, verifyResult: 10, verifyText: 'certificate has expired' }));
    expect(error.code).to.equal('SLUICE_TLS_BAD_CERTIFICATE');
    expect(error.message).to.match(/verify result 10: certificate has expired/u);
    expect(entries[0]?.data).to.equal('');
  });

  it('tell limits of size and time by their own kinds', () => {
    expect(errorOfFailure(failure({ kind: 'limit', phase: 'handshake/before flight 1' }))).to.be.instanceOf(LimitError);
    const handshake = handshakeTimeoutError('handshake/flight 1', 5000, "the peer's next bytes");
    expect(handshake).to.be.instanceOf(TimeoutError);
    expect(handshake.message).to.equal(
      "tls handshake/flight 1: not done within 5000 ms; it waited for the peer's next bytes",
    );
    expect(closeTimeoutError(3000)).to.include({ end: 'timeout', direction: 'write' });
  });

  it('keep what the transport said, and add where the handshake was', () => {
    const below = errorFromErrno('ECONNRESET', { operation: 'read', direction: 'read' });
    const error = errorFromBelow(below, 'handshake/flight 2');
    expect(error).to.be.instanceOf(SystemError);
    expect(error).to.include({ code: below.code, layer: 'system', end: 'reset', operation: 'tls handshake/flight 2' });
    expect(error.cause).to.equal(below);
    expect(error.entries).to.deep.equal(below.entries);
  });
});
