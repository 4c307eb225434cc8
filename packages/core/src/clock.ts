/** A wake-up that was asked of a clock. */
export interface Alarm {
  /** After this the function is not called any more. Idempotent. */
  cancel(): void;
  /** Lets the wake-up keep the process alive (it does not at first). */
  ref(): void;
  unref(): void;
}

/**
 * Where time comes from. The loop reads it once per turn and asks for one wake-up at a time, so a test can put a
 * virtual clock in its place and decide itself when time passes.
 */
export interface Clock {
  /** Monotonic milliseconds; fractions allowed; the origin means nothing. */
  now(): number;
  /** Calls `fn` once, `delayMs` or more from now. */
  schedule(delayMs: number, fn: () => void): Alarm;
}

/** Longer delays overflow Node's timers; the loop simply wakes early and looks again. */
const DELAY_MS_MAX = 0x7fffffff;

/** The machine's monotonic clock and Node's timers. */
export const systemClock: Clock = {
  now: () => performance.now(),
  schedule(delayMs, fn) {
    const timeout = setTimeout(fn, Math.min(Math.ceil(delayMs), DELAY_MS_MAX));
    timeout.unref();
    return {
      cancel: () => clearTimeout(timeout),
      ref: () => void timeout.ref(),
      unref: () => void timeout.unref(),
    };
  },
};
