import type { LimitError } from '@sluice/errors';
import { capError } from '../bufferevent-errors.ts';

/**
 * Counts what a producer hands over after it was told to wait. A stream's own queue has no bound: a producer that never
 * waits would fill the memory there, in front of a connection that keeps to its cap.
 *
 * One piece of any size is let through (the producer has it in memory already), and small ones that belong to it; what
 * comes after the stream said that it was full may be as much as the connection's cap.
 */
export class Backlog {
  readonly #cap: number;
  #bytes = 0;

  /** @param cap `watermarks.write.cap` of the connection */
  constructor(cap: number) {
    this.#cap = cap;
  }

  /** The stream asks for more. */
  drained(): void {
    this.#bytes = 0;
  }

  /** Answers the error when `bytes` more are too many for a stream that has said that it is full and holds `held`. */
  add(bytes: number, held: number): LimitError | undefined {
    this.#bytes += bytes;
    return this.#bytes > this.#cap ? capError(held, bytes, this.#cap) : undefined;
  }
}
