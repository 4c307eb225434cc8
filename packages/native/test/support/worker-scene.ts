/**
 * The worker of teardown scenes: opens whatever a loop can have open, says so, and waits to be ended.
 *
 * `workerData.scene` says in which moment: `open` (everything open and idle), `busy` (bytes are always under way),
 * `closing` (every handle is being closed), `destroyed` (the loop was, a moment ago), `exit` (the worker ends itself
 * inside a delivery), `abandoned` (the loop's object is garbage, its listener open).
 */
import process from 'node:process';
import { parentPort, workerData } from 'node:worker_threads';
import { fixture, pattern, turns } from './loop-fixture.ts';

const { scene, directory } = workerData as { scene: string; directory: string };
const world = fixture({ records: scene === 'busy' ? 4 : 256 });
const { loop } = world;

const idle = await world.pair();
loop.readStart(idle.server);

// A write that waits for a peer that does not read, and a shutdown behind it.
const stuck = await world.pair();
loop.setSendBufferSize(stuck.client, 4096);
if (loop.writeQueued(stuck.client, [pattern(8_000_000), pattern(100)]) !== 0) throw new Error('writeQueued failed');
loop.shutdown(stuck.client);

const paused = world.listen();
loop.pauseAccept(paused.listener);
await world.next('connected', world.connect(paused.port));
loop.listenPipe(`${directory}/socket`, 8);
loop.connectPipe(`${directory}/socket`);
loop.connectTcp('127.0.0.1', world.port(idle.listener));

switch (scene) {
  case 'busy': {
    world.onHappening = ({ type, id }) => {
      if (type === 'read') world.write(id, pattern(100));
    };
    loop.readStart(idle.client);
    world.write(idle.client, pattern(100));
    await world.next('read', idle.client);
    break;
  }
  case 'closing':
    for (const id of [idle.client, idle.server, stuck.client, stuck.server, paused.listener]) loop.close(id, true);
    break;
  case 'destroyed':
    loop.destroy();
    break;
  case 'exit':
    world.onHappening = ({ type }) => {
      if (type === 'read') process.exit(7);
    };
    world.write(idle.client, pattern(100));
    break;
  case 'abandoned':
    await turns();
    globalThis.gc?.();
    break;
}
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker's port, not a window
parentPort?.postMessage('ready');
