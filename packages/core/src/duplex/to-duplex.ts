import process from 'node:process';
import { Duplex } from 'node:stream';
import { requireConnection, requireCount } from '../arguments.ts';
import { endedError } from '../bufferevent-errors.ts';
import type { BufferEvent } from '../bufferevent.ts';
import type { CloseReport } from '../close-report.ts';
import type { Timer } from '../timer.ts';
import { Backlog } from './backlog.ts';
import { errorOfDestroyer } from './stream-errors.ts';

export interface ToDuplexOptions {
  /** Bytes that the stream holds in front of `input` and `output`. Default 16 KiB each. */
  readableHighWaterMark?: number;
  writableHighWaterMark?: number;
  /** When the peer ends, leave it to the user to `end` the stream. Default: the connection's `halfOpen`. */
  allowHalfOpen?: boolean;
}

const STREAM_BYTES = 16 * 1024;
/** Bytes given to the stream's consumer at a time. */
const CHUNK_BYTES_MAX = 64 * 1024;

/**
 * A connection as a `node:stream` Duplex, with the members of `net.Socket` that libraries ask for: `ws`, `node:http`
 * (`server.emit('connection', duplex)`), database clients. The connection belongs to the stream from then on; its
 * `closed` is still told to its other listeners.
 *
 * Bounds hold in both directions. A consumer that does not read stops the peer: the stream holds
 * `readableHighWaterMark`, `input` its high watermark. `write` answers false when the stream and `output` are full; a
 * producer that does not wait for 'drain' then destroys the stream with a `LimitError` when it has written
 * `watermarks.write.cap` bytes more. One write may be of any size: it is taken piece by piece as the peer reads.
 *
 * 'end' means that the peer ended in order. A reset, a truncation, a limit of time is an 'error' with the report's
 * `SluiceError`, after the bytes that came before it were read. Destroying the stream destroys the connection.
 */
export function toDuplex(bev: BufferEvent, options: ToDuplexOptions = {}): BufferEventDuplex {
  requireConnection('toDuplex', bev);
  const { readableHighWaterMark = STREAM_BYTES, writableHighWaterMark = STREAM_BYTES } = options;
  requireCount('toDuplex', 'readableHighWaterMark', readableHighWaterMark);
  requireCount('toDuplex', 'writableHighWaterMark', writableHighWaterMark);
  return new BufferEventDuplex(bev, options);
}

type WriteCallback = (error?: Error | null) => void;

/** A write of the stream's that `output` has not taken in whole. */
interface Writing {
  readonly chunks: readonly { readonly chunk: Buffer }[];
  index: number;
  offset: number;
  readonly callback: WriteCallback;
}

export class BufferEventDuplex extends Duplex {
  readonly bev: BufferEvent;
  /** The stream asked for bytes and has not got enough. */
  #wanted = false;
  #endPushed = false;
  #writing: Writing | undefined;
  /** How the connection failed; told when what came before it has been read. */
  #failure: Error | undefined;
  readonly #backlog: Backlog;
  #closeSoon = false;
  #idleMs = 0;
  #idleTimer: Timer | undefined;
  #lastActive = 0;

  constructor(bev: BufferEvent, options: ToDuplexOptions = {}) {
    super({
      readableHighWaterMark: options.readableHighWaterMark ?? STREAM_BYTES,
      writableHighWaterMark: options.writableHighWaterMark ?? STREAM_BYTES,
      allowHalfOpen: options.allowHalfOpen ?? bev.halfOpen,
    });
    this.bev = bev;
    this.#backlog = new Backlog(bev.limits.writeCap);
    // The stream decides when our direction ends.
    bev.halfOpen = true;
    bev.on('connected', () => this.#tellConnected());
    bev.on('data', () => this.#fill());
    bev.on('drained', () => this.#write());
    bev.on('end', () => this.#fill());
    bev.on('closed', (report) => this.#bevClosed(report));
    const report = bev.closed;
    if (report !== undefined) process.nextTick(() => this.#bevClosed(report));
  }

  // --- Members of net.Socket ---

  get connecting(): boolean {
    return !this.bev.connected && this.bev.closed === undefined;
  }

  get remoteAddress(): string | undefined {
    const address = this.bev.remoteAddress;
    return address?.family === 'unix' ? undefined : address?.address;
  }

  get remotePort(): number | undefined {
    const address = this.bev.remoteAddress;
    return address?.family === 'unix' ? undefined : address?.port;
  }

  get remoteFamily(): string | undefined {
    const family = this.bev.remoteAddress?.family;
    return family === 'unix' ? undefined : family;
  }

  get localAddress(): string | undefined {
    return this.bev.localAddress?.address;
  }

  get localPort(): number | undefined {
    return this.bev.localAddress?.port;
  }

  get bytesRead(): number {
    return this.bev.bytesIn;
  }

  /** What `output` has passed on; not what still waits. */
  get bytesWritten(): number {
    return this.bev.bytesOut;
  }

  /** Emits 'timeout' after as long without a byte in either direction; 0 for never. The stream goes on. */
  setTimeout(timeoutMs: number, listener?: () => void): this {
    this.#idleMs = timeoutMs;
    if (listener !== undefined) {
      if (timeoutMs === 0) this.off('timeout', listener);
      else this.once('timeout', listener);
    }
    this.#idleTimer?.stop();
    this.#touch();
    return this;
  }

  /** Set by the options of `connect` and `serve`. */
  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  /** Lets go at once, and the peer sees a reset, as when it is owed bytes. */
  resetAndDestroy(): this {
    this.bev._abort();
    return this.destroy();
  }

  /** `end`, and then the peer has `closeMs` to end as well. */
  destroySoon(): void {
    this.#closeSoon = true;
    if (!this.writableEnded) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', () => this.destroy());
  }

  // --- Duplex ---

  override read(size?: number): unknown {
    const chunk: unknown = super.read(size);
    if (this.#failure !== undefined) this.#tellFailure();
    return chunk;
  }

  override write(chunk: unknown, callback?: WriteCallback): boolean;
  override write(chunk: unknown, encoding?: BufferEncoding, callback?: WriteCallback): boolean;
  override write(chunk: unknown, encoding?: BufferEncoding | WriteCallback, callback?: WriteCallback): boolean {
    const [named, done] = typeof encoding === 'function' ? [undefined, encoding] : [encoding, callback];
    if (this.writableLength === 0) this.#backlog.drained();
    else if (this.writableNeedDrain || isEmpty(chunk)) {
      const error = this.#backlog.add(bytesOf(chunk, named));
      if (error !== undefined) {
        // Callers in JavaScript give null as well as nothing.
        if (typeof done === 'function') process.nextTick(done, error);
        this.destroy(error);
        return false;
      }
    }
    return super.write(chunk, named as BufferEncoding, done);
  }

  override _read(): void {
    this.#wanted = true;
    this.#fill();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: WriteCallback): void {
    this.#begin([{ chunk }], callback);
  }

  override _writev(chunks: { chunk: Buffer }[], callback: WriteCallback): void {
    this.#begin(chunks, callback);
  }

  override _final(callback: WriteCallback): void {
    this.bev.end();
    const { closed } = this.bev;
    if (closed?.end === 'end') callback();
    else if (closed !== undefined) callback(this.#failure ?? endedError(this.bev, 'end'));
    // When it fails, `closed` follows, and that is told after what came before it.
    else this.bev.flush().then(() => callback(), ignore);
  }

  override _destroy(error: Error | null, callback: WriteCallback): void {
    const { bev } = this;
    this.#idleTimer?.stop();
    const writing = this.#writing;
    this.#writing = undefined;
    if (writing !== undefined) writing.callback(error ?? endedError(bev, 'write'));
    const inOrder = error === null && this.writableFinished && (this.readableEnded || this.#closeSoon);
    if (!inOrder) bev.destroy(error === null ? undefined : errorOfDestroyer(error, 'destroy'));
    void bev.close().then(() => callback(error));
  }

  // --- From the connection to the stream ---

  #fill(): void {
    const { input } = this.bev;
    if (input.length > 0) this.#touch();
    while (this.#wanted && input.length > 0) this.#wanted = this.push(input.read(CHUNK_BYTES_MAX));
    if (input.length === 0 && this.bev.peerEnded && !this.#endPushed) {
      this.#endPushed = true;
      this.push(null);
    }
  }

  #bevClosed(report: CloseReport): void {
    if (this.#failure !== undefined || this.destroyed) return;
    this.#idleTimer?.stop();
    if (report.end === 'end') {
      // Somebody else ended our direction while a write waited for room.
      this.#writing?.callback(endedError(this.bev, 'write'));
      return this.#fill();
    }
    const { input } = this.bev;
    // At most input's high watermark, and nothing will follow it.
    while (input.length > 0) this.push(input.read(CHUNK_BYTES_MAX));
    this.#failure = endedError(this.bev, 'read');
    this.#tellFailure();
  }

  #tellFailure(): void {
    const failure = this.#failure;
    if (this.readableLength === 0 && !this.destroyed) process.nextTick(() => this.destroy(failure));
  }

  #tellConnected(): void {
    this.emit('connect');
    this.emit('ready');
  }

  // --- From the stream to the connection ---

  #begin(chunks: Writing['chunks'], callback: WriteCallback): void {
    if (this.#failure !== undefined) return callback(this.#failure);
    this.#writing = { chunks, index: 0, offset: 0, callback };
    this.#write();
  }

  /** As much as `output` has room for; the rest when it has drained. */
  #write(): void {
    const writing = this.#writing;
    if (writing === undefined) return;
    this.#touch();
    try {
      if (!this.#writeChunks(writing)) return;
    } catch (error) {
      this.#writing = undefined;
      return writing.callback(error as Error);
    }
    this.#writing = undefined;
    writing.callback();
  }

  /** Answers whether all of it was taken. */
  #writeChunks(writing: Writing): boolean {
    const { bev } = this;
    for (; writing.index < writing.chunks.length; writing.index += 1, writing.offset = 0) {
      const { chunk } = writing.chunks[writing.index] as { chunk: Buffer };
      while (writing.offset < chunk.length) {
        const room = bev.limits.writeHigh - bev.output.length;
        if (room <= 0) return false;
        const piece = chunk.subarray(writing.offset, writing.offset + room);
        bev.write(piece);
        writing.offset += piece.length;
      }
    }
    return true;
  }

  // --- Idle time ---

  #touch(): void {
    if (this.#idleMs === 0) return;
    this.#lastActive = this.bev.loop.now();
    this.#idleTimer ??= this.bev.loop.idleTimer(() => this.#idleReached());
    if (!this.#idleTimer.pending) this.#idleTimer.start(this.#idleMs);
  }

  #idleReached(): void {
    const left = this.#lastActive + this.#idleMs - this.bev.loop.now();
    if (left > 0) this.#idleTimer?.start(left);
    else this.emit('timeout');
  }
}

function bytesOf(chunk: unknown, encoding: BufferEncoding | undefined): number {
  if (typeof chunk === 'string') return Buffer.byteLength(chunk, encoding);
  return chunk instanceof Uint8Array ? chunk.byteLength : 0;
}

/** What makes the stream's queue longer, and not fuller. */
function isEmpty(chunk: unknown): boolean {
  return chunk === '' || (chunk instanceof Uint8Array && chunk.byteLength === 0);
}

function ignore(): void {}
