import type { BufferReader, BufferWriter } from './evbuffer.ts';

/**
 * Why a transform is called. `normal`: there are bytes. `flush`: what the filter holds back should go out now.
 * `finished`: nothing will follow what is in the source; `source` may be empty in this and in `flush`.
 */
export type FilterMode = 'normal' | 'flush' | 'finished';

/**
 * What a transform answers. `ok`: something was done; it is called again while there are bytes and room. `need-more`:
 * nothing can be done before there is more in the source; what it left stays there. `finished`: its stream is complete,
 * and it is not called again.
 */
export type FilterResult = 'ok' | 'need-more' | 'finished';

/**
 * Takes bytes from the front of `source` and appends what they become to `destination`.
 *
 * It may throw, which ends the connection: a `SluiceError` as it is, anything else as `SLUICE_CORE_FILTER_FAILED` with
 * what was thrown as its cause, blamed on the peer for input and on this program for output. Answering `ok` with bytes
 * in the source and nothing taken or made is a failure as well (`SLUICE_CORE_FILTER_NO_PROGRESS`).
 *
 * @param limit bytes that the destination has room for, 1 or more. A transform may pass it by one unit of its protocol
 */
export type Transform = (
  source: BufferReader,
  destination: BufferWriter,
  limit: number,
  mode: FilterMode,
) => FilterResult;

/** Bytes of one form above and of another below, for one connection. A direction without a transform passes as it is. */
export interface Filter {
  /** From the layer below to the user. */
  input?: Transform;
  /** From the user to the layer below. */
  output?: Transform;
  /** The connection is over: the place to free what the filter holds. Called once. */
  close?(): void;
}

/** The transform of a direction that has none. */
export const passThrough: Transform = (source, destination, limit) => {
  source.moveTo(destination, limit === Number.POSITIVE_INFINITY ? undefined : limit);
  return 'ok';
};
