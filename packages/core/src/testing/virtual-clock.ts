import { requireMs } from '../arguments.ts';
import type { Alarm, Clock } from '../clock.ts';

interface Pending {
  at: number;
  sequence: number;
  fn: () => void;
}

/** Time that passes only when a test says so. */
export class VirtualClock implements Clock {
  #now = 0;
  #sequence = 0;
  readonly #pending: Set<Pending> = new Set();

  now(): number {
    return this.#now;
  }

  /** Wake-ups that are still to come. */
  get pending(): number {
    return this.#pending.size;
  }

  /** When the next of them is due; `Infinity` without any. */
  get next(): number {
    return this.#earliest()?.at ?? Number.POSITIVE_INFINITY;
  }

  schedule(delayMs: number, fn: () => void): Alarm {
    const pending: Pending = { at: this.#now + delayMs, sequence: this.#sequence++, fn };
    this.#pending.add(pending);
    return { cancel: () => void this.#pending.delete(pending), ref() {}, unref() {} };
  }

  /** Lets `ms` pass: every wake-up due by then runs at its own time, in order, and `after` after each. */
  advance(ms: number, after: () => void = () => {}): void {
    requireMs('advance', 'ms', ms);
    const end = this.#now + ms;
    for (;;) {
      const next = this.#earliest();
      if (next === undefined || next.at > end) break;
      this.#pending.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.fn();
      after();
    }
    this.#now = Math.max(this.#now, end);
  }

  #earliest(): Pending | undefined {
    let earliest: Pending | undefined;
    for (const pending of this.#pending) {
      if (
        earliest === undefined ||
        pending.at < earliest.at ||
        (pending.at === earliest.at && pending.sequence < earliest.sequence)
      ) {
        earliest = pending;
      }
    }
    return earliest;
  }
}
