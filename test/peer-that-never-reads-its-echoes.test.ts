import { Suspend } from '@sluice/core';
import { Counter } from '@sluice/native';
import { expect } from 'chai';
import { context } from '../packages/native/test/support/engines.ts';
import { HandPeer } from './support/hand-peer.ts';
import { Scene } from './support/scene.ts';
import { untilTestEnds } from './support/until-test-ends.ts';

const WRITE_HIGH = 64 * 1024;
const READ_HIGH = 64 * 1024;
const READ_BYTES = 64 * 1024;
const WRITE_CAP = 1024 * 1024;
const PIECE_BYTES = 50_000;
/** Far more than the two kernels' buffers hold. */
const PIECES = 160;

function piece(index: number): Buffer {
  return Buffer.alloc(PIECE_BYTES, `piece ${index}, `);
}

describe('A peer that sends and never reads its echoes', () => {
  for (const transport of ['TLS', 'TCP'] as const) {
    it(`is not read from any more, and costs no more than its marks, ${transport}`, async () => {
      const scene = untilTestEnds(
        await Scene.listen({
          ...(transport === 'TLS' ? { tls: {}, tlsOptions: { pauseReadWhenFull: true } } : {}),
          socket: { pauseReadWhenFull: transport === 'TCP', sendBufferBytes: 128 * 1024 },
          echo: true,
          virtualTime: true,
        }),
      );
      const client = transport === 'TLS' ? { context: context({}) } : {};
      const peer = untilTestEnds(await HandPeer.connect(scene.where, client));
      if (transport === 'TLS') await peer.handshake();
      peer.socket.pause();
      const witness = await scene.witness();
      for (let index = 0; index < PIECES; index++) {
        peer.send(transport === 'TLS' ? peer.seal(piece(index)) : piece(index));
      }
      await scene.loop.until('the socket is full', () => (scene.counters[Counter.writesRefused] as number) > 0);
      await scene.loop.until('reading has stopped', () => (witness.bev.suspended & Suspend.output) !== 0);
      await scene.settled();

      const bytesRead = scene.counters[Counter.bytesRead] as number;
      const { turns } = scene.loop.stats;
      expect(bytesRead).to.be.below(PIECES * PIECE_BYTES - 1_000_000);
      expect(peer.socket.writableLength, 'the peer itself is stuck').to.be.above(1_000_000);
      await scene.settled();
      scene.advance(1000);
      await scene.settled();
      expect(scene.counters[Counter.bytesRead], 'bytes read').to.equal(bytesRead);
      expect(scene.loop.stats.turns - turns, 'turns').to.be.at.most(2);
      expect(witness.memoryBytesMost).to.be.below(WRITE_CAP);
      const bound = 2 * (WRITE_HIGH + READ_HIGH) + READ_BYTES + (transport === 'TLS' ? 3 * 17_408 : 0);
      expect(witness.memoryBytesMost, 'the marks, and one read').to.be.at.most(bound);
      expect(witness.bev.closed).to.equal(undefined);

      // It was only slow: every byte is still there, in order.
      peer.socket.resume();
      for (let index = 0; index < PIECES; index++) {
        const echoed = transport === 'TLS' ? await peer.take(PIECE_BYTES) : await peer.takeRaw(PIECE_BYTES);
        expect(echoed.equals(piece(index)), `piece ${index}`).to.equal(true);
      }
      expect(witness.receivedBytes).to.equal(PIECES * PIECE_BYTES);
    });

    it(`for ever is let go of by the limit of writing, ${transport}`, async () => {
      const scene = untilTestEnds(
        await Scene.listen({
          ...(transport === 'TLS' ? { tls: {}, tlsOptions: { pauseReadWhenFull: true } } : {}),
          socket: { pauseReadWhenFull: transport === 'TCP', sendBufferBytes: 128 * 1024 },
          echo: true,
          virtualTime: true,
        }),
      );
      const client = transport === 'TLS' ? { context: context({}) } : {};
      const peer = untilTestEnds(await HandPeer.connect(scene.where, client));
      if (transport === 'TLS') await peer.handshake();
      peer.socket.pause();
      const witness = await scene.witness();
      for (let index = 0; index < PIECES; index++) {
        peer.send(transport === 'TLS' ? peer.seal(piece(index)) : piece(index));
      }
      await scene.loop.until('the socket is full', () => (scene.counters[Counter.writesRefused] as number) > 0);
      await scene.settled();
      scene.advance(60_000);
      const report = await witness.closed();
      expect(report).to.include({ end: 'timeout', blame: 'remote', direction: 'write' });
      expect(report.code).to.equal('SLUICE_CORE_WRITE_TIMEOUT');
      await scene.loop.until('the handle is gone', () => scene.handles === 1);
    });
  }
});
