/** A worker that restores the entries it is sent onto its own thread's stack, changes their data, and sends them back. */
import { parentPort } from 'node:worker_threads';
import { type ErrorEntry, ErrorStack, restore, save } from '../../src/index.ts';

parentPort?.once('message', (entries: ErrorEntry[]) => {
  const stack = ErrorStack.current();
  const before = stack.length;
  for (const { data } of entries) if (typeof data !== 'string') data.fill(9);
  restore(stack, { entries });
  const stackLength = stack.length - before;
  parentPort?.postMessage({ before, stackLength, ...save(stack) }, []);
});
