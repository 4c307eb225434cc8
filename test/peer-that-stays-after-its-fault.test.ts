import { expect } from 'chai';
import { context } from '../packages/native/test/support/engines.ts';
import { flipped, HandPeer } from './support/hand-peer.ts';
import { Scene } from './support/scene.ts';
import { truthOf } from './support/truth.ts';
import { untilTestEnds } from './support/until-test-ends.ts';

const truth = {
  end: 'failed',
  direction: 'both',
  layer: 'tls',
  code: 'SLUICE_TLS_BAD_RECORD',
  blame: 'remote',
  operation: 'tls data',
  entries: ['0A000119', '0A000139'],
  alerts: ['sent bad_record_mac'],
};

/** How long a connection waits for the peer after its alert, by default. */
const CLOSE_MS = 3000;

describe('A peer that broke the protocol and stays', () => {
  it('gets its echoes and the alert, and is let go of in the end', async () => {
    const scene = untilTestEnds(await Scene.listen({ tls: {}, echo: true, virtualTime: true }));
    const peer = untilTestEnds(await HandPeer.connect(scene.where, { context: context({}) }));
    await peer.handshake();
    peer.send(peer.seal('hello'));
    expect((await peer.take(5)).toString()).to.equal('hello');
    peer.send(flipped(peer.seal('damaged'), 12));
    // It sees the alert and our end, and does nothing.
    expect(await peer.farewell()).to.deep.include({ how: 'fin', alerts: [20] });

    const witness = await scene.witness();
    expect(witness.bev.closed, 'decided at once').to.include({ end: 'failed', code: 'SLUICE_TLS_BAD_RECORD' });
    expect(witness.story, 'the socket is still there').to.not.include('closed');
    scene.advance(CLOSE_MS - 1);
    expect(scene.server.connections.size).to.equal(1);
    scene.advance(1);
    const report = await witness.closed();
    expect(report).to.equal(witness.bev.closed);
    expect(truthOf(report)).to.deep.equal(truth);
    expect(witness.story).to.deep.equal(['connected', 'data', 'closed']);
    expect(scene.server.connections.size).to.equal(0);
    await scene.loop.until('the handle is gone', () => scene.handles === 1);
  });

  it('and whose echo is in flight gets the alert behind it', async () => {
    const scene = untilTestEnds(await Scene.listen({ tls: {}, echo: true, virtualTime: true }));
    const peer = untilTestEnds(await HandPeer.connect(scene.where, { context: context({}) }));
    await peer.handshake();
    // One read brings both: the echo is not yet written when the fault is found.
    peer.send(peer.seal('hello'), flipped(peer.seal('damaged'), 12));
    const { how, alerts } = await peer.farewell();
    expect({ how, alerts }).to.deep.equal({ how: 'fin', alerts: [20] });
    peer.fin();
    const witness = await scene.witness();
    const report = await witness.closed();
    expect(truthOf(report)).to.deep.equal(truth);
    expect(report.bytesIn).to.equal(5);
    expect(witness.story).to.deep.equal(['connected', 'data', 'closed']);
  });

  it('and that goes on sending is not listened to, and let go of all the same', async () => {
    const scene = untilTestEnds(await Scene.listen({ tls: {}, virtualTime: true }));
    const peer = untilTestEnds(await HandPeer.connect(scene.where, { context: context({}) }));
    await peer.handshake();
    const witness = await scene.witness();
    peer.send(flipped(peer.seal('damaged'), 12));
    await scene.loop.until('decided', () => witness.bev.closed !== undefined);
    for (let time = 0; time < CLOSE_MS; time += 500) {
      const { bytesIn } = witness.bev.underlying ?? { bytesIn: 0 };
      peer.send(Buffer.alloc(10_000));
      await scene.loop.until('it came in', () => (witness.bev.underlying?.bytesIn ?? 0) > bytesIn);
      expect(witness.tls.memoryBytes).to.equal(0);
      scene.advance(500);
    }
    const report = await witness.closed();
    expect(truthOf(report)).to.deep.equal(truth);
    expect(report.bytesIn).to.equal(0);
    expect(witness.story).to.deep.equal(['connected', 'closed']);
    expect((await peer.farewell()).alerts).to.deep.equal([20]);
  });
});
