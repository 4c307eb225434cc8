/**
 * `await using` for tests: not all Node versions that run them have it (22 has not).
 */
const held: AsyncDisposable[] = [];

/**
 * Disposes of it when the running test has ended, well or not; the last one first. That is after the `afterEach` hooks of
 * the test's suites: what `beforeEach` makes for the test is better given here as well.
 */
export function untilTestEnds<T extends AsyncDisposable>(resource: T): T {
  held.push(resource);
  return resource;
}

// Outside any suite: a hook of all tests.
afterEach(async () => {
  const errors: unknown[] = [];
  for (let resource = held.pop(); resource !== undefined; resource = held.pop()) {
    try {
      await resource[Symbol.asyncDispose]();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
});
