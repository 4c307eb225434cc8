import type { ReadableStreamDefaultReader, WritableStreamDefaultWriter } from 'node:stream/web';
import { misuse, nameOf, requireObject } from '../arguments.ts';
import { BufferEvent } from '../bufferevent.ts';
import type { EventLoop } from '../event-loop.ts';
import type { ConnectionOptions } from '../limits.ts';
import { errorOfStream } from './stream-errors.ts';
import type { WebStreams } from './to-web.ts';

/** Bytes that are given to `writable` at a time; no more is on its way in it. */
const PIECE_BYTES_MAX = 64 * 1024;

/**
 * A pair of Web Streams as a connection, which owns them from then on (both are locked).
 *
 * `readable` is read while `input` has room; of a chunk that is larger, the rest waits. One piece at a time is written to
 * `writable`, and the rest waits in `output`, which has its cap. A stream that errors fails the connection with that error
 * as the cause; destroying the connection cancels and aborts the streams.
 *
 * @throws ApiMisuse for what are no streams, and when one of them is locked: somebody else uses it
 */
export function fromWeb(loop: EventLoop, streams: WebStreams, options: ConnectionOptions = {}): BufferEvent {
  return new WebBufferEvent(loop, streams, options);
}

class WebBufferEvent extends BufferEvent {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #pullLater = (): void => {
    this.#pullAsked = false;
    this.#pull();
  };
  #pullAsked = false;
  #reading = false;
  /** What of the last chunk had no room in input. */
  #rest: Uint8Array | undefined;
  /** Bytes of the piece that `writable` has not taken. */
  #writingBytes = 0;

  constructor(loop: EventLoop, streams: WebStreams, options: ConnectionOptions) {
    requireStreams(streams);
    super(loop, 'web', options);
    const { readable, writable } = streams;
    this.#reader = readable.getReader();
    this.#writer = writable.getWriter();
    // Their failures are met by reading and writing.
    this.#reader.closed.catch(ignore);
    this.#writer.closed.catch((error: unknown) => this.#writeFailed(error));
    this.#writer.ready.catch(ignore);
    this._connected();
  }

  override get _saysGoodbye(): boolean {
    return true;
  }

  override get _unsentBytes(): number {
    return this._output.length + this.#writingBytes;
  }

  // --- BufferEvent ---

  protected override _setReading(on: boolean): void {
    if (!on || this.#pullAsked) return;
    this.#pullAsked = true;
    this.loop.defer(this.#pullLater);
  }

  protected override _writeOut(): void {
    if (this.#writingBytes > 0) return this._writeBlocked();
    const bytes = Math.min(this._output.length, PIECE_BYTES_MAX, this._writeAllowance);
    // Held by a limit: it is tried again when that is over.
    if (bytes === 0) return;
    // A copy: a stream may transfer what it is given.
    const piece = new Uint8Array(bytes);
    this._output.readInto(piece);
    this.#writingBytes = piece.byteLength;
    const writer = this.#writer;
    writer.ready
      .then(() => writer.write(piece))
      .then(() => this.#written())
      .catch((error: unknown) => this.#writeFailed(error));
    if (this._output.length > 0) this._writeBlocked();
  }

  protected override _endOutput(): void {
    this.#writer.close().then(
      () => this._ended(),
      (error: unknown) => this.#writeFailed(error),
    );
  }

  protected override _release(abort: boolean): void {
    if (this.closed?.end !== 'end') {
      const reason = this.closed?.error;
      // An abort says that bytes are missing, and the first of the two is what counts for a connection under both.
      if (abort) this.#writer.abort(reason).catch(ignore);
      this.#reader.cancel(reason).catch(ignore);
      this.#writer.abort(reason).catch(ignore);
    }
    this._released();
  }

  // --- Private ---

  #pull(): void {
    while (this._mayRead && this.#rest !== undefined) {
      const room = Math.min(this.limits.readHigh - this._input.length, this._readAllowance);
      const chunk = this.#rest;
      this.#rest = chunk.byteLength > room ? chunk.subarray(room) : undefined;
      this._input.append(chunk.subarray(0, room));
    }
    if (!this._mayRead || this.#reading) return;
    this.#reading = true;
    this.#reader.read().then(
      ({ done, value }) => this.#arrived(done, value),
      (error: unknown) => this._readFailed(errorOfStream(error, 'read')),
    );
  }

  #arrived(done: boolean, value: unknown): void {
    this.#reading = false;
    if (done) return this._peerEnded();
    if (!(value instanceof Uint8Array)) {
      this._readFailed(errorOfStream(new TypeError('its chunks are not Uint8Array'), 'read'));
      return;
    }
    this.#rest = value.byteLength === 0 ? undefined : value;
    this._setReading(this._mayRead);
  }

  #written(): void {
    this.#writingBytes = 0;
    if (this.closed !== undefined) return;
    if (this._output.length > 0) this._markDirty();
    else this._afterWrite();
  }

  #writeFailed(error: unknown): void {
    if (this.closed === undefined) this._writeFailed(errorOfStream(error, 'write'));
  }
}

function requireStreams(streams: WebStreams): void {
  requireObject('fromWeb', 'streams', streams);
  for (const [name, method] of [
    ['readable', 'getReader'],
    ['writable', 'getWriter'],
  ] as const) {
    const stream: unknown = streams[name];
    const isOne = typeof stream === 'object' && stream !== null && typeof Reflect.get(stream, method) === 'function';
    if (!isOne) misuse('fromWeb', `${name} must be a Web Stream, not ${nameOf(stream)}`);
    if (streams[name].locked) misuse('fromWeb', `${name} is locked; release its reader or writer first`);
  }
}

function ignore(): void {}
