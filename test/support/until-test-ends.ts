/**
 * `await using` for tests: not all Node versions that run them have it (22 has not).
 */
import type { Context } from 'mocha';

const held: AsyncDisposable[] = [];

/**
 * Disposes of it at the end of the running test, well or not, as a part of the test: the last one first, and before the
 * `afterEach` hooks.
 */
export function untilTestEnds<T extends AsyncDisposable>(resource: T): T {
  held.push(resource);
  return resource;
}

// Outside any suite: for all tests.
beforeEach(function () {
  const test = this.currentTest;
  const run = test?.fn as ((this: Context) => unknown) | undefined;
  // One that calls back instead of returning a promise is left as it is.
  if (test === undefined || run === undefined || run.length > 0) return;
  test.fn = async function (this: Context): Promise<void> {
    const errors: unknown[] = [];
    try {
      await run.call(this);
    } catch (error) {
      errors.push(error);
    }
    errors.push(...(await disposeAll()));
    if (errors.length > 0) throw errors[0];
  };
});

// A test that ran out of time does not come to its end.
afterEach(disposeAll);

/** Returns what went wrong with it. */
async function disposeAll(): Promise<unknown[]> {
  const errors: unknown[] = [];
  for (let resource = held.pop(); resource !== undefined; resource = held.pop()) {
    try {
      await resource[Symbol.asyncDispose]();
    } catch (error) {
      errors.push(error);
    }
  }
  return errors;
}
