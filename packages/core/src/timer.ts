import { ApiMisuse } from '@sluice/errors';
import type { Alarm, Clock } from './clock.ts';
import { LoopTask } from './task-queue.ts';

/** What a timer needs of the queue that it sits in. */
interface TimerOwner {
  start(timer: Timer, deadline: number): void;
  stop(timer: Timer): void;
  refChanged(change: number): void;
  now(): number;
  checkPriority(priority: number): number;
}

/** Where a timer that is due goes when its callback is to run by priority. */
export interface TimerTasks {
  post(timer: Timer): void;
  remove(timer: Timer): boolean;
  /** A timer that kept the process alive does so no longer, and not because it was due. */
  dropped(): void;
  /** @throws ApiMisuse when there is no such priority */
  checkPriority(priority: number): number;
}

/**
 * A wake-up of a loop, once or at intervals; made by `EventLoop.timer` and `EventLoop.interval`. Starting it again
 * replaces the deadline. A callback that was due but has not run yet is dropped by `stop` and by another start.
 */
export class Timer extends LoopTask implements Disposable {
  /** Monotonic milliseconds; meaningless while not `pending`. */
  deadline = 0;
  /** Position in the queue's heap; -1 when not in it. */
  index = -1;
  /** Order of starting, so that equal deadlines run in that order. */
  sequence = 0;
  /** Where it was made, when `SLUICE_DEBUG` is set. */
  origin: string | undefined = undefined;
  readonly #run: () => void;
  readonly #owner: TimerOwner;
  #ref: boolean;
  #delayMs = 0;
  /** 0: once. */
  #intervalMs = 0;

  /** @param priority -1 runs it as soon as its time is seen to have come, before any queue: for limits */
  constructor(owner: TimerOwner, run: () => void, ref: boolean, priority = -1) {
    super(priority);
    this.#owner = owner;
    this.#run = run;
    this.#ref = ref;
  }

  /** Whether the callback is still to come: its time has not come, or its turn. */
  get pending(): boolean {
    return this.index >= 0 || this._list !== undefined;
  }

  /** Whether the timer keeps the process alive while it is pending. */
  get hasRef(): boolean {
    return this.#ref;
  }

  /** 0 is the most urgent. Undefined for a limit's, which no queue delays. */
  get priority(): number | undefined {
    return this._priority < 0 ? undefined : this._priority;
  }

  /** @throws ApiMisuse when there is no such priority, while the callback is queued, and for a limit's */
  set priority(priority: number) {
    if (this._list !== undefined || this._priority < 0) {
      const why =
        this._priority < 0
          ? 'a timer that no queue delays has no priority'
          : 'the timer is queued: set it before or after';
      throw new ApiMisuse(`priority: ${why}`, {
        code: 'SLUICE_CORE_LOOP_PRIORITY',
        layer: 'core',
        operation: 'priority',
      });
    }
    this._priority = this.#owner.checkPriority(priority);
  }

  /** Milliseconds between two calls; `undefined` for a timer that fires once. */
  get intervalMs(): number | undefined {
    return this.#intervalMs === 0 ? undefined : this.#intervalMs;
  }

  /** Milliseconds until the deadline, 0 when it has passed; `undefined` while not pending. */
  get remainingMs(): number | undefined {
    return this.pending ? Math.max(0, this.deadline - this.#owner.now()) : undefined;
  }

  /**
   * Fires once, `delayMs` from now; at once (in the next turn) when that is 0 or less.
   * @throws ApiMisuse when the delay is not a number
   */
  start(delayMs: number): this {
    if (typeof delayMs !== 'number' || Number.isNaN(delayMs)) {
      throw delayMisuse(`a delay in milliseconds must be a number, not ${delayMs}`);
    }
    this.#intervalMs = 0;
    this.#delayMs = delayMs;
    this.#owner.start(this, this.#owner.now() + Math.max(0, delayMs));
    return this;
  }

  /**
   * Fires every `intervalMs`, first after that or after `firstMs`. Each deadline is the one before it plus the interval,
   * so lateness does not add up; when the next one has passed already, it is the interval from now: what was missed is
   * not made up for.
   */
  repeat(intervalMs: number, firstMs: number = intervalMs): this {
    if (!(intervalMs > 0) || intervalMs === Number.POSITIVE_INFINITY) {
      throw delayMisuse(`an interval must be a finite number of milliseconds above 0, not ${intervalMs}`);
    }
    this.start(firstMs);
    this.#intervalMs = intervalMs;
    this.#delayMs = intervalMs;
    return this;
  }

  /** Starts it again with the delay or interval that it was started with, from now. */
  refresh(): this {
    const intervalMs = this.#intervalMs;
    return intervalMs === 0 ? this.start(this.#delayMs) : this.repeat(intervalMs);
  }

  stop(): void {
    this.#owner.stop(this);
  }

  ref(): this {
    if (!this.#ref) {
      this.#ref = true;
      if (this.index >= 0) this.#owner.refChanged(1);
    }
    return this;
  }

  unref(): this {
    if (this.#ref) {
      this.#ref = false;
      if (this.index >= 0) this.#owner.refChanged(-1);
    }
    return this;
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  override _run(): void {
    const now = this.#owner.now();
    if (this.#intervalMs > 0) {
      const next = this.deadline + this.#intervalMs;
      this.#owner.start(this, next > now ? next : now + this.#intervalMs);
    }
    this.#run();
  }
}

/** A binary heap of timers over one alarm of the clock. */
export class TimerQueue implements TimerOwner {
  /** The most timers that were pending at a time. */
  lengthMax = 0;
  readonly #clock: Clock;
  readonly #due: () => void;
  readonly #tasks: TimerTasks | undefined;
  readonly #heap: Timer[] = [];
  #alarm: Alarm | undefined;
  #alarmAt = Number.POSITIVE_INFINITY;
  /** `due` was told and `expire` has not been called yet: no other alarm is needed until then. */
  #told = false;
  #sequence = 0;
  #refs = 0;
  #closed = false;

  /**
   * @param due called when the earliest deadline has come; it calls `expire`, or sees to it that somebody does
   * @param tasks where timers with a priority go when they are due
   */
  constructor(clock: Clock, due: () => void, tasks?: TimerTasks) {
    this.#clock = clock;
    this.#due = due;
    this.#tasks = tasks;
  }

  get length(): number {
    return this.#heap.length;
  }

  /** Pending timers that keep the process alive. */
  get refs(): number {
    return this.#refs;
  }

  /** The earliest deadline; `Infinity` when nothing is pending. */
  get next(): number {
    return this.#heap[0]?.deadline ?? Number.POSITIVE_INFINITY;
  }

  [Symbol.iterator](): Iterator<Timer> {
    return this.#heap.values();
  }

  now(): number {
    return this.#clock.now();
  }

  start(timer: Timer, deadline: number): void {
    if (this.#closed) return;
    if (timer._list !== undefined) this.#tasks?.remove(timer);
    if (timer.index < 0) {
      timer.index = this.#heap.length;
      this.#heap.push(timer);
      if (this.#heap.length > this.lengthMax) this.lengthMax = this.#heap.length;
      if (timer.hasRef) this.#refs += 1;
    }
    timer.deadline = deadline;
    timer.sequence = this.#sequence++;
    this.#siftUp(timer.index);
    this.#siftDown(timer.index);
    this.#arm();
  }

  stop(timer: Timer): void {
    if (timer._list !== undefined) this.#tasks?.remove(timer);
    if (timer.index < 0) return;
    this.#remove(timer);
    this.#arm();
    if (timer.hasRef) this.#tasks?.dropped();
  }

  checkPriority(priority: number): number {
    return this.#tasks?.checkPriority(priority) ?? priority;
  }

  refChanged(change: number): void {
    this.#refs += change;
    if (this.#refs > 0) this.#alarm?.ref();
    else this.#alarm?.unref();
    if (change < 0) this.#tasks?.dropped();
  }

  /** Takes what is due at `now`. A timer that is restarted by its own callback waits for the next expiry at the earliest. */
  expire(now: number): number {
    const last = this.#sequence;
    let ran = 0;
    for (;;) {
      const timer = this.#heap[0];
      if (timer === undefined || timer.deadline > now || timer.sequence >= last) break;
      this.#remove(timer);
      ran += 1;
      if (timer._priority < 0 || this.#tasks === undefined) timer._run();
      else this.#tasks.post(timer);
    }
    this.#told = false;
    this.#arm();
    return ran;
  }

  /** Stops all timers; none can be started afterwards. */
  close(): void {
    this.#closed = true;
    for (const timer of this.#heap) timer.index = -1;
    this.#heap.length = 0;
    this.#refs = 0;
    this.#arm();
  }

  /** Throws unless the heap is one, and the counts are right. */
  assertOk(): void {
    let refs = 0;
    for (const [index, timer] of this.#heap.entries()) {
      const parent = this.#heap[(index - 1) >> 1];
      if (timer.index !== index) throw new Error(`timer ${index} of the heap takes itself for ${timer.index}`);
      if (index > 0 && isBefore(timer, parent as Timer)) throw new Error(`timer ${index} is due before its parent`);
      if (timer.hasRef) refs += 1;
    }
    if (refs !== this.#refs) throw new Error(`${refs} timers hold the process, not ${this.#refs}`);
    if (this.#heap.length > 0 && !this.#told && this.#alarmAt > this.next) {
      throw new Error('the alarm comes after the first deadline');
    }
  }

  /** Keeps the alarm at the earliest deadline. A later deadline does not move it: it wakes early once instead. */
  #arm(): void {
    const first = this.#heap[0];
    if (first === undefined) {
      this.#alarm?.cancel();
      this.#alarm = undefined;
      this.#alarmAt = Number.POSITIVE_INFINITY;
      return;
    }
    if (this.#told) return;
    if (this.#alarm === undefined || first.deadline < this.#alarmAt) {
      this.#alarm?.cancel();
      this.#alarmAt = first.deadline;
      this.#alarm = this.#clock.schedule(Math.max(0, first.deadline - this.#clock.now()), () => {
        this.#alarm = undefined;
        this.#alarmAt = Number.POSITIVE_INFINITY;
        this.#told = true;
        this.#due();
      });
    }
    if (this.#refs > 0) this.#alarm.ref();
    else this.#alarm.unref();
  }

  #remove(timer: Timer): void {
    const index = timer.index;
    const last = this.#heap.pop() as Timer;
    if (last !== timer) {
      this.#heap[index] = last;
      last.index = index;
      this.#siftUp(index);
      this.#siftDown(last.index);
    }
    timer.index = -1;
    if (timer.hasRef) this.#refs -= 1;
  }

  #siftUp(index: number): void {
    const heap = this.#heap;
    const timer = heap[index] as Timer;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex] as Timer;
      if (!isBefore(timer, parent)) break;
      heap[index] = parent;
      parent.index = index;
      index = parentIndex;
    }
    heap[index] = timer;
    timer.index = index;
  }

  #siftDown(index: number): void {
    const heap = this.#heap;
    const timer = heap[index] as Timer;
    for (;;) {
      let childIndex = 2 * index + 1;
      if (childIndex >= heap.length) break;
      const right = heap[childIndex + 1];
      if (right !== undefined && isBefore(right, heap[childIndex] as Timer)) childIndex += 1;
      const child = heap[childIndex] as Timer;
      if (!isBefore(child, timer)) break;
      heap[index] = child;
      child.index = index;
      index = childIndex;
    }
    heap[index] = timer;
    timer.index = index;
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.deadline < b.deadline || (a.deadline === b.deadline && a.sequence < b.sequence);
}

function delayMisuse(message: string): ApiMisuse {
  return new ApiMisuse(message, { code: 'SLUICE_CORE_TIMER_DELAY', layer: 'core', operation: 'timer' });
}
