import { Counter } from '@sluice/native';
import { expect } from 'chai';
import { context } from '../packages/native/test/support/engines.ts';
import { HandPeer } from './support/hand-peer.ts';
import { Scene } from './support/scene.ts';
import { truthOf } from './support/truth.ts';
import { untilTestEnds } from './support/until-test-ends.ts';

const EPIPE = '80000020';
const ECONNRESET = '80000068';

describe('A write into a connection whose peer has said goodbye and died', () => {
  it('is a reset, not the end that was told before', async () => {
    const scene = untilTestEnds(await Scene.listen({ tls: {}, tlsOptions: { halfOpen: true }, virtualTime: true }));
    const peer = untilTestEnds(await HandPeer.connect(scene.where, { context: context({}) }));
    await peer.handshake();
    const witness = await scene.witness();
    peer.send(peer.seal('bye'), peer.sealEnd());
    peer.fin();
    await scene.loop.until('the end was heard', () => witness.story.includes('end'));
    // The peer's process is gone: its kernel answers what comes with a reset.
    peer.socket.destroy();
    await new Promise((resolve) => peer.socket.once('close', resolve));
    for (let writes = 0; witness.bev.closed === undefined && writes < 10; writes++) {
      witness.bev.write('into the void');
      await witness.bev.flush().catch(() => {});
    }

    expect(truthOf(await witness.closed())).to.deep.equal({
      end: 'reset',
      direction: 'write',
      layer: 'system',
      code: 'SLUICE_SYSTEM_EPIPE',
      blame: 'remote',
      operation: 'write',
      entries: [EPIPE],
      alerts: ['received close_notify'],
    });
    expect(witness.story).to.deep.equal(['connected', 'data', 'end', 'closed']);
    expect(witness.received.toString()).to.equal('bye');
  });

  it('costs no turns while output waits for a peer that said goodbye and does not read, and a reset ends it', async () => {
    const scene = untilTestEnds(
      await Scene.listen({
        tls: {},
        tlsOptions: { halfOpen: true },
        socket: { sendBufferBytes: 4096 },
        virtualTime: true,
      }),
    );
    const peer = untilTestEnds(await HandPeer.connect(scene.where, { context: context({}) }));
    await peer.handshake();
    const witness = await scene.witness();
    peer.socket.pause();
    const owed = Buffer.alloc(900_000, 'owed');
    witness.bev.write(owed);
    peer.send(peer.sealEnd());
    await scene.loop.until('the end was heard', () => witness.story.includes('end'));
    await scene.loop.until('the socket is full', () => (scene.counters[Counter.writesRefused] as number) > 0);
    await scene.settled();
    // A second connection carries bytes meanwhile, so that the loop has every chance to turn for the first one too.
    const { turns } = scene.loop.stats;
    const calls = witness.tls.session.calls;
    const other = untilTestEnds(await HandPeer.connect(scene.where, { context: context({}) }));
    await other.handshake();
    const handshakeTurns = scene.loop.stats.turns - turns;
    expect(handshakeTurns).to.be.below(20);
    expect(witness.tls.session.calls, 'engine calls').to.equal(calls);
    expect(witness.bev.closed).to.equal(undefined);

    peer.reset();
    expect(truthOf(await witness.closed())).to.deep.equal({
      end: 'reset',
      direction: 'read',
      layer: 'system',
      code: 'SLUICE_SYSTEM_ECONNRESET',
      blame: 'remote',
      operation: 'read',
      entries: [ECONNRESET],
      alerts: ['received close_notify'],
    });
    expect(witness.story).to.deep.equal(['connected', 'end', 'closed']);
    expect(scene.loop.stats.turns - turns).to.be.below(handshakeTurns + 20);
    other.send(other.sealEnd());
  });
});
