import { requireFunction } from './arguments.ts';
import type { EventLoop } from './event-loop.ts';
import { LoopEvent, type LoopEventOptions } from './loop-event.ts';
import type { LoopHandle } from './loop-handles.ts';

/**
 * An event that the program itself brings about; made by `EventLoop.userEvent`. However often it is triggered before
 * its turn, its callback runs once, with the flags of all of them.
 */
export class UserEvent extends LoopEvent {
  readonly #callback: (flags: number) => void;
  #flags = 0;

  constructor(loop: EventLoop, callback: (flags: number) => void, options: LoopEventOptions = {}) {
    requireFunction('userEvent', 'fn', callback);
    super(loop, 'user event', options, false);
    this.#callback = callback;
  }

  /** Whether the callback is queued. */
  override get pending(): boolean {
    return this._list !== undefined;
  }

  /** Queues the callback, or adds flags to the one that is queued. */
  trigger(flags = 0): void {
    this._assertOpen('trigger');
    this.#flags |= flags;
    this.loop._post(this);
  }

  /** As `trigger`, but not before the next turn: what repeats itself so lets input, output and timers pass. */
  triggerLater(flags = 0): void {
    this._assertOpen('triggerLater');
    this.#flags |= flags;
    this.loop._postLater(this);
  }

  /** Drops the callback that is queued, and its flags. */
  override stop(): void {
    this.#flags = 0;
    this.loop._cancel(this);
  }

  override _run(): void {
    const flags = this.#flags;
    this.#flags = 0;
    this.#callback(flags);
  }

  protected override _kind(): Pick<LoopHandle, 'kind' | 'name'> {
    return { kind: 'user', name: this.name };
  }

  /** With `ref` the loop stays for the trigger that is to come, until it is closed. */
  protected override _watching(): boolean {
    return !this.closed;
  }
}
