import assert from 'node:assert/strict';
import type { Direction, TimeoutError } from '@sluice/errors';
import type { ComplianceCase } from './scene.ts';
import type { Witness } from './witness.ts';

/** More than a kernel holds between two ends, of which one does not read. */
const UNHOLDABLE_BYTES = 12_000_000;

/** Limits of time, on virtual time: each at its moment, once, and only while what it is about is the case. */
export const timeCases: readonly ComplianceCase[] = [
  {
    title: 'what nobody has limited is limited all the same',
    run({ subject, peer }) {
      for (const { bev } of [subject, peer]) {
        const { readHigh, writeHigh, writeCap, writeMs, idleMs, closeMs } = bev.limits;
        for (const [name, limit] of Object.entries({ readHigh, writeHigh, writeCap, writeMs, idleMs, closeMs })) {
          assert.ok(Number.isFinite(limit), `${name} is ${limit}`);
        }
      }
    },
  },
  {
    title: 'readMs: timeout is told once, for reading, which is disabled until it is enabled again',
    timed: true,
    eachWay: true,
    subject: { timeouts: { readMs: 100 } },
    async run(scene) {
      const { subject, peer } = scene;
      const told = subject.listenForTimeouts();
      await scene.advance(99);
      assert.deepEqual(told, []);
      await scene.advance(1);
      assert.deepEqual(told, ['read']);
      await scene.advance(1000);
      peer.send(10);
      await scene.settle();
      assert.deepEqual([told, subject.takenBytes], [['read'], 0]);
      subject.bev.enable('read');
      await scene.untilAllTaken();
      await scene.advance(100);
      assert.deepEqual(told, ['read', 'read']);
    },
  },
  {
    title: 'readMs: a byte begins it anew, and it does not run while nobody wants to read',
    timed: true,
    subject: { timeouts: { readMs: 100 } },
    async run(scene) {
      const { subject, peer } = scene;
      const told = subject.listenForTimeouts();
      for (let round = 0; round < 4; round += 1) {
        await scene.advance(60);
        peer.send(1);
        await scene.untilAllTaken();
      }
      subject.bev.pause();
      await scene.advance(1000);
      subject.bev.resume();
      await scene.advance(99);
      assert.deepEqual(told, []);
      await scene.advance(1);
      assert.deepEqual(told, ['read']);
    },
  },
  {
    title: 'readMs: without a listener the connection ends by it',
    timed: true,
    subject: { timeouts: { readMs: 100 } },
    async run(scene) {
      await scene.advance(100);
      await scene.untilClosed();
      assertTimeout(scene.subject, 'SLUICE_CORE_READ_TIMEOUT', 'read');
    },
  },
  {
    title: 'writeMs: a peer that does not read is told of once, and progress begins it anew',
    timed: true,
    eachWay: true,
    subject: { timeouts: { writeMs: 100 }, watermarks: { write: { cap: 2 * UNHOLDABLE_BYTES } } },
    async run(scene) {
      const { subject, peer } = scene;
      const told = subject.listenForTimeouts();
      peer.bev.pause();
      subject.send(UNHOLDABLE_BYTES);
      await scene.settle();
      await scene.advance(60);
      const before = subject.bev.output.length;
      peer.react.data = () => {
        if (subject.bev.output.length < before) peer.bev.pause();
      };
      peer.bev.resume();
      await scene.until(() => subject.bev.output.length < before, 'the peer reads');
      delete peer.react.data;
      peer.bev.pause();
      await scene.settle();
      assert.ok(subject.bev.output.length > 0, 'the peer did not read all');
      await scene.advance(60);
      assert.deepEqual(told, []);
      await scene.advance(40);
      assert.deepEqual(told, ['write']);
      await scene.advance(1000);
      assert.deepEqual(told, ['write']);
      subject.bev.enable('write');
      peer.bev.resume();
      await scene.untilAllTaken();
    },
  },
  {
    title: 'writeMs: without a listener the connection ends by it',
    timed: true,
    eachWay: true,
    subject: { timeouts: { writeMs: 100 }, watermarks: { write: { cap: 2 * UNHOLDABLE_BYTES } } },
    async run(scene) {
      const { subject, peer } = scene;
      peer.bev.pause();
      subject.send(UNHOLDABLE_BYTES);
      await scene.settle();
      await scene.advance(100);
      await scene.until(() => subject.closed, 'it is closed');
      assertTimeout(subject, 'SLUICE_CORE_WRITE_TIMEOUT', 'write');
      peer.bev.resume();
      await scene.untilClosed();
    },
  },
  {
    title: 'writeMs does not run while output is empty, nor while we hold it back ourselves',
    timed: true,
    subject: { timeouts: { writeMs: 100 } },
    async run(scene) {
      const { subject } = scene;
      const told = subject.listenForTimeouts();
      await scene.advance(1000);
      subject.bev.suspendWrite(1 << 20);
      subject.send(10);
      await scene.advance(1000);
      assert.deepEqual(told, []);
      subject.bev.unsuspendWrite(1 << 20);
      await scene.untilAllTaken();
      await scene.advance(1000);
      assert.deepEqual(told, []);
    },
  },
  {
    title: 'idleMs: bytes in either direction begin it anew; then the connection ends by it',
    timed: true,
    eachWay: true,
    subject: { timeouts: { idleMs: 100 } },
    async run(scene) {
      const { subject, peer } = scene;
      for (const witness of [peer, subject, peer, subject]) {
        await scene.advance(60);
        witness.send(1);
        await scene.untilAllTaken();
      }
      await scene.advance(99);
      assert.equal(subject.bev.closed, undefined);
      await scene.advance(1);
      await scene.untilClosed();
      assertTimeout(subject, 'SLUICE_CORE_IDLE_TIMEOUT', 'both');
    },
  },
  {
    title: 'closeMs: close() gives up on a peer that does not end, whatever it sends',
    timed: true,
    eachWay: true,
    subject: { timeouts: { closeMs: 500 } },
    peer: { halfOpen: true },
    async run(scene) {
      const { subject, peer } = scene;
      subject.send(1000);
      const closing = subject.bev.close();
      await scene.until(() => peer.count('end') === 1, 'the peer hears the end');
      for (let round = 0; round < 4; round += 1) {
        await scene.advance(100);
        peer.send(1);
      }
      await scene.advance(99);
      assert.equal(subject.bev.closed, undefined);
      await scene.advance(1);
      await scene.until(() => subject.closed, 'it is closed');
      assertTimeout(subject, 'SLUICE_CORE_CLOSE_TIMEOUT', 'read');
      assert.equal(await closing, subject.report);
      assert.equal(peer.takenBytes, 1000);
    },
  },
  {
    title: 'what was closed wakes the loop for no limit any more',
    timed: true,
    subject: { timeouts: { idleMs: 100, readMs: 50 } },
    async run(scene) {
      scene.subject.bev.end();
      await scene.untilClosed();
      await scene.advance(1000);
      scene.assertEndedInOrder();
    },
  },
  ...(['end()', 'destroy()'] as const).map(
    (what): ComplianceCase => ({
      title: `${what} in timeout: one closed, and nothing after it, at both ends`,
      timed: true,
      subject: { timeouts: { readMs: 100 } },
      async run(scene) {
        const { subject } = scene;
        subject.listenForTimeouts();
        subject.react.timeout = () => {
          if (what === 'destroy()') return subject.bev.destroy();
          subject.bev.enable('read');
          subject.bev.end();
        };
        await scene.advance(100);
        await scene.untilClosed();
        assert.equal(subject.count('timeout'), 1);
      },
    }),
  ),
];

function assertTimeout({ report }: Witness, code: TimeoutError['code'], direction: Direction): void {
  const { end, code: told, blame, direction: which } = report ?? assert.fail('it was not closed');
  assert.deepEqual([end, told, blame, which], ['timeout', code, 'remote', direction]);
}
