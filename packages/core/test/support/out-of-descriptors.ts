/**
 * A server that greets who connects, in a process that may open few descriptors and has them all in use. Tells of the
 * error that it hears; at a line on its standard input, after some tries more, how many it heard until then and whether
 * it burned time; and frees its descriptors at the next line.
 */
import { closeSync, openSync } from 'node:fs';
import { serve } from '../../src/index.ts';

const CPU_MICROSECONDS_MAX = 300_000;
const TRIES = 5;

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
const [listener] = server.listening;
server.on('error', ({ code }) => {
  errors += 1;
  console.log(`error ${code}`);
});
const held: number[] = [];

process.stdin.once('data', () => {
  const before = process.cpuUsage();
  const look = setInterval(() => {
    if ((listener?.stats.acceptErrorsTotal ?? 0) < TRIES) return;
    clearInterval(look);
    const { user, system } = process.cpuUsage(before);
    console.log(`tried ${TRIES} times and told ${errors}, idle ${user + system < CPU_MICROSECONDS_MAX}`);
    process.stdin.once('data', () => {
      for (const fd of held) closeSync(fd);
      // Nothing but the server keeps the process from here on.
      process.stdin.unref();
    });
  }, 10);
});
try {
  for (;;) held.push(openSync('/dev/null', 'r'));
} catch {
  console.log(listener?.address.port);
}
