import { EventLoop, type EventLoopOptions } from '../event-loop.ts';
import { VirtualClock } from './virtual-clock.ts';

/** A loop that turns only when told to, on virtual time: for deterministic tests in memory. */
export class TestLoop extends EventLoop {
  readonly virtual: VirtualClock;
  /** Exceptions of user callbacks. */
  readonly uncaughtErrors: unknown[];

  constructor(options: Omit<EventLoopOptions, 'clock' | 'schedule' | 'onUncaught'> = {}) {
    const clock = new VirtualClock();
    const uncaughtErrors: unknown[] = [];
    super({ ...options, clock, schedule: () => {}, onUncaught: (error) => uncaughtErrors.push(error) });
    this.virtual = clock;
    this.uncaughtErrors = uncaughtErrors;
  }

  /** Turns until nothing is pending and answers how many it took. Throws when `turnsMax` is not enough: something spins. */
  settle(turnsMax = 10_000): number {
    let turns = 0;
    while (this.pending) {
      if (turns >= turnsMax) throw new Error(`the loop is still busy after ${turns} turns`);
      this.turn();
      turns += 1;
    }
    return turns;
  }

  /** Lets time pass, then settles. */
  advance(ms: number): void {
    this.settle();
    this.virtual.advance(ms, () => this.settle());
    this.settle();
  }
}
