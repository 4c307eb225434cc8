import { EventLoop, type EventLoopOptions } from '../event-loop.ts';
import { VirtualClock } from './virtual-clock.ts';

/** Polls of the system without a turn after which nothing more is to be expected: streams hand bytes on over several. */
const QUIET_POLLS = 5;

/**
 * A loop on virtual time that turns by itself, as Node's loop does: for tests with sockets, streams and promises, which
 * have their part between its turns. Limits of time pass only when a test says so.
 */
export class LiveTestLoop extends EventLoop {
  readonly virtual: VirtualClock;
  /** Exceptions of user callbacks. */
  readonly uncaughtErrors: unknown[];

  constructor(options: Omit<EventLoopOptions, 'clock' | 'schedule' | 'onUncaught'> = {}) {
    const clock = new VirtualClock();
    const uncaughtErrors: unknown[] = [];
    super({ ...options, clock, onUncaught: (error) => uncaughtErrors.push(error) });
    this.virtual = clock;
    this.uncaughtErrors = uncaughtErrors;
  }

  /**
   * Resolves when nothing happens any more. What another process or another thread of the kernel still does cannot be
   * known: wait for what a test expects of those. Throws when `pollsMax` is not enough: something spins.
   */
  async settle(pollsMax = 100_000): Promise<void> {
    let { turns } = this;
    let quiet = 0;
    for (let polls = 0; quiet < QUIET_POLLS; polls += 1) {
      if (polls >= pollsMax) throw new Error(`the loop is still busy after ${pollsMax} polls of the system`);
      await nextPoll();
      if (this.pending || this.turns !== turns) quiet = 0;
      else quiet += 1;
      turns = this.turns;
    }
  }

  /** Lets time pass, each timer at its own moment, then settles. */
  async advance(ms: number): Promise<void> {
    await this.settle();
    const { virtual } = this;
    const end = virtual.now() + ms;
    while (virtual.next <= end) {
      virtual.advance(Math.max(0, virtual.next - virtual.now()));
      await this.settle();
    }
    virtual.advance(end - virtual.now());
  }
}

/** Resolves after the next poll of the system, and what came of it. */
function nextPoll(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
