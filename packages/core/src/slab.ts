import { ApiMisuse } from '@sluice/errors';

/** What may hold bytes of a slab: an `EvBuffer`. */
export interface SlabHolder {
  /** The slab's turn is over: copy what is still held of it. Must not call back into the slab. */
  _settle(slab: Slab): void;
}

/**
 * A region of memory whose bytes are valid until the end of the loop's turn.
 *
 * Sockets are read into one, and small writes and TLS records are made in another, so that a message that is read,
 * answered and flushed within a turn needs no memory of its own. What outlives the turn is copied out by `settle`.
 */
export class Slab {
  readonly bytes: Buffer;
  /** How the flush of the loop that made it names this region (-1 reads, -2 scratch). No other loop knows it by this. */
  readonly nativeIndex: number;
  readonly #holders: SlabHolder[] = [];
  #reserved = 0;
  #next = 0;

  /** Throws `ApiMisuse` when `byteLength` is not an integer of 1 or more. */
  constructor(byteLength: number, nativeIndex: number) {
    if (!Number.isSafeInteger(byteLength) || byteLength < 1) {
      misuse('new Slab', `byteLength must be an integer of 1 or more, not ${String(byteLength)}`);
    }
    this.bytes = Buffer.allocUnsafeSlow(byteLength);
    this.nativeIndex = nativeIndex;
  }

  /** Bytes that can still be reserved this turn. */
  get free(): number {
    return this.bytes.length - this.#next;
  }

  /** Sets `bytes` aside for the caller until `settle`. Returns their offset, or -1 when there is no room. */
  reserve(bytes: number): number {
    const offset = this.#next;
    if (!(bytes >= 0 && bytes <= this.bytes.length - offset)) {
      if (bytes > 0) return -1;
      misuse('Slab.reserve', `bytes must be 0 or more, not ${String(bytes)}`);
    }
    this.#reserved = offset;
    this.#next = offset + bytes;
    return offset;
  }

  /** Gives back what of the last reservation lies at offset `end` and behind it. */
  trim(end: number): void {
    if (!(end >= this.#reserved && end <= this.#next)) {
      misuse(
        'Slab.trim',
        `end must lie in the last reservation, ${this.#reserved} to ${this.#next}, not ${String(end)}`,
      );
    }
    this.#next = end;
  }

  /** Registers a holder until `settle`. `EvBuffer` does this itself, once per turn, when it gets bytes of this slab. */
  hold(holder: SlabHolder): void {
    this.#holders.push(holder);
  }

  /** Whether `holder` will be told by the next `settle`. Looks at every holder: for tests. */
  holds(holder: SlabHolder): boolean {
    return this.#holders.includes(holder);
  }

  /** End of turn: every holder copies what it still holds, then the whole region is free again. */
  settle(): void {
    const holders = this.#holders;
    for (let holder = holders.pop(); holder !== undefined; holder = holders.pop()) holder._settle(this);
    this.#reserved = 0;
    this.#next = 0;
  }
}

function misuse(operation: string, message: string): never {
  throw new ApiMisuse(`${operation}: ${message}`, { layer: 'core', operation });
}
