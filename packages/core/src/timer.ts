import type { Alarm, Clock } from './clock.ts';

/** What a timer needs of the queue that it sits in. */
interface TimerOwner {
  start(timer: Timer, deadline: number): void;
  stop(timer: Timer): void;
  refChanged(change: number): void;
  now(): number;
}

/**
 * A one-shot wake-up of a loop; made by `EventLoop.timer`, started by `start`. Restarting replaces the deadline.
 * A callback that was due but has not run yet is dropped by `stop`.
 */
export class Timer implements Disposable {
  /** Monotonic milliseconds; meaningless while not `pending`. */
  deadline = 0;
  /** Position in the queue's heap; -1 when not in it. */
  index = -1;
  /** Order of starting, so that equal deadlines run in that order. */
  sequence = 0;
  readonly run: () => void;
  readonly #owner: TimerOwner;
  #ref: boolean;

  constructor(owner: TimerOwner, run: () => void, ref: boolean) {
    this.#owner = owner;
    this.run = run;
    this.#ref = ref;
  }

  get pending(): boolean {
    return this.index >= 0;
  }

  /** Whether the timer keeps the process alive while it is pending. */
  get hasRef(): boolean {
    return this.#ref;
  }

  start(delayMs: number): this {
    this.#owner.start(this, this.#owner.now() + Math.max(0, delayMs));
    return this;
  }

  stop(): void {
    this.#owner.stop(this);
  }

  ref(): this {
    if (!this.#ref) {
      this.#ref = true;
      if (this.pending) this.#owner.refChanged(1);
    }
    return this;
  }

  unref(): this {
    if (this.#ref) {
      this.#ref = false;
      if (this.pending) this.#owner.refChanged(-1);
    }
    return this;
  }

  [Symbol.dispose](): void {
    this.stop();
  }
}

/** A binary heap of timers over one alarm of the clock. */
export class TimerQueue implements TimerOwner {
  readonly #clock: Clock;
  readonly #due: () => void;
  readonly #heap: Timer[] = [];
  #alarm: Alarm | undefined;
  #alarmAt = Number.POSITIVE_INFINITY;
  #sequence = 0;
  #refs = 0;

  /** @param due called when the earliest deadline has come; it should call `expire` */
  constructor(clock: Clock, due: () => void) {
    this.#clock = clock;
    this.#due = due;
  }

  get length(): number {
    return this.#heap.length;
  }

  now(): number {
    return this.#clock.now();
  }

  start(timer: Timer, deadline: number): void {
    if (timer.index < 0) {
      timer.index = this.#heap.length;
      this.#heap.push(timer);
      if (timer.hasRef) this.#refs += 1;
    }
    timer.deadline = deadline;
    timer.sequence = this.#sequence++;
    this.#siftUp(timer.index);
    this.#siftDown(timer.index);
    this.#arm();
  }

  stop(timer: Timer): void {
    if (timer.index < 0) return;
    this.#remove(timer);
    this.#arm();
  }

  refChanged(change: number): void {
    this.#refs += change;
    if (this.#refs > 0) this.#alarm?.ref();
    else this.#alarm?.unref();
  }

  /** Runs what is due at `now`. A timer that is restarted by its own callback waits for the next expiry at the earliest. */
  expire(now: number): number {
    const last = this.#sequence;
    let ran = 0;
    for (;;) {
      const timer = this.#heap[0];
      if (timer === undefined || timer.deadline > now || timer.sequence >= last) break;
      this.#remove(timer);
      ran += 1;
      timer.run();
    }
    this.#arm();
    return ran;
  }

  clear(): void {
    for (const timer of this.#heap) timer.index = -1;
    this.#heap.length = 0;
    this.#refs = 0;
    this.#arm();
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
    if (this.#alarm === undefined || first.deadline < this.#alarmAt) {
      this.#alarm?.cancel();
      this.#alarmAt = first.deadline;
      this.#alarm = this.#clock.schedule(Math.max(0, first.deadline - this.#clock.now()), () => {
        this.#alarm = undefined;
        this.#alarmAt = Number.POSITIVE_INFINITY;
        this.#due();
        this.#arm();
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
