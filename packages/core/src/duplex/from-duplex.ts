import type { Duplex } from 'node:stream';
import type { Address } from '@sluice/native';
import { misuse, nameOf } from '../arguments.ts';
import { BufferEvent } from '../bufferevent.ts';
import type { EventLoop } from '../event-loop.ts';
import type { ConnectionOptions } from '../limits.ts';
import { errorOfStream, streamCutError } from './stream-errors.ts';

/** Chunks smaller than this are copied together: many small ones would cost more memory than their bytes. */
const COPIED_BYTES_MAX = 4096;

/**
 * A `node:stream` Duplex as a connection: a `net.Socket`, an ssh channel, a WebSocket's stream. The stream belongs to the
 * connection from then on.
 *
 * Bounds hold in both directions. No more is read than `input` has room for, so a stream that nobody reads fills its own
 * buffer and stops its source; the stream is written to while its buffer has room, and the rest waits in `output`,
 * which has its cap. Its 'error' fails the connection with that error as the cause, a 'close' without 'end' is
 * `truncated`. Destroying the connection destroys the stream.
 *
 * @throws ApiMisuse for a stream of objects or of decoded text, and for one that is destroyed
 */
export function fromDuplex(loop: EventLoop, duplex: Duplex, options: ConnectionOptions = {}): BufferEvent {
  return new DuplexBufferEvent(loop, duplex, options);
}

class DuplexBufferEvent extends BufferEvent {
  readonly #duplex: Duplex;
  readonly #pullLater = (): void => {
    this.#pullAsked = false;
    this.#pull();
  };
  #pullAsked = false;

  constructor(loop: EventLoop, duplex: Duplex, options: ConnectionOptions) {
    requireBytes(duplex);
    super(loop, 'duplex', options);
    this.#duplex = duplex;
    duplex.allowHalfOpen = true;
    duplex.on('readable', () => this.#pull());
    duplex.on('end', () => this._peerEnded());
    duplex.on('drain', () => this._markDirty());
    duplex.on('error', (error) => this.#failed(error));
    duplex.on('close', () => this.#closed());
    if (Reflect.get(duplex, 'connecting') === true) {
      this._armDeadline();
      duplex.once('connect', () => this._connected());
    } else this._connected();
    // The end may have been told before we came.
    if (duplex.readableEnded) this._peerEnded();
  }

  override get localAddress(): Address | undefined {
    return addressOf(this.#duplex, 'local');
  }

  override get remoteAddress(): Address | undefined {
    return addressOf(this.#duplex, 'remote');
  }

  override get _saysGoodbye(): boolean {
    return true;
  }

  override get _unsentBytes(): number {
    return this._output.length + (this.#duplex.destroyed ? 0 : this.#duplex.writableLength);
  }

  // --- BufferEvent ---

  protected override _setReading(on: boolean): void {
    if (!on || this.#pullAsked) return;
    this.#pullAsked = true;
    // The stream's code runs in a turn, not in our user's call.
    this.loop.defer(this.#pullLater);
  }

  protected override _writeOut(): void {
    const duplex = this.#duplex;
    while (this._output.length > 0 && !duplex.writableNeedDrain && this._mayWrite) {
      const room = Math.max(1, duplex.writableHighWaterMark - duplex.writableLength);
      const pieces = this._output.peek(Math.min(room, this._writeAllowance));
      for (const piece of pieces) {
        this._output.drain(piece.length);
        duplex.write(piece, this.#written);
      }
    }
    if (this._output.length > 0) this._writeBlocked();
    this._afterWrite();
  }

  protected override _endOutput(): void {
    this.#duplex.end(() => {
      if (this.#duplex.writableFinished) this._ended();
    });
  }

  protected override _release(abort: boolean): void {
    const duplex = this.#duplex;
    const reset: unknown = Reflect.get(duplex, 'resetAndDestroy');
    if (abort && typeof reset === 'function') Reflect.apply(reset, duplex, []);
    else duplex.destroy(this.closed?.error);
    this._released();
  }

  // --- Private ---

  readonly #written = (): void => {
    this._checkFlushed();
  };

  #pull(): void {
    const duplex = this.#duplex;
    while (this._mayRead) {
      // Asks the stream for more, or lets it tell its end; it takes nothing out.
      if (duplex.readableLength === 0) duplex.read(0);
      if (duplex.readableLength === 0) return;
      // Asked for more than its high watermark, a stream would raise that.
      const free = Math.min(this.limits.readHigh - this._input.length, this._readAllowance);
      const room = Math.min(free, Math.max(1, duplex.readableHighWaterMark));
      const chunk = duplex.read(Math.min(room, duplex.readableLength)) as Buffer | null;
      if (chunk === null) return;
      if (chunk.length < COPIED_BYTES_MAX) this._input.append(chunk);
      else this._input.appendRef(chunk);
    }
  }

  #failed(error: Error): void {
    this._fail(errorOfStream(error, Reflect.get(error, 'syscall') === 'write' ? 'write' : 'read'));
  }

  #closed(): void {
    if (this.closed !== undefined) return;
    if (!this.peerEnded) this._fail(streamCutError());
    else if (!this.#duplex.writableFinished) this._fail(errorOfStream('it closed before all was written', 'write'));
  }
}

function requireBytes(duplex: Duplex): void {
  if (
    typeof duplex !== 'object' ||
    duplex === null ||
    typeof duplex.read !== 'function' ||
    typeof duplex.write !== 'function'
  ) {
    misuse('fromDuplex', `a node:stream Duplex is needed, not ${nameOf(duplex)}`);
  }
  const wrong = duplex.destroyed
    ? 'is destroyed'
    : duplex.readableObjectMode || duplex.writableObjectMode
      ? 'carries objects, not bytes'
      : duplex.readableEncoding === null
        ? undefined
        : `decodes its bytes as ${duplex.readableEncoding}`;
  if (wrong !== undefined) misuse('fromDuplex', `the stream ${wrong}`);
}

/** What a `net.Socket` knows of its ends. */
function addressOf(duplex: Duplex, end: 'local' | 'remote'): Address | undefined {
  const address: unknown = Reflect.get(duplex, `${end}Address`);
  const port: unknown = Reflect.get(duplex, `${end}Port`);
  if (typeof address !== 'string' || typeof port !== 'number') return undefined;
  return { family: address.includes(':') ? 'IPv6' : 'IPv4', address, port };
}
