import { allowFunction, misuse, requireMethods, requireObject } from './arguments.ts';
import type { Clock } from './clock.ts';
import { checkPriorities, type TaskLimits } from './task-queue.ts';

export interface EventLoopOptions {
  clock?: Clock;
  /** How a turn is asked for when nothing else would bring one. Default `setImmediate`. */
  schedule?: (run: () => void) => void;
  /**
   * Bytes read from sockets per delivery, all connections together, and at most 64 KiB of each. Default 128 KiB: with
   * what is made of it, it stays in the second-level cache.
   */
  slabBytes?: number;
  /**
   * Bytes of small writes, plaintext and ciphertext per turn before memory of their own is made. Default 384 KiB: what a
   * full slab decrypts to and its echo encrypted. What is never used of it costs nothing.
   */
  scratchBytes?: number;
  /** How many priorities there are, 1 to 255; 0 is the most urgent, and the middle one the default. Default 1. */
  priorities?: number;
  /**
   * Queued callbacks run per turn; the rest waits for the next, after input, output and what is more urgent. Default
   * 1024: about a millisecond of short ones. `Infinity` for no cap.
   */
  callbacksPerTurnMax?: number;
  /** Milliseconds of queued callbacks per turn, looked at after each. Default `Infinity`. */
  dispatchMsMax?: number;
  /** The two caps hold from this priority on; what is more urgent always runs whole. Default 0: they hold for all. */
  capFromPriority?: number;
  /** Measure turns and lag from the begin, as `EventLoop.measure` does later. Default false. */
  measure?: boolean;
  /** What becomes of an exception that a user's callback threw. Default: thrown again outside the turn (`uncaughtException`). */
  onUncaught?: (error: unknown) => void;
}

/** The options that are numbers or flags, all present. */
export interface CheckedLoopOptions extends TaskLimits {
  readonly slabBytes: number;
  readonly scratchBytes: number;
  readonly priorities: number;
  readonly measure: boolean;
}

/** @throws ApiMisuse that names the option that makes no sense */
export function checkOptions(options: EventLoopOptions): CheckedLoopOptions {
  requireObject(OPERATION, 'options', options);
  allowFunction(OPERATION, 'schedule', options.schedule);
  allowFunction(OPERATION, 'onUncaught', options.onUncaught);
  if (options.clock !== undefined) requireMethods(OPERATION, 'clock', options.clock, ['now', 'schedule']);
  const checked: CheckedLoopOptions = {
    slabBytes: options.slabBytes ?? 128 * 1024,
    scratchBytes: options.scratchBytes ?? 384 * 1024,
    priorities: options.priorities ?? 1,
    callbacksPerTurnMax: options.callbacksPerTurnMax ?? 1024,
    dispatchMsMax: options.dispatchMsMax ?? Number.POSITIVE_INFINITY,
    capFromPriority: options.capFromPriority ?? 0,
    measure: options.measure ?? false,
  };
  checkPriorities(checked.priorities);
  for (const name of ['slabBytes', 'scratchBytes'] as const) {
    if (!Number.isInteger(checked[name]) || checked[name] < 1)
      wrong(name, checked[name], 'a whole number of 1 or more');
  }
  const { callbacksPerTurnMax } = checked;
  if (
    !(callbacksPerTurnMax >= 1) ||
    !(callbacksPerTurnMax === Number.POSITIVE_INFINITY || Number.isInteger(callbacksPerTurnMax))
  ) {
    wrong('callbacksPerTurnMax', callbacksPerTurnMax, 'a whole number of 1 or more, or Infinity');
  }
  if (!(checked.dispatchMsMax > 0)) wrong('dispatchMsMax', checked.dispatchMsMax, 'a number above 0');
  if (!(checked.capFromPriority >= 0)) wrong('capFromPriority', checked.capFromPriority, 'a priority');
  return checked;
}

const OPERATION = 'new EventLoop';

function wrong(name: string, value: number, wanted: string): never {
  misuse(OPERATION, `${name} must be ${wanted}, not ${value}`, 'SLUICE_CORE_LOOP_OPTIONS');
}
