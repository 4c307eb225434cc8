import { expect } from 'chai';
import { context, tls13 } from '../packages/native/test/support/engines.ts';
import { serverCertificate } from './support/certificates.ts';
import { HandPeer } from './support/hand-peer.ts';
import { SClient } from './support/s-client.ts';
import { Scene } from './support/scene.ts';
import { truthOf } from './support/truth.ts';
import { untilTestEnds } from './support/until-test-ends.ts';

const UPDATES = 10_000;

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
