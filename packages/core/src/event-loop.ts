import { type Clock, systemClock } from './clock.ts';
import { Slab } from './slab.ts';
import { Timer, TimerQueue } from './timer.ts';

/** What takes part in a loop's turns: a BufferEvent, for the most part. */
export interface LoopMember {
  /** Runs the callbacks that are pending. Called once per activation, never inside a user's call. */
  _deliver(): void;
  /** Moves output towards the peer. Called once per `markDirty`, at the end of the turn. */
  _flush(): void;
}

/** The system half of a loop: brings what happened, and takes what was written to the kernel. */
export interface LoopBackend {
  /** At the begin of a turn that the system brought about: tells the members what happened. */
  dispatch(count: number): void;
  /** After every member has flushed: hands what they gathered to the kernel and tells them what became of it. */
  flush(): void;
  close(): void;
}

export interface EventLoopOptions {
  clock?: Clock;
  /** How a turn is asked for when nothing else would bring one. Default `setImmediate`. */
  schedule?: (run: () => void) => void;
  /** Bytes read from sockets per delivery, all connections together. Default 256 KiB: it stays in the second-level cache. */
  slabBytes?: number;
  /** Bytes of small writes, plaintext and ciphertext per turn before memory of their own is made. Default 256 KiB. */
  scratchBytes?: number;
  /** Deferred tasks run per turn; the rest wait for the next, after input and output. Default 1024. */
  deferredPerTurnMax?: number;
  /** What becomes of an exception that a user's callback threw. Default: thrown again outside the turn (`uncaughtException`). */
  onUncaught?: (error: unknown) => void;
}

export interface EventLoopStats {
  turns: number;
  /** Members whose callbacks ran. */
  deliveries: number;
  /** Members whose output was moved. */
  flushes: number;
  deferredRun: number;
  timersRun: number;
  timersPending: number;
}

/**
 * Runs everything in turns: deliver what came in, run deferred tasks, move what was written, once each.
 *
 * A turn is brought about by the system half (one call from native code carries all that a poll found), by a timer, or
 * by the scheduler when something was written, deferred or activated from outside. User callbacks only ever run in a
 * turn, so no user's call runs another user's callback.
 */
export class EventLoop implements Disposable {
  /** Memory that sockets are read into, and that small writes and TLS records are made in; both emptied each turn. */
  readonly slab: Slab;
  readonly scratch: Slab;
  readonly #clock: Clock;
  readonly #schedule: (run: () => void) => void;
  readonly #timers: TimerQueue;
  readonly #deferredPerTurnMax: number;
  readonly #onUncaught: (error: unknown) => void;
  readonly #runScheduled = (): void => {
    this.#scheduled = false;
    this.turn();
  };
  #active: LoopMember[] = [];
  #activeSpare: LoopMember[] = [];
  #dirty: LoopMember[] = [];
  #deferred: (() => void)[] = [];
  #backend: LoopBackend | undefined;
  #now: number;
  #inTurn = false;
  #scheduled = false;
  #timersDue = false;
  #closed = false;
  readonly #stats: EventLoopStats = {
    turns: 0,
    deliveries: 0,
    flushes: 0,
    deferredRun: 0,
    timersRun: 0,
    timersPending: 0,
  };

  constructor(options: EventLoopOptions = {}) {
    this.#clock = options.clock ?? systemClock;
    this.#schedule = options.schedule ?? setImmediate;
    this.#deferredPerTurnMax = options.deferredPerTurnMax ?? 1024;
    this.#onUncaught = options.onUncaught ?? throwOutside;
    this.slab = new Slab(options.slabBytes ?? 256 * 1024, -1);
    this.scratch = new Slab(options.scratchBytes ?? 256 * 1024, -2);
    this.#now = this.#clock.now();
    this.#timers = new TimerQueue(this.#clock, () => {
      this.#timersDue = true;
      this.turn();
    });
  }

  /** The loop that `serve` and `connect` use when given none: one per thread, made on first use. */
  static get default(): EventLoop {
    defaultLoop ??= new EventLoop();
    return defaultLoop;
  }

  get clock(): Clock {
    return this.#clock;
  }

  get inTurn(): boolean {
    return this.#inTurn;
  }

  /** Whether a turn has work waiting. */
  get pending(): boolean {
    return this.#active.length > 0 || this.#dirty.length > 0 || this.#deferred.length > 0 || this.#timersDue;
  }

  get stats(): Readonly<EventLoopStats> {
    return { ...this.#stats, timersPending: this.#timers.length };
  }

  /** Monotonic milliseconds: inside a turn those of its begin, outside the clock's own. */
  now(): number {
    return this.#inTurn ? this.#now : this.#clock.now();
  }

  /** Calls `fn` from a turn, once, `delayMs` from now; it keeps the process alive until then (see `Timer.unref`). */
  timer(delayMs: number, fn: () => void): Timer {
    return this.#makeTimer(fn, true).start(delayMs);
  }

  /** A timer that is not started and does not keep the process alive: for limits. */
  idleTimer(fn: () => void): Timer {
    return this.#makeTimer(fn, false);
  }

  /** Calls `fn` once, from this turn if it has not come to deferred tasks yet, else from the next. */
  defer(fn: () => void): void {
    this.#deferred.push(fn);
    this.requestTurn();
  }

  /** Sees to it that a turn follows soon. Costs nothing inside one. */
  requestTurn(): void {
    if (this.#inTurn || this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    this.#schedule(this.#runScheduled);
  }

  /** Queues a member's callbacks. The member calls it once per activation (it keeps the bit). */
  activate(member: LoopMember): void {
    this.#active.push(member);
    if (!this.#inTurn) this.requestTurn();
  }

  /** Queues a member's output for the end of the turn. The member calls it once until its `_flush` (it keeps the bit). */
  markDirty(member: LoopMember): void {
    this.#dirty.push(member);
    if (!this.#inTurn) this.requestTurn();
  }

  /** The system half, if one was needed yet; `make` makes it. */
  backend<T extends LoopBackend>(make: () => T): T {
    this.#backend ??= make();
    return this.#backend as T;
  }

  /**
   * One turn. Called by the system half, the clock and the scheduler; a test may call it itself. Ignored inside a turn.
   * @param count what the system half has to dispatch
   */
  turn(count = 0): void {
    if (this.#inTurn || this.#closed) return;
    this.#inTurn = true;
    this.#now = this.#clock.now();
    this.#stats.turns += 1;
    try {
      if (this.#timersDue) {
        this.#timersDue = false;
        this.#stats.timersRun += this.#timers.expire(this.#now);
      }
      if (count > 0) this.#backend?.dispatch(count);
      this.#deliverActive();
      this.#runDeferred();
      this.#flushDirty();
      this.slab.settle();
      this.scratch.settle();
    } finally {
      this.#inTurn = false;
    }
    if (this.pending) this.requestTurn();
  }

  /** Reports an exception of a user's callback; the turn goes on. */
  uncaught(error: unknown): void {
    this.#onUncaught(error);
  }

  /** Ends timers and the system half. Connections end without further events: close them first. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#timers.clear();
    this.#backend?.close();
    this.#active = [];
    this.#dirty = [];
    this.#deferred = [];
    if (defaultLoop === this) defaultLoop = undefined;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #makeTimer(fn: () => void, ref: boolean): Timer {
    const run = (): void => {
      try {
        fn();
      } catch (error) {
        this.uncaught(error);
      }
    };
    return new Timer(this.#timers, run, ref);
  }

  /** Members activated while others are delivered join the same pass (a layer above its transport), each at most once. */
  #deliverActive(): void {
    const active = this.#active;
    if (active.length === 0) return;
    const limit = active.length * 2 + 16;
    let index = 0;
    for (; index < active.length && index < limit; index += 1) (active[index] as LoopMember)._deliver();
    this.#stats.deliveries += index;
    const spare = this.#activeSpare;
    for (; index < active.length; index += 1) spare.push(active[index] as LoopMember);
    active.length = 0;
    this.#active = spare;
    this.#activeSpare = active;
  }

  #runDeferred(): void {
    if (this.#deferred.length === 0) return;
    const tasks = this.#deferred.splice(0, this.#deferredPerTurnMax);
    this.#stats.deferredRun += tasks.length;
    for (const task of tasks) {
      try {
        task();
      } catch (error) {
        this.uncaught(error);
      }
    }
  }

  /** A layer's flush makes its transport dirty: it is appended and flushed in the same pass. */
  #flushDirty(): void {
    const dirty = this.#dirty;
    if (dirty.length === 0) return;
    for (let index = 0; index < dirty.length; index += 1) (dirty[index] as LoopMember)._flush();
    this.#stats.flushes += dirty.length;
    dirty.length = 0;
    this.#backend?.flush();
  }
}

let defaultLoop: EventLoop | undefined;

function throwOutside(error: unknown): void {
  setImmediate(() => {
    throw error;
  });
}
