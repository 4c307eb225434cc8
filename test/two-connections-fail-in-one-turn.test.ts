import { expect } from 'chai';
import { context } from '../packages/native/test/support/engines.ts';
import { flipped, HandPeer } from './support/hand-peer.ts';
import { Scene } from './support/scene.ts';
import { truthOf } from './support/truth.ts';
import { untilTestEnds } from './support/until-test-ends.ts';

describe('Connections that fail in one turn', () => {
  it('each tell their own cause, and one between them that is well tells none', async () => {
    const scene = untilTestEnds(await Scene.listen({ tls: {}, echo: true, virtualTime: true }));
    const client = context({});
    const damaged = untilTestEnds(await HandPeer.connect(scene.where, { context: client }));
    await damaged.handshake();
    const well = untilTestEnds(await HandPeer.connect(scene.where, { context: client }));
    await well.handshake();
    const left = untilTestEnds(await HandPeer.connect(scene.where, { context: client }));
    await left.handshake();
    const http = untilTestEnds(await HandPeer.connect(scene.where));
    const gone = untilTestEnds(await HandPeer.connect(scene.where));
    await scene.witness(4);
    await scene.settled();

    // All in one callback: the server's next poll finds them all, but for the FIN, which libuv sends a little later.
    const decidedAfterTurns: number[] = [];
    const count = (): number => scene.witnesses.filter(({ bev }) => bev.closed !== undefined).length;
    scene.loop.afterTurn.add(() => void decidedAfterTurns.push(count()));
    damaged.send(flipped(damaged.seal('damaged'), 12));
    well.send(well.seal('hello'));
    left.fin();
    http.send('GET / HTTP/1.1\r\n\r\n');
    gone.reset();
    await scene.loop.until('four are decided', () => count() === 4);
    expect(
      decidedAfterTurns.find((decided) => decided > 0),
      'in one turn',
    ).to.be.at.least(3);
    expect((await well.take(5)).toString()).to.equal('hello');

    for (const peer of [damaged, left, http]) {
      await peer.farewell();
      peer.fin();
    }
    const told = [];
    for (const index of [0, 2, 3, 4]) {
      const witness = await scene.witness(index);
      const { end, code, entries } = truthOf(await witness.closed());
      told.push({ end, code, entries });
    }
    expect(told).to.deep.equal([
      { end: 'failed', code: 'SLUICE_TLS_BAD_RECORD', entries: ['0A000119', '0A000139'] },
      { end: 'truncated', code: 'SLUICE_TLS_TRUNCATED', entries: ['0A000126'] },
      { end: 'failed', code: 'SLUICE_TLS_NOT_TLS', entries: ['0A00009C'] },
      { end: 'reset', code: 'SLUICE_SYSTEM_ECONNRESET', entries: ['80000068'] },
    ]);
    well.send(well.sealEnd());
    const witness = await scene.witness(1);
    expect(truthOf(await witness.closed())).to.include({ end: 'end', code: null });
  });
});
