import { ReadableStream, WritableStream } from 'node:stream/web';
import { LimitError } from '@sluice/errors';
import { requireConnection, requireCount } from '../arguments.ts';
import { endedError } from '../bufferevent-errors.ts';
import type { BufferEvent } from '../bufferevent.ts';
import type { BufferReader } from '../evbuffer.ts';
import { Backlog, pieceBytes } from './backlog.ts';
import { drained } from './writing.ts';
import { errorOfDestroyer } from './stream-errors.ts';
import { waitFor } from './wait-for.ts';

/** A connection as a pair of Web Streams, as `WebSocketStream`, Deno and workers have it. */
export interface WebStreams {
  /** Bytes from the peer; closes when it ends in order, errors with the report's `SluiceError`. Can be read into a buffer (`byob`). */
  readonly readable: ReadableStream<Uint8Array>;
  /** Bytes to the peer; `close` ends our direction. */
  readonly writable: WritableStream<Uint8Array>;
}

export interface ToWebOptions {
  /** Bytes that `writable` queues in front of `output` before `ready` waits. Default 16 KiB. */
  writableHighWaterMark?: number;
}

const STREAM_BYTES = 16 * 1024;
const CHUNK_BYTES_MAX = 64 * 1024;

/**
 * A connection as Web Streams, which own it from then on.
 *
 * `readable` queues nothing: bytes stay in `input` until they are asked for, and a consumer that does not read stops the
 * peer. `writable` is bounded: a producer that does not wait for `ready` errors it with a `LimitError` when it has written
 * `watermarks.write.cap` bytes too many, and destroys the connection. Cancelling `readable` or aborting `writable`
 * destroys the connection; after an abort the peer sees a reset.
 */
export function toWeb(bev: BufferEvent, options: ToWebOptions = {}): WebStreams {
  const { writableHighWaterMark = STREAM_BYTES } = options;
  requireConnection('toWeb', bev);
  requireCount('toWeb', 'writableHighWaterMark', writableHighWaterMark);
  // The streams decide when our direction ends.
  bev.halfOpen = true;
  return { readable: readableOf(bev), writable: writableOf(bev, writableHighWaterMark) };
}

function readableOf(bev: BufferEvent): ReadableStream<Uint8Array> {
  const { input } = bev;
  return new ReadableStream(
    {
      type: 'bytes',
      async pull(controller): Promise<void> {
        const more = await waitFor(bev, 'read', undefined, () => (input.length > 0 ? true : undefined));
        const view = controller.byobRequest?.view as Uint8Array | null | undefined;
        if (more === true) {
          if (view === undefined || view === null) controller.enqueue(taken(input));
          else controller.byobRequest?.respond(input.readInto(view));
          return;
        }
        controller.close();
        // A reader that waits with a buffer of its own gets it back.
        controller.byobRequest?.respond(0);
      },
      cancel: (reason) => bev.destroy(errorOfDestroyer(reason ?? 'cancelled', 'cancel')),
    },
    { highWaterMark: 0 },
  );
}

/** Memory of its own: the stream transfers it to its consumer. */
function taken(input: BufferReader): Uint8Array {
  const chunk = new Uint8Array(Math.min(input.length, CHUNK_BYTES_MAX));
  input.readInto(chunk);
  return chunk;
}

function writableOf(bev: BufferEvent, highWaterMark: number): WritableStream<Uint8Array> {
  const backlog = new Backlog(bev.limits.writeCap);
  let queued = 0;
  const size = (chunk: Uint8Array): number => {
    if (!(chunk instanceof Uint8Array))
      throw new TypeError('the writable stream of a connection takes Uint8Array chunks');
    if (queued < highWaterMark) backlog.drained();
    else {
      const error = backlog.add(chunk.byteLength);
      if (error !== undefined) {
        bev.destroy(error);
        throw error;
      }
    }
    const bytes = pieceBytes(chunk.byteLength);
    queued += bytes;
    return bytes;
  };
  return new WritableStream<Uint8Array>(
    {
      start: (controller) => {
        bev.once('closed', (report) => {
          if (report.end !== 'end') controller.error(endedError(bev, 'write'));
        });
      },
      async write(chunk): Promise<void> {
        for (let offset = 0; offset < chunk.byteLength; ) {
          await drained(bev);
          const piece = chunk.subarray(offset, offset + bev.limits.writeHigh - bev.output.length);
          bev.write(piece);
          offset += piece.byteLength;
        }
        queued -= pieceBytes(chunk.byteLength);
      },
      async close(): Promise<void> {
        bev.end();
        if (bev.closed?.end !== 'end') await bev.flush();
      },
      abort: (reason) => {
        bev._abort(reason instanceof LimitError ? reason : errorOfDestroyer(reason ?? 'aborted', 'abort'));
      },
    },
    { highWaterMark, size },
  );
}
