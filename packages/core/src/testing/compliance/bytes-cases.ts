import assert from 'node:assert/strict';
import { EvBuffer } from '../../evbuffer.ts';
import type { ComplianceCase } from './scene.ts';
import { SeededRandom } from './stream-bytes.ts';
import { randomWalk } from './random-walk.ts';

const MEGABYTE = 1_000_000;

/** What is carried: every byte, once, in order, however it was written. */
export const bytesCases: readonly ComplianceCase[] = [
  {
    title: 'carries bytes in order and unchanged, both ways, in pieces of any size',
    async run(scene) {
      for (const size of [1, 2, 17, 1000, 16_383, 16_384, 16_385, 65_537, 200_000]) {
        for (const witness of scene.witnesses) witness.send(size);
        await scene.untilAllTaken();
      }
    },
  },
  {
    title: 'carries thousands of small writes',
    eachWay: true,
    async run(scene) {
      const random = new SeededRandom(7);
      for (let burst = 0; burst < 20; burst += 1) {
        for (let write = 0; write < 300; write += 1) scene.subject.send(1 + random.below(20));
        if (burst % 4 === 0) await scene.settle();
      }
      await scene.untilAllTaken();
    },
  },
  {
    title: 'carries 10 MB both ways at once without deadlock, within the bounds of both ends',
    subject: { halfOpen: true },
    peer: { halfOpen: true },
    async run(scene) {
      const piece = 60_000;
      for (const witness of scene.witnesses) {
        const { bev } = witness;
        witness.react.data = () => {
          assert.ok(bev.output.length < bev.limits.writeHigh + piece, 'output is bounded');
        };
        witness.pump(10 * MEGABYTE, piece, () => bev.end());
      }
      await scene.untilClosed();
      scene.assertEndedInOrder();
      for (const { takenBytes, report } of scene.witnesses) {
        assert.deepEqual([takenBytes, report?.bytesIn, report?.bytesOut], Array(3).fill(10 * MEGABYTE));
      }
    },
  },
  {
    title: 'carries bytes with marks of one and two bytes',
    subject: { halfOpen: true, watermarks: { read: { high: 1 }, write: { low: 1, high: 2, cap: 4 } } },
    peer: { halfOpen: true, watermarks: { read: { high: 1 }, write: { low: 1, high: 2, cap: 4 } } },
    async run(scene) {
      for (const witness of scene.witnesses) witness.pump(1000, 2, () => witness.bev.end());
      await scene.untilClosed();
      scene.assertEndedInOrder();
      assert.deepEqual(
        scene.witnesses.map(({ takenBytes }) => takenBytes),
        [1000, 1000],
      );
    },
  },
  {
    title: 'takes text as UTF-8, bytes as a copy, and empties a buffer',
    async run(scene) {
      const { subject, peer } = scene;
      peer.verifies = false;
      const got: Buffer[] = [];
      peer.consumes = false;
      peer.react.data = () => got.push(peer.take());
      const bytes = Buffer.from('bytes ');
      const buffer = new EvBuffer();
      buffer.append('buffer');
      subject.bev.write('zoë ');
      subject.bev.write(bytes);
      subject.bev.write(buffer);
      bytes.fill('?');
      assert.equal(buffer.length, 0);
      await scene.until(() => peer.takenBytes >= 17, 'all has come');
      assert.equal(Buffer.concat(got).toString(), 'zoë bytes buffer');
    },
  },
  {
    title: 'what was read stays what it was, and so do views of what was not',
    peer: { watermarks: { read: { high: 20_000 } } },
    async run(scene) {
      const { subject, peer } = scene;
      const kept: { bytes: Buffer; was: Buffer }[] = [];
      const keep = (bytes: Buffer): void => void kept.push({ bytes, was: Buffer.from(bytes) });
      peer.consumes = false;
      peer.react.data = () => {
        for (const view of peer.bev.input.peek()) keep(view);
        keep(peer.take(Math.max(1, peer.bev.input.length - 5000)));
      };
      subject.pump(300_000, 7000);
      await scene.until(() => subject.sentBytes - peer.takenBytes < 20_000, 'nearly all has been taken');
      for (const { bytes, was } of kept) assert.ok(bytes.equals(was), 'bytes that somebody held have changed');
      assert.ok(kept.length > 10, `${kept.length} pieces were kept`);
    },
  },
  {
    title: 'an empty write is nothing, and an end without data is an end',
    eachWay: true,
    async run(scene) {
      const { subject, peer } = scene;
      assert.equal(subject.bev.write(''), true);
      assert.equal(subject.bev.write(new Uint8Array()), true);
      await scene.settle();
      assert.equal(peer.count('data'), 0);
      subject.bev.end();
      await scene.untilClosed();
      assert.deepEqual([peer.count('data'), peer.count('end')], [0, 1]);
      scene.assertEndedInOrder();
    },
  },
  {
    title: 'counts the bytes of its own layer: bytesIn, bytesOut, and the same in the report',
    async run(scene) {
      const { subject, peer } = scene;
      subject.send(12_345);
      peer.send(678);
      await scene.untilAllTaken();
      await scene.until(() => subject.bev.output.length === 0, 'output is out');
      assert.deepEqual([subject.bev.bytesOut, subject.bev.bytesIn], [12_345, 678]);
      assert.deepEqual([peer.bev.bytesOut, peer.bev.bytesIn], [678, 12_345]);
      subject.bev.end();
      await scene.untilClosed();
      assert.deepEqual([subject.report?.bytesOut, subject.report?.bytesIn], [12_345, 678]);
      assert.deepEqual([peer.report?.bytesOut, peer.report?.bytesIn], [678, 12_345]);
    },
  },
  {
    title: 'loses and repeats nothing, whatever both users do with marks, pauses, reasons and sizes',
    subject: { halfOpen: true },
    peer: { halfOpen: true },
    run: randomWalk,
  },
];
