import { constants } from 'node:os';
import { isMainThread } from 'node:worker_threads';
import { ApiMisuse, UnsupportedError } from '@sluice/errors';
import { Observable, type Subscriber } from 'rxjs';
import { allowFunction } from './arguments.ts';
import type { EventLoop } from './event-loop.ts';
import { LoopEvent, type LoopEventOptions } from './loop-event.ts';
import type { LoopHandle } from './loop-handles.ts';

/** @param times how often it was seen since the last call; the system merges signals that come close together */
export type SignalCallback = (signal: NodeJS.Signals, times: number) => void;

/**
 * Watches a signal of the process; made by `EventLoop.signal`. While one is watched its default action (to end the
 * process, for most) does not happen. Any number of watchers, on any loops of the main thread, may watch the same one.
 */
export class SignalWatcher extends LoopEvent {
  readonly signal: NodeJS.Signals;
  readonly #callback: SignalCallback | undefined;
  readonly #seen = (): void => {
    this.#times += 1;
    this.loop._post(this);
  };
  #times = 0;
  #watching = false;
  #subscribers: Set<Subscriber<number>> | undefined;

  constructor(loop: EventLoop, signal: NodeJS.Signals, callback?: SignalCallback, options: LoopEventOptions = {}) {
    checkSignal(signal);
    allowFunction('signal', 'fn', callback);
    super(loop, signal, options, false);
    this.signal = signal;
    this.#callback = callback;
    this.start();
  }

  override get pending(): boolean {
    return this.#watching || this._list !== undefined;
  }

  /** How often the signal was seen, per turn in which it was; completes on `close`. */
  get raised$(): Observable<number> {
    return new Observable((subscriber) => {
      if (this.closed) return subscriber.complete();
      this.#subscribers ??= new Set();
      this.#subscribers.add(subscriber);
      return () => this.#subscribers?.delete(subscriber);
    });
  }

  /** Watches again after `stop`. */
  start(): this {
    this._assertOpen('start');
    if (this.#watching) return this;
    this.#watching = true;
    process.on(this.signal, this.#seen);
    this._updateRef();
    return this;
  }

  override stop(): void {
    if (this.#watching) {
      this.#watching = false;
      process.off(this.signal, this.#seen);
    }
    this.#times = 0;
    this.loop._cancel(this);
    this._updateRef();
  }

  override close(): Promise<void> {
    const done = super.close();
    const subscribers = this.#subscribers;
    this.#subscribers = undefined;
    if (subscribers !== undefined) void done.then(() => subscribers.forEach((subscriber) => subscriber.complete()));
    return done;
  }

  override _run(): void {
    const times = this.#times;
    this.#times = 0;
    try {
      this.#callback?.(this.signal, times);
    } finally {
      if (this.#subscribers !== undefined) for (const subscriber of [...this.#subscribers]) subscriber.next(times);
    }
  }

  protected override _kind(): Pick<LoopHandle, 'kind' | 'name'> {
    return { kind: 'signal', name: this.name };
  }

  protected override _watching(): boolean {
    return this.#watching;
  }
}

function checkSignal(signal: string): void {
  if (!Object.hasOwn(constants.signals, signal) || signal === 'SIGKILL' || signal === 'SIGSTOP') {
    throw new ApiMisuse(`${signal} is not a signal that a process can watch; os.constants.signals has their names`, {
      code: 'SLUICE_CORE_SIGNAL',
      layer: 'core',
      operation: 'signal',
    });
  }
  if (!isMainThread) {
    throw new UnsupportedError(`signals reach the main thread only; watch ${signal} there and tell this worker`, {
      code: 'SLUICE_CORE_SIGNAL_IN_WORKER',
      layer: 'core',
      operation: 'signal',
      blame: 'local',
      remedy: 'fix',
    });
  }
}
