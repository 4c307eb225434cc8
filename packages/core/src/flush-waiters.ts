import type { SluiceError } from '@sluice/errors';
import { requireSignal } from './arguments.ts';
import type { BufferEvent } from './bufferevent.ts';
import { WAITERS_MAX } from './bufferevent-errors.ts';
import { abortError } from './duplex/stream-errors.ts';

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: SluiceError) => void;
}

/** Those who wait for the bytes of one connection to be taken by the system. */
export class FlushWaiters {
  #waiters: Set<Waiter> = new Set();

  /** Nobody else may wait. */
  get full(): boolean {
    return this.#waiters.size >= WAITERS_MAX;
  }

  /** Answers how to wait no longer. */
  add(resolve: () => void, reject: (error: SluiceError) => void): () => void {
    const waiter = { resolve, reject };
    this.#waiters.add(waiter);
    return () => void this.#waiters.delete(waiter);
  }

  resolve(): void {
    for (const { resolve } of this.#taken()) resolve();
  }

  /** @param error made for each of them */
  reject(error: () => SluiceError): void {
    for (const { reject } of this.#taken()) reject(error());
  }

  #taken(): Iterable<Waiter> {
    const waiters = this.#waiters;
    this.#waiters = new Set();
    return waiters;
  }
}

/** `BufferEvent.flush`. */
export function flushed(bev: BufferEvent, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    requireSignal('flush', signal);
    if (signal?.aborted === true) return reject(abortError('flush', signal));
    if (signal === undefined) return void bev._onFlushed(resolve, reject);
    const stop = (): void => signal.removeEventListener('abort', aborted);
    const aborted = (): void => {
      stop();
      cancel();
      reject(abortError('flush', signal));
    };
    signal.addEventListener('abort', aborted);
    const cancel = bev._onFlushed(
      () => {
        stop();
        resolve();
      },
      (error) => {
        stop();
        reject(error);
      },
    );
  });
}
