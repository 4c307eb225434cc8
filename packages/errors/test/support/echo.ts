/** Error states on another thread: what a worker found, and what came back of it. */
import { once } from 'node:events';
import type { Transferable } from 'node:worker_threads';
import { Worker } from 'node:worker_threads';
import type { ErrorState } from '../../src/index.ts';

/** A state that came back, its bytes changed to 9 and its last text appended to. */
export interface Echo extends ErrorState {
  /** Entries that the worker's stack held before. */
  readonly before: number;
}

export class EchoThread implements AsyncDisposable {
  readonly #worker = new Worker(new URL('echo-worker.ts', import.meta.url));

  /** What becomes of the state there, and back here. */
  async echo(state: ErrorState, transfer: readonly Transferable[] = []): Promise<Echo> {
    const answer = once(this.#worker, 'message') as Promise<[Echo]>;
    this.#worker.postMessage(state, [...transfer]);
    return (await answer)[0];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate();
  }
}
