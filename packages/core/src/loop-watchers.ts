import type { Subscription } from './change-listeners.ts';
import type { LoopMetrics } from './loop-metrics.ts';

/** What a prepare watcher is told. */
export interface PrepareInfo {
  /** Milliseconds until the next timer is due, 0 when one is; `undefined` when none is pending. */
  readonly timeoutMs: number | undefined;
  /** Whether another turn is asked for already: the loop will not wait. */
  readonly turnPending: boolean;
}

export type PrepareCallback = (info: PrepareInfo) => void;
export type CheckCallback = () => void;

/**
 * Who wants to know of every turn: check watchers at its begin, with the time fresh and no callback run yet; prepare
 * watchers at its end, when nothing is left to do but to wait; measurement at both. A loop makes one when it is asked to.
 */
export class LoopWatchers {
  readonly prepare: WatcherList<[info: PrepareInfo]> = new WatcherList();
  readonly check: WatcherList<[]> = new WatcherList();
  metrics: LoopMetrics | undefined;
}

/**
 * Callbacks in order of registration. Any of them may be ended, and others added, from within any of them: one that was
 * ended is not called any more, and one that was added is called from the next round on.
 */
export class WatcherList<Arguments extends unknown[]> {
  /** Replaced, never changed, so that a round goes over the list as it was. */
  #entries: readonly { callback: ((...args: Arguments) => void) | undefined }[] = [];

  get size(): number {
    return this.#entries.length;
  }

  add(callback: (...args: Arguments) => void): Subscription {
    const entry: { callback: typeof callback | undefined } = { callback };
    this.#entries = [...this.#entries, entry];
    const unsubscribe = (): void => {
      entry.callback = undefined;
      this.#entries = this.#entries.filter((other) => other !== entry);
    };
    return { unsubscribe, [Symbol.dispose]: unsubscribe };
  }

  call(uncaught: (error: unknown) => void, ...args: Arguments): void {
    for (const entry of this.#entries) {
      try {
        entry.callback?.(...args);
      } catch (error) {
        uncaught(error);
      }
    }
  }

  clear(): void {
    this.#entries = [];
  }
}
