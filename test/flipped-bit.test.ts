import { expect } from 'chai';
import { context, tls12, tls13 } from '../packages/native/test/support/engines.ts';
import { flipped, HandPeer } from './support/hand-peer.ts';
import { Scene } from './support/scene.ts';
import { truthOf } from './support/truth.ts';
import { untilTestEnds } from './support/until-test-ends.ts';

const HEADER_BYTES = 5;

describe('One flipped bit in a record', () => {
  for (const [name, version, ciphers, entries] of [
    // AES-GCM: the provider's own word comes first in the queue.
    ['TLS 1.2, AES-GCM', tls12, 'ECDHE-ECDSA-AES256-GCM-SHA384', ['1C800066', '0A000119', '0A000139']],
    ['TLS 1.2, ChaCha20', tls12, 'ECDHE-ECDSA-CHACHA20-POLY1305', ['0A000119', '0A000139']],
    ['TLS 1.3', tls13, undefined, ['0A000119', '0A000139']],
  ] as const) {
    it(`is told as what it is, after the data before it, ${name}`, async () => {
      const scene = untilTestEnds(await Scene.listen({ tls: {}, virtualTime: true }));
      const client = context({ minVersion: version, maxVersion: version, ciphers });
      const peer = untilTestEnds(await HandPeer.connect(scene.where, { context: client }));
      await peer.handshake();
      const good = peer.seal('good');
      const bad = peer.seal('damaged');
      peer.send(good, flipped(bad, HEADER_BYTES + 9), peer.seal('behind it'));
      expect(await peer.farewell()).to.deep.include({ how: 'fin', alerts: [20] });
      peer.fin();

      const witness = await scene.witness();
      const report = await witness.closed();
      expect(truthOf(report)).to.deep.equal({
        end: 'failed',
        direction: 'both',
        layer: 'tls',
        code: 'SLUICE_TLS_BAD_RECORD',
        blame: 'remote',
        operation: 'tls data',
        entries,
        alerts: ['sent bad_record_mac'],
      });
      expect(report.error?.message).to.include('decryption failed or bad record mac');
      expect(witness.received.toString()).to.equal('good');
      expect(witness.story).to.deep.equal(['connected', 'data', 'closed']);
    });
  }
});
