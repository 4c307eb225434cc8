import { expect } from 'chai';
import { context, tls12, tls13 } from '../packages/native/test/support/engines.ts';
import { HandPeer } from './support/hand-peer.ts';
import { Scene } from './support/scene.ts';
import { truthOf } from './support/truth.ts';
import { untilTestEnds } from './support/until-test-ends.ts';

describe('An alert on an established connection', () => {
  for (const version of [tls12, tls13]) {
    for (const behind of ['nothing', 'a FIN', 'a reset'] as const) {
      it(`with ${behind} behind it is the cause that is told, TLS ${version === tls12 ? '1.2' : '1.3'}`, async () => {
        const scene = untilTestEnds(await Scene.listen({ tls: {}, virtualTime: true }));
        const client = context({ minVersion: version, maxVersion: version });
        const peer = untilTestEnds(await HandPeer.connect(scene.where, { context: client }));
        await peer.handshake();
        const witness = await scene.witness();
        await witness.connected();
        await peer.take(0);
        witness.bev.write('hello');
        await peer.more();
        // The network damages our record, and the peer says so.
        peer.readDamaged(12);
        expect(peer.answers).to.have.lengthOf(1);
        peer.send(...peer.answers);
        if (behind === 'a FIN') peer.fin();
        if (behind === 'a reset') peer.reset();
        if (behind === 'nothing') {
          expect((await peer.farewell()).how).to.equal('fin');
          peer.fin();
        }
        expect(truthOf(await witness.closed())).to.deep.equal({
          end: 'failed',
          direction: 'both',
          layer: 'tls',
          code: 'SLUICE_TLS_ALERT',
          blame: 'remote',
          operation: 'tls data',
          entries: ['0A0003FC'],
          alerts: ['received bad_record_mac'],
        });
        expect(witness.story).to.deep.equal(['connected', 'closed']);
      });
    }
  }
});
