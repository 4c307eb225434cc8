import { Counter } from '@sluice/native';
import { expect } from 'chai';
import { context } from '../packages/native/test/support/engines.ts';
import { HandPeer } from './support/hand-peer.ts';
import { Scene } from './support/scene.ts';
import { truthOf } from './support/truth.ts';
import { untilTestEnds } from './support/until-test-ends.ts';

const answer = Buffer.alloc(20_000, 'answer');
/** More than a small socket takes at once. */
const longAnswer = Buffer.alloc(500_000, 'long answer');

const truth = { end: 'end', direction: 'both', code: null, blame: null, operation: undefined, entries: [] };
const truthOverTcp = { ...truth, layer: 'core', alerts: [] };
const truthOverTls = { ...truth, layer: 'tls', alerts: ['received close_notify', 'sent close_notify'] };

describe('A peer that ended its direction and waits for its answer', () => {
  for (const halfOpen of [false, true]) {
    for (const behind of ['nothing', 'a FIN'] as const) {
      it(`gets all of it over TLS, ${behind} behind its close_notify${halfOpen ? ', half-open' : ''}`, async () => {
        const scene = untilTestEnds(
          await Scene.listen({
            tls: {},
            tlsOptions: { halfOpen },
            virtualTime: true,
            handlers: {
              end: (bev) => {
                bev.write(answer);
                bev.end();
              },
            },
          }),
        );
        const peer = untilTestEnds(await HandPeer.connect(scene.where, { context: context({}) }));
        await peer.handshake();
        peer.send(peer.seal('question'), peer.sealEnd());
        if (behind === 'a FIN') peer.fin();
        const { how, plain, alerts } = await peer.farewell();
        expect(plain.equals(answer)).to.equal(true);
        expect({ how, alerts }).to.deep.equal({ how: 'fin', alerts: [0] });
        if (behind === 'nothing') peer.fin();
        const witness = await scene.witness();
        expect(truthOf(await witness.closed())).to.deep.equal(truthOverTls);
        expect(witness.story).to.deep.equal(['connected', 'data', 'end', 'closed']);
      });
    }

    it(`gets all of it over TCP${halfOpen ? ', half-open' : ''}`, async () => {
      const scene = untilTestEnds(
        await Scene.listen({
          socket: { halfOpen },
          virtualTime: true,
          handlers: {
            end: (bev) => {
              bev.write(answer);
              bev.end();
            },
          },
        }),
      );
      const peer = untilTestEnds(await HandPeer.connect(scene.where));
      peer.send('question');
      peer.fin();
      expect(await peer.farewell()).to.include({ how: 'fin' });
      expect(Buffer.concat(peer.wire).equals(answer)).to.equal(true);
      const witness = await scene.witness();
      expect(truthOf(await witness.closed())).to.deep.equal(truthOverTcp);
      expect(witness.story).to.deep.equal(['connected', 'data', 'end', 'closed']);
    });
  }

  it('gets what was written before its end, however slowly it reads', async () => {
    const scene = untilTestEnds(
      await Scene.listen({
        tls: {},
        unix: true,
        socket: { sendBufferBytes: 4096 },
        virtualTime: true,
        handlers: { data: (bev) => void bev.write(longAnswer) },
      }),
    );
    const peer = untilTestEnds(await HandPeer.connect(scene.where, { context: context({}) }));
    await peer.handshake();
    peer.socket.pause();
    peer.send(peer.seal('question'), peer.sealEnd());
    const witness = await scene.witness();
    await scene.loop.until('the end was heard', () => witness.story.includes('end'));
    await scene.loop.until('a write was refused', () => (scene.counters[Counter.writesRefused] as number) > 0);
    expect(witness.bev.closed).to.equal(undefined);
    peer.socket.resume();
    const { how, plain, alerts } = await peer.farewell();
    expect(plain.equals(longAnswer)).to.equal(true);
    expect({ how, alerts }).to.deep.equal({ how: 'fin', alerts: [0] });
    peer.fin();
    expect(truthOf(await witness.closed())).to.deep.equal(truthOverTls);
    expect(witness.story).to.deep.equal(['connected', 'data', 'end', 'closed']);
  });
});
