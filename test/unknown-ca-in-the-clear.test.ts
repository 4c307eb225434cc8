import { expect } from 'chai';
import { context, tls12, tls13 } from '../packages/native/test/support/engines.ts';
import { selfSignedCertificate } from './support/certificates.ts';
import { clearAlert, HandPeer } from './support/hand-peer.ts';
import { SClient } from './support/s-client.ts';
import { Scene } from './support/scene.ts';
import { truthOf } from './support/truth.ts';
import { untilTestEnds } from './support/until-test-ends.ts';

const UNKNOWN_CA = 48;

const truth = {
  end: 'failed',
  direction: 'both',
  layer: 'tls',
  code: 'SLUICE_TLS_ALERT_CERTIFICATE',
  blame: 'remote',
  operation: 'tls handshake/flight 1',
  entries: ['0A000418'],
  alerts: ['received unknown_ca'],
};

describe('A client that does not know our authority', () => {
  for (const version of [tls12, tls13]) {
    it(`is heard, though its alert is in the clear, TLS ${version === tls12 ? '1.2' : '1.3'}`, async () => {
      const { certPem } = await selfSignedCertificate();
      const scene = untilTestEnds(await Scene.listen({ tls: {}, virtualTime: true }));
      const client = context({ minVersion: version, maxVersion: version, verify: 1, ca: certPem });
      const peer = untilTestEnds(await HandPeer.connect(scene.where, { context: client }));
      peer.send(peer.shake());
      await peer.more();
      const alert = peer.shake();
      expect(alert.equals(clearAlert(2, UNKNOWN_CA)), '7 bytes in the clear').to.equal(true);
      peer.send(alert);
      peer.fin();
      const witness = await scene.witness();
      const report = await witness.closed();
      expect(truthOf(report)).to.deep.equal(truth);
      expect(report.remedy).to.equal('fix');
      expect(report.error?.message).to.include('unknown ca').and.include('refused the certificate of this side');
      expect(witness.story).to.deep.equal(['closed']);
    });
  }

  for (const version of ['-tls1_2', '-tls1_3']) {
    it(`is heard when it is OpenSSL's own, ${version}`, async () => {
      const { certPem } = await selfSignedCertificate();
      const scene = untilTestEnds(await Scene.listen({ tls: {} }));
      const client = untilTestEnds(new SClient(scene.port, certPem, [version]));
      const witness = await scene.witness();
      expect(truthOf(await witness.closed())).to.deep.equal(truth);
      expect((await client.exited).code).to.not.equal(0);
    });
  }

  it('is heard when a reset is right behind its alert', async () => {
    const scene = untilTestEnds(await Scene.listen({ tls: {}, virtualTime: true }));
    const peer = untilTestEnds(await HandPeer.connect(scene.where, { context: context({}) }));
    peer.send(peer.shake());
    await peer.more();
    peer.send(clearAlert(2, UNKNOWN_CA));
    peer.reset();
    const witness = await scene.witness();
    expect(truthOf(await witness.closed())).to.deep.equal(truth);
  });
});
