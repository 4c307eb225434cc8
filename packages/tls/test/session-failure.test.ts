import { createEntry } from '@sluice/errors';
import { expect } from 'chai';
import { alertName } from '../src/alert.ts';
import { failureKind, functionName, SslError, UNEXPECTED_EOF } from '../src/session-failure.ts';

const alert = (
  sent: boolean,
  description: number,
): { sent: boolean; level: number; description: number; name: string } => ({
  sent,
  level: 2,
  description,
  name: alertName(description),
});

describe('session failure', () => {
  it('is told apart by the whole queue and the alerts', () => {
    const fault = createEntry({ code: 0x0a00007b });
    const eof = createEntry({ code: UNEXPECTED_EOF });
    expect(failureKind(SslError.ssl, [fault], [], false)).to.equal('fault');
    expect(failureKind(SslError.ssl, [fault, eof], [], true)).to.equal('truncated');
    expect(failureKind(SslError.syscall, [], [], true)).to.equal('truncated');
    expect(failureKind(SslError.syscall, [], [], false)).to.equal('fault');
    expect(failureKind(SslError.zeroReturn, [], [], false)).to.equal('canceled');
    expect(failureKind(SslError.zeroReturn, [], [], true)).to.equal('truncated');
    expect(failureKind(SslError.zeroReturn, [], [alert(false, 0), alert(true, 0)], true)).to.equal('canceled');
    expect(failureKind(SslError.syscall, [], [alert(false, 0)], true)).to.equal('canceled');
    expect(failureKind(SslError.ssl, [fault], [alert(false, 48)], false)).to.equal('alert');
    expect(failureKind(SslError.ssl, [fault], [alert(false, 90)], false)).to.equal('fault');
    expect(failureKind(SslError.ssl, [fault], [alert(false, 48), alert(true, 20)], false)).to.equal('fault');
  });

  it("names OpenSSL's function", () => {
    expect(functionName('handshake', 'server')).to.equal('SSL_accept');
    expect(functionName('handshake', 'client')).to.equal('SSL_connect');
    expect(functionName('read', 'client')).to.equal('SSL_read');
    expect(functionName('write', 'client')).to.equal('SSL_write');
    expect(functionName('shutdown', 'client')).to.equal('SSL_shutdown');
  });
});
