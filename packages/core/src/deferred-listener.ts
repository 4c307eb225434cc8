import type { BufferChange, ChangeListener, ChangeListeners, Subscription } from './change-listeners.ts';
import type { EventLoop } from './event-loop.ts';

/** Adds the listener to those of a buffer, to be called from the loop. */
export function deferTo(loop: EventLoop, listener: ChangeListener, listeners: ChangeListeners): Subscription {
  const deferred = new DeferredListener(loop, listener);
  const subscription = listeners.add((change) => deferred.note(change));
  const unsubscribe = (): void => {
    subscription.unsubscribe();
    deferred.cancel();
  };
  return { unsubscribe, [Symbol.dispose]: unsubscribe };
}

/**
 * A listener that is called from the loop, like a handler, with the sum of all changes since its last call: once per
 * turn, however often the buffer changed. Changes that the listener makes are summed up for the next call.
 */
class DeferredListener {
  readonly #loop: EventLoop;
  #listener: ChangeListener | undefined;
  #pending = false;
  #before = 0;
  #added = 0;
  #removed = 0;

  constructor(loop: EventLoop, listener: ChangeListener) {
    this.#loop = loop;
    this.#listener = listener;
  }

  note({ before, added, removed }: BufferChange): void {
    if (!this.#pending) {
      this.#pending = true;
      this.#before = before;
      this.#loop.defer(() => this.#call());
    }
    this.#added += added;
    this.#removed += removed;
  }

  /** What was noted is not told any more. */
  cancel(): void {
    this.#listener = undefined;
  }

  #call(): void {
    const change = { before: this.#before, added: this.#added, removed: this.#removed };
    this.#pending = false;
    this.#added = 0;
    this.#removed = 0;
    this.#listener?.(change);
  }
}
