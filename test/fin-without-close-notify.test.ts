import { expect } from 'chai';
import { context, tls12, tls13 } from '../packages/native/test/support/engines.ts';
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
  operation: 'tls data',
  entries: ['0A000126'],
  alerts: ['sent decode_error'],
};

describe('A FIN without close_notify', () => {
  for (const version of [tls12, tls13]) {
    for (const [name, cutBytes, dataBytes] of [
      ['after a whole record', 0, 5],
      ['in the middle of a record', 7, 0],
      ['with 60 kB in front of it', 0, 60_000],
      ['in the middle of a record, with 60 kB in front of it', 7, 60_000],
    ] as const) {
      it(`${name} is a truncation, told once and after the data, TLS ${version === tls12 ? '1.2' : '1.3'}`, async () => {
        const scene = untilTestEnds(await Scene.listen({ tls: {}, virtualTime: true }));
        const versions = { minVersion: version, maxVersion: version };
        const peer = untilTestEnds(await HandPeer.connect(scene.where, { context: context(versions) }));
        await peer.handshake();
        const witness = await scene.witness();
        const failures: (string | null)[] = [];
        witness.bev.failed$.subscribe({ next: ({ code }) => failures.push(code), complete: () => failures.push(null) });
        const data = Buffer.alloc(dataBytes, 'data');
        peer.send(peer.seal(data), cutBytes > 0 ? peer.seal('never to be seen').subarray(0, cutBytes) : '');
        peer.fin();

        const report = await witness.closed();
        expect(truthOf(report)).to.deep.equal(truth);
        witness.bev.failed$.subscribe(({ code }) => failures.push(code));
        expect(failures, 'told once, and to those who ask late').to.deep.equal([truth.code, null, truth.code]);
        expect(report.bytesIn).to.equal(dataBytes);
        expect(witness.received.equals(data)).to.equal(true);
        expect(witness.story).to.deep.equal(dataBytes > 0 ? ['connected', 'data', 'closed'] : ['connected', 'closed']);
        const { how, alerts } = await peer.farewell();
        expect({ how, alerts }).to.deep.equal({ how: 'fin', alerts: [50] });
      });
    }
  }

  it('of a server is a truncation to its client', async () => {
    const visit = untilTestEnds(await Visit.begin());
    const { peer, witness } = visit;
    await peer.handshake();
    peer.send(peer.seal('half of the ans'));
    peer.fin();
    expect(truthOf(await witness.closed())).to.deep.equal(truth);
    expect(witness.received.toString()).to.equal('half of the ans');
    expect((await peer.farewell()).alerts).to.deep.equal([50]);
  });

  it('behind close_notify is a clean end', async () => {
    const scene = untilTestEnds(await Scene.listen({ tls: {} }));
    const peer = untilTestEnds(await HandPeer.connect(scene.where, { context: context({}) }));
    await peer.handshake();
    const witness = await scene.witness();
    peer.send(peer.seal('all'), peer.sealEnd());
    peer.fin();
    expect(truthOf(await witness.closed())).to.deep.equal({
      ...{ end: 'end', direction: 'both', layer: 'tls', code: null, blame: null, operation: undefined, entries: [] },
      alerts: ['received close_notify', 'sent close_notify'],
    });
    expect(witness.story).to.deep.equal(['connected', 'data', 'end', 'closed']);
    expect((await peer.farewell()).alerts).to.deep.equal([0]);
  });
});

describe('A FIN without close_notify, where the context takes it for an end', () => {
  const ends = {
    end: 'end',
    direction: 'both',
    layer: 'tls',
    code: null,
    blame: null,
    operation: undefined,
    entries: [],
  };

  for (const version of [tls12, tls13]) {
    for (const store of ['borrowed', 'pair'] as const) {
      const name = `TLS ${version === tls12 ? '1.2' : '1.3'}, store '${store}'`;

      async function begin() {
        const tlsOptions = { store, halfOpen: true };
        const scene = untilTestEnds(await Scene.listen({ tls: { truncation: 'end' }, tlsOptions, virtualTime: true }));
        const peer = untilTestEnds(
          await HandPeer.connect(scene.where, { context: context({ minVersion: version, maxVersion: version }) }),
        );
        return { scene, peer };
      }

      it(`behind whole records is told as one, after the data, and as one that was not clean: ${name}`, async () => {
        const { scene, peer } = await begin();
        await peer.handshake();
        const witness = await scene.witness();
        const data = Buffer.alloc(60_000, 'data');
        peer.send(peer.seal(data));
        peer.fin();
        await scene.loop.until('end', () => witness.story.includes('end'));
        witness.bev.write('an answer all the same');
        witness.bev.end();
        const report = await witness.closed();
        expect(truthOf(report)).to.deep.equal({ ...ends, alerts: ['sent close_notify'] });
        expect(report.clean).to.equal(false);
        expect(witness.received.equals(data)).to.equal(true);
        const { plain, alerts } = await peer.farewell();
        expect([plain.toString(), alerts]).to.deep.equal(['an answer all the same', [0]]);
      });

      it(`in the middle of a record is a truncation all the same: ${name}`, async () => {
        const { scene, peer } = await begin();
        await peer.handshake();
        const witness = await scene.witness();
        peer.send(peer.seal('whole'), peer.seal('never to be seen').subarray(0, 7));
        peer.fin();
        const report = await witness.closed();
        expect([report.end, report.code, report.clean]).to.deep.equal(['truncated', 'SLUICE_TLS_TRUNCATED', false]);
        expect(witness.received.toString()).to.equal('whole');
      });

      it(`in the handshake is a truncation all the same: ${name}`, async () => {
        const { scene, peer } = await begin();
        peer.send(peer.shake());
        peer.fin();
        const witness = await scene.witness();
        const report = await witness.closed();
        expect([report.end, report.code]).to.deep.equal(['truncated', 'SLUICE_TLS_TRUNCATED']);
      });

      it(`with close_notify before it is a clean end: ${name}`, async () => {
        const { scene, peer } = await begin();
        await peer.handshake();
        const witness = await scene.witness();
        peer.send(peer.sealEnd());
        peer.fin();
        await scene.loop.until('end', () => witness.story.includes('end'));
        witness.bev.end();
        const report = await witness.closed();
        expect([report.end, report.clean]).to.deep.equal(['end', true]);
      });
    }
  }
});
