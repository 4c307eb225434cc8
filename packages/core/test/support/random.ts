/** A seeded source of random integers (mulberry32): the same seed, the same sequence. */
export class Random {
  readonly seed: number;
  #state: number;

  /** The seed is the environment's SEED, or a new one. */
  constructor(seed: number = Number(process.env['SEED'] ?? Math.floor(Math.random() * 0x7fff_ffff))) {
    this.seed = seed;
    this.#state = seed | 0;
  }

  /** An integer from 0 up to, not including, `limit`. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000) * limit);
  }

  /** True once in `n` times. */
  oneIn(n: number): boolean {
    return this.below(n) === 0;
  }

  pick<T>(values: readonly T[]): T {
    const value = values[this.below(values.length)];
    if (value === undefined) throw new RangeError('there is nothing to pick from');
    return value;
  }

  /** Mostly small, sometimes up to `max`. */
  size(max: number): number {
    return this.below(this.oneIn(8) ? max + 1 : Math.min(max, 12) + 1);
  }
}
