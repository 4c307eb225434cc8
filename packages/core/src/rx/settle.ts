import { defer, finalize, mergeMap, type ObservableInput, type OperatorFunction } from 'rxjs';
import type { Lease } from './lease.ts';

/**
 * Does `work` on each lease's bytes, on at most `concurrency` at a time (default 1: in order), and gives on what it comes
 * to. The lease is released when its work completes, fails or is unsubscribed from. An error of `work` is the stream's:
 * put failures of single items into the values.
 */
export function settle<T extends Uint8Array, R>(
  work: (bytes: T) => ObservableInput<R>,
  concurrency = 1,
): OperatorFunction<Lease<T>, R> {
  return mergeMap((lease) => defer(() => work(lease.bytes)).pipe(finalize(() => lease.release())), concurrency);
}
