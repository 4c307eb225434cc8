/** Ends the main thread with everything open: by `process.exit` inside a delivery, or by running out of work. */
import process from 'node:process';
import { fixture, pattern } from './loop-fixture.ts';

const world = fixture();
const { loop } = world;
const pair = await world.pair();
loop.readStart(pair.server);
loop.writeQueued(pair.client, [pattern(8_000_000)]);
if (process.argv[2] === 'exit') {
  world.onHappening = () => process.exit(7);
} else {
  loop.readStop(pair.server);
  // A libuv request keeps the process alive, handle or not, so the write must not be pending.
  loop.close(pair.client, true);
  await world.next('closed', pair.client);
  loop.setRef(pair.server, false);
  loop.setRef(pair.listener, false);
  console.log('out of work');
}
