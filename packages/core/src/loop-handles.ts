import type { Alarm, Clock } from './clock.ts';
import { debugOrigin } from './loop-event.ts';
import type { Timer } from './timer.ts';

/** One thing that is open on a loop. Plain values: a snapshot. */
export interface LoopHandle {
  readonly kind: 'timer' | 'signal' | 'fd' | 'user' | 'listener' | 'connection' | 'ref';
  readonly name: string;
  /** Whether it keeps the loop, and so the process, alive. */
  readonly hasRef: boolean;
  /** Whether a callback may come of it as it is. */
  readonly pending: boolean;
  /** Absent for what no queue runs. */
  readonly priority?: number;
  /** Monotonic milliseconds, of a timer or a timeout. */
  readonly deadline?: number;
  /** Where it was made, when `SLUICE_DEBUG` is set. */
  readonly origin?: string;
}

/** What a loop is about at the moment, in plain values; `EventLoop.dump`. */
export interface LoopDump {
  readonly turns: number;
  /** Monotonic milliseconds. */
  readonly now: number;
  readonly closed: boolean;
  /** Whether a `run` is on. */
  readonly running: boolean;
  /** Objects whose callbacks wait for the next turn, and those with output to move. */
  readonly active: number;
  readonly dirty: number;
  /** Callbacks queued, by priority, and those for the next turn at the earliest. */
  readonly queued: readonly number[];
  readonly later: number;
  readonly handles: readonly LoopHandle[];
}

/** What `EventLoop.ref` returns: keeps the loop alive until it is let go. */
export interface LoopRef extends Disposable {
  readonly name: string;
  /** Idempotent. */
  unref(): void;
}

/** The clock is asked again in time; no clock's wake-ups can be longer. */
const ALARM_MS = 0x7fffffff;

/** Counts what keeps a loop alive beside timers and sockets, and keeps the process alive while there is any. */
export class KeepAlive {
  readonly refs: Set<LoopRef> = new Set();
  readonly #clock: Clock;
  readonly #dropped: () => void;
  #count = 0;
  #closed = false;
  #alarm: Alarm | undefined;

  /** @param dropped called when nothing is left */
  constructor(clock: Clock, dropped: () => void) {
    this.#clock = clock;
    this.#dropped = dropped;
  }

  get count(): number {
    return this.#count;
  }

  change(by: number): void {
    if (this.#closed) return;
    this.#count += by;
    if (this.#count > 0) {
      if (this.#alarm === undefined) this.#arm();
      return;
    }
    this.#alarm?.cancel();
    this.#alarm = undefined;
    this.#dropped();
  }

  hold(name: string): LoopRef {
    const origin = debugOrigin();
    const unref = (): void => {
      if (this.refs.delete(ref)) this.change(-1);
    };
    const ref: LoopRef & { origin?: string } = {
      name,
      ...(origin === undefined ? {} : { origin }),
      unref,
      [Symbol.dispose]: unref,
    };
    this.refs.add(ref);
    this.change(1);
    return ref;
  }

  handles(): LoopHandle[] {
    return [...this.refs].map(({ name, ...ref }) => {
      const origin = 'origin' in ref ? { origin: ref.origin as string } : {};
      return { kind: 'ref', name, hasRef: true, pending: false, ...origin };
    });
  }

  /** Lets go of everything; nothing holds it afterwards. */
  close(): void {
    this.#closed = true;
    this.refs.clear();
    this.#count = 0;
    this.#alarm?.cancel();
    this.#alarm = undefined;
  }

  #arm(): void {
    this.#alarm = this.#clock.schedule(ALARM_MS, () => this.#arm());
    this.#alarm.ref();
  }
}

export function timerHandle(timer: Timer): LoopHandle {
  const { intervalMs, hasRef, pending, deadline, origin } = timer;
  return {
    kind: 'timer',
    name: intervalMs === undefined ? 'timer' : `every ${intervalMs} ms`,
    hasRef,
    pending,
    priority: timer._priority,
    deadline,
    ...(origin === undefined ? {} : { origin }),
  };
}
