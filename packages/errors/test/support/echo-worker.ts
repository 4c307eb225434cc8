/** A worker that restores the states it is sent onto its own thread's stack, changes their data, and transfers them back. */
import { parentPort } from 'node:worker_threads';
import { type ErrorState, ErrorStack, restore, save, transferables } from '../../src/index.ts';
import type { Echo } from './echo.ts';

parentPort?.on('message', ({ entries }: ErrorState) => {
  const stack = ErrorStack.current();
  const before = stack.length;
  for (const { data } of entries) if (typeof data !== 'string') data.fill(9);
  restore(stack, { entries });
  stack.appendData(' on another thread');
  const state = save(stack);
  const echo: Echo = { before, ...state };
  parentPort?.postMessage(echo, transferables(state));
});
