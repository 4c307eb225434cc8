import { EventLoop, type EventLoopOptions, type RunResult } from '../../src/index.ts';
import { VirtualClock } from '../../src/testing/index.ts';

const loops: DrivenLoop[] = [];

/** A loop on virtual time that turns as Node does, so that promises and the system have their part between its turns. */
export class DrivenLoop extends EventLoop {
  readonly virtual: VirtualClock;
  readonly uncaughtErrors: unknown[];

  constructor(options: EventLoopOptions = {}) {
    const virtual = new VirtualClock();
    const uncaughtErrors: unknown[] = [];
    super({ ...options, clock: virtual, onUncaught: (error) => uncaughtErrors.push(error) });
    this.virtual = virtual;
    this.uncaughtErrors = uncaughtErrors;
    loops.push(this);
  }

  /** Lets time pass by the millisecond until the promise is settled. Throws when that takes longer than `msMax`. */
  async until<T>(promise: Promise<T>, msMax = 5000): Promise<T> {
    let settled = false;
    const settle = (): void => {
      settled = true;
    };
    promise.then(settle, settle);
    await this.#turns(() => settled);
    for (let ms = 0; !settled; ms += 1) {
      if (ms > msMax) throw new Error(`not settled after ${msMax} virtual ms`);
      this.virtual.advance(1);
      await this.#turns(() => settled);
    }
    return promise;
  }

  /** Lets time pass by the millisecond, with all turns that belong to each. */
  async pass(ms: number): Promise<void> {
    await this.#turns(() => false);
    for (let passed = 0; passed < ms; passed += 1) {
      this.virtual.advance(1);
      await this.#turns(() => false);
    }
  }

  async #turns(isOver: () => boolean): Promise<void> {
    do await nextIteration();
    while (this.pending && !isOver());
  }
}

export function endOf({ reason }: RunResult): RunResult['reason'] {
  return reason;
}

/** Resolves after the next poll of the system and what came of it. */
export function nextIteration(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Less than mocha's own patience, so that it is said what was waited for; more than a busy machine's kernel takes. */
const PATIENCE_MS = 25_000;

/** Polls of the system until the condition holds; throws when it does not come about. */
export async function iterationsUntil(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`what was waited for did not come: ${String(condition)}`);
    await nextIteration();
  }
}

// Outside any suite: a hook of all tests.
afterEach(() => {
  for (const loop of loops.splice(0)) {
    loop.assertOk();
    loop.close();
  }
});
