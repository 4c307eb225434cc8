/**
 * A server that greets who connects, in a process that may open few descriptors and has them all in use. Frees them after
 * a line on its standard input, and tells how many errors it heard until then, and whether it burned time.
 */
import { closeSync, openSync } from 'node:fs';
import { serve } from '../../src/index.ts';

const CPU_MICROSECONDS_MAX = 300_000;

let errors = 0;
const server = await serve(
  { port: 0, host: '127.0.0.1' },
  {
    connected: (bev) => {
      bev.write('hello');
      bev.end();
    },
  },
);
server.on('error', () => (errors += 1));
const held: number[] = [];
let before: NodeJS.CpuUsage;
process.stdin.once('data', () => {
  const { user, system } = process.cpuUsage(before);
  for (const fd of held) closeSync(fd);
  console.log(`errors ${errors <= 1 ? 'one at most' : errors}, idle ${user + system < CPU_MICROSECONDS_MAX}`);
});
try {
  for (;;) held.push(openSync('/dev/null', 'r'));
} catch {
  before = process.cpuUsage();
  console.log([...server.listening][0]?.address.port);
}
