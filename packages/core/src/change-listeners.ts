import { ApiMisuse } from '@sluice/errors';
import type { EventLoop } from './event-loop.ts';

/** One change of a buffer's length, or several that happened before its listeners could be told of the first. */
export interface BufferChange {
  /** Bytes before it. Before + added - removed is the length after it. */
  readonly before: number;
  readonly added: number;
  readonly removed: number;
}

export type ChangeListener = (change: BufferChange) => void;

export interface ChangeOptions {
  /**
   * Calls the listener from this loop's turn instead of from inside the call that made the change, with the sum of all
   * changes since it was called last. What it throws is the loop's uncaught error. A closed loop calls nothing.
   */
  deferred?: EventLoop;
}

/** What `onChange` returns: ends the calls, at once and for good. Idempotent. */
export interface Subscription extends Disposable {
  unsubscribe(): void;
}

/**
 * Rounds of listeners answering changes that listeners made, for one change from outside. Filling or emptying a buffer
 * to a mark takes a few; two listeners that undo each other's work would never end.
 */
const ROUNDS_MAX = 1000;

/**
 * The listeners of one buffer. A listener may change the buffer: that is told in another round, after this one, never
 * from within it. A listener added in a round hears of the next one; one removed in it hears nothing any more.
 */
export class ChangeListeners {
  /** Replaced, never changed, so that a round goes over the list as it was. */
  #entries: readonly Entry[] = [];
  #telling = false;
  #before = 0;
  #added = 0;
  #removed = 0;

  /** How many listeners there are. */
  get size(): number {
    return this.#entries.length;
  }

  add(listener: ChangeListener): Subscription {
    const entry = new Entry(listener);
    this.#entries = [...this.#entries, entry];
    const unsubscribe = (): void => {
      entry.listener = undefined;
      this.#entries = this.#entries.filter((other) => other !== entry);
    };
    return { unsubscribe, [Symbol.dispose]: unsubscribe };
  }

  /**
   * Tells of a change. Inside a round it is only noted. An exception of a listener is thrown when all have been told,
   * the first of them if there are more.
   */
  tell(before: number, added: number, removed: number): void {
    if (this.#added === 0 && this.#removed === 0) this.#before = before;
    this.#added += added;
    this.#removed += removed;
    if (this.#telling) return;
    this.#telling = true;
    const errors: unknown[] = [];
    for (let rounds = 0; this.#added !== 0 || this.#removed !== 0; rounds += 1) {
      const change = { before: this.#before, added: this.#added, removed: this.#removed };
      this.#added = 0;
      this.#removed = 0;
      if (rounds === ROUNDS_MAX) {
        errors.unshift(endlessChange());
        break;
      }
      for (const entry of this.#entries) entry.call(change, errors);
    }
    this.#telling = false;
    if (errors.length > 0) throw errors[0];
  }
}

class Entry {
  listener: ChangeListener | undefined;

  constructor(listener: ChangeListener) {
    this.listener = listener;
  }

  call(change: BufferChange, errors: unknown[]): void {
    try {
      this.listener?.(change);
    } catch (error) {
      errors.push(error);
    }
  }
}

function endlessChange(): ApiMisuse {
  return new ApiMisuse(
    `onChange: listeners changed the buffer in ${ROUNDS_MAX} rounds on end; a listener must come to rest`,
    { layer: 'core', operation: 'onChange' },
  );
}
