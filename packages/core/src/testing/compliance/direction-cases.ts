import assert from 'node:assert/strict';
import type { BufferEvent } from '../../bufferevent.ts';
import { Suspend } from '../../suspend.ts';
import type { ComplianceCase } from './scene.ts';

/** The user's wish per direction, the reasons against it, and the end of one direction without the other. */
export const directionCases: readonly ComplianceCase[] = [
  {
    title: 'tells nothing while paused, and everything after resume',
    eachWay: true,
    async run(scene) {
      const { subject, peer } = scene;
      peer.bev.pause();
      subject.send(100_000);
      subject.bev.end();
      await scene.settle();
      assert.deepEqual([peer.count('data'), peer.count('end')], [0, 0]);
      peer.bev.resume();
      await scene.untilClosed();
      assert.equal(peer.takenBytes, 100_000);
      scene.assertEndedInOrder();
    },
  },
  {
    title: 'a callback that is due is not told after pause, but after resume',
    peer: { watermarks: { read: { low: 200 } } },
    async run(scene) {
      const { subject, peer } = scene;
      subject.send(100);
      await scene.until(() => peer.bev.input.length === 100, 'it has come');
      peer.bev.setWatermarks({ read: { low: 1 } });
      peer.bev.pause();
      await scene.settle();
      assert.equal(peer.count('data'), 0);
      peer.bev.resume();
      await scene.untilAllTaken();
      assert.equal(peer.count('data'), 1);
    },
  },
  {
    title: 'the end waits for a paused user with unread input',
    peer: { watermarks: { read: { low: 200 } } },
    async run(scene) {
      const { subject, peer } = scene;
      subject.send(100);
      await scene.until(() => peer.bev.input.length === 100, 'it has come');
      peer.bev.pause();
      subject.bev.end();
      await scene.settle();
      assert.equal(peer.count('end'), 0);
      peer.bev.resume();
      await scene.untilClosed();
      assert.deepEqual([peer.takenBytes, peer.events.slice(-3)], [100, ['data', 'end', 'closed']]);
    },
  },
  {
    title: "disable('write') keeps output, and enable lets it go",
    eachWay: true,
    async run(scene) {
      const { subject, peer } = scene;
      subject.bev.disable('write');
      subject.send(1000);
      await scene.settle();
      assert.deepEqual([subject.bev.output.length, peer.bev.input.length, peer.takenBytes], [1000, 0, 0]);
      subject.bev.enable('write');
      await scene.untilAllTaken();
    },
  },
  {
    title: 'reading stands still while there is one reason to, and no reason takes away another',
    eachWay: true,
    async run(scene) {
      const { subject, peer } = scene;
      const { bev } = peer;
      bev.suspendRead(Suspend.rate);
      bev.suspendRead(Suspend.lookup);
      subject.send(1000);
      await scene.settle();
      bev.unsuspendRead(Suspend.rate);
      bev.pause();
      bev.resume();
      await scene.settle();
      assert.deepEqual([peer.takenBytes, bev.suspended], [0, Suspend.lookup]);
      bev.pause();
      bev.unsuspendRead(Suspend.lookup);
      await scene.settle();
      assert.deepEqual([peer.takenBytes, bev.suspended], [0, 0]);
      bev.resume();
      await scene.untilAllTaken();
    },
  },
  {
    title: 'writing stands still while there is one reason to',
    eachWay: true,
    async run(scene) {
      const { subject, peer } = scene;
      const { bev } = subject;
      bev.suspendWrite(Suspend.rate);
      bev.suspendWrite(Suspend.group);
      subject.send(1000);
      await scene.settle();
      bev.unsuspendWrite(Suspend.rate);
      bev.disable('write');
      bev.enable('write');
      await scene.settle();
      assert.deepEqual([bev.output.length, bev.writeSuspended, peer.takenBytes], [1000, Suspend.group, 0]);
      bev.unsuspendWrite(Suspend.group);
      await scene.untilAllTaken();
    },
  },
  {
    title: 'what somebody wants or has set at the lowest layer stays, whatever the layers above it do',
    eachWay: true,
    async run(scene) {
      const { subject, peer } = scene;
      const lowest = lowestOf(peer.bev);
      const exercise = async (): Promise<void> => {
        peer.bev.pause();
        peer.bev.resume();
        peer.bev.setWatermarks({ read: { high: 100 } });
        peer.bev.setWatermarks({ read: { high: 50_000 } });
        peer.bev.disable('write');
        peer.bev.enable('write');
        await scene.settle();
      };
      lowest.suspendRead(Suspend.rate);
      lowest.suspendWrite(Suspend.rate);
      subject.send(1000);
      peer.send(1000);
      await exercise();
      assert.deepEqual([peer.takenBytes, subject.takenBytes], [0, 0]);
      assert.equal(lowest.suspended & lowest.writeSuspended & Suspend.rate, Suspend.rate);
      lowest.disable('read');
      lowest.unsuspendRead(Suspend.rate);
      lowest.unsuspendWrite(Suspend.rate);
      if (lowest !== peer.bev) await exercise();
      await scene.until(() => subject.takenBytes === 1000, 'what was held back has come');
      assert.equal(peer.takenBytes, 0);
      lowest.enable('read');
      await scene.untilAllTaken();
    },
  },
  {
    title: 'half close: after end() the peer hears end after all data, and can still send',
    eachWay: true,
    subject: { halfOpen: true },
    peer: { halfOpen: true },
    async run(scene) {
      const { subject, peer } = scene;
      let takenAtEnd = -1;
      peer.react.end = () => {
        takenAtEnd = peer.takenBytes;
      };
      subject.send(100_000);
      subject.bev.end();
      assert.deepEqual([subject.bev.writable, peer.bev.writable], [false, true]);
      await scene.until(() => peer.count('end') === 1, 'the peer hears the end');
      assert.deepEqual([takenAtEnd, peer.bev.peerEnded, subject.bev.peerEnded], [100_000, true, false]);
      for (let round = 0; round < 3; round += 1) {
        peer.send(70_000);
        await scene.untilAllTaken();
      }
      assert.deepEqual([subject.closed, peer.closed], [false, false]);
      peer.bev.end();
      await scene.untilClosed();
      assert.deepEqual([subject.count('end'), subject.takenBytes], [1, 210_000]);
      scene.assertEndedInOrder();
    },
  },
  {
    title: 'without halfOpen the end is answered by one, after all output',
    eachWay: true,
    async run(scene) {
      const { subject, peer } = scene;
      peer.react.end = () => peer.send(300_000);
      subject.send(10);
      subject.bev.end();
      await scene.untilClosed();
      assert.deepEqual([subject.takenBytes, peer.takenBytes], [300_000, 10]);
      scene.assertEndedInOrder();
    },
  },
  {
    title: 'input is told before the end that follows it, though nobody takes it',
    async run(scene) {
      const { subject, peer } = scene;
      peer.consumes = false;
      subject.send(1000);
      subject.bev.end();
      await scene.untilClosed();
      const heard = peer.events.filter((event) => event !== 'connected');
      assert.deepEqual(heard.slice(-3), ['data', 'end', 'closed']);
      assert.equal(peer.take().length, 1000);
    },
  },
];

function lowestOf(bev: BufferEvent): BufferEvent {
  return bev.underlying === undefined ? bev : lowestOf(bev.underlying);
}
