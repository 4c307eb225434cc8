import { Counter } from '@sluice/native';
import { expect } from 'chai';
import { context, tls12, tls13 } from '../packages/native/test/support/engines.ts';
import { serverCertificate } from './support/certificates.ts';
import { HandPeer } from './support/hand-peer.ts';
import { Scene, type SceneOptions } from './support/scene.ts';
import { truthOf } from './support/truth.ts';
import { untilTestEnds } from './support/until-test-ends.ts';
import type { Witness } from './support/witness.ts';

const HANDSHAKE_MS = 10_000;
const PAIR_BYTES = 8192;

/** What a TCP connection on loopback takes with nobody reading is about 130 kB: the flight is more. */
const transports: [name: string, sanCount: number, options: SceneOptions][] = [
  ['TCP', 8000, { socket: { sendBufferBytes: 4096 } }],
  ['a Unix socket', 2000, { socket: { sendBufferBytes: 4096 }, unix: true }],
];

async function begin(sanCount: number, options: SceneOptions): Promise<Scene> {
  const { certPem, keyPem } = await serverCertificate(sanCount);
  return Scene.listen({
    ...options,
    tls: { cert: certPem, key: keyPem },
    tlsOptions: { pairBytes: PAIR_BYTES },
    echo: true,
    virtualTime: true,
  });
}

/** A client whose flight stands still in the middle: its kernel took the first bytes, the socket is full, and so is the pair. */
async function stuckClient(scene: Scene, version: number): Promise<{ peer: HandPeer; witness: Witness }> {
  const client = context({ minVersion: version, maxVersion: version, certListBytesMax: 1_000_000 });
  const peer = await HandPeer.connect(scene.where, { context: client, paused: true });
  peer.send(peer.shake());
  await scene.loop.until('the socket is full', () => (scene.counters[Counter.writesRefused] as number) > 0);
  await scene.standsStill();
  const witness = await scene.witness();
  const below = witness.bev.underlying;
  expect(below?.output.length, 'the flight stands still').to.be.above(0);
  return { peer, witness };
}

/** Another client does its handshake and two hundred echoes. */
async function busyClient(scene: Scene): Promise<void> {
  const peer = untilTestEnds(
    await HandPeer.connect(scene.where, { context: context({ certListBytesMax: 1_000_000 }) }),
  );
  await peer.handshake();
  const witness = await scene.witness(1);
  await witness.connected();
  for (let echo = 0; echo < 200; echo++) {
    peer.send(peer.seal('ping!'));
    expect((await peer.take(5)).toString()).to.equal('ping!');
  }
  peer.send(peer.sealEnd());
  expect(truthOf(await witness.closed())).to.include({ end: 'end', code: null });
  peer.fin();
}

describe('A client that stops reading in the middle of the certificate flight', () => {
  for (const [name, sanCount, options] of transports) {
    for (const version of [tls12, tls13]) {
      const suffix = `${name}, TLS ${version === tls12 ? '1.2' : '1.3'}`;
      it(`and then goes on completes its handshake, ${suffix}`, async () => {
        const scene = untilTestEnds(await begin(sanCount, options));
        const { peer, witness } = await stuckClient(scene, version);
        untilTestEnds(peer);
        const { calls } = witness.tls.session;
        await busyClient(scene);
        expect(witness.tls.session.calls, 'engine calls while it stood still').to.equal(calls);
        expect(witness.story).to.deep.equal([]);

        scene.advance(HANDSHAKE_MS - 1);
        peer.socket.resume();
        await peer.handshake();
        peer.send(peer.seal('hello'));
        expect((await peer.take(5)).toString()).to.equal('hello');
        expect(witness.tls.handshake).to.include({ spins: 0, wantRead: 1, done: true });
        peer.send(peer.sealEnd());
        expect(truthOf(await witness.closed())).to.include({ end: 'end', code: null });
      });
    }

    it(`for ever costs no CPU, and ends by the handshake's limit, ${name}`, async () => {
      const scene = untilTestEnds(await begin(sanCount, options));
      const { peer, witness } = await stuckClient(scene, tls13);
      untilTestEnds(peer);
      const { calls } = witness.tls.session;
      const { turns } = scene.loop.stats;
      const writes = scene.counters[Counter.writes] as number;
      for (let second = 1; second < HANDSHAKE_MS / 1000; second++) {
        scene.advance(1000);
        await scene.settled();
      }
      expect(witness.tls.session.calls, 'engine calls').to.equal(calls);
      expect(scene.counters[Counter.writes], 'writes').to.equal(writes);
      // The limits are looked at when the nearest may have come, and not more often.
      expect(scene.loop.stats.turns - turns, 'turns').to.be.at.most(2);
      await busyClient(scene);
      expect(witness.tls.session.calls, 'engine calls beside a busy connection').to.equal(calls);

      scene.advance(1000);
      const report = await witness.closed();
      expect(truthOf(report)).to.deep.equal({
        end: 'timeout',
        direction: 'both',
        layer: 'tls',
        code: 'SLUICE_TLS_HANDSHAKE_TIMEOUT',
        blame: 'remote',
        operation: 'tls handshake/flight 1',
        entries: [],
        alerts: [],
      });
      expect(report.error?.message).to.include('waited for room: the peer does not read');
      expect(witness.memoryBytesMost).to.be.below(3 * PAIR_BYTES + 64 * 1024 + 16 * 1024);
      peer.socket.resume();
      expect((await peer.farewell()).how).to.be.oneOf(['reset', 'fin']);
    });
  }
});
