import { expect } from 'chai';
import { context } from '../packages/native/test/support/engines.ts';
import { HandPeer } from './support/hand-peer.ts';
import { Scene } from './support/scene.ts';
import { truthOf } from './support/truth.ts';
import { Visit } from './support/visit.ts';
import { untilTestEnds } from './support/until-test-ends.ts';

const truth = {
  end: 'truncated',
  direction: 'read',
  layer: 'tls',
  code: 'SLUICE_TLS_TRUNCATED',
  blame: 'remote',
  operation: 'tls handshake/flight 1',
  entries: ['0A000126'],
  alerts: ['sent decode_error'],
};

describe('A FIN in mid-handshake', () => {
  // Half-open or not makes no difference: nothing can be owed to a peer whose handshake is not done.
  for (const halfOpen of [false, true]) {
    for (const [name, helloBytes, waits] of [
      ['before the first byte', 0, false],
      ['in the middle of the first header', 3, false],
      ['in the middle of ClientHello', 100, false],
      ['together with ClientHello', Number.POSITIVE_INFINITY, false],
      ["after the server's flight", Number.POSITIVE_INFINITY, true],
    ] as const) {
      it(`${name} is a truncation and no reset${halfOpen ? ', half-open' : ''}`, async () => {
        const scene = untilTestEnds(await Scene.listen({ tls: {}, tlsOptions: { halfOpen }, virtualTime: true }));
        const peer = untilTestEnds(await HandPeer.connect(scene.where, { context: context({}) }));
        const witness = await scene.witness();
        const hello = peer.shake();
        if (helloBytes > 0) peer.send(hello.subarray(0, helloBytes));
        if (waits) await peer.more();
        peer.fin();

        // No time passes: it is told when it happens, not when a limit has passed.
        const report = await witness.closed();
        expect(truthOf(report)).to.deep.equal(truth);
        expect(report.error?.message).to.not.include('reset');
        expect(witness.story).to.deep.equal(['closed']);
        const { how, alerts } = await peer.farewell();
        expect({ how, alerts }).to.deep.equal({ how: 'fin', alerts: [50] });
      });
    }
  }

  it('of a server is a truncation to its client', async () => {
    const visit = untilTestEnds(await Visit.begin({ virtualTime: true }));
    const { peer, witness } = visit;
    await peer.more();
    peer.send(peer.shake().subarray(0, 200));
    peer.fin();
    expect(truthOf(await witness.closed())).to.deep.equal({ ...truth, operation: 'tls handshake/flight 2' });
  });
});
