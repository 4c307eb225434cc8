import assert from 'node:assert/strict';
import { ApiMisuse, LimitError } from '@sluice/errors';
import { Suspend } from '../../suspend.ts';
import type { ComplianceCase, Scene } from './scene.ts';

const KB = 1000;

/** More than any kernel holds between two ends, of which one does not read. */
const HOLDABLE_BYTES_MAX = 100_000 * KB;

/** Marks of the writer: what `write` answers, `drained`, and the cap. */
export const writeMarkCases: readonly ComplianceCase[] = [
  {
    title: 'write answers false from the high mark on, and drained is told once, at the low one',
    eachWay: true,
    subject: { watermarks: { write: { low: 1000, high: 5000 } } },
    async run(scene) {
      const { subject } = scene;
      let heldWhenDrained = -1;
      subject.react.drained = () => {
        heldWhenDrained = subject.bev.output.length;
      };
      assert.equal(subject.send(4999), true);
      assert.equal(subject.send(1), false);
      await scene.untilAllTaken();
      await scene.until(() => subject.count('drained') > 0, 'drained is told');
      await scene.settle();
      assert.equal(subject.count('drained'), 1);
      assert.ok(heldWhenDrained >= 0 && heldWhenDrained <= 1000, `output held ${heldWhenDrained}`);
    },
  },
  {
    title: 'write throws a LimitError past the cap and takes nothing; the connection goes on',
    eachWay: true,
    subject: { watermarks: { write: { low: 1000, high: 5000, cap: 10_000 } } },
    async run(scene) {
      const { subject } = scene;
      assert.equal(subject.send(10_000), false);
      for (const overfill of [() => subject.bev.write('x'), () => subject.bev.output.append('x')]) {
        assert.throws(overfill, isCapError);
      }
      assert.equal(subject.bev.output.length, 10_000);
      await scene.untilAllTaken();
      subject.send(10_000);
      await scene.untilAllTaken();
      assert.equal(subject.closed, false);
    },
  },
  {
    title: 'a producer that never waits meets the hard cap as a typed error, in one turn',
    async run(scene) {
      assert.throws(() => {
        for (;;) scene.subject.send(50_000);
      }, isCapError);
      assert.ok(scene.subject.bev.output.length <= scene.subject.bev.limits.writeCap);
      await scene.untilAllTaken();
    },
  },
  {
    title: 'a producer that never waits for a peer that never reads meets the hard cap as a typed error',
    eachWay: true,
    async run(scene) {
      const { subject, peer } = scene;
      peer.bev.pause();
      let thrown: unknown;
      while (thrown === undefined) {
        assert.ok(subject.sentBytes < HOLDABLE_BYTES_MAX, `${subject.sentBytes} bytes were taken without an error`);
        try {
          for (let writes = 0; writes < 4; writes += 1) subject.send(50_000);
        } catch (error) {
          thrown = error;
        }
        await scene.settle();
      }
      assert.ok(isCapError(thrown), 'it is a LimitError of the cap');
      assert.ok(subject.bev.output.length <= subject.bev.limits.writeCap, 'output is under its cap');
      assertInputBound(scene, peer.bev.limits.readHigh);
      peer.bev.resume();
      await scene.untilAllTaken();
    },
  },
];

/** Marks of the reader: what stops the peer, and when data is told. */
export const readMarkCases: readonly ComplianceCase[] = [
  {
    title: 'reading stops at the high mark, and goes on below it without loss',
    eachWay: true,
    peer: { watermarks: { read: { high: 10_000 } } },
    async run(scene) {
      const { subject, peer } = scene;
      peer.consumes = false;
      subject.send(500 * KB);
      await scene.until(() => peer.bev.input.length >= 10_000, 'input is full');
      await scene.settle();
      assertInputBound(scene, 10_000);
      assert.equal(peer.bev.suspended, Suspend.watermark);
      const held = peer.bev.input.length;
      await scene.settle();
      assert.equal(peer.bev.input.length, held, 'nothing more comes');
      peer.consumes = true;
      peer.take();
      await scene.untilAllTaken();
    },
  },
  {
    title: 'a high mark that is met exactly stops reading, and one byte less goes on',
    eachWay: true,
    peer: { watermarks: { read: { high: 1000 } } },
    async run(scene) {
      const { subject, peer } = scene;
      peer.consumes = false;
      subject.send(999);
      await scene.until(() => peer.bev.input.length === 999, '999 bytes have come');
      assert.equal(peer.bev.suspended, 0);
      subject.send(1);
      await scene.until(() => peer.bev.input.length === 1000, '1000 bytes have come');
      assert.equal(peer.bev.suspended, Suspend.watermark);
      subject.send(1);
      await scene.settle();
      assert.equal(peer.bev.input.length, 1000);
      peer.take(1);
      await scene.until(() => peer.bev.input.length === 1000, 'the last byte has come');
      assert.equal(peer.bev.suspended, Suspend.watermark);
    },
  },
  {
    title: 'data is told at the low mark, not below it, and at the end whatever there is',
    eachWay: true,
    peer: { watermarks: { read: { low: 100 } } },
    async run(scene) {
      const { subject, peer } = scene;
      subject.send(99);
      await scene.until(() => peer.bev.input.length === 99, '99 bytes have come');
      await scene.settle();
      assert.equal(peer.count('data'), 0);
      subject.send(1);
      await scene.until(() => peer.takenBytes === 100, 'data is told');
      subject.send(50);
      subject.bev.end();
      await scene.untilClosed();
      assert.equal(peer.takenBytes, 150);
      scene.assertEndedInOrder();
    },
  },
  {
    title: 'data is not told again for what was left, only when more has come',
    async run(scene) {
      const { subject, peer } = scene;
      peer.consumes = false;
      subject.send(10);
      await scene.until(() => peer.bev.input.length === 10, 'it has come');
      await scene.settle();
      assert.equal(peer.count('data'), 1);
      subject.send(1);
      await scene.until(() => peer.count('data') === 2, 'data is told of what came');
      assert.equal(peer.bev.input.length, 11);
    },
  },
  {
    title: 'a low mark that is raised in data holds it back; lowered again, data is told of what is there',
    async run(scene) {
      const { subject, peer } = scene;
      peer.consumes = false;
      peer.react.data = () => peer.bev.setWatermarks({ read: { low: 21 } });
      subject.send(10);
      await scene.until(() => peer.count('data') === 1, 'data is told');
      subject.send(10);
      await scene.until(() => peer.bev.input.length === 20, 'more has come');
      await scene.settle();
      assert.equal(peer.count('data'), 1);
      delete peer.react.data;
      peer.bev.setWatermarks({ read: { low: 20 } });
      await scene.until(() => peer.count('data') === 2, 'data is told');
    },
  },
  {
    title: 'a high mark that is lowered below what is there stops reading; raised, it goes on',
    async run(scene) {
      const { subject, peer } = scene;
      peer.consumes = false;
      subject.send(5000);
      await scene.until(() => peer.bev.input.length === 5000, 'it has come');
      peer.bev.setWatermarks({ read: { high: 1000 } });
      assert.equal(peer.bev.suspended, Suspend.watermark);
      subject.send(1);
      await scene.settle();
      assert.equal(peer.bev.input.length, 5000);
      peer.bev.setWatermarks({ read: { high: 6000 } });
      await scene.until(() => peer.bev.input.length === 5001, 'the rest has come');
      assert.equal(peer.bev.suspended, 0);
    },
  },
  {
    title: 'marks that contradict each other are refused, and the old ones stay',
    async run({ subject }) {
      const { bev } = subject;
      const before = bev.limits;
      assert.throws(() => bev.setWatermarks({ read: { low: 11, high: 10 } }), ApiMisuse);
      assert.throws(() => bev.setWatermarks({ write: { low: 10, high: 10 } }), ApiMisuse);
      assert.throws(() => bev.setWatermarks({ write: { high: 11, cap: 10, low: 0 } }), ApiMisuse);
      assert.throws(() => bev.setWatermarks({ read: { high: Number.NaN } }), ApiMisuse);
      assert.equal(bev.limits, before);
    },
  },
  {
    title: 'pauseReadWhenFull: a peer that does not read is not read from, and loses nothing',
    subject: { watermarks: { read: { high: 1000 } } },
    peer: { pauseReadWhenFull: true, watermarks: { write: { low: 1000, high: 10_000, cap: 4096 * KB } } },
    async run(scene) {
      const { subject, peer } = scene;
      subject.expectedFrom = subject.name;
      subject.consumes = false;
      peer.consumes = false;
      peer.react.data = () => void peer.bev.output.appendFrom(peer.bev.input);
      subject.pump(HOLDABLE_BYTES_MAX, 50_000);
      // When nothing moves any more.
      await scene.until(() => (peer.bev.suspended & Suspend.output) !== 0, 'output is full');
      delete subject.react.drained;
      const slack = peer.bev.limits.readHigh + scene.overshootBytes;
      assert.ok(peer.bev.output.length <= 10_000 + slack, `output holds ${peer.bev.output.length}`);
      subject.bev.setWatermarks({ read: { high: 50_000 } });
      subject.consumes = true;
      subject.take();
      await scene.until(() => subject.takenBytes === subject.sentBytes, 'all has come back');
    },
  },
];

/** The peer's input is at its high mark, and past it no more than what was under way. */
function assertInputBound({ peer, overshootBytes }: Scene, high: number): void {
  const { length } = peer.bev.input;
  assert.ok(length <= high + overshootBytes, `input holds ${length} with a mark of ${high}`);
}

function isCapError(error: unknown): boolean {
  return error instanceof LimitError && error.code === 'SLUICE_CORE_WRITE_CAP' && error.blame === 'local';
}
