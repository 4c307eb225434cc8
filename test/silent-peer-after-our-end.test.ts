import { expect } from 'chai';
import { context } from '../packages/native/test/support/engines.ts';
import { HandPeer } from './support/hand-peer.ts';
import { Scene } from './support/scene.ts';
import { truthOf } from './support/truth.ts';
import { untilTestEnds } from './support/until-test-ends.ts';

const CLOSE_MS = 3000;
const IDLE_MS = 300_000;

describe('A peer that says nothing after our end', () => {
  for (const transport of ['TLS', 'TCP'] as const) {
    const tls = transport === 'TLS' ? { tls: {} } : {};
    const alerts = transport === 'TLS' ? ['sent close_notify'] : [];
    const goodbye = { how: 'fin', alerts: transport === 'TLS' ? [0] : [] };

    const closeTimeout = {
      end: 'timeout',
      direction: 'read',
      layer: 'core',
      code: 'SLUICE_CORE_CLOSE_TIMEOUT',
      blame: 'remote',
      operation: 'close',
      entries: [],
      alerts,
    };

    async function connected(scene: Scene): Promise<HandPeer> {
      if (transport === 'TCP') return HandPeer.connect(scene.where);
      return (await HandPeer.connect(scene.where, { context: context({}) })).handshake();
    }

    it(`is let go of by close() within its limit, ${transport}`, async () => {
      const scene = untilTestEnds(await Scene.listen({ ...tls, virtualTime: true }));
      const peer = untilTestEnds(await connected(scene));
      const witness = await scene.witness();
      await witness.connected();
      const promised = witness.bev.close();
      expect(await peer.farewell()).to.deep.include(goodbye);
      await scene.settled();
      scene.advance(CLOSE_MS - 1);
      expect(witness.bev.closed).to.equal(undefined);
      scene.advance(1);
      const report = await witness.closed();
      expect(await promised).to.equal(report);
      expect(truthOf(report)).to.deep.equal(closeTimeout);
      expect(witness.story).to.deep.equal(['connected', 'closed']);
    });

    it(`is let go of by close() after end(), ${transport}`, async () => {
      const scene = untilTestEnds(await Scene.listen({ ...tls, virtualTime: true }));
      const peer = untilTestEnds(await connected(scene));
      const witness = await scene.witness();
      await witness.connected();
      witness.bev.end();
      expect(await peer.farewell()).to.deep.include(goodbye);
      await scene.settled();
      scene.advance(10 * CLOSE_MS);
      expect(witness.bev.closed, 'end() alone lets the peer go on').to.equal(undefined);
      void witness.bev.close();
      scene.advance(CLOSE_MS);
      expect(truthOf(await witness.closed())).to.deep.equal(closeTimeout);
    });

    it(`is let go of by destroy() after end(), at once, ${transport}`, async () => {
      const scene = untilTestEnds(await Scene.listen({ ...tls, virtualTime: true }));
      const peer = untilTestEnds(await connected(scene));
      const witness = await scene.witness();
      await witness.connected();
      witness.bev.end();
      expect(await peer.farewell()).to.deep.include(goodbye);
      await scene.settled();
      witness.bev.destroy();
      expect(truthOf(await witness.closed())).to.deep.equal({
        ...{ end: 'aborted', direction: 'both', layer: transport === 'TLS' ? 'tls' : 'core', code: null },
        ...{ blame: 'local', operation: undefined, entries: [], alerts },
      });
    });

    it(`is let go of after end() alone by the idle limit, ${transport}`, async () => {
      const scene = untilTestEnds(await Scene.listen({ ...tls, virtualTime: true }));
      const peer = untilTestEnds(await connected(scene));
      const witness = await scene.witness();
      await witness.connected();
      witness.bev.end();
      expect(await peer.farewell()).to.deep.include(goodbye);
      await scene.settled();
      scene.advance(IDLE_MS - 1);
      expect(witness.bev.closed).to.equal(undefined);
      // The limit is exact: it does not fire at twice its time.
      scene.advance(1);
      expect(truthOf(await witness.closed())).to.deep.equal({
        ...closeTimeout,
        direction: 'both',
        code: 'SLUICE_CORE_IDLE_TIMEOUT',
        operation: 'idle',
      });
    });
  }
});
