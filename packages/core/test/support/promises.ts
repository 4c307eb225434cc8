/** What a promise came to by now, without waiting for it. */
export async function state<T>(promise: Promise<T>): Promise<T | 'pending' | { reason: unknown }> {
  const settled = promise.then(
    (value) => value,
    (reason: unknown) => ({ reason }),
  );
  const pending = new Promise<'pending'>((resolve) => setImmediate(() => resolve('pending')));
  return Promise.race([settled, pending]);
}

/** What a promise was rejected with by now; an error that says so when it was not. */
export async function reasonOf(promise: Promise<unknown>): Promise<unknown> {
  const result = await state(promise);
  return (result as { reason?: unknown } | undefined)?.reason ?? new Error(`not rejected: ${String(result)}`);
}
