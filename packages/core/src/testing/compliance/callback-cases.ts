import assert from 'node:assert/strict';
import { doEverything, refusal } from './end-cases.ts';
import type { ComplianceCase, Scene } from './scene.ts';
import type { EventName, Witness } from './witness.ts';

const closings: Readonly<Record<string, (bev: Witness['bev']) => void>> = {
  'end()': (bev) => bev.end(),
  'close()': (bev) => void bev.close(),
  'destroy()': (bev) => bev.destroy(),
  'destroy(error)': (bev) => bev.destroy(refusal()),
  'all calls there are': doEverything,
};

/** What a user does in callbacks. That none runs inside another, nor after `closed`, every case checks. */
export const callbackCases: readonly ComplianceCase[] = [
  ...(['connected', 'data', 'drained', 'end', 'closed'] as const).flatMap((event) =>
    Object.entries(closings).map(([what, close]): ComplianceCase => closingCase(event, what, close)),
  ),
  {
    title: 'ping-pong: answers written in data, a thousand times',
    async run(scene) {
      const { subject, peer } = scene;
      for (const witness of scene.witnesses) {
        witness.react.data = () => {
          if (witness.sentBytes < 1000) witness.send(1);
        };
      }
      subject.send(1);
      await scene.until(() => subject.takenBytes === 1000, 'the last answer has come');
      assert.equal(peer.takenBytes, 1000);
    },
  },
  {
    title: 'pausing in data stops the next one, also with input left',
    async run(scene) {
      const { subject, peer } = scene;
      peer.consumes = false;
      peer.react.data = () => {
        peer.take(1000);
        peer.bev.pause();
      };
      subject.send(200_000);
      await scene.until(() => peer.count('data') === 1, 'data is told');
      await scene.settle();
      assert.equal(peer.count('data'), 1);
      delete peer.react.data;
      peer.consumes = true;
      peer.bev.resume();
      await scene.untilAllTaken();
    },
  },
  {
    title: 'writing in drained keeps the connection busy until all is out',
    async run(scene) {
      const { subject } = scene;
      let turnsLeft = 20;
      subject.react.drained = () => {
        if (turnsLeft-- > 0) subject.send(70_000);
      };
      subject.send(70_000);
      await scene.until(() => turnsLeft < 0, 'drained was told for each');
      await scene.untilAllTaken();
    },
  },
  {
    title: 'what is due together is told in order: data, then drained',
    subject: { watermarks: { read: { low: 1000 }, write: { low: 0, high: 10 } } },
    async run(scene) {
      const { subject, peer } = scene;
      peer.send(500);
      await scene.until(() => subject.bev.input.length === 500, 'it has come');
      // When output has left at the end of a turn, drained is due in the next one. Now data is, too.
      const turns = scene.loop.onPrepare(() => {
        if (subject.bev.bytesOut < 100) return;
        turns.unsubscribe();
        subject.bev.setWatermarks({ read: { low: 1 } });
      });
      subject.send(100);
      await scene.until(() => subject.count('data') + subject.count('drained') === 2, 'both are told');
      assert.deepEqual(subject.events.slice(-2), ['data', 'drained']);
    },
  },
  {
    title: 'a listener that was taken away hears nothing, not even what was due; handlers are replaced the same way',
    peer: { watermarks: { read: { low: 200 } } },
    async run(scene) {
      const { subject, peer } = scene;
      const heard: string[] = [];
      const listener = (): void => void heard.push('listener');
      peer.bev.on('data', listener);
      peer.bev.setHandlers({ data: () => heard.push('first handlers') });
      subject.send(100);
      await scene.until(() => peer.bev.input.length === 100, 'it has come');
      peer.bev.setWatermarks({ read: { low: 1 } });
      peer.bev.off('data', listener);
      peer.bev.setHandlers({ data: () => heard.push('second handlers') });
      await scene.untilAllTaken();
      assert.deepEqual(heard, ['second handlers']);
    },
  },
];

/** Brings every event about at the subject, which closes in one of them. */
function closingCase(event: EventName, what: string, close: (bev: Witness['bev']) => void): ComplianceCase {
  return {
    title: `${what} in ${event}: one closed, and nothing after it, at both ends`,
    async run(scene: Scene) {
      const { subject, peer } = scene;
      let closedIn = 0;
      subject.react[event] = () => {
        closedIn += 1;
        if (closedIn === 1) close(subject.bev);
      };
      peer.react.data = () => {
        if (peer.takenBytes === 40_000) peer.bev.end();
      };
      peer.send(1000);
      subject.send(40_000);
      await scene.untilClosed();
      // An end whose `connected` was told before it could be listened to has no such callback any more.
      if (event !== 'connected') assert.ok(closedIn > 0, `${event} was told`);
      if (event === 'data' && what.startsWith('destroy')) assert.equal(subject.events.at(-2), 'data');
    },
  };
}
