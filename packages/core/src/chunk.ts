import type { Slab } from './slab.ts';

/**
 * One run of bytes in an `EvBuffer`: `bytes[start, end)`, never empty.
 *
 * `[low, high)` is what this chunk alone may write: the room before `start` and behind `end`. Two chunks may show the
 * same memory (a move splits a chunk), but their rooms never overlap, and no byte that was ever part of a buffer is
 * written again. So a view of it stays as it is for as long as somebody holds it.
 */
export class Chunk {
  readonly bytes: Buffer;
  start: number;
  end: number;
  low: number;
  high: number;
  /** The slab whose memory this is, until the end of the turn; undefined when the memory lasts. */
  readonly slab: Slab | undefined;
  /** Who wants to know when the memory is no longer needed. */
  readonly reference: Reference | undefined;
  next: Chunk | undefined = undefined;

  /** Shows `bytes[start, end)` and has no room to write. */
  constructor(bytes: Buffer, start: number, end: number, slab: Slab | undefined, reference: Reference | undefined) {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    this.low = start;
    this.high = end;
    this.slab = slab;
    this.reference = reference;
  }

  /** Another chunk for the first `n` bytes of this one, without any room. */
  shareFront(n: number): Chunk {
    this.reference?.retain();
    return new Chunk(this.bytes, this.start, this.start + n, this.slab, this.reference);
  }
}

/** The count of chunks that show a piece of the user's memory, and whom to tell when none does any more. */
export class Reference {
  #chunks = 1;
  #appended = false;
  readonly #onRelease: () => void;

  constructor(onRelease: () => void) {
    this.#onRelease = onRelease;
  }

  get chunks(): number {
    return this.#chunks;
  }

  retain(): void {
    this.#chunks += 1;
  }

  /** One chunk fewer. Returns whether it was the last, so that `fire` is due. */
  drop(): boolean {
    this.#chunks -= 1;
    return this.#chunks === 0;
  }

  /** The call that appended the memory has returned, or is about to. */
  appended(): void {
    this.#appended = true;
  }

  /** Tells the user; not before the call that appended the memory is over, because its caller is not prepared yet. */
  fire(): void {
    if (this.#appended) this.#onRelease();
    else queueMicrotask(this.#onRelease);
  }
}
