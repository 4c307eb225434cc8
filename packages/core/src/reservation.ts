import { ApiMisuse } from '@sluice/errors';
import type { Chunk } from './chunk.ts';
import type { EvBuffer } from './evbuffer.ts';
import { misuse, requireCount } from './arguments.ts';

/** Largest reservation: no read of Node's takes more at once. */
const RESERVATION_BYTES_MAX = 2 ** 31 - 1;

/**
 * Room at the end of a buffer, from `BufferWriter.reserve`. It is the holder's alone, stale or not, until it is
 * committed: a read from a file may still write to it when the buffer has long gone on.
 */
export class Reservation {
  /** What may be written to: as many bytes as were asked for, or more. Not to be touched after `commit`. */
  readonly bytes: Buffer;
  readonly #buffer: EvBuffer;
  readonly #chunk: Chunk;

  /** @internal */
  constructor(buffer: EvBuffer, chunk: Chunk) {
    this.bytes = chunk.bytes.subarray(chunk.end, chunk.high);
    this.#buffer = buffer;
    this.#chunk = chunk;
  }

  /** Whether `commit` would refuse: it was committed, or the buffer got bytes, or another reservation, since. */
  get stale(): boolean {
    return this.#buffer._reservation !== this;
  }

  /**
   * Makes the first `used` bytes of `bytes` the buffer's last, and gives the rest back: all of it with 0. Returns `used`.
   * @throws ApiMisuse when it is stale (`SLUICE_CORE_RESERVATION_STALE`); what `append` throws when the buffer's owner
   * refuses the bytes, and then it may be committed later
   */
  commit(used: number): number {
    requireCount('commit', 'used', used);
    const { length } = this.bytes;
    if (used > length) misuse('commit', `used is ${used}, and ${length} bytes were reserved; reserve as many first`);
    if (this.stale) {
      throw new ApiMisuse(
        'commit: the reservation is stale: it was committed, or the buffer got bytes or another reservation since; reserve anew',
        { code: 'SLUICE_CORE_RESERVATION_STALE', layer: 'core', operation: 'commit' },
      );
    }
    this.#buffer._commitReserved(this.#chunk, used);
    return used;
  }
}

/** A count of bytes that may be reserved. */
export function requireReservable(operation: string, n: number): void {
  requireCount(operation, 'n', n);
  if (n <= RESERVATION_BYTES_MAX) return;
  misuse(operation, `n is ${n}, and at most ${RESERVATION_BYTES_MAX} bytes are reserved at once; go piece by piece`);
}
