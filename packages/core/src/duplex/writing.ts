import { misuse, nameOf, requireConnection, requireSignal } from '../arguments.ts';
import { endedError } from '../bufferevent-errors.ts';
import type { BufferEvent } from '../bufferevent.ts';
import { type Data, EvBuffer } from '../evbuffer.ts';
import type { AwaitOptions } from './reading.ts';
import { waitForRoom } from './wait-for-room.ts';
import { waitUntil } from './wait-until.ts';

/** What `writeAll` takes: bytes of any length, or pieces of them in a row that may have no end. */
export type Source = Data | EvBuffer | Iterable<Data> | AsyncIterable<Data>;

/**
 * Resolves when `write` would answer true: at once, or when output has drained. `if (!bev.write(piece)) await drained(bev);`
 * Rejects when the connection ends first, when the signal is aborted, and with a LimitError when 1024 wait already.
 */
export function drained(bev: BufferEvent, options: AwaitOptions = {}): Promise<void> {
  return waitForRoom(bev, 'drained', options.signal);
}

/**
 * Puts all of the source into output, piece by piece as output drains, and resolves with how many bytes that were. Output
 * stays at its high watermark, however much comes and however slow the peer is; an iterable is asked for its next piece when
 * the one before is in output. An EvBuffer is emptied. (`flush` tells when the system has taken it.)
 *
 * Rejects when the connection ends first, with what the source throws, and when the signal is aborted; what is in output
 * by then stays there, and the source is told that no more is wanted.
 */
export async function writeAll(bev: BufferEvent, source: Source, options: AwaitOptions = {}): Promise<number> {
  requireConnection('writeAll', bev);
  requireSignal('writeAll', options.signal);
  if (typeof source === 'string' || source instanceof Uint8Array) return writePiece(bev, source, options.signal);
  if (source instanceof EvBuffer) return moveAll(bev, source, options.signal);
  return writeEach(bev, iteratorOf(source), options.signal);
}

async function writeEach(
  bev: BufferEvent,
  iterator: Iterator<Data> | AsyncIterator<Data>,
  signal: AbortSignal | undefined,
): Promise<number> {
  const watch = new Watch(bev, signal);
  let written = 0;
  try {
    for (;;) {
      const { done, value } = await watch.orEnd(iterator.next());
      if (done === true) return written;
      written += await writePiece(bev, value, signal);
    }
  } catch (error) {
    // Not waited for: a source that hangs would hang its caller, and its failure is not the first.
    Promise.resolve(iterator.return?.()).catch(() => {});
    throw error;
  } finally {
    watch.stop();
  }
}

/** Gives up waiting for a source when the connection ends, or the signal is aborted. */
class Watch {
  #look = (): void => {};
  #stopped = false;
  #failure: { readonly error: unknown } | undefined;
  #fail = (_error: unknown): void => {};

  constructor(bev: BufferEvent, signal: AbortSignal | undefined) {
    const ended = waitUntil(bev, {
      operation: 'writeAll',
      signal,
      events: ['closed'],
      look: () => {
        if (this.#stopped) return { value: undefined };
        if (!bev.writable) throw endedError(bev, 'writeAll');
        return undefined;
      },
      listen: (look) => {
        this.#look = look;
        return () => {};
      },
    });
    ended.catch((error: unknown) => {
      this.#failure = { error };
      this.#fail(error);
    });
  }

  orEnd<T>(promise: T | Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#fail = reject;
      Promise.resolve(promise).then(resolve, reject);
      if (this.#failure !== undefined) reject(this.#failure.error);
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#look();
  }
}

async function writePiece(bev: BufferEvent, data: Data, signal: AbortSignal | undefined): Promise<number> {
  const bytes: unknown = typeof data === 'string' ? Buffer.from(data) : data;
  if (!(bytes instanceof Uint8Array)) misuse('writeAll', `pieces are strings or Uint8Arrays, not ${nameOf(bytes)}`);
  for (let offset = 0; offset < bytes.byteLength; ) {
    await room(bev, signal);
    const piece = bytes.subarray(offset, offset + roomIn(bev));
    bev.write(piece);
    offset += piece.byteLength;
  }
  return bytes.byteLength;
}

async function moveAll(bev: BufferEvent, buffer: EvBuffer, signal: AbortSignal | undefined): Promise<number> {
  let moved = 0;
  while (buffer.length > 0) {
    await room(bev, signal);
    moved += bev.output.appendFrom(buffer, Math.min(buffer.length, roomIn(bev)));
  }
  return moved;
}

/** Waits for room; nothing when there is some. */
async function room(bev: BufferEvent, signal: AbortSignal | undefined): Promise<void> {
  const atOnce = signal?.aborted !== true && bev.writable && bev.output.length < bev.limits.writeHigh;
  if (!atOnce) await waitForRoom(bev, 'writeAll', signal);
}

/** Bytes up to output's high watermark; 1 or more after `waitForRoom`. */
function roomIn({ limits, output }: BufferEvent): number {
  return Math.ceil(Math.min(limits.writeHigh, limits.writeCap)) - output.length;
}

function iteratorOf(source: Iterable<Data> | AsyncIterable<Data>): Iterator<Data> | AsyncIterator<Data> {
  const isObject = typeof source === 'object' && source !== null;
  const make: unknown = isObject
    ? (Reflect.get(source, Symbol.asyncIterator) ?? Reflect.get(source, Symbol.iterator))
    : undefined;
  if (typeof make !== 'function')
    misuse('writeAll', `bytes, or something that is iterated, are needed, not ${nameOf(source)}`);
  return Reflect.apply(make, source, []) as Iterator<Data> | AsyncIterator<Data>;
}
