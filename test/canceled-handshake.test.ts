import { expect } from 'chai';
import { context, tls12, tls13 } from '../packages/native/test/support/engines.ts';
import { clearAlert, HandPeer } from './support/hand-peer.ts';
import { Scene } from './support/scene.ts';
import { truthOf } from './support/truth.ts';
import { untilTestEnds } from './support/until-test-ends.ts';

const CLOSE_NOTIFY = 0;
const USER_CANCELED = 90;

describe('A handshake that the client cancels in order', () => {
  for (const [version, halfOpen] of [
    [tls12, false],
    [tls13, false],
    [tls12, true],
    [tls13, true],
  ] as const) {
    for (const behind of ['nothing', 'a FIN'] as const) {
      for (const waits of [false, true]) {
        const when = waits ? "after the server's flight" : 'right behind ClientHello';
        const suffix = `TLS ${version === tls12 ? '1.2' : '1.3'}${halfOpen ? ', half-open' : ''}`;
        it(`${when}, with ${behind} behind it, is canceled: no reset, no truncation, ${suffix}`, async () => {
          const scene = untilTestEnds(await Scene.listen({ tls: {}, tlsOptions: { halfOpen }, virtualTime: true }));
          const client = context({ minVersion: version, maxVersion: version });
          const peer = untilTestEnds(await HandPeer.connect(scene.where, { context: client }));
          const witness = await scene.witness();
          peer.send(peer.shake());
          if (waits) await peer.more();
          peer.send(clearAlert(1, USER_CANCELED), clearAlert(1, CLOSE_NOTIFY));
          if (behind === 'a FIN') peer.fin();
          // Nothing is sent in answer to a close_notify before there are keys.
          expect(await peer.farewell()).to.deep.include({ how: 'fin', alerts: [] });
          if (behind === 'nothing') peer.fin();
          expect(truthOf(await witness.closed())).to.deep.equal({
            end: 'aborted',
            direction: 'both',
            layer: 'tls',
            code: 'SLUICE_TLS_ALERT_USER_CANCELLED',
            blame: 'remote',
            operation: 'tls handshake/flight 1',
            entries: ['0A000442'],
            alerts: ['received user_canceled', 'received close_notify'],
          });
          expect(witness.story).to.deep.equal(['closed']);
        });
      }
    }
  }
});
