import { misuse, requireConnection, requirePositive } from '../arguments.ts';
import type { BufferEvent } from '../bufferevent.ts';
import { errorOfDestroyer } from './stream-errors.ts';
import { waitFor } from './wait-for.ts';
import { writeAll } from './writing.ts';

/** Bytes in both directions without a stream class, as js-libp2p has them: what is iterated, and what takes what is. */
export interface IterableStreams {
  /** Bytes from the peer. Ends when it ended in order, and throws otherwise. */
  readonly source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  /** Sends all that it is given, then ends our direction. Rejects when that fails, and with what the source throws. */
  readonly sink: (source: AsyncIterable<Uint8Array>) => Promise<void>;
}

export interface ToIterableOptions {
  /** Largest piece of `source`. Default 64 KiB. */
  bytesMax?: number;
}

const PIECE_BYTES_MAX = 64 * 1024;

/**
 * A connection as a source and a sink, which own it from then on.
 *
 * Bounds hold in both directions: `source` takes a piece out of `input` when it is asked for one, so a consumer that is busy
 * stops the peer; `sink` asks for the next piece when the one before is in `output`. Leaving `source` before its end destroys
 * the connection; what the source of `sink` throws destroys it, too, and the peer sees a reset.
 */
export function toIterable(bev: BufferEvent, options: ToIterableOptions = {}): IterableStreams {
  const { bytesMax = PIECE_BYTES_MAX } = options;
  requireConnection('toIterable', bev);
  requirePositive('toIterable', 'bytesMax', bytesMax);
  // The sink decides when our direction ends.
  bev.halfOpen = true;
  let begun = false;
  return {
    source: { [Symbol.asyncIterator]: () => new Pieces(bev, bytesMax) },
    async sink(source) {
      if (begun) misuse('sink', 'it was given a source already; a connection has one');
      begun = true;
      try {
        await writeAll(bev, source);
      } catch (error) {
        if (bev.closed === undefined) bev._abort(errorOfDestroyer(error, 'sink'));
        throw error;
      }
      bev.end();
      if (bev.closed?.end !== 'end') await bev.flush();
    },
  };
}

/** The iterator of a source. No generator: one that waits cannot be left. */
class Pieces implements AsyncIterator<Uint8Array> {
  readonly #bev: BufferEvent;
  readonly #bytesMax: number;
  readonly #left = new AbortController();

  constructor(bev: BufferEvent, bytesMax: number) {
    this.#bev = bev;
    this.#bytesMax = bytesMax;
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    const { input } = this.#bev;
    const { signal } = this.#left;
    const take = (): Buffer | undefined => (input.length > 0 ? input.read(this.#bytesMax) : undefined);
    try {
      const value = signal.aborted ? undefined : await waitFor(this.#bev, 'source', signal, take);
      return value === undefined ? { done: true, value } : { done: false, value };
    } catch (error) {
      if (signal.aborted) return { done: true, value: undefined };
      throw error;
    }
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#left.abort();
    if (!this.#bev.peerEnded) this.#bev.destroy();
    return { done: true, value: undefined };
  }
}
