/**
 * Prints how often the loop turns within 30 ms while a connection is open and nothing happens on it: the least of some
 * such spans, because V8's background tasks of the process's start turn the loop as well. A process of its own, because
 * whatever else runs in a process does so, too.
 */
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { setTimeout as after } from 'node:timers/promises';
import { fixture, turns } from './loop-fixture.ts';

const SPANS_MAX = 30;

const world = fixture();
const { server } = await world.pair();
world.loop.readStart(server);
await turns();
let least = Number.POSITIVE_INFINITY;
for (let span = 0; span < SPANS_MAX && least > 1; span += 1) {
  const before = performance.nodeTiming.uvMetricsInfo.loopCount;
  await after(30);
  least = Math.min(least, performance.nodeTiming.uvMetricsInfo.loopCount - before);
}
console.log(least);
process.exit();
