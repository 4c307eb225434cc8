import { errorFromErrno, systemErrorName } from '@sluice/errors';
import type { Address } from '@sluice/native';
import { misuse, nameOf, requirePositive } from './arguments.ts';
import { BufferEvent } from './bufferevent.ts';
import type { EventLoop } from './event-loop.ts';
import { type ConnectionOptions, limitsFrom } from './limits.ts';
import { type HandleOwner, Reactor, type Writer } from './reactor.ts';

export interface SocketOptions extends ConnectionOptions {
  /** Send small writes at once. Default true: the loop gathers a turn's writes itself. TCP only. */
  noDelay?: boolean;
  /**
   * Ask a silent peer whether it is there, after as long without a byte from it (SO_KEEPALIVE). Default: no, as `idleMs` ends
   * connections that are silent; for those that may be. From one second. TCP only.
   */
  keepAliveMs?: number;
  /** SO_SNDBUF and SO_RCVBUF; the kernel's default when absent. */
  sendBufferBytes?: number;
  receiveBufferBytes?: number;
}

/** Bytes handed to the system at a time while the socket is full. They stay counted as output until they are out. */
const QUEUED_BYTES_MAX = 128 * 1024;

/** The longest that Linux takes, in its own unit of seconds. */
const KEEP_ALIVE_MS_MAX = 32_767_000;

/** The native half counts in 32 bits. */
const READ_UP_TO_MAX = 0x7fffffff;

/** @throws ApiMisuse that names the option that makes no sense */
export function checkSocketOptions(operation: string, options: SocketOptions): void {
  const { noDelay, keepAliveMs, sendBufferBytes, receiveBufferBytes } = options;
  limitsFrom(options);
  if (noDelay !== undefined && typeof noDelay !== 'boolean') {
    misuse(operation, `noDelay must be true or false, not ${nameOf(noDelay)}`);
  }
  if (keepAliveMs !== undefined && !(keepAliveMs >= 1000 && keepAliveMs <= KEEP_ALIVE_MS_MAX)) {
    misuse(operation, `keepAliveMs must be a number from 1000 to ${KEEP_ALIVE_MS_MAX}, not ${nameOf(keepAliveMs)}`);
  }
  requirePositive(operation, 'sendBufferBytes', sendBufferBytes);
  requirePositive(operation, 'receiveBufferBytes', receiveBufferBytes);
}

/** A TCP or Unix stream socket. */
export class SocketBufferEvent extends BufferEvent implements HandleOwner, Writer {
  readonly #reactor: Reactor;
  #handle = -1;
  /** Bytes at the front of output that the system holds on to. */
  #queuedBytes = 0;
  #queuedInFlush = 0;
  #local: Address | undefined;
  #remote: Address | undefined;
  readonly #options: SocketOptions;

  constructor(loop: EventLoop, transport: 'tcp' | 'unix', options: SocketOptions = {}) {
    super(loop, transport, options);
    this.#reactor = Reactor.of(loop);
    this.#options = options;
  }

  /** Takes over a connected handle of the native loop. */
  static accepted(
    loop: EventLoop,
    transport: 'tcp' | 'unix',
    handle: number,
    options: SocketOptions,
  ): SocketBufferEvent {
    const socket = new SocketBufferEvent(loop, transport, options);
    socket._attach(handle);
    socket._connected();
    return socket;
  }

  /** Uses a native handle, connected or connecting. */
  _attach(handle: number): void {
    this.#handle = handle;
    this.#reactor.attach(handle, this);
    const { noDelay, keepAliveMs, sendBufferBytes, receiveBufferBytes } = this.#options;
    const native = this.#reactor.native;
    if (this.transport === 'tcp' && noDelay !== false) native.setNoDelay(handle, true);
    if (this.transport === 'tcp' && keepAliveMs !== undefined) {
      native.setKeepAlive(handle, true, Math.round(keepAliveMs / 1000));
    }
    if (sendBufferBytes !== undefined) native.setSendBufferSize(handle, sendBufferBytes);
    if (receiveBufferBytes !== undefined) native.setReceiveBufferSize(handle, receiveBufferBytes);
  }

  override get fd(): number | undefined {
    const fd = this.#handle < 0 ? -1 : this.#reactor.native.fd(this.#handle);
    return fd < 0 ? undefined : fd;
  }

  override get localAddress(): Address | undefined {
    this.#local ??= this.#address('localAddress');
    return this.#local;
  }

  override get remoteAddress(): Address | undefined {
    this.#remote ??= this.#address('remoteAddress');
    return this.#remote;
  }

  // --- BufferEvent ---

  protected override _setReading(on: boolean): void {
    if (this.#handle < 0) return;
    if (on) this.#startReading();
    else this.#reactor.native.readStop(this.#handle);
  }

  override _limiterChanged(): void {
    if (this.#handle >= 0 && this._mayRead) this.#startReading();
  }

  protected override _writeOut(): void {
    if (this.#queuedBytes > 0 || this.#queuedInFlush > 0) return;
    this.#queuedInFlush = this.#reactor.queueWrite(this.#handle, this._output, this, this._writeAllowance);
  }

  protected override _endOutput(): void {
    const status = this.#reactor.native.shutdown(this.#handle);
    if (status < 0) this.#shutdownErrno(status);
  }

  protected override _release(abort: boolean): void {
    if (this.#handle < 0) return this._released();
    // The addresses are asked for in reports and logs, and gone with the handle.
    void this.remoteAddress;
    this.#reactor.native.close(this.#handle, abort);
  }

  // --- Writer ---

  _flushed(result: number): void {
    const offered = this.#queuedInFlush;
    this.#queuedInFlush = 0;
    if (this.closed !== undefined) return;
    if (result < 0) return this.#writeErrno(result);
    if (result > 0) this._output.drain(result);
    if (result < offered) this.#queueRest();
    else if (this._output.length > 0) this._markDirty();
    else this._afterWrite();
  }

  // --- HandleOwner ---

  _handleRead(offset: number, length: number): void {
    if (this.closed !== undefined) return;
    this._input.appendSlab(this.loop.slab, offset, length);
    if (this._limiter !== undefined && this._mayRead) this.#startReading();
  }

  _handleEof(): void {
    this._peerEnded();
  }

  _handleReadError(errno: number): void {
    this._readFailed(errorFromErrno(errno, { operation: 'read', direction: 'read' }));
  }

  _handleConnected(status: number): void {
    if (status < 0) this._connectFailed(status);
    else this._connected();
  }

  /** A connection attempt failed; `connect` may have another address to try. */
  _connectFailed(status: number): void {
    this._fail(errorFromErrno(status, { operation: 'connect' }));
  }

  _handleWritten(status: number): void {
    const bytes = this.#queuedBytes;
    this.#queuedBytes = 0;
    if (this.closed !== undefined) return;
    if (status < 0) return this.#writeErrno(status);
    this._output.drain(bytes);
    if (this._output.length > 0) this._markDirty();
    else this._afterWrite();
  }

  _handleShutdown(status: number): void {
    if (status < 0) this.#shutdownErrno(status);
    else this._ended();
  }

  _handleAccepted(): void {}
  _handleAcceptError(): void {}

  _handleClosed(): void {
    this.#handle = -1;
    this._released();
  }

  _handleKind(): { kind: 'connection'; name: string } {
    return { kind: 'connection', name: `${this.transport} ${this.id}` };
  }

  // --- Private ---

  /** With a limit, the system half reads what it allows and stops by itself; each read is followed by another start. */
  #startReading(): void {
    const { native } = this.#reactor;
    const allowance = this._readAllowance;
    const status =
      allowance === Number.POSITIVE_INFINITY
        ? native.readStart(this.#handle)
        : native.readUpTo(this.#handle, Math.min(Math.max(1, allowance), READ_UP_TO_MAX));
    if (status < 0) this._fail(errorFromErrno(status, { operation: 'read' }));
  }

  /** The socket is full: libuv writes the next bytes when there is room, and tells. */
  #queueRest(): void {
    const bytesMax = Math.min(QUEUED_BYTES_MAX, this._writeAllowance);
    // Held by a limit: it is tried again when that is over.
    if (bytesMax === 0) return;
    this._output.own();
    const buffers: Uint8Array[] = [];
    let bytes = 0;
    for (let chunk = this._output._head; chunk !== undefined && bytes < bytesMax; chunk = chunk.next) {
      const length = Math.min(chunk.end - chunk.start, bytesMax - bytes);
      buffers.push(chunk.bytes.subarray(chunk.start, chunk.start + length));
      bytes += length;
    }
    const status = this.#reactor.native.writeQueued(this.#handle, buffers);
    if (status < 0) return this.#writeErrno(status);
    this.#queuedBytes = bytes;
    this._writeBlocked();
  }

  /** A reset that nobody read is noticed here first: there is no connection any more. */
  #shutdownErrno(errno: number): void {
    if (systemErrorName(errno) !== 'ENOTCONN') return this.#writeErrno(errno);
    const context = { operation: 'shutdown', direction: 'write', end: 'reset', blame: 'remote' } as const;
    this._writeFailed(errorFromErrno(errno, context));
  }

  #writeErrno(errno: number): void {
    this._writeFailed(errorFromErrno(errno, { operation: 'write', direction: 'write' }));
  }

  #address(which: 'localAddress' | 'remoteAddress'): Address | undefined {
    if (this.#handle < 0) return undefined;
    const address = this.#reactor.native[which](this.#handle);
    return typeof address === 'number' ? undefined : address;
  }
}
