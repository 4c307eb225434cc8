import { expect } from 'chai';
import {
  ChannelErrorStack,
  classifyClose,
  classifyQuicClose,
  closeInfo,
  IDLE_TIMEOUT,
  type Layer,
  quicCodeName,
} from '../src/index.ts';

describe('a close of a QUIC connection', () => {
  const cases: [name: string, code: number, remote: boolean, what: string, blame: string, remedy: string][] = [
    ['the peer refuses the connection', 0x2, true, 'REFUSED', 'remote', 'retry'],
    ['the peer does not take our certificate', 0x130, true, 'ALERT_CERTIFICATE', 'remote', 'fix'],
    ['the peer speaks no protocol of ours', 0x178, true, 'ALERT_NO_AGREEMENT', 'remote', 'fix'],
    ['the peer sends an alert that has no name', 0x1fe, true, 'ALERT', 'remote', 'close'],
    ['the peer finds a fault', 0x7, true, 'CLOSED_BY_PEER_TRANSPORT', 'remote', 'close'],
    ['this side finds a fault of the peer', 0x7, false, 'PROTOCOL', 'remote', 'close'],
    ['this side sends an alert', 0x178, false, 'PROTOCOL', 'remote', 'close'],
    ['this side has a fault', 0x1, false, 'INTERNAL', 'local', 'close'],
    ['the peer has a fault', 0x1, true, 'CLOSED_BY_PEER_TRANSPORT', 'remote', 'close'],
    ['a stateless reset', 0x0, true, 'RESET', 'remote', 'close'],
  ];
  for (const [name, code, remote, what, blame, remedy] of cases) {
    it(`${name}: ${what}`, () => {
      const verdict = classifyQuicClose(closeInfo({ code, remote, transport: true }));
      expect(verdict).to.include({ what, blame, remedy, end: what === 'RESET' ? 'reset' : 'failed' });
    });
  }

  it("an application's codes are its own, and so is an idle timeout", () => {
    for (const remote of [true, false]) {
      for (const code of [0, 2, 0x130]) {
        const info = closeInfo({ code, remote, transport: false });
        expect(classifyQuicClose(info)).to.deep.equal(classifyClose(info));
      }
    }
    expect(classifyQuicClose(closeInfo({ code: IDLE_TIMEOUT, remote: false, transport: true }))).to.include({
      what: 'IDLE_TIMEOUT',
    });
  });

  it('codes have the names of RFC 9000, alerts their numbers', () => {
    const codes = [0n, 3n, 0xdn, 0x10n, 0x11n, 0x100n, 0x178n, 0x1ffn, 0x200n, IDLE_TIMEOUT];
    expect(codes.map(quicCodeName)).to.deep.equal([
      'NO_ERROR',
      'FLOW_CONTROL_ERROR',
      'CRYPTO_BUFFER_EXCEEDED',
      'NO_VIABLE_PATH',
      '',
      'CRYPTO_ERROR 0',
      'CRYPTO_ERROR 120',
      'CRYPTO_ERROR 255',
      '',
      '',
    ]);
  });

  it('is what a channel of QUIC tells, and a channel of another layer does not', () => {
    const info = closeInfo({ code: 0x2, remote: true, transport: true, reason: 'full' });
    const reportOf = (layer: Layer): { code: string; message: string } => {
      const channel = new ChannelErrorStack({ layer });
      channel.closeWith(info);
      return channel.report('read');
    };
    expect(reportOf('quic')).to.include({
      code: 'SLUICE_QUIC_REFUSED',
      message:
        'read failed: the peer takes no connection for now (code 0x2 (CONNECTION_REFUSED), "full"). Try again later.',
    });
    expect(reportOf('application').code).to.equal('SLUICE_APPLICATION_CLOSED_BY_PEER_TRANSPORT');
    expect(reportOf('application').message).to.include('code 0x2, "full"');
  });
});
