import { requireFunction, requireOpenLoop } from './arguments.ts';
import type { Subscription } from './change-listeners.ts';
import { type FdCallback, type FdInterest, FdWatcher, type FdWatcherOptions } from './fd-watcher.ts';
import { delay } from './loop-delay.ts';
import type { LoopEvent, LoopEventOptions } from './loop-event.ts';
import { KeepAlive, type LoopDump, type LoopHandle, type LoopRef, timerHandle } from './loop-handles.ts';
import { LoopMetrics, type LoopMetricsSnapshot } from './loop-metrics.ts';
import type { EventLoopOptions } from './loop-options.ts';
import { RunControl, type RunOptions, type RunResult } from './loop-run.ts';
import type { CheckCallback, PrepareCallback } from './loop-watchers.ts';
import { type SignalCallback, SignalWatcher } from './signal.ts';
import { checkPriority, DeferredTask } from './task-queue.ts';
import { Timer } from './timer.ts';
import { TurnLoop } from './turn-loop.ts';
import { UserEvent } from './user-event.ts';

export type { EventLoopOptions } from './loop-options.ts';
export type { EventLoopStats, LoopBackend, LoopMember } from './turn-loop.ts';

/**
 * Runs everything in turns: deliver what came in, run what is queued, move what was written, once each.
 *
 * Queued are the callbacks of timers, signals, descriptors and user events, and deferred functions, each at a priority.
 * A turn runs what the most urgent queue that is not empty held at its begin: before the input is delivered when that
 * queue is more urgent than the middle one, else after it. So urgent work that never ends starves the rest, except for
 * what carries bytes: that has its part in every turn.
 *
 * A turn is brought about by the system half (one call from native code carries all that a poll found), by a timer, or
 * by the scheduler when something was written, deferred or activated from outside. User callbacks only ever run in a
 * turn, so no user's call runs another user's callback.
 */
export class EventLoop extends TurnLoop implements Disposable, AsyncDisposable {
  static {
    Object.defineProperty(EventLoop.prototype, Symbol.for('nodejs.util.inspect.custom'), { value: inspectLoop });
  }

  readonly _events: Set<LoopEvent> = new Set();
  /** Called when the loop is closed. */
  readonly _closers: Set<() => void> = new Set();
  readonly _keepAlive: KeepAlive;
  readonly #run: RunControl;

  /** @throws ApiMisuse that names the option that makes no sense */
  constructor(options: EventLoopOptions = {}) {
    super(options);
    this._keepAlive = new KeepAlive(this.clock, () => this._dropped());
    this.#run = new RunControl(this);
    if (options.measure === true) this.measure();
  }

  /** The loop that `serve` and `connect` use when given none: one per thread, made on first use. */
  static get default(): EventLoop {
    defaultLoop ??= new EventLoop();
    return defaultLoop;
  }

  /** Whether anything keeps the loop: work that waits, or a timer, handle or `ref` that keeps the process alive. */
  get alive(): boolean {
    return this.pending || this._holds > 0;
  }

  // --- What a program asks of it. ---

  /** Calls `fn` from a turn, once, `delayMs` from now; it keeps the process alive until then (see `Timer.unref`). */
  timer(delayMs: number, fn: () => void, options: { priority?: number } = {}): Timer {
    requireFunction('timer', 'fn', fn);
    requireOpenLoop('timer', this);
    return this._newTimer(fn, options.priority).start(delayMs);
  }

  /** Calls `fn` every `intervalMs`, without drift and without making up for what it missed; see `Timer.repeat`. */
  interval(intervalMs: number, fn: () => void, options: { priority?: number } = {}): Timer {
    requireFunction('interval', 'fn', fn);
    requireOpenLoop('interval', this);
    return this._newTimer(fn, options.priority).repeat(intervalMs);
  }

  /** A timer that is not started and does not keep the process alive, and that no queue delays: for limits. */
  idleTimer(fn: () => void): Timer {
    requireFunction('idleTimer', 'fn', fn);
    const run = (): void => {
      try {
        fn();
      } catch (error) {
        this.uncaught(error);
      }
    };
    return new Timer(this._timers, run, false);
  }

  /** Resolves in `delayMs`, from a turn; rejects when the signal is aborted, or the loop closed, before. */
  delay(delayMs: number, options: { signal?: AbortSignal } = {}): Promise<void> {
    return delay(this, delayMs, options.signal);
  }

  /**
   * Calls `fn` once, from this turn if it has not come to what is queued yet, else from the next. A closed loop calls
   * nothing.
   */
  defer(fn: () => void, priority: number = this.defaultPriority): void {
    requireFunction('defer', 'fn', fn);
    this._post(new DeferredTask(fn, checkPriority(priority, this.priorities)));
  }

  /** Calls `fn` once, from the next turn: after what is written in this one has left, and other input has come. */
  deferNext(fn: () => void, priority: number = this.defaultPriority): void {
    requireFunction('deferNext', 'fn', fn);
    this._postLater(new DeferredTask(fn, checkPriority(priority, this.priorities)));
  }

  /** An event that `trigger` brings about; it runs `fn` once per turn, with the flags of all triggers since. */
  userEvent(fn: (flags: number) => void, options?: LoopEventOptions): UserEvent {
    return new UserEvent(this, fn, options);
  }

  /**
   * Watches a signal, from the main thread. It does not keep the process alive (see `ref`).
   * @throws ApiMisuse for what is no signal that can be watched; UnsupportedError in a worker
   */
  signal(signal: NodeJS.Signals, fn?: SignalCallback, options?: LoopEventOptions): SignalWatcher {
    return new SignalWatcher(this, signal, fn, options);
  }

  /**
   * Watches a file descriptor that is somebody else's: a pipe, a socket, a terminal, an inotify or eventfd descriptor.
   * @throws ApiMisuse for a wrong argument; SystemError for a descriptor that is not open or cannot be polled
   */
  watchFd(
    fd: number,
    interest: FdInterest | readonly FdInterest[],
    fn: FdCallback,
    options?: FdWatcherOptions,
  ): FdWatcher {
    return new FdWatcher(this, fd, interest, fn, options);
  }

  /** Calls `fn` at the end of every turn, before the loop waits. */
  onPrepare(fn: PrepareCallback): Subscription {
    requireFunction('onPrepare', 'fn', fn);
    return this._watched().prepare.add(fn);
  }

  /** Calls `fn` at the begin of every turn, after the loop waited and before any other callback. */
  onCheck(fn: CheckCallback): Subscription {
    requireFunction('onCheck', 'fn', fn);
    return this._watched().check.add(fn);
  }

  /** Keeps the loop and the process alive until it is let go. */
  ref(name = 'ref'): LoopRef {
    return this._keepAlive.hold(name);
  }

  // --- Runs ---

  /**
   * Resolves when nothing is left to do, or a callback ended the run. The loop turns with and without a run; what is
   * queued when a run is ended runs in later turns, of the next run or without one.
   * @throws ApiMisuse (`SLUICE_CORE_LOOP_REENTRY`) while another run is on
   */
  run(options: RunOptions = {}): Promise<RunResult> {
    return this.#run.start(options);
  }

  /**
   * Ends the run (or the next, when none is on) with the turn in which this is due: after what is queued at the middle
   * priority now, or in `afterMs`. Of several the earliest counts.
   */
  exit(options: { afterMs?: number } = {}): void {
    this.#run.exit(options.afterMs);
  }

  /** Ends the run after the callback that runs now; what else is queued stays so. Answers whether there was a run. */
  break(): boolean {
    if (!this.#run.break()) return false;
    this._interrupt();
    return true;
  }

  /** Why the last run ended; `undefined` while one is on, and before the first. */
  get lastExit(): RunResult['reason'] | undefined {
    return this.#run.last;
  }

  // --- What it is about. ---

  /** What is open on it, and whether that keeps it alive: why a process does not end. */
  handles(): LoopHandle[] {
    const queued = [...this._queues].filter((task) => task instanceof Timer);
    const timers = [...this._timers].filter((timer) => timer._priority >= 0);
    return [
      ...(this._backend?.handles() ?? []),
      ...[...queued, ...timers].map(timerHandle),
      ...[...this._events].map((event) => event._describe()),
      ...this._keepAlive.handles(),
    ];
  }

  /** All of it in plain values, for a log. */
  dump(): LoopDump {
    const { queued, later } = this._queues.counts();
    return {
      turns: this.turns,
      now: this.now(),
      closed: this.closed,
      running: this.#run.running,
      ...this._waiting,
      queued,
      later,
      handles: this.handles(),
    };
  }

  /** Starts measuring turns and lag, or goes on; see `metrics`. */
  measure(): void {
    this._watched().metrics ??= new LoopMetrics(this.clock.now());
  }

  /** What was measured since `measure`; `undefined` when nothing is. `reset` begins anew after this snapshot. */
  metrics(options: { reset?: boolean } = {}): LoopMetricsSnapshot | undefined {
    const metrics = this._watchers?.metrics;
    const now = this.clock.now();
    const snapshot = metrics?.snapshot(now);
    if (options.reset === true) metrics?.reset(now);
    return snapshot;
  }

  /** Throws unless queues and timers agree with what is counted. For tests: it looks at everything. */
  assertOk(): void {
    this._queues.assertOk();
    this._timers.assertOk();
  }

  /**
   * Ends everything on it. Connections end without further events: close them first. Answers what was still open.
   * Idempotent.
   */
  close(): LoopHandle[] {
    if (this.closed) return [];
    const open = this.handles();
    for (const event of this._events) void event.close();
    this._end();
    this._keepAlive.close();
    for (const closer of this._closers) closer();
    this._closers.clear();
    this.#run.close();
    if (defaultLoop === this) defaultLoop = undefined;
    return open;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  // --- For what is part of the loop. ---

  protected override get _eventsOpen(): number {
    return this._events.size;
  }

  protected override get _holds(): number {
    return this._timers.refs + this._keepAlive.count + (this._backend?.refs ?? 0);
  }

  /** As `defer`, but at once when the loop is closed, or as soon as it is. */
  _deferClosing(done: () => void): void {
    if (this.closed) return done();
    this._closers.add(done);
    this.defer(() => {
      this._closers.delete(done);
      done();
    });
  }
}

let defaultLoop: EventLoop | undefined;

function inspectLoop(
  this: EventLoop,
  depth: number,
  options: object,
  inspect: (value: unknown, options: object) => string,
): string {
  return depth < 0 ? 'EventLoop {}' : `EventLoop ${inspect(this.dump(), options)}`;
}
