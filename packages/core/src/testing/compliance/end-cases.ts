import assert from 'node:assert/strict';
import { AbortedError, ApiMisuse, createEntry, SluiceError, systemCode } from '@sluice/errors';
import { firstValueFrom } from 'rxjs';
import { randomEnd } from './random-walk.ts';
import type { ComplianceCase, Scene } from './scene.ts';
import type { Witness } from './witness.ts';

/** More than a kernel holds between two ends, of which one does not read. */
const UNHOLDABLE_BYTES = 12_000_000;
const UNHOLDABLE = { watermarks: { write: { cap: 2 * UNHOLDABLE_BYTES } } };

/** `end` and `close`: all that was written arrives, then the end. */
export const endCases: readonly ComplianceCase[] = [
  {
    title: 'end() lets all output out first, is idempotent, and nothing can be written after it',
    eachWay: true,
    async run(scene) {
      const { subject, peer } = scene;
      subject.send(700_000);
      subject.bev.end();
      subject.bev.end();
      assert.throws(() => subject.bev.write('x'), isMisuse('SLUICE_CORE_WRITE_AFTER_END'));
      assert.throws(() => subject.bev.output.append('x'), isMisuse('SLUICE_CORE_WRITE_AFTER_END'));
      await scene.untilClosed();
      assert.equal(peer.takenBytes, 700_000);
      scene.assertEndedInOrder();
    },
  },
  {
    title: 'close() lets all output out, drops what still comes, and resolves with the one report',
    eachWay: true,
    subject: { watermarks: { read: { high: 1000 } } },
    peer: { halfOpen: true },
    async run(scene) {
      const { subject, peer } = scene;
      peer.react.end = () => peer.pump(400_000, 50_000, () => peer.bev.end());
      subject.send(300_000);
      const closed = [subject.bev.close(), subject.bev.close()];
      await scene.untilClosed();
      scene.assertEndedInOrder();
      const reports = await Promise.all([...closed, subject.bev.close(), firstValueFrom(subject.bev.closed$)]);
      for (const report of reports) assert.equal(report, subject.report);
      assert.deepEqual([peer.takenBytes, subject.count('data'), subject.bev.input.length], [300_000, 0, 0]);
    },
  },
  {
    title: 'both ends may close at once, and one that is paused may close',
    async run(scene) {
      scene.subject.bev.pause();
      for (const { bev } of scene.witnesses) void bev.close();
      await scene.untilClosed();
      scene.assertEndedInOrder();
    },
  },
  {
    title: 'await using closes',
    async run(scene) {
      const disposed = scene.subject.bev[Symbol.asyncDispose]();
      await scene.untilClosed();
      await disposed;
      scene.assertEndedInOrder();
    },
  },
  {
    title: 'flush() resolves when all was accepted, and at once when nothing waits',
    eachWay: true,
    async run(scene) {
      const { subject } = scene;
      await subject.bev.flush();
      subject.send(500_000);
      const flushed = settled(subject.bev.flush());
      await scene.until(() => flushed.how !== undefined, 'flush is settled');
      assert.equal(flushed.how, 'resolved');
      assert.deepEqual([subject.bev.output.length, subject.bev.bytesOut], [0, 500_000]);
      await scene.untilAllTaken();
    },
  },
  {
    title: 'flush() waits for a peer that does not read, and rejects when the connection ends first',
    subject: UNHOLDABLE,
    async run(scene) {
      const { subject, peer } = scene;
      peer.bev.pause();
      subject.send(UNHOLDABLE_BYTES);
      const flushed = settled(subject.bev.flush());
      await scene.settle();
      assert.equal(flushed.how, undefined);
      subject.bev.destroy();
      await scene.until(() => flushed.how !== undefined, 'flush is settled');
      assert.ok(isAborted(flushed.how), String(flushed.how));
      peer.bev.resume();
      await scene.untilClosed();
      assertCut(scene);
    },
  },
  {
    title: 'the report tells the end, the bytes and the time, is kept, and is told to late subscribers',
    async run(scene) {
      const { subject } = scene;
      subject.send(5);
      await scene.untilAllTaken();
      subject.bev.end();
      await scene.untilClosed();
      const { report, bev } = subject;
      assert.equal(bev.closed, report);
      assert.equal(await firstValueFrom(bev.closed$), report);
      assert.equal(await firstValueFrom(bev.failed$, { defaultValue: 'none' }), 'none');
      const { end, direction, error, code, blame, remedy, entries, bytesOut, durationMs } = report ?? assert.fail();
      assert.deepEqual(
        { end, direction, error, code, blame, remedy, entries, bytesOut },
        {
          end: 'end',
          direction: 'both',
          error: undefined,
          code: null,
          blame: null,
          remedy: null,
          entries: [],
          bytesOut: 5,
        },
      );
      assert.ok(durationMs >= 0);
    },
  },
  {
    title: 'after closed, input is still readable, nothing else has an effect, and writing is refused with a reason',
    eachWay: true,
    async run(scene) {
      const { subject, peer } = scene;
      subject.consumes = false;
      peer.send(1000);
      peer.bev.end();
      await scene.untilClosed();
      const { bev } = subject;
      assert.deepEqual([bev.input.length, bev.connected, bev.writable], [1000, false, false]);
      doEverything(bev);
      await scene.settle();
      assert.throws(() => bev.write('x'), isAborted);
      await assert.rejects(bev.flush(), isAborted);
      assert.equal(bev.closed, subject.report);
      assert.equal(subject.take().length, 1000);
    },
  },
];

/** `destroy`, and ends that are failures. */
export const failureCases: readonly ComplianceCase[] = [
  {
    title: 'destroy() ends at once: aborted, once; a peer that is owed bytes does not see an end in order',
    eachWay: true,
    async run(scene) {
      const { subject } = scene;
      subject.send(1000);
      subject.bev.destroy();
      subject.bev.destroy();
      assert.throws(() => subject.bev.write('x'), isAborted);
      await scene.untilClosed();
      const { end, blame, code, error } = subject.report ?? assert.fail();
      assert.deepEqual([end, blame, code, error], ['aborted', 'local', null, undefined]);
      assert.equal(subject.bev.output.length, 0);
      assertCut(scene);
    },
  },
  {
    title: 'destroy() under a full connection is seen by the peer after what had come, and not as an end in order',
    eachWay: true,
    subject: UNHOLDABLE,
    async run(scene) {
      const { subject, peer } = scene;
      peer.bev.pause();
      subject.send(UNHOLDABLE_BYTES);
      await scene.settle();
      subject.bev.destroy();
      await scene.settle();
      peer.bev.resume();
      await scene.untilClosed();
      assertCut(scene);
      assert.ok(peer.takenBytes < UNHOLDABLE_BYTES);
    },
  },
  {
    title: 'a user who paused, and ends what the peer had cut, is told of the cut and of no end in order',
    eachWay: true,
    async run(scene) {
      const { subject, peer } = scene;
      peer.bev.pause();
      subject.send(1000);
      subject.bev.destroy();
      await scene.settle();
      peer.bev.end();
      await scene.settle();
      peer.bev.resume();
      await scene.untilClosed();
      assertCut(scene);
    },
  },
  {
    title: 'destroy() after a flush: the peer has all that was flushed before it is told',
    eachWay: true,
    async run(scene) {
      const { subject, peer } = scene;
      subject.send(50_000);
      const flushed = settled(subject.bev.flush());
      await scene.until(() => flushed.how !== undefined, 'flush is settled');
      subject.bev.destroy();
      await scene.untilClosed();
      assert.equal(peer.takenBytes, 50_000);
      assert.ok(['end', 'reset', 'truncated'].includes(peer.report?.end ?? ''), peer.report?.end);
    },
  },
  {
    title: 'destroy(error): the report is that error, and every later operation gets a copy of its own of all entries',
    eachWay: true,
    async run(scene) {
      const { subject } = scene;
      const { bev } = subject;
      const error = refusal();
      const told = firstValueFrom(bev.failed$);
      subject.send(1000);
      const waiting = settled(bev.flush());
      bev.destroy(error);
      await scene.untilClosed();
      const { report } = subject;
      assert.deepEqual([report?.end, report?.code, report?.blame], ['failed', error.code, 'remote']);
      assert.equal(report?.error, error);
      const copies = [await told, thrownBy(bev), thrownBy(bev), waiting.how, await rejection(bev.flush())];
      for (const copy of copies) {
        assert.ok(copy instanceof SluiceError, String(copy));
        assert.deepEqual([copy.code, copy.entries.length], [error.code, error.entries.length + 1]);
        assert.deepEqual(copy.entries, (copies[0] as SluiceError).entries);
      }
      assert.equal(new Set(copies).size, copies.length, 'each is its own');
      const [entry] = (copies[0] as SluiceError).entries;
      assert.ok(entry?.data instanceof Uint8Array);
      entry.data.fill(0);
      assert.notDeepEqual((copies[1] as SluiceError).entries, (copies[0] as SluiceError).entries);
    },
  },
  {
    title: 'the first failure counts: a second destroy changes nothing',
    async run(scene) {
      const { subject } = scene;
      const error = refusal();
      subject.bev.destroy(error);
      subject.bev.destroy(refusal());
      subject.bev.destroy();
      await scene.untilClosed();
      assert.equal(subject.report?.error, error);
    },
  },
  {
    title: 'a limit that the peer broke, thrown by a handler, ends its connection and nothing else',
    async run(scene) {
      const { subject, peer } = scene;
      const error = refusal();
      peer.react.data = () => {
        throw error;
      };
      subject.send(10);
      await scene.untilClosed();
      assert.deepEqual([peer.report?.end, peer.report?.error], ['failed', error]);
      assert.deepEqual(scene.uncaughtErrors, []);
    },
  },
  {
    title: "a handler's own exception ends its connection and is reported",
    async run(scene) {
      const { subject, peer } = scene;
      const bug = new Error('a bug in a handler');
      peer.react.data = () => {
        throw bug;
      };
      subject.send(10);
      await scene.untilClosed();
      assert.deepEqual([peer.report?.end, peer.report?.code], ['failed', 'SLUICE_APPLICATION_HANDLER_THREW']);
      assert.equal(peer.report?.error?.cause, bug);
      assert.deepEqual(scene.uncaughtErrors, [bug]);
      scene.uncaughtExpected = 1;
    },
  },
  ...[1, 2, 3, 4, 5].map(
    (nth): ComplianceCase => ({
      title: `whatever goes on when one end ends, closes or is destroyed, both tell it once and truly (${nth} of 5)`,
      eachWay: true,
      run: randomEnd,
    }),
  ),
];

/** How a promise came out, without an unhandled rejection. */
export function settled(promise: Promise<unknown>): { how: unknown } {
  const outcome: { how: unknown } = { how: undefined };
  promise.then(
    () => {
      outcome.how = 'resolved';
    },
    (error: unknown) => {
      outcome.how = error;
    },
  );
  return outcome;
}

/** Every call that a user can make, but for those that end the connection another way. */
export function doEverything(bev: Witness['bev']): void {
  bev.pause();
  bev.resume();
  bev.disable('both');
  bev.enable('both');
  bev.setWatermarks({ read: { low: 1, high: 5000 } });
  bev.setTimeouts({ idleMs: 1000 });
  bev.suspendRead(1 << 20);
  bev.unsuspendRead(1 << 20);
  bev.suspendWrite(1 << 20);
  bev.unsuspendWrite(1 << 20);
  bev.end();
  void bev.close();
  bev.destroy();
  bev.destroy(refusal());
}

/** The peer's fault, as an application finds it. */
export function refusal(): SluiceError {
  return new SluiceError('no such user', {
    code: 'SLUICE_APPLICATION_NO_SUCH_USER',
    layer: 'application',
    operation: 'login',
    blame: 'remote',
    remedy: 'close',
    entries: [createEntry({ code: systemCode(1), data: Uint8Array.of(1, 2, 3) })],
  });
}

/** The peer had something coming: it must not take what it sees for an end in order. */
function assertCut({ peer, settings }: Scene): void {
  const { end, code, direction } = peer.report ?? assert.fail();
  if (settings.noReset === true) return assert.equal(end, 'end');
  assert.ok(end === 'reset' || end === 'truncated', `the peer saw ${end} (${code})`);
  assert.notEqual(direction, 'both', 'it was noticed in one direction');
  assert.equal(peer.count('end'), 0);
}

async function rejection(promise: Promise<void>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  return assert.fail('it was resolved on a failed connection');
}

function thrownBy(bev: Witness['bev']): unknown {
  try {
    bev.write('x');
  } catch (error) {
    return error;
  }
  return assert.fail('write took bytes on a failed connection');
}

function isAborted(error: unknown): boolean {
  return error instanceof AbortedError && error.code === 'SLUICE_CORE_CLOSED';
}

function isMisuse(code: string): (error: unknown) => boolean {
  return (error) => error instanceof ApiMisuse && error.code === code;
}
