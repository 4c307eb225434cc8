import { Counter } from '@sluice/native';
import { expect } from 'chai';
import { context } from '../packages/native/test/support/engines.ts';
import { HandPeer } from './support/hand-peer.ts';
import { Scene } from './support/scene.ts';
import { truthOf } from './support/truth.ts';
import { Visit } from './support/visit.ts';
import { untilTestEnds } from './support/until-test-ends.ts';

const ECONNRESET = '80000068';

const truth = {
  end: 'reset',
  direction: 'read',
  layer: 'system',
  code: 'SLUICE_SYSTEM_ECONNRESET',
  blame: 'remote',
  operation: 'tls handshake/before flight 1',
  entries: [ECONNRESET],
  alerts: [],
};

describe('A reset in mid-handshake', () => {
  for (const halfOpen of [false, true]) {
    // The kernel tells of the reset once: to a second read in the same wake-up, if libuv makes one, else to the write of the
    // server's flight. To the next read it says that all is well.
    it(`right behind ClientHello is a reset and no end${halfOpen ? ', half-open' : ''}`, async () => {
      const scene = untilTestEnds(await Scene.listen({ tls: {}, tlsOptions: { halfOpen }, virtualTime: true }));
      const peer = untilTestEnds(await HandPeer.connect(scene.where, { context: context({}) }));
      const witness = await scene.witness();
      const reads = scene.counters[Counter.reads] as number;
      peer.send(peer.shake());
      peer.reset();
      const told = truthOf(await witness.closed());
      expect(scene.counters[Counter.reads], 'one read brought ClientHello').to.equal(reads + 1);
      const { direction } = told;
      expect(direction).to.be.oneOf(['read', 'write']);
      expect(told).to.deep.equal({ ...truth, direction, operation: 'tls handshake/flight 1' });
      expect(witness.story).to.deep.equal(['closed']);
    });
  }

  for (const [name, helloBytes] of [
    ['before the first byte', 0],
    ['in the middle of ClientHello', 100],
  ] as const) {
    it(`${name} is a reset`, async () => {
      const scene = untilTestEnds(await Scene.listen({ tls: {}, virtualTime: true }));
      const peer = untilTestEnds(await HandPeer.connect(scene.where, { context: context({}) }));
      const witness = await scene.witness();
      if (helloBytes > 0) peer.send(peer.shake().subarray(0, helloBytes));
      peer.reset();
      expect(truthOf(await witness.closed())).to.deep.equal(truth);
      expect(witness.story).to.deep.equal(['closed']);
    });
  }

  it('of a server is a reset to its client', async () => {
    const visit = untilTestEnds(await Visit.begin({ virtualTime: true }));
    const { peer, witness } = visit;
    await peer.more();
    peer.send(peer.shake().subarray(0, 200));
    peer.reset();
    expect(truthOf(await witness.closed())).to.deep.equal({ ...truth, operation: 'tls handshake/flight 1' });
  });
});
