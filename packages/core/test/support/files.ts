import { mkdtemp, readdir, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestLoop } from '../../src/testing/index.ts';
import { nextIteration } from './driven-loop.ts';

const directories: string[] = [];

/** A path in a directory that is removed after the test. */
export async function temporaryPath(name = 'file'): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-files-'));
  directories.push(directory);
  return join(directory, name);
}

/** A file that is removed after the test. */
export async function temporaryFile(contents: string | Uint8Array): Promise<string> {
  const path = await temporaryPath();
  await writeFile(path, contents);
  return path;
}

/** How many descriptors of this process are of the file. */
export async function descriptorsOf(path: string): Promise<number> {
  let count = 0;
  for (const fd of await readdir('/proc/self/fd')) {
    const target = await readlink(`/proc/self/fd/${fd}`).catch(() => '');
    if (target === path) count += 1;
  }
  return count;
}

/** Turns the loop, and lets Node's threads read, until the promise is settled. Calls `look` after each turn. */
export async function turnUntil<T>(loop: TestLoop, promise: Promise<T>, look: () => void = () => {}): Promise<T> {
  let settled = false;
  const settle = (): void => {
    settled = true;
  };
  promise.then(settle, settle);
  while (!settled) {
    for (let turns = 0; loop.pending && turns < 1000; turns += 1) {
      loop.turn();
      look();
    }
    await nextIteration();
  }
  return promise;
}

/** Turns until the condition holds. */
export async function turnUntilTrue(loop: TestLoop, condition: () => boolean): Promise<void> {
  while (!condition()) {
    while (loop.pending) loop.turn();
    await nextIteration();
  }
}

/** What a promise is rejected with; throws when it is resolved. */
export async function rejection(promise: Promise<unknown>): Promise<Error & { code?: string }> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error('not rejected');
}

// Outside any suite: a hook of all tests.
afterEach(async () => {
  for (const directory of directories.splice(0)) await rm(directory, { recursive: true });
});
