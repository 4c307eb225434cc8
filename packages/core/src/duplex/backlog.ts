import { LimitError } from '@sluice/errors';

/** What the record of a piece costs besides its bytes, about: pieces of few bytes, or of none, have a bound, too. */
const PIECE_BYTES_MIN = 64;

/** What a queued piece counts as. */
export function pieceBytes(bytes: number): number {
  return Math.max(bytes, PIECE_BYTES_MIN);
}

/**
 * Counts what a producer hands over after it was told to wait. A stream's own queue has no bound: a producer that never
 * waits would fill the memory there, in front of a connection that keeps to its cap.
 *
 * One piece of any size is let through (the producer has it in memory already), and small ones that belong to it; what
 * comes after the stream said that it was full may be as much as the connection's cap, each piece 64 bytes or more.
 */
export class Backlog {
  readonly #cap: number;
  #bytes = 0;
  #pieces = 0;

  /** @param cap `watermarks.write.cap` of the connection */
  constructor(cap: number) {
    this.#cap = cap;
  }

  /** The stream asks for more. */
  drained(): void {
    this.#bytes = 0;
    this.#pieces = 0;
  }

  /** Answers the error when a piece of so many bytes is too much for a stream that has said that it is full. */
  add(bytes: number): LimitError | undefined {
    const error = this.#bytes + bytes > this.#cap ? backlogError(this.#bytes, this.#pieces, this.#cap) : undefined;
    this.#bytes += pieceBytes(bytes);
    this.#pieces += 1;
    return error;
  }
}

function backlogError(bytes: number, pieces: number, cap: number): LimitError {
  return new LimitError(
    `${pieces} pieces (${bytes} bytes of memory) were written to a stream that was full already, and one more would pass ` +
      `its connection's cap of ${cap}; wait for 'drain' (or ready), or raise watermarks.write.cap`,
    { code: 'SLUICE_CORE_WRITE_CAP', layer: 'core', operation: 'write', blame: 'local', remedy: 'retry' },
  );
}
