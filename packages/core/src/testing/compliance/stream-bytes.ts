/** A seeded source of random integers (mulberry32): the same seed, the same sequence. */
export class SeededRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** An integer from 0 up to, not including, `limit`. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000) * limit);
  }
}

/** A prime: no block of a transport's is a multiple of it, so that bytes in a wrong place are wrong bytes. */
const PERIOD_BYTES = 65_521;

const period: Buffer = makePeriod();

/** The bytes from `offset` on of an endless stream, in new memory. */
export function streamBytes(offset: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let at = 0; at < length; ) {
    const from = (offset + at) % PERIOD_BYTES;
    at += period.copy(bytes, at, from, Math.min(PERIOD_BYTES, from + length - at));
  }
  return bytes;
}

function makePeriod(): Buffer {
  const random = new SeededRandom(1);
  const bytes = Buffer.allocUnsafe(PERIOD_BYTES);
  for (let index = 0; index < PERIOD_BYTES; index += 1) bytes[index] = random.below(256);
  return bytes;
}
