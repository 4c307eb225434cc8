import { expect } from 'chai';
import { context, tls12, tls13 } from '../packages/native/test/support/engines.ts';
import {
  clientCertificate,
  expiredCertificate,
  selfSignedCertificate,
  type TestCertificate,
  wrongAuthorityCertificate,
} from './support/certificates.ts';
import { HandPeer } from './support/hand-peer.ts';
import { Scene } from './support/scene.ts';
import { truthOf } from './support/truth.ts';
import { untilTestEnds } from './support/until-test-ends.ts';

const truth = {
  end: 'failed',
  direction: 'both',
  layer: 'tls',
  code: 'SLUICE_TLS_BAD_CERTIFICATE',
  blame: 'remote',
  operation: 'tls handshake/flight 2',
  entries: ['0A000086'],
};

const refused: [name: string, make: () => Promise<TestCertificate>, why: string, alert: number, alertName: string][] = [
  ['expired', expiredCertificate, 'verify result 10: certificate has expired', 45, 'certificate_expired'],
  ['self-signed', selfSignedCertificate, 'verify result 18: self-signed certificate', 48, 'unknown_ca'],
  [
    'of a stranger',
    wrongAuthorityCertificate,
    'verify result 20: unable to get local issuer certificate',
    48,
    'unknown_ca',
  ],
];

describe("A client's certificate", () => {
  for (const version of [tls12, tls13]) {
    const versions = { minVersion: version, maxVersion: version };
    const suffix = `TLS ${version === tls12 ? '1.2' : '1.3'}`;
    for (const [name, make, why, alert, alertName] of refused) {
      it(`that is ${name} is refused for that, and the client is told, ${suffix}`, async () => {
        const { certPem, keyPem, caPem } = await make();
        const scene = untilTestEnds(
          await Scene.listen({
            tls: { ca: caPem, clientCertificate: 'require' },
            virtualTime: true,
          }),
        );
        const client = context({ ...versions, cert: certPem, key: keyPem });
        const peer = untilTestEnds(await HandPeer.connect(scene.where, { context: client }));
        // In TLS 1.3 a client is done before the server has looked.
        await peer.handshake().catch(() => {});
        expect(await peer.farewell()).to.deep.include({ how: 'fin', alerts: [alert] });
        peer.fin();
        const witness = await scene.witness();
        const report = await witness.closed();
        expect(truthOf(report)).to.deep.equal({ ...truth, alerts: [`sent ${alertName}`] });
        expect(report.entries[0]?.data).to.equal(why);
        expect(report.error?.message).to.include(why);
        expect(witness.story).to.deep.equal(['closed']);
      });
    }

    it(`that is missing is refused for that, ${suffix}`, async () => {
      const { caPem } = await clientCertificate();
      const scene = untilTestEnds(
        await Scene.listen({ tls: { ca: caPem, clientCertificate: 'require' }, virtualTime: true }),
      );
      const peer = untilTestEnds(await HandPeer.connect(scene.where, { context: context(versions) }));
      await peer.handshake().catch(() => {});
      expect((await peer.farewell()).alerts).to.deep.equal([version === tls12 ? 40 : 116]);
      peer.fin();
      const witness = await scene.witness();
      expect(truthOf(await witness.closed())).to.deep.equal({
        ...truth,
        code: 'SLUICE_TLS_NO_CERTIFICATE',
        entries: ['0A0000C7'],
        alerts: [version === tls12 ? 'sent handshake_failure' : 'sent certificate_required'],
      });
    });

    it(`that nobody asked for is no reason to complain, ${suffix}`, async () => {
      const scene = untilTestEnds(await Scene.listen({ tls: {}, echo: true }));
      const peer = untilTestEnds(await HandPeer.connect(scene.where, { context: context(versions) }));
      await peer.handshake();
      peer.send(peer.seal('hello'));
      expect((await peer.take(5)).toString()).to.equal('hello');
      const witness = await scene.witness();
      expect(witness.tls.tls).to.include({ verifyResult: 0, verifyText: 'ok' });
      expect(witness.tls.tls?.peerCertificate).to.equal(undefined);
      peer.send(peer.sealEnd());
      expect((await witness.closed()).end).to.equal('end');
    });
  }
});
