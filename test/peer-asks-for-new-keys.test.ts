import { Suspend } from '@sluice/core';
import { expect } from 'chai';
import { context, tls13 } from '../packages/native/test/support/engines.ts';
import { serverCertificate } from './support/certificates.ts';
import { HandPeer } from './support/hand-peer.ts';
import { SClient } from './support/s-client.ts';
import { Scene } from './support/scene.ts';
import { truthOf } from './support/truth.ts';
import { untilTestEnds } from './support/until-test-ends.ts';

const UPDATES = 10_000;

/** Far more than the two kernels' buffers hold. */
const PIECES = 160;
const PIECE_BYTES = 50_000;

describe('A peer that asks for new keys', () => {
  it('ten thousand times is answered, within bounds', async () => {
    const scene = untilTestEnds(await Scene.listen({ tls: {}, echo: true, virtualTime: true }));
    const peer = untilTestEnds(await HandPeer.connect(scene.where, { context: context({ minVersion: tls13 }) }));
    await peer.handshake();
    const requests: Buffer[] = [];
    for (let update = 0; update < UPDATES; update++) requests.push(peer.sealKeyUpdate('x'));
    peer.send(...requests);
    expect((await peer.take(UPDATES)).toString()).to.equal('x'.repeat(UPDATES));
    const witness = await scene.witness();
    const { session, limits } = witness.tls;
    expect(session.calls).to.be.below(5 * UPDATES);
    expect(witness.memoryBytesMost).to.be.below(2 * (session.pairBytes + limits.readHigh + limits.writeHigh) + UPDATES);
    peer.send(peer.sealEnd());
    expect(truthOf(await witness.closed())).to.include({ end: 'end', code: null });
  });

  it('and does not read is held up like any other: nothing turns meanwhile, and all is answered when it reads', async () => {
    const scene = untilTestEnds(
      await Scene.listen({
        tls: {},
        tlsOptions: { pauseReadWhenFull: true },
        socket: { sendBufferBytes: 128 * 1024 },
        echo: true,
        virtualTime: true,
      }),
    );
    const peer = untilTestEnds(await HandPeer.connect(scene.where, { context: context({ minVersion: tls13 }) }));
    await peer.handshake();
    peer.socket.pause();
    const { bev, tls } = await scene.witness();
    const pieces = Array.from({ length: PIECES }, (_, index) => Buffer.alloc(PIECE_BYTES, `piece ${index}, `));
    // Whoever reads has to answer each time, and has no room for that in the end.
    for (const piece of pieces) peer.send(peer.sealKeyUpdate(piece));
    await scene.loop.until('output is full', () => (bev.suspended & Suspend.output) !== 0);
    await scene.standsStill();
    expect(bev.suspended & Suspend.output).to.equal(Suspend.output);
    const { turns } = scene.loop.stats;
    const { calls } = tls.session;
    await scene.standsStill();
    expect(scene.loop.stats.turns - turns, 'turns').to.be.at.most(2);
    expect(tls.session.calls, 'calls of OpenSSL').to.equal(calls);

    // There is room again, and reading stands still for another reason: what was read is answered, and no more.
    bev.suspendRead(Suspend.rate);
    const { bytesIn } = bev;
    peer.socket.resume();
    await peer.take(bytesIn);
    await scene.standsStill();
    expect([bev.bytesIn, bev.output.length]).to.deep.equal([bytesIn, 0]);
    bev.unsuspendRead(Suspend.rate);
    const rest = await peer.take(PIECES * PIECE_BYTES - bytesIn);
    expect(rest.equals(Buffer.concat(pieces).subarray(bytesIn))).to.equal(true);
  });

  it('by renegotiation is refused in order, and its end is told', async () => {
    const { caPem } = await serverCertificate();
    const scene = untilTestEnds(await Scene.listen({ tls: {}, echo: true }));
    const client = untilTestEnds(new SClient(scene.port, caPem, ['-tls1_2']));
    client.type('hello\n');
    await client.says('hello');
    client.type('R\n');
    const witness = await scene.witness();
    expect(truthOf(await witness.closed())).to.deep.equal({
      end: 'failed',
      direction: 'both',
      layer: 'tls',
      code: 'SLUICE_TLS_ALERT_NO_AGREEMENT',
      blame: 'remote',
      operation: 'tls data',
      entries: ['0A000410'],
      // A warning that refuses, and leaves it to the client whether it goes on; OpenSSL's own does not.
      alerts: ['sent no_renegotiation', 'received handshake_failure'],
    });
    expect((await client.exited).stderr).to.include('no renegotiation');
  });
});
