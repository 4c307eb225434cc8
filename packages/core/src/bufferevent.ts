import { ChannelErrorStack, type Direction, type EndKind, SluiceError } from '@sluice/errors';
import { EventEmitter } from 'eventemitter3';
import type { Address } from '@sluice/native';
import type { Observable } from 'rxjs';
import {
  capError,
  endedError,
  failOptionsOf,
  handlerError,
  type TimeoutKind,
  timeoutError,
  writeAfterEndError,
} from './bufferevent-errors.ts';
import type { BufferEventEvents, Handlers } from './bufferevent-events.ts';
import { type CloseReport, closeReport } from './close-report.ts';
import { Deadlines } from './deadlines.ts';
import { type BufferReader, type BufferWriter, type Data, EvBuffer, type EvBufferOwner } from './evbuffer.ts';
import type { EventLoop, LoopMember } from './event-loop.ts';
import { type ConnectionOptions, type Limits, limitsFrom, type Timeouts, type Watermarks } from './limits.ts';
import { closedOf, failedOf } from './lifecycle.ts';
import type { Slab } from './slab.ts';
import { Suspend } from './suspend.ts';

export type { BufferEventEvents, Handlers } from './bufferevent-events.ts';

const State = {
  connected: 1,
  readEnabled: 2,
  writeEnabled: 4,
  /** The peer's direction ended. */
  peerEnded: 8,
  /** `end` was called: output is flushed, then our direction ends. */
  ending: 16,
  /** The transport was asked to end our direction. */
  endStarted: 32,
  /** Our direction ended. */
  ended: 64,
  /** `close` was called: what still comes in is dropped. */
  discarding: 128,
  /** The end is decided; the transport is being let go. */
  releasing: 256,
  closed: 512,
  dirty: 1024,
  active: 2048,
  /** The transport was told to read. */
  reading: 4096,
  halfOpen: 8192,
  pauseReadWhenFull: 16384,
} as const;

const Pending = { connected: 1, data: 2, drained: 4, end: 8, timeoutRead: 16, timeoutWrite: 32, closed: 64 } as const;

/**
 * A connection with a buffer in each direction: what libevent calls a bufferevent. Transports (socket, pair, TLS, a
 * QUIC stream) extend it with the few operations at its end; everything a user meets is here and the same for all.
 *
 * `input` holds what arrived and was not consumed, `output` what was written and is not yet accepted below. Callbacks
 * run only in the loop's turns. Every end, whatever its cause, is one `closed` with a `CloseReport`.
 */
export abstract class BufferEvent extends EventEmitter<BufferEventEvents> implements LoopMember, EvBufferOwner {
  readonly loop: EventLoop;
  /** Unique within the process's copy of this package; for logs. */
  readonly id: number = nextId++;
  /** 'tcp', 'unix', 'pair', 'tls', ... */
  readonly transport: string;
  /** The user's own. */
  userData: unknown = undefined;
  protected readonly _input: EvBuffer;
  protected readonly _output: EvBuffer;
  #limits: Limits;
  #state: number = State.readEnabled | State.writeEnabled;
  #pending = 0;
  #suspended = 0;
  #writeSuspended = 0;
  #handlers: Handlers = noHandlers;
  #bytesIn = 0;
  #bytesOut = 0;
  #report: CloseReport | undefined;
  /** A write failed, and reading goes on to its end before that is told. */
  #writeError: SluiceError | undefined;
  #channel: ChannelErrorStack | undefined;
  #closedWaiters: ((report: CloseReport) => void)[] | undefined;
  #flushWaiters: { resolve: () => void; reject: (error: SluiceError) => void }[] | undefined;
  readonly #deadlines: Deadlines;
  readonly #openedAt: number;

  protected constructor(loop: EventLoop, transport: string, options: ConnectionOptions = {}) {
    super();
    this.loop = loop;
    this.transport = transport;
    this._input = new EvBuffer(this);
    this._output = new EvBuffer(this);
    this.#limits = limitsFrom(options);
    if (options.halfOpen === true) this.#state |= State.halfOpen;
    if (options.pauseReadWhenFull === true) this.#state |= State.pauseReadWhenFull;
    this.#openedAt = loop.now();
    this.#deadlines = new Deadlines(loop, this.#openedAt, () => this.#deadlineReached());
  }

  /** What arrived and is not consumed yet. Still readable after `closed`. */
  get input(): BufferReader {
    return this._input;
  }

  /** What was written and is not accepted below yet. */
  get output(): BufferWriter {
    return this._output;
  }

  /** Where small writes are made, so that they cost no memory of their own. */
  get scratch(): Slab {
    return this.loop.scratch;
  }

  get limits(): Limits {
    return this.#limits;
  }

  /** Bytes that arrived from below and bytes that were accepted below; of this layer. */
  get bytesIn(): number {
    return this.#bytesIn;
  }

  get bytesOut(): number {
    return this.#bytesOut;
  }

  get connected(): boolean {
    return (this.#state & (State.connected | State.releasing)) === State.connected;
  }

  /** Whether `write` would be taken: not ended, not closed. It may still meet the cap. */
  get writable(): boolean {
    return (this.#state & (State.ending | State.releasing)) === 0;
  }

  /** Whether the peer ended its direction. */
  get peerEnded(): boolean {
    return (this.#state & State.peerEnded) !== 0;
  }

  /** The report, once the end is decided; `closed` delivers the same. */
  get closed(): CloseReport | undefined {
    return this.#report;
  }

  /** Bits of `Suspend` for which reading stands still. */
  get suspended(): number {
    return this.#suspended;
  }

  /** This connection's errors. */
  get channel(): ChannelErrorStack {
    this.#channel ??= new ChannelErrorStack();
    return this.#channel;
  }

  /** The report when the connection is gone; also to those who ask late. */
  get closed$(): Observable<CloseReport> {
    return closedOf(this, () => (this.#state & State.closed) !== 0);
  }

  /** The error, if the connection ends by one; completes with the connection. */
  get failed$(): Observable<SluiceError> {
    return failedOf(this.closed$);
  }

  /** The layer below, if there is one. */
  get underlying(): BufferEvent | undefined {
    return undefined;
  }

  get localAddress(): Address | undefined {
    return this.underlying?.localAddress;
  }

  get remoteAddress(): Address | undefined {
    return this.underlying?.remoteAddress;
  }

  setHandlers(handlers: Handlers): void {
    this.#handlers = handlers;
  }

  setWatermarks(watermarks: Watermarks): void {
    this.#limits = limitsFrom({ watermarks }, this.#limits);
    if (this._input.length < this.#limits.readHigh) this.unsuspendRead(Suspend.watermark);
    else this.suspendRead(Suspend.watermark);
    if (this._input.length >= this.#limits.readLow && this._input.length > 0) this.#pend(Pending.data);
  }

  setTimeouts(timeouts: Timeouts): void {
    this.#limits = limitsFrom({ timeouts }, this.#limits);
    this.#armDeadline();
  }

  /**
   * Takes the bytes for sending. Answers whether output is below its high watermark; after false, wait for `drained`.
   * A string is sent as UTF-8, an EvBuffer is emptied without copying.
   * @throws LimitError past the hard cap, and takes nothing; the channel's error once it failed; ApiMisuse after `end`
   */
  write(data: Data | EvBuffer): boolean {
    if (data instanceof EvBuffer) this._output.appendFrom(data);
    else this._output.append(data);
    return this._output.length < this.#limits.writeHigh;
  }

  /** Takes up to `n` bytes out of `input` (all without `n`), as a copy of its own; empty when there are none. */
  read(n?: number): Buffer {
    return this._input.read(n);
  }

  enable(direction: Direction): void {
    if (direction !== 'write' && (this.#state & State.readEnabled) === 0) {
      this.#state |= State.readEnabled;
      this.#deadlines.touchRead(this.loop.now());
      if (this._input.length >= this.#limits.readLow && this._input.length > 0) this.#pend(Pending.data);
      if (this.#pending !== 0) this.#activate();
      this.#updateReading();
    }
    if (direction !== 'read' && (this.#state & State.writeEnabled) === 0) {
      this.#state |= State.writeEnabled;
      this.#deadlines.touchWrite(this.loop.now());
      this._markDirty();
    }
  }

  /** A pending callback of the direction is not delivered any more. */
  disable(direction: Direction): void {
    if (direction !== 'write') {
      this.#state &= ~State.readEnabled;
      this.#updateReading();
    }
    if (direction !== 'read') this.#state &= ~State.writeEnabled;
  }

  /** `disable('read')`. */
  pause(): void {
    this.disable('read');
  }

  /** `enable('read')`. */
  resume(): void {
    this.enable('read');
  }

  suspendRead(reason: number): void {
    this.#suspended |= reason;
    this.#updateReading();
  }

  unsuspendRead(reason: number): void {
    if ((this.#suspended & reason) === 0) return;
    this.#suspended &= ~reason;
    this.#updateReading();
  }

  suspendWrite(reason: number): void {
    this.#writeSuspended |= reason;
  }

  unsuspendWrite(reason: number): void {
    if ((this.#writeSuspended & reason) === 0) return;
    this.#writeSuspended &= ~reason;
    this._markDirty();
  }

  /** Nothing more will be written: after the output our direction ends (FIN, close_notify). Input goes on. Idempotent. */
  end(): void {
    if ((this.#state & (State.ending | State.releasing)) !== 0) return;
    this.#state |= State.ending;
    this._markDirty();
  }

  /** `end`, then waits for the peer's end for `closeMs` at most, dropping what it still sends. Never rejects. */
  close(): Promise<CloseReport> {
    this.end();
    if ((this.#state & (State.discarding | State.releasing)) === 0) {
      this.#state = (this.#state | State.discarding | State.readEnabled) & ~State.halfOpen;
      this.#pending &= ~(Pending.data | Pending.drained);
      this._input.clear();
      this.#updateReading();
      this.#finishIfEnded();
    }
    return new Promise((resolve) => {
      if ((this.#state & State.closed) !== 0) return resolve(this.#report as CloseReport);
      this.#closedWaiters ??= [];
      this.#closedWaiters.push(resolve);
    });
  }

  /** Lets go at once: what is not sent is dropped. With an error the end is the error's (`failed` when it names none). */
  destroy(error?: SluiceError): void {
    if ((this.#state & State.releasing) !== 0) return;
    if (error === undefined) this.#finish('aborted', 'both', undefined);
    else this._fail(error);
  }

  /** Resolves when everything written so far has been accepted by the system; rejects when the connection ends first. */
  flush(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#report !== undefined) return reject(endedError(this, this.#channel, 'flush'));
      if (this._unsentBytes === 0) return resolve();
      this.#flushWaiters ??= [];
      this.#flushWaiters.push({ resolve, reject });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  // --- What a transport implements. ---

  /** Begins or stops taking bytes from below. Called on changes only. */
  protected abstract _setReading(on: boolean): void;

  /** Moves output down as far as it goes. Called from the end of a turn, when there is output and it may be written. */
  protected abstract _writeOut(): void;

  /** Ends our direction; `output` is empty. Answers by `_ended`, at once or later. */
  protected abstract _endOutput(): void;

  /** Lets go of what is below. Answers by `_released`, at once or later. `abort`: bytes were dropped, and the peer should not take the end for an orderly one. */
  protected abstract _release(abort: boolean): void;

  /** Bytes that `flush` waits for: a layer adds what it and those below still hold. */
  get _unsentBytes(): number {
    return this._output.length;
  }

  // --- What a transport calls. Bytes that arrive are simply appended to `_input`. ---

  _connected(): void {
    if ((this.#state & (State.connected | State.releasing)) !== 0) return;
    this.#state |= State.connected;
    this.#deadlines.touchRead(this.loop.now());
    this.#deadlines.touchWrite(this.loop.now());
    this.#pend(Pending.connected);
    this.#updateReading();
    this.#armDeadline();
    if (this._output.length > 0 || (this.#state & State.ending) !== 0) this._markDirty();
  }

  /** The peer's direction ended in order. After a failed write this is only what is left of the failure, and that is told. */
  _peerEnded(): void {
    if ((this.#state & (State.peerEnded | State.releasing)) !== 0) return;
    if (this.#writeError !== undefined) return this._fail(this.#writeError);
    this.#state |= State.peerEnded;
    this.#updateReading();
    if (this._input.length > 0 && this._input.length < this.#limits.readLow) this.#pend(Pending.data);
    this.#pend(Pending.end);
    this.#finishIfEnded();
  }

  /** Our direction ended: the peer will see it. */
  _ended(): void {
    if ((this.#state & State.releasing) !== 0) return;
    this.#state |= State.ended;
    if ((this.#state & State.discarding) !== 0) this.#deadlines.closing(this.loop.now());
    this.#finishIfEnded();
    this.#armDeadline();
  }

  /** Reading failed. A write that failed before is the first that the system told, and so the cause. */
  _readFailed(error: SluiceError): void {
    this._fail(this.#writeError ?? error);
  }

  /**
   * Writing failed. What the peer sent before may still wait to be read: data, an alert, the end. If reading goes on, it
   * is read first, for `closeMs` at most, and then this is told; else at once.
   */
  _writeFailed(error: SluiceError): void {
    if ((this.#state & State.reading) === 0 || this.#writeError !== undefined)
      return this._fail(this.#writeError ?? error);
    this.#writeError = error;
    this.#state &= ~State.writeEnabled;
    this.#deadlines.closing(this.loop.now());
    this.#armDeadline();
  }

  /** The connection cannot go on. The first failure counts; later ones are counted by the channel's stack. */
  _fail(error: SluiceError): void {
    const first = this.channel.fail(error.entries, failOptionsOf(error));
    if (!first || (this.#state & State.releasing) !== 0) return;
    this.#finish(error.end ?? 'failed', error.direction ?? 'both', error);
  }

  /** Everything below is gone. */
  _released(): void {
    if ((this.#state & State.closed) === 0) this.#pend(Pending.closed);
  }

  /** Output could not be moved completely: watch its progress. */
  _writeBlocked(): void {
    this.#armDeadline();
  }

  /** Asks for `_writeOut` at the end of this turn, or of one soon. */
  _markDirty(): void {
    if ((this.#state & (State.dirty | State.releasing)) !== 0) return;
    this.#state |= State.dirty;
    this.loop.markDirty(this);
  }

  /** After output was moved: ends our direction when that was asked and everything is out, and tells who waits for it. */
  _afterWrite(): void {
    if (this._output.length > 0) return;
    if ((this.#state & (State.ending | State.endStarted | State.releasing)) === State.ending) {
      this.#state |= State.endStarted;
      this._endOutput();
    }
    this._checkFlushed();
  }

  /** Resolves `flush` when nothing is left here or below. */
  _checkFlushed(): void {
    if (this.#flushWaiters === undefined || this._unsentBytes > 0) return;
    const waiters = this.#flushWaiters;
    this.#flushWaiters = undefined;
    for (const { resolve } of waiters) resolve();
  }

  /** A deadline that only this transport knows (a handshake's); `Infinity` for none. */
  protected _ownDeadline(): number {
    return Number.POSITIVE_INFINITY;
  }

  /** That deadline has come. */
  protected _ownDeadlineReached(): void {}

  protected _armDeadline(): void {
    this.#armDeadline();
  }

  /** Whether reading is wanted and nothing stands against it. */
  protected get _mayRead(): boolean {
    return (this.#state & State.reading) !== 0;
  }

  // --- EvBufferOwner ---

  admit(buffer: EvBuffer, bytes: number): void {
    if (buffer !== this._output) return;
    if ((this.#state & State.releasing) !== 0) throw endedError(this, this.#channel, 'write');
    if ((this.#state & State.ending) !== 0) throw writeAfterEndError(this);
    if (buffer.length + bytes > this.#limits.writeCap) throw capError(buffer.length, bytes, this.#limits.writeCap);
  }

  bufferChanged(buffer: EvBuffer, added: number, removed: number): void {
    if (buffer === this._input) this.#inputChanged(added, removed);
    else this.#outputChanged(added, removed);
  }

  // --- LoopMember ---

  _flush(): void {
    this.#state &= ~State.dirty;
    if (
      (this.#state & (State.connected | State.writeEnabled | State.releasing)) !==
      (State.connected | State.writeEnabled)
    )
      return;
    if (this.#writeSuspended !== 0) return;
    if (this._output.length > 0) this._writeOut();
    else this._afterWrite();
  }

  _deliver(): void {
    this.#state &= ~State.active;
    const pending = this.#pending;
    this.#pending = 0;
    try {
      if ((pending & Pending.connected) !== 0 && this.#alive()) {
        this.#handlers.connected?.(this);
        this.emit('connected');
      }
      if ((pending & Pending.data) !== 0) this.#deliverData();
      if ((pending & Pending.drained) !== 0 && this.#alive()) {
        this.#handlers.drained?.(this);
        this.emit('drained');
      }
      if ((pending & Pending.timeoutRead) !== 0 && this.#alive()) this.#deliverTimeout('read');
      if ((pending & Pending.timeoutWrite) !== 0 && this.#alive()) this.#deliverTimeout('write');
      if ((pending & Pending.end) !== 0 && !this.#deliverEnd()) this.#pending |= Pending.end;
    } catch (error) {
      this.#handlerThrew(error);
    }
    if ((pending & Pending.closed) !== 0) {
      if ((this.#pending & Pending.end) !== 0) this.#pending |= Pending.closed;
      else this.#deliverClosed();
    }
  }

  // --- Private ---

  /** Not destroyed by a callback that ran before in the same delivery. A decided end lets what came before it through. */
  #alive(): boolean {
    return this.#report === undefined || (this.#report.end !== 'aborted' && (this.#state & State.closed) === 0);
  }

  #deliverData(): void {
    if ((this.#state & (State.readEnabled | State.discarding)) !== State.readEnabled || !this.#alive()) return;
    if (this._input.length === 0) return;
    if (this._input.length < this.#limits.readLow && (this.#state & (State.peerEnded | State.releasing)) === 0) return;
    this.#handlers.data?.(this);
    this.emit('data');
  }

  /** Answers false when the end has to wait: there is input that a paused user has not seen. */
  #deliverEnd(): boolean {
    if (!this.#alive()) return true;
    if ((this.#state & State.readEnabled) === 0 && this._input.length > 0) return false;
    this.#handlers.end?.(this);
    this.emit('end');
    if ((this.#state & State.halfOpen) === 0) this.end();
    return true;
  }

  #deliverTimeout(direction: 'read' | 'write'): void {
    if (this.#handlers.timeout === undefined && this.listenerCount('timeout') === 0) {
      this._fail(timeoutError(this, direction, direction, this.#limits[`${direction}Ms`]));
      return;
    }
    this.#handlers.timeout?.(this, direction);
    this.emit('timeout', direction);
  }

  #deliverClosed(): void {
    this.#state |= State.closed;
    const report = this.#report as CloseReport;
    const waiters = this.#closedWaiters;
    this.#closedWaiters = undefined;
    try {
      this.#handlers.closed?.(this, report);
      this.emit('closed', report);
    } catch (error) {
      this.loop.uncaught(error);
    }
    if (waiters !== undefined) for (const resolve of waiters) resolve(report);
    this.#channel?.close();
    this.removeAllListeners();
    this.#handlers = noHandlers;
  }

  /** A limit that the peer broke in a handler (a line too long) ends its connection; a fault of the program's goes up as well. */
  #handlerThrew(error: unknown): void {
    if (error instanceof SluiceError && error.blame === 'remote') return this._fail(error);
    this.loop.uncaught(error);
    this._fail(handlerError(this, error));
  }

  #inputChanged(added: number, removed: number): void {
    if (added > 0) {
      this.#bytesIn += added;
      this.#deadlines.touchRead(this.loop.now());
      if ((this.#state & State.discarding) !== 0) {
        this._input.clear();
        return;
      }
      if (this._input.length >= this.#limits.readHigh) this.suspendRead(Suspend.watermark);
      if (this._input.length >= this.#limits.readLow) this.#pend(Pending.data);
    } else if (
      removed > 0 &&
      (this.#suspended & Suspend.watermark) !== 0 &&
      this._input.length < this.#limits.readHigh
    ) {
      this.unsuspendRead(Suspend.watermark);
    }
  }

  #outputChanged(added: number, removed: number): void {
    const length = this._output.length;
    if (added > 0) {
      this._markDirty();
      if ((this.#state & State.pauseReadWhenFull) !== 0 && length >= this.#limits.writeHigh) {
        this.suspendRead(Suspend.output);
      }
    }
    if (removed > 0) {
      this.#bytesOut += removed;
      this.#deadlines.touchWrite(this.loop.now());
      if (length <= this.#limits.writeLow && length + removed > this.#limits.writeLow) {
        this.unsuspendRead(Suspend.output);
        if ((this.#state & (State.ending | State.releasing)) === 0) this.#pend(Pending.drained);
      }
    }
  }

  #pend(bits: number): void {
    this.#pending |= bits;
    this.#activate();
  }

  #activate(): void {
    if ((this.#state & (State.active | State.closed)) !== 0) return;
    this.#state |= State.active;
    this.loop.activate(this);
  }

  #updateReading(): void {
    const wanted =
      this.#suspended === 0 &&
      (this.#state & (State.connected | State.readEnabled | State.peerEnded | State.releasing)) ===
        (State.connected | State.readEnabled);
    if (wanted === ((this.#state & State.reading) !== 0)) return;
    this.#state ^= State.reading;
    if (wanted) {
      this.#deadlines.touchRead(this.loop.now());
      this.#armDeadline();
    }
    this._setReading(wanted);
  }

  /** Both directions ended in order: let go. */
  #finishIfEnded(): void {
    if ((this.#state & (State.peerEnded | State.ended)) === (State.peerEnded | State.ended)) {
      this.#finish('end', 'both', undefined);
    }
  }

  #finish(end: EndKind, direction: Direction, error: SluiceError | undefined): void {
    if ((this.#state & State.releasing) !== 0) return;
    this.#state |= State.releasing;
    this.#deadlines.stop();
    this.#report = closeReport(this, end, direction, error, this.loop.now() - this.#openedAt);
    this.#pending &= ~(Pending.drained | Pending.timeoutRead | Pending.timeoutWrite);
    if (end !== 'end') this.#pending &= ~Pending.end;
    this.#updateReading();
    const unsent = this._unsentBytes > 0;
    this._output.clear();
    const waiters = this.#flushWaiters;
    this.#flushWaiters = undefined;
    if (waiters !== undefined) for (const { reject } of waiters) reject(endedError(this, this.#channel, 'flush'));
    this._release(unsent && end !== 'end');
  }

  #armDeadline(): void {
    if ((this.#state & State.releasing) === 0) this.#deadlines.arm(this.#nextDeadline());
  }

  #nextDeadline(): number {
    const connected = (this.#state & State.connected) !== 0;
    return Math.min(
      this._ownDeadline(),
      this.#deadlines.next(this.#limits, connected, (this.#state & State.reading) !== 0, this.#writePending),
    );
  }

  get #writePending(): boolean {
    return this._output.length > 0 && (this.#state & State.writeEnabled) !== 0;
  }

  #deadlineReached(): void {
    const now = this.loop.now();
    if (now >= this._ownDeadline()) this._ownDeadlineReached();
    else if (now >= this.#nextDeadline()) {
      const connected = (this.#state & State.connected) !== 0;
      this.#timedOut(this.#deadlines.reached(now, this.#limits, connected, this.#writePending));
    }
    this.#armDeadline();
  }

  #timedOut(kind: TimeoutKind): void {
    if (kind === 'read' || kind === 'write') {
      this.disable(kind);
      this.#pend(kind === 'read' ? Pending.timeoutRead : Pending.timeoutWrite);
    } else if (kind === 'close' && this.#writeError !== undefined) this._fail(this.#writeError);
    else this._fail(timeoutError(this, kind, kind === 'close' ? 'read' : 'both', this.#limits[`${kind}Ms`]));
  }
}

const noHandlers: Handlers = {};
let nextId = 1;
