import { ApiMisuse } from '@sluice/errors';

/** How fast something may go, and how much of what was not used may be used at once later. */
export interface TokenRate {
  /** Sustained, in bytes (or whatever is counted) per second. Above 0. */
  perSecond: number;
  /** The most that a rest saves up. Default a second's worth, or one tick's when that is more. At least one tick's and 1. */
  burst?: number;
}

/** A rate as a bucket wants it: checked, and per tick. */
export interface TickRate {
  readonly perTick: number;
  readonly burst: number;
  readonly tickMs: number;
}

/** No limit, as a rate. */
export const unlimitedRate: TickRate = {
  perTick: Number.POSITIVE_INFINITY,
  burst: Number.POSITIVE_INFINITY,
  tickMs: 100,
};

/** Coarse enough to cost nothing, fine enough that a second holds ten. */
export const TICK_MS_DEFAULT = 100;

/** What libevent takes for a tick: whole seconds of which the milliseconds fit an int. */
const TICK_MS_MAX = Math.floor(0x7fffffff / 1000) * 1000;

/**
 * A rate per tick.
 * @throws ApiMisuse that names the number that makes no sense
 */
export function tickRate(rate: TokenRate, tickMs: number = TICK_MS_DEFAULT, name = 'rate'): TickRate {
  if (!Number.isInteger(tickMs) || tickMs < 1 || tickMs > TICK_MS_MAX) {
    misuse(`tickMs must be a whole number from 1 to ${TICK_MS_MAX}, not ${tickMs}`);
  }
  const { perSecond } = rate;
  if (typeof perSecond !== 'number' || !(perSecond > 0) || perSecond === Number.POSITIVE_INFINITY) {
    misuse(`${name}.perSecond must be a finite number above 0, not ${perSecond}; leave ${name} out for no limit`);
  }
  const perTick = (perSecond * tickMs) / 1000;
  const least = Math.max(1, perTick);
  const burst = rate.burst ?? Math.max(perSecond, least);
  if (typeof burst !== 'number' || !(burst >= least) || burst === Number.POSITIVE_INFINITY) {
    misuse(`${name}.burst must be a finite number of ${least} or more (one tick's worth), not ${burst}`);
  }
  return { perTick, burst, tickMs };
}

/**
 * Counts what may still be used. It starts with one tick's worth, not with its burst; each tick adds one tick's worth,
 * up to the burst. It may be overdrawn: what was used too much is missing later, so the rate holds in the long run.
 */
export class TokenBucket {
  /** What may be used now; negative for a debt. Fractions add up. */
  level: number;
  #rate: TickRate;
  /** When the last tick that was counted began. */
  #tickedAt: number;

  constructor(rate: TickRate, now: number) {
    this.#rate = rate;
    this.level = rate.perTick;
    this.#tickedAt = now;
  }

  get rate(): TickRate {
    return this.#rate;
  }

  /** Adds what the ticks since the last call bring, and answers how many those are. A clock that goes backwards brings none. */
  refill(now: number): number {
    const { perTick, burst, tickMs } = this.#rate;
    const ticks = Math.floor((now - this.#tickedAt) / tickMs);
    if (ticks <= 0) return 0;
    this.#tickedAt += ticks * tickMs;
    this.level = Math.min(burst, this.level + ticks * perTick);
    return ticks;
  }

  /** Takes tokens, whether they are there or not; with a negative number it gives some back, up to the burst. */
  take(tokens: number): void {
    this.level = Math.min(this.#rate.burst, this.level - tokens);
  }

  /** Goes on at another rate. What it holds stays, cut to the new burst; what was without limit begins anew. */
  change(rate: TickRate, now: number): void {
    this.refill(now);
    if (rate.perTick === Number.POSITIVE_INFINITY || this.level === Number.POSITIVE_INFINITY) this.level = rate.perTick;
    this.#rate = rate;
    this.level = Math.min(rate.burst, this.level);
  }

  /** Milliseconds until it will hold `tokens` if nobody takes any; 0 when it does. At most a burst is ever reached. */
  msUntil(tokens: number, now: number): number {
    const missing = Math.min(tokens, this.#rate.burst) - this.level;
    if (missing <= 0) return 0;
    const ticks = Math.ceil(missing / this.#rate.perTick);
    return Math.max(0, this.#tickedAt + ticks * this.#rate.tickMs - now);
  }

  /** Milliseconds until the next tick. */
  msUntilTick(now: number): number {
    return Math.max(0, this.#tickedAt + this.#rate.tickMs - now);
  }
}

function misuse(message: string): never {
  throw new ApiMisuse(message, { code: 'SLUICE_CORE_RATE_LIMIT', layer: 'core', operation: 'rateLimit' });
}
