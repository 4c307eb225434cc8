import { Counter, type NativeTlsContext } from '@sluice/native';
import { expect } from 'chai';
import { Random } from '../packages/core/test/support/random.ts';
import { context, tls12, tls13 } from '../packages/native/test/support/engines.ts';
import { serverCertificate } from './support/certificates.ts';
import { HandPeer } from './support/hand-peer.ts';
import { nativeBytes } from './support/native-memory.ts';
import { Scene } from './support/scene.ts';
import { truthOf } from './support/truth.ts';
import { untilTestEnds } from './support/until-test-ends.ts';
import { Visit } from './support/visit.ts';

const HANDSHAKE_MS = 10_000;
/** Five engines; hundreds of them are made. */
const LEAK_BYTES = 200_000;

/** Few choices make a short ClientHello, so that every byte of the handshake can have its turn. */
function shortHello(version: number): NativeTlsContext {
  return context({
    minVersion: version,
    maxVersion: version,
    groups: 'X25519:P-256',
    ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256',
    ciphersuites: 'TLS_AES_128_GCM_SHA256',
  });
}

/** Goes on with the handshake until so many bytes are sent. Answers how many that were: fewer when it was done before. */
async function sendUpTo(peer: HandPeer, bytes: number): Promise<number> {
  let sent = 0;
  for (;;) {
    const out = peer.shake().subarray(0, bytes - sent);
    if (out.length > 0) peer.send(out);
    sent += out.length;
    if (sent === bytes || peer.handshakeDone) return sent;
    await peer.more();
  }
}

describe('A client that is killed at any byte of its handshake', function () {
  // Hundreds of connections each, on a machine that may be busy.
  this.timeout(120_000);

  for (const version of [tls12, tls13]) {
    for (const how of ['FIN', 'reset'] as const) {
      it(`by a ${how} leaves one closed, the truth, and nothing else, TLS ${version === tls12 ? '1.2' : '1.3'}`, async () => {
        const scene = untilTestEnds(await Scene.listen({ tls: {}, virtualTime: true }));
        const client = shortHello(version);
        const whole = untilTestEnds(await HandPeer.connect(scene.where, { context: client }));
        const total = await sendUpTo(whole, Number.POSITIVE_INFINITY);
        whole.reset();
        await (await scene.witness()).closed();
        scene.forgetClosed();
        expect(total, 'bytes that a client sends').to.be.within(200, 700);

        let before = 0;
        for (let bytes = 0; bytes <= total; bytes++) {
          // The first ones fill caches and the allocator's lists.
          if (bytes === 150) before = await nativeBytes();
          const peer = await HandPeer.connect(scene.where, { context: client });
          await sendUpTo(peer, bytes);
          if (how === 'FIN') peer.fin();
          else peer.reset();
          const witness = await scene.witness();
          const { end, direction, layer, blame, entries } = truthOf(await witness.closed());
          await peer[Symbol.asyncDispose]();
          const place = `after ${bytes} bytes`;
          if (how === 'FIN') {
            const truth = { end: 'truncated', direction: 'read', layer: 'tls', blame: 'remote', entries: ['0A000126'] };
            expect({ end, direction, layer, blame, entries }, place).to.deep.equal(truth);
          } else {
            expect({ end, layer, blame, entries }, place).to.deep.equal({
              ...{ end: 'reset', layer: 'system', blame: 'remote' },
              entries: ['80000068'],
            });
            expect(direction, place).to.be.oneOf(['read', 'write']);
          }
          // Only with the last byte the handshake may be done, and is unless the reset is heard in the same turn.
          if (bytes < total) expect(witness.story, place).to.deep.equal(['closed']);
          else if (how === 'FIN') expect(witness.story, place).to.deep.equal(['connected', 'closed']);
          scene.forgetClosed();
        }
        await scene.loop.until('every handle is gone', () => scene.handles === 1);
        expect((await nativeBytes(before + LEAK_BYTES)) - before, 'native memory').to.be.at.most(LEAK_BYTES);
      });
    }
  }

  for (const [how, end, code] of [
    ['by a FIN, while it reads on', 'truncated', 'SLUICE_TLS_TRUNCATED'],
    ['by a FIN, and does not read on', 'timeout', 'SLUICE_TLS_HANDSHAKE_TIMEOUT'],
    ['with what it did not read', 'reset', 'SLUICE_SYSTEM_ECONNRESET'],
  ] as const) {
    const { seed } = new Random();
    it(`in the middle of a certificate flight that does not fit, ${how}, seed ${seed}`, async () => {
      const { certPem, keyPem } = await serverCertificate(2000);
      const scene = untilTestEnds(
        await Scene.listen({
          tls: { cert: certPem, key: keyPem },
          tlsOptions: { pairBytes: 1024 },
          unix: true,
          socket: { sendBufferBytes: 4096, watermarks: { write: { high: 4096, low: 1024 } } },
          virtualTime: true,
        }),
      );
      const client = context({});
      const random = new Random(seed);
      let before = 0;
      for (let round = 0; round < 60; round++) {
        if (round === 20) before = await nativeBytes();
        const refused = scene.counters[Counter.writesRefused] as number;
        const peer = await HandPeer.connect(scene.where, { context: client, paused: true });
        const bytes = random.below(40_000);
        peer.send(peer.shake());
        const witness = await scene.witness();
        await scene.loop.until('the socket is full', () => (witness.bev.underlying?.output.length ?? 0) > 0);
        expect(scene.counters[Counter.writesRefused], 'refused by the system').to.be.above(refused);
        peer.socket.resume();
        while (peer.wireBytes < bytes) await peer.nextChunk();
        peer.socket.pause();
        await scene.settled();
        if (end === 'reset') peer.socket.destroy();
        else peer.fin();
        if (end === 'truncated') peer.socket.resume();
        await scene.settled();
        if (end === 'timeout') scene.advance(HANDSHAKE_MS);
        const report = await witness.closed();
        await peer[Symbol.asyncDispose]();
        expect(report, `after ${bytes} bytes read`).to.include({ end, code, blame: 'remote' });
        expect(witness.story).to.deep.equal(['closed']);
        scene.forgetClosed();
      }
      await scene.loop.until('every handle is gone', () => scene.handles === 1);
      expect((await nativeBytes(before + LEAK_BYTES)) - before, 'native memory').to.be.at.most(LEAK_BYTES);
    });
  }

  for (const how of ['FIN', 'reset'] as const) {
    it(`or a server, by a ${how}, is told to the other side`, async () => {
      for (let bytes = 0; bytes < 1100; bytes += 37) {
        const visit = untilTestEnds(await Visit.begin({ virtualTime: true }));
        const { peer, witness } = visit;
        await peer.more();
        await sendUpTo(peer, bytes);
        if (how === 'FIN') peer.fin();
        else peer.reset();
        const { end, layer, blame } = truthOf(await witness.closed());
        const truth = how === 'FIN' ? { end: 'truncated', layer: 'tls' } : { end: 'reset', layer: 'system' };
        expect({ end, layer, blame }, `after ${bytes} bytes`).to.deep.equal({ ...truth, blame: 'remote' });
        expect(witness.story.at(-1)).to.equal('closed');
      }
    });
  }
});
