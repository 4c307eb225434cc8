import { type Clock, systemClock } from './clock.ts';
import { debugOrigin } from './loop-event.ts';
import type { LoopHandle } from './loop-handles.ts';
import { checkOptions, type EventLoopOptions } from './loop-options.ts';
import { LoopWatchers } from './loop-watchers.ts';
import { Slab } from './slab.ts';
import { checkPriority, type LoopTask, TaskQueues } from './task-queue.ts';
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
  /** How many of its handles keep the process alive. */
  readonly refs: number;
  handles(): LoopHandle[];
}

export interface EventLoopStats {
  turns: number;
  /** Members whose callbacks ran. */
  deliveries: number;
  /** Members whose output was moved. */
  flushes: number;
  /** Callbacks that ran from the queues: of timers, signals, user events, descriptors, and deferred functions. */
  callbacksRun: number;
  callbacksQueued: number;
  /** The most that were queued at a time since the begin, or `resetPeaks`. */
  callbacksQueuedMax: number;
  timersRun: number;
  timersPending: number;
  timersPendingMax: number;
  /** Watchers of signals and descriptors, and user events, that are not closed. */
  eventsOpen: number;
  /** Timers, watchers, sockets, listeners and `ref`s that keep the loop, and so the process, alive. */
  holds: number;
}

/** Flushes of one turn for each member that was dirty at its end: of the layers under it, and again after them. */
const FLUSHES_PER_MEMBER_MAX = 16;

/**
 * The turns of an event loop: what is delivered, run and flushed in them, and what brings them about. `EventLoop` adds
 * what a program uses of it.
 */
export abstract class TurnLoop {
  /** Memory that sockets are read into, and that small writes and TLS records are made in; both emptied each turn. */
  readonly slab: Slab;
  readonly scratch: Slab;
  /** The middle one. 0 is the most urgent. */
  readonly defaultPriority: number;
  readonly _queues: TaskQueues;
  readonly _timers: TimerQueue;
  /** Who is told of every turn; made when somebody asks. */
  _watchers: LoopWatchers | undefined;
  /** Called at the end of a turn with the count of callbacks that ran: of a run that is on. */
  _turnEnded: ((callbacks: number) => void) | undefined;
  readonly #clock: Clock;
  readonly #schedule: (run: () => void) => void;
  readonly #onUncaught: (error: unknown) => void;
  readonly #uncaught = (error: unknown): void => this.#onUncaught(error);
  readonly #runScheduled = (): void => {
    this.#scheduled = false;
    this.turn();
  };
  #active: LoopMember[] = [];
  #activeSpare: LoopMember[] = [];
  #dirty: LoopMember[] = [];
  #backend: LoopBackend | undefined;
  #now: number;
  #inTurn = false;
  /** The turn ends after the callback that runs now. */
  #interrupted = false;
  #scheduled = false;
  #timersDue = false;
  #closed = false;
  #turns = 0;
  #deliveries = 0;
  #flushes = 0;
  #callbacksRun = 0;
  #timersRun = 0;

  /** @throws ApiMisuse that names the option that makes no sense */
  protected constructor(options: EventLoopOptions) {
    const checked = checkOptions(options);
    this.#clock = options.clock ?? systemClock;
    this.#schedule = options.schedule ?? setImmediate;
    this.#onUncaught = options.onUncaught ?? throwOutside;
    this.slab = new Slab(checked.slabBytes, -1);
    this.scratch = new Slab(checked.scratchBytes, -2);
    this.#now = this.#clock.now();
    this.defaultPriority = checked.priorities >> 1;
    this._queues = new TaskQueues(checked.priorities, checked, () => this.#clock.now());
    this._timers = new TimerQueue(this.#clock, () => this.#timersAreDue(), {
      post: (timer) => this._queues.post(timer),
      remove: (timer) => this._queues.remove(timer),
      dropped: () => this._dropped(),
      checkPriority: (priority) => checkPriority(priority, checked.priorities),
    });
  }

  get clock(): Clock {
    return this.#clock;
  }

  get inTurn(): boolean {
    return this.#inTurn;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Whether a turn has work waiting. */
  get pending(): boolean {
    return this.#active.length > 0 || this.#dirty.length > 0 || this._queues.length > 0 || this.#timersDue;
  }

  /** How many priorities there are: 0, the most urgent, to this less one. */
  get priorities(): number {
    return this._queues.priorities;
  }

  get turns(): number {
    return this.#turns;
  }

  get stats(): Readonly<EventLoopStats> {
    return {
      turns: this.#turns,
      deliveries: this.#deliveries,
      flushes: this.#flushes,
      callbacksRun: this.#callbacksRun,
      callbacksQueued: this._queues.length,
      callbacksQueuedMax: this._queues.lengthMax,
      timersRun: this.#timersRun,
      timersPending: this._timers.length,
      timersPendingMax: this._timers.lengthMax,
      eventsOpen: this._eventsOpen,
      holds: this._holds,
    };
  }

  /** Lets the `…Max` of `stats` begin anew. */
  resetPeaks(): void {
    this._queues.lengthMax = this._queues.length;
    this._timers.lengthMax = this._timers.length;
  }

  /** Monotonic milliseconds: inside a turn those of its begin, outside the clock's own. */
  now(): number {
    return this.#inTurn ? this.#now : this.#clock.now();
  }

  /** Sets the turn's time to the clock's, for a callback that took long. Answers it. */
  updateNow(): number {
    this.#now = this.#clock.now();
    return this.#now;
  }

  /** Sees to it that a turn follows soon. Costs nothing inside one. */
  requestTurn(): void {
    if (this.#inTurn || this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    this._watchers?.metrics?._turnRequested(this.#clock.now());
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
    this.#interrupted = false;
    this.#now = this.#clock.now();
    this.#turns += 1;
    const watchers = this._watchers;
    let callbacks = 0;
    try {
      if (watchers !== undefined) this.#beginWatched(watchers);
      if (count > 0) this.#backend?.dispatch(count);
      if (this.#timersDue || this._timers.next <= this.#now) {
        this.#timersDue = false;
        this.#timersRun += this._timers.expire(this.#now);
      }
      callbacks = this.#runCallbacks();
      this.#flushDirty();
      this.slab.settle();
      this.scratch.settle();
      if (watchers !== undefined) this.#endWatched(watchers);
    } finally {
      this.#inTurn = false;
    }
    this._turnEnded?.(callbacks);
    if (this.pending) this.requestTurn();
  }

  /** Reports an exception of a user's callback; the turn goes on. */
  uncaught(error: unknown): void {
    this.#onUncaught(error);
  }

  // --- For what is part of the loop. ---

  /** A timer that is not started and keeps the process alive. */
  _newTimer(fn: () => void, priority: number = this.defaultPriority): Timer {
    const timer = new Timer(this._timers, fn, true, checkPriority(priority, this.priorities));
    timer.origin = debugOrigin();
    return timer;
  }

  /** Queues a task at its priority; nothing if it is queued. */
  _post(task: LoopTask): void {
    if (this.#closed) return;
    this._queues.post(task);
    this.requestTurn();
  }

  _postLater(task: LoopTask): void {
    if (this.#closed) return;
    this._queues.postLater(task);
    this.requestTurn();
  }

  /** Takes a task out of its queue. */
  _cancel(task: LoopTask): void {
    this._queues.remove(task);
  }

  /** Something does not keep the loop alive any more: a run may be over. */
  _dropped(): void {
    if (this._turnEnded !== undefined) this.requestTurn();
  }

  protected abstract get _eventsOpen(): number;

  /** What keeps the loop alive beside work that waits. */
  protected abstract get _holds(): number;

  /** The system half, if it was made. */
  protected get _backend(): LoopBackend | undefined {
    return this.#backend;
  }

  /** Objects whose callbacks wait, and those with output to move. */
  protected get _waiting(): { active: number; dirty: number } {
    return { active: this.#active.length, dirty: this.#dirty.length };
  }

  protected _watched(): LoopWatchers {
    this._watchers ??= new LoopWatchers();
    return this._watchers;
  }

  /** Ends the turn that is on after the callback that runs now; the rest stays queued. */
  protected _interrupt(): void {
    this.#interrupted = this.#inTurn;
    this._queues.interrupt();
  }

  /** No turn comes any more. */
  protected _end(): void {
    this.#closed = true;
    this._timers.close();
    this._queues.clear();
    this.#backend?.close();
    this.#active = [];
    this.#dirty = [];
  }

  // --- Private ---

  #timersAreDue(): void {
    this.#timersDue = true;
    // Not at once: input that waits in the kernel since before the deadline comes first.
    this.requestTurn();
  }

  #beginWatched(watchers: LoopWatchers): void {
    watchers.metrics?._turnBegan(this.#now, this.#timersDue ? this._timers.next : Number.NaN);
    watchers.check.call(this.#uncaught);
  }

  #endWatched(watchers: LoopWatchers): void {
    if (watchers.prepare.size > 0) {
      const { next } = this._timers;
      const timeoutMs = next === Number.POSITIVE_INFINITY ? undefined : Math.max(0, next - this.#clock.now());
      watchers.prepare.call(this.#uncaught, { timeoutMs, turnPending: this.pending });
    }
    watchers.metrics?._turnEnded(this.#clock.now());
  }

  /** Answers how many ran. Of the queues one is run per turn: what is more urgent comes first, whenever it comes. */
  #runCallbacks(): number {
    const queues = this._queues;
    let ran = 0;
    let urgent = false;
    if (queues.length > 0) {
      queues.promote();
      urgent = queues.first() < this.defaultPriority;
      if (urgent) ran += this.#runQueue(queues.first());
    }
    ran += this.#deliverActive();
    if (!urgent && queues.length > 0 && !this.#interrupted) ran += this.#runQueue(queues.first());
    return ran;
  }

  #runQueue(priority: number): number {
    if (priority >= this._queues.priorities) return 0;
    const ran = this._queues.run(priority, this.#uncaught);
    this.#callbacksRun += ran;
    return ran;
  }

  /** Members activated while others are delivered join the same pass (a layer above its transport), each at most once. */
  #deliverActive(): number {
    const active = this.#active;
    if (active.length === 0) return 0;
    const limit = active.length * 2 + 16;
    let index = 0;
    for (; index < active.length && index < limit && !this.#interrupted; index += 1) {
      (active[index] as LoopMember)._deliver();
    }
    const delivered = index;
    this.#deliveries += delivered;
    const spare = this.#activeSpare;
    for (; index < active.length; index += 1) spare.push(active[index] as LoopMember);
    active.length = 0;
    this.#active = spare;
    this.#activeSpare = active;
    return delivered;
  }

  /**
   * A layer's flush makes its transport dirty: it is appended and flushed in the same pass. Whoever is dirty again after
   * each flush waits for the next turn in the end, and leaves this one to others.
   */
  #flushDirty(): void {
    const dirty = this.#dirty;
    if (dirty.length === 0) return;
    const limit = dirty.length * FLUSHES_PER_MEMBER_MAX;
    let index = 0;
    for (; index < dirty.length && index < limit; index += 1) (dirty[index] as LoopMember)._flush();
    this.#flushes += index;
    if (index === dirty.length) dirty.length = 0;
    else dirty.splice(0, index);
    this.#backend?.flush();
  }
}

function throwOutside(error: unknown): void {
  setImmediate(() => {
    throw error;
  });
}
