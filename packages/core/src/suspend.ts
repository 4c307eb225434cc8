/**
 * Why a direction stands still although its user wants it. Each layer sets and clears its own bit and knows of no
 * other; the direction moves when the user wants it and no bit is set.
 */
export const Suspend = {
  /** Unread input has reached its high watermark. */
  watermark: 1,
  /** The connection's own rate limit. */
  rate: 2,
  /** The rate limit of its group. */
  group: 4,
  /** A name is being looked up. */
  lookup: 8,
  /** The layer above (a filter, TLS) does not want bytes now. */
  filter: 16,
  /** A handshake is not finished. */
  handshake: 32,
  /** Output is full and reading waits for it (`pauseReadWhenFull`). */
  output: 64,
  /** It has moved what it may in one turn. */
  turn: 128,
  /** Bytes that were lent out (`/rx`), with unread input, have reached the high watermark. */
  lease: 256,
} as const;

/** The names of the bits that are set, for people. */
export function suspendReasons(bits: number): string[] {
  return Object.entries(Suspend)
    .filter(([, bit]) => (bits & bit) !== 0)
    .map(([name]) => name);
}
