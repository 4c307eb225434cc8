/** Ends by itself: an unreferenced listener keeps nothing alive, and what is closed is told before the end. */
import process from 'node:process';
import { fixture } from './loop-fixture.ts';

const world = fixture();
const { listener } = world.listen();
world.loop.setRef(listener, false);
const second = world.listen().listener;
world.loop.setRef(second, false);
world.loop.close(second, false);
process.on('exit', (code) => {
  const told = world.story(second).join();
  if (code === 0 && (told !== 'closed' || world.loop.handleCount() !== 1)) {
    console.error(`unref: told ${told}, ${world.loop.handleCount()} handles`);
    process.exitCode = 1;
  }
});
