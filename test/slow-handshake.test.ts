import { Counter } from '@sluice/native';
import { expect } from 'chai';
import { context } from '../packages/native/test/support/engines.ts';
import { serverCertificate } from './support/certificates.ts';
import { HandPeer } from './support/hand-peer.ts';
import { Scene } from './support/scene.ts';
import { truthOf } from './support/truth.ts';
import { untilTestEnds } from './support/until-test-ends.ts';

const HANDSHAKE_MS = 10_000;

const truth = {
  end: 'timeout',
  direction: 'both',
  layer: 'tls',
  code: 'SLUICE_TLS_HANDSHAKE_TIMEOUT',
  blame: 'remote',
  entries: [],
  alerts: [],
};

describe("The handshake's limit", () => {
  it('is not extended by a client that sends a byte a second', async () => {
    const scene = untilTestEnds(await Scene.listen({ tls: {}, virtualTime: true }));
    const peer = untilTestEnds(await HandPeer.connect(scene.where, { context: context({}) }));
    const witness = await scene.witness();
    const hello = peer.shake();
    for (let second = 1; second <= 10; second++) {
      expect(witness.bev.closed, `after ${second - 1} s`).to.equal(undefined);
      peer.send(hello.subarray(second - 1, second));
      await scene.loop.until('the byte came', () => witness.bev.underlying?.bytesIn === second);
      scene.advance(second < 10 ? 1000 : 999);
    }
    expect(witness.bev.closed).to.equal(undefined);
    scene.advance(1);
    const report = await witness.closed();
    expect(truthOf(report)).to.deep.equal({ ...truth, operation: 'tls handshake/before flight 1' });
    expect(report.durationMs).to.equal(HANDSHAKE_MS);
    expect(report.error?.message).to.include("waited for the peer's next bytes");
    expect(report.handshake.acceptCalls, 'one call per byte').to.be.at.most(10);
    expect((await peer.farewell()).how).to.equal('fin');
  });

  it('is not extended by a client that reads a little every second', async () => {
    const { certPem, keyPem } = await serverCertificate(2000);
    const scene = untilTestEnds(
      await Scene.listen({
        tls: { cert: certPem, key: keyPem },
        tlsOptions: { pairBytes: 4096, handshakeMs: 3000 },
        unix: true,
        socket: { sendBufferBytes: 4096, watermarks: { write: { high: 8192, low: 4096 } } },
        virtualTime: true,
      }),
    );
    const peer = untilTestEnds(await HandPeer.connect(scene.where, { context: context({}) }));
    const witness = await scene.witness();
    peer.socket.pause();
    peer.send(peer.shake());
    await scene.settled();
    let bytesOut = 0;
    for (let second = 1; second < 3; second++) {
      peer.socket.resume();
      await peer.nextChunk();
      peer.socket.pause();
      await scene.settled();
      const { bytesOut: out = 0 } = witness.bev.underlying ?? {};
      expect(out, `progress in second ${second}`).to.be.above(bytesOut);
      bytesOut = out;
      scene.advance(1000);
    }
    expect(bytesOut, 'all is not out').to.be.below(64_000);
    expect(scene.counters[Counter.writesRefused], 'the socket was full').to.be.above(0);
    scene.advance(999);
    expect(witness.bev.closed).to.equal(undefined);
    scene.advance(1);
    const report = await witness.closed();
    expect(truthOf(report)).to.deep.equal({ ...truth, operation: 'tls handshake/flight 1' });
    expect(report.error?.message).to.include('waited for room: the peer does not read');
  });

  it('is the one that was asked for, and nothing of it is left when the handshake is done', async () => {
    const scene = untilTestEnds(await Scene.listen({ tls: {}, tlsOptions: { handshakeMs: 50 }, virtualTime: true }));
    const silent = untilTestEnds(await HandPeer.connect(scene.where));
    const quick = untilTestEnds(await HandPeer.connect(scene.where, { context: context({}) }));
    await quick.handshake();
    const [first, second] = [await scene.witness(0), await scene.witness(1)];
    await second.connected();
    scene.advance(50);
    expect(truthOf(await first.closed())).to.deep.equal({ ...truth, operation: 'tls handshake/before flight 1' });
    expect((await silent.farewell()).how).to.equal('fin');
    scene.advance(10_000);
    expect(second.bev.closed).to.equal(undefined);
  });
});
