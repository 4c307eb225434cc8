/**
 * Prints how often the loop turns within 30 ms while a connection is open and nothing happens on it. A process of its own:
 * whatever else runs in a process turns its loop, too.
 */
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { setTimeout as after } from 'node:timers/promises';
import { fixture, turns } from './loop-fixture.ts';

const world = fixture();
const { server } = await world.pair();
world.loop.readStart(server);
await turns();
const before = performance.nodeTiming.uvMetricsInfo.loopCount;
await after(30);
console.log(performance.nodeTiming.uvMetricsInfo.loopCount - before);
process.exit();
