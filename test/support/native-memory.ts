import { nativeQueue } from '../../packages/native/test/support/native-queue.ts';

/** Collections, at most: V8 gives the memory of buffers back some time after the collection that found them dead. */
const TRIES = 20;

/**
 * The least that native code held, outside JavaScript's own heap, in a few collections; `enough` ends them early. What
 * the process holds for its buffers comes and goes by megabytes; what was leaked stays.
 */
export async function nativeBytes(enough = 0): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < TRIES && least > enough; tries++) {
    globalThis.gc?.();
    await new Promise((resolve) => setImmediate(resolve));
    least = Math.min(least, nativeQueue.heapBytes() + nativeQueue.externalBytes());
  }
  return least;
}
