import {
  ChannelErrorStack,
  type ChannelErrorStackOptions,
  type Direction,
  type EndKind,
  SluiceError,
} from '@sluice/errors';
import type { Address } from '@sluice/native';
import type { Observable } from 'rxjs';
import { requireSignal } from './arguments.ts';
import {
  destroyedError,
  endedError,
  failOptionsOf,
  type TimeoutKind,
  timeoutError,
  waitersError,
  writeAfterEndError,
} from './bufferevent-errors.ts';
import type { Handlers } from './bufferevent-events.ts';
import { BufferEventDelivery } from './bufferevent-delivery.ts';
import { Pending, State } from './bufferevent-state.ts';
import { type CloseReport, closeReport } from './close-report.ts';
import { tellLimit } from './diagnostics.ts';
import type { EventLoop } from './event-loop.ts';
import { FlushWaiters, flushed } from './flush-waiters.ts';
import { closedOf, failedOf } from './lifecycle.ts';
import type { ConnectionOptions } from './limits.ts';
import {
  dropLimiter,
  type RateLimitOptions,
  type RateLimitStatus,
  rateLimitStatus,
  setRateLimit,
  setTurnLimit,
  type TurnLimitOptions,
} from './rate-limit.ts';
import { type BufferEventStats, bufferEventStats } from './stats.ts';
import { whenClosed } from './when-closed.ts';

export type { BufferEventEvents, Handlers } from './bufferevent-events.ts';

/**
 * A connection with a buffer in each direction: what libevent calls a bufferevent. Transports (socket, pair, TLS, a
 * QUIC stream) extend it with the few operations at its end; everything a user meets is here and the same for all.
 *
 * `input` holds what arrived and was not consumed, `output` what was written and is not yet accepted below. Callbacks
 * run only in the loop's turns. Every end, whatever its cause, is one `closed` with a `CloseReport`.
 */
export abstract class BufferEvent extends BufferEventDelivery {
  /** Unique within the process's copy of this package; for logs. */
  readonly id: number = nextId++;
  /** 'tcp', 'unix', 'pair', 'tls', ... */
  readonly transport: string;
  /** The user's own. */
  userData: unknown = undefined;
  readonly #openedAt: number;
  #report: CloseReport | undefined;
  /** A write failed, and reading goes on to its end before that is told. */
  #writeError: SluiceError | undefined;
  #channel: ChannelErrorStack | undefined;
  #closedWaiters: ((report: CloseReport) => void)[] | undefined;
  #flushWaiters: FlushWaiters | undefined;

  protected constructor(loop: EventLoop, transport: string, options: ConnectionOptions = {}) {
    super(loop, options);
    this.transport = transport;
    this.#openedAt = loop.now();
  }

  get connected(): boolean {
    return (this._state & (State.connected | State.releasing)) === State.connected;
  }

  /** Whether `write` would be taken: not ended, not closed. It may still meet the cap. */
  get writable(): boolean {
    return (this._state & (State.ending | State.releasing)) === 0;
  }

  /** Whether the peer ended its direction. */
  get peerEnded(): boolean {
    return (this._state & State.peerEnded) !== 0;
  }

  /** `ConnectionOptions.halfOpen`; may be changed until `end` was delivered. */
  get halfOpen(): boolean {
    return (this._state & State.halfOpen) !== 0;
  }

  set halfOpen(on: boolean) {
    if (on) this._state |= State.halfOpen;
    else this._state &= ~State.halfOpen;
  }

  /** The report, once the end is decided; `closed` delivers the same. */
  override get closed(): CloseReport | undefined {
    return this.#report;
  }

  /** This connection's errors. What it tells it tells in the loop's turns, after what came before. */
  get channel(): ChannelErrorStack {
    if (this.#channel === undefined) {
      const deliver = (task: () => void): void => this.loop.defer(task);
      this.#channel = new ChannelErrorStack({ deliver, ...this._channelOptions() });
      if ((this._state & State.closed) !== 0) this.#closeChannel();
    }
    return this.#channel;
  }

  /** The report when the connection is gone; also to those who ask late. */
  get closed$(): Observable<CloseReport> {
    return closedOf(this, () => (this._state & State.closed) !== 0);
  }

  /** The error, if the connection ends by one, to each subscriber its own; completes with the connection. */
  get failed$(): Observable<SluiceError> {
    return failedOf(this);
  }

  /** The layer below, if there is one. */
  get underlying(): BufferEvent | undefined {
    return undefined;
  }

  /**
   * The descriptor under it all, for what the system can be asked of a socket, or for a child process's `stdio`. It stays the
   * connection's. Undefined where there is none, or none any more.
   */
  get fd(): number | undefined {
    return this.underlying?.fd;
  }

  get localAddress(): Address | undefined {
    return this.underlying?.localAddress;
  }

  get remoteAddress(): Address | undefined {
    return this.underlying?.remoteAddress;
  }

  /**
   * Limits bytes per second in each direction, counted at the lowest layer (under TLS: on the wire); null for no limit.
   * What a bucket holds stays when the limit is changed.
   * @throws ApiMisuse that names the number that makes no sense
   */
  setRateLimit(options: RateLimitOptions | null): void {
    setRateLimit(this, options);
  }

  /**
   * Limits bytes per turn of the loop, at the lowest layer; null for no limit.
   * @throws ApiMisuse that names the number that makes no sense
   */
  setTurnLimit(options: TurnLimitOptions | null): void {
    setTurnLimit(this, options);
  }

  /** What those limits, and its group's, leave it; `undefined` without any. */
  get rateLimit(): RateLimitStatus | undefined {
    return rateLimitStatus(this);
  }

  /** A snapshot of it, as plain values. */
  get stats(): BufferEventStats {
    return bufferEventStats(this, this.loop.now() - this.#openedAt);
  }

  /** Nothing more will be written: after the output our direction ends (FIN, close_notify). Input goes on. Idempotent. */
  override end(): void {
    if ((this._state & (State.ending | State.releasing)) !== 0) return;
    this._state |= State.ending;
    this._markDirty();
  }

  /**
   * `end`, then waits for the peer's end for `closeMs` at most, dropping what it still sends. Once the signal is aborted it
   * waits no longer: the connection is destroyed. Never rejects, but for a signal that is none.
   */
  async close(options: { signal?: AbortSignal } = {}): Promise<CloseReport> {
    const { signal } = options;
    requireSignal('close', signal);
    this.end();
    if ((this._state & (State.discarding | State.releasing)) === 0) {
      this._state = (this._state | State.discarding | State.readEnabled) & ~State.halfOpen;
      this._unpend(Pending.data | Pending.drained);
      this._input.clear();
      this._updateReading();
      if ((this._state & State.ended) !== 0) this.#limitPeerEnd();
      this.#finishIfEnded();
    }
    if (signal?.aborted === true || this.loop.closed) this.destroy();
    if ((this._state & State.closed) !== 0 || this.loop.closed) return this.#report as CloseReport;
    return whenClosed(this, signal, (done) => {
      this.#closedWaiters ??= [];
      this.#closedWaiters.push(done);
    });
  }

  /**
   * Lets go at once: what is not sent is dropped. With a `SluiceError` the end is the error's (`failed` when it names
   * none); anything else that was thrown is the cause of one, and the end `aborted`.
   */
  destroy(error?: unknown): void {
    if ((this._state & State.releasing) !== 0) return;
    this._state |= State.destroyed;
    if (error === undefined || error === null) this.#finish('aborted', 'both', undefined);
    else this._fail(error instanceof SluiceError ? error : destroyedError(this, error));
  }

  /**
   * Resolves when everything written so far has been accepted by the system; rejects when the connection ends first, when
   * the signal is aborted (the connection goes on then), and with a LimitError when `WAITERS_MAX` wait for that already.
   */
  flush(options: { signal?: AbortSignal } = {}): Promise<void> {
    if (this.#flushWaiters?.full === true) return Promise.reject(waitersError(this, 'flush'));
    return flushed(this, options.signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  // --- What a layer above (TLS, a filter) calls on its transport. ---

  /**
   * Whether its end is more than what the system does by itself once it is destroyed: bytes that each end sends, and that
   * the other has to be there for.
   */
  get _saysGoodbye(): boolean {
    return this.underlying !== undefined;
  }

  /** The layer alone gets the callbacks from now on, and it alone decides when our direction ends. */
  _takeOver(handlers: Handlers): void {
    this.setHandlers(handlers);
    this._state |= State.halfOpen;
  }

  /** `destroy` by a layer that dropped bytes: the peer must not take the end for an orderly one. */
  _abort(error?: unknown): void {
    this._state |= State.aborting;
    this.destroy(error);
  }

  /** `flush` without a promise: calls back from the loop, where it happens. Answers how to wait no longer. */
  _onFlushed(resolve: () => void, reject: (error: SluiceError) => void): () => void {
    if (this.#report === undefined && this._unsentBytes > 0) {
      this.#flushWaiters ??= new FlushWaiters();
      return this.#flushWaiters.add(resolve, reject);
    }
    if (this.#report === undefined) resolve();
    else reject(endedError(this, 'flush'));
    return nothing;
  }

  // --- What a transport implements. ---

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

  /** Whether there is output that the peer is to blame for; `timeouts.writeMs` runs while there is. */
  protected get _outputWaits(): boolean {
    return this._output.length > 0;
  }

  /** Limits of rate were set, changed or taken away: a transport that told others of them tells them anew. */
  _limiterChanged(): void {}

  /** How the channel of this transport speaks of its errors. */
  protected _channelOptions(): ChannelErrorStackOptions {
    return {};
  }

  /** What the transport has to add to the report. */
  protected _describe(report: CloseReport): CloseReport {
    return report;
  }

  // --- What a transport calls. Bytes that arrive are simply appended to `_input`. ---

  _connected(): void {
    if ((this._state & (State.connected | State.releasing)) !== 0) return;
    this._state |= State.connected;
    this._deadlines.touchRead(this.loop.now());
    this._deadlines.touchWrite(this.loop.now());
    this._pend(Pending.connected);
    this._updateReading();
    this._armDeadline();
    if (this._output.length > 0 || (this._state & State.ending) !== 0) this._markDirty();
  }

  /** The peer's direction ended in order. After a failed write this is only what is left of the failure, and that is told. */
  _peerEnded(): void {
    if ((this._state & (State.peerEnded | State.releasing)) !== 0) return;
    if (this.#writeError !== undefined) return this._fail(this.#writeError);
    this._state |= State.peerEnded;
    this._updateReading();
    if (this._input.length > 0 && this._input.length < this.limits.readLow) this._pend(Pending.data);
    this._pend(Pending.end);
    this.#finishIfEnded();
  }

  /** Our direction ended: the peer will see it. */
  _ended(): void {
    if ((this._state & State.releasing) !== 0) return;
    this._state |= State.ended;
    if ((this._state & State.discarding) !== 0) this.#limitPeerEnd();
    this.#finishIfEnded();
    this._armDeadline();
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
    if ((this._state & State.reading) === 0 || this.#writeError !== undefined)
      return this._fail(this.#writeError ?? error);
    this.#writeError = error;
    this._state &= ~State.writeEnabled;
    this._deadlines.closing(this.loop.now());
    this._armDeadline();
  }

  /** The connection cannot go on. The first failure counts; later ones are counted by the channel's stack. */
  override _fail(error: SluiceError): void {
    // What ended otherwise does not fail any more.
    if (this.#report !== undefined && this.#report.error === undefined) return;
    const first = this.channel.fail(error.entries, failOptionsOf(error));
    if (!first || (this._state & State.releasing) !== 0) return;
    tellLimit(this, error);
    this.#finish(error.end ?? 'failed', error.direction ?? 'both', error);
  }

  /** Everything below is gone. */
  _released(): void {
    if ((this._state & State.closed) === 0) this._pend(Pending.closed);
  }

  /** Output could not be moved completely: watch its progress. */
  _writeBlocked(): void {
    this._armDeadline();
  }

  /** Asks for `_writeOut` at the end of this turn, or of one soon. */
  override _markDirty(): void {
    if ((this._state & (State.dirty | State.releasing)) !== 0) return;
    this._state |= State.dirty;
    this.loop.markDirty(this);
  }

  /** After output was moved: ends our direction when that was asked and everything is out, and tells who waits for it. */
  _afterWrite(): void {
    if (this._output.length > 0) return;
    if ((this._state & (State.ending | State.endStarted | State.releasing)) === State.ending) {
      this._state |= State.endStarted;
      this._endOutput();
    }
    this._checkFlushed();
  }

  /** Resolves `flush` when nothing is left here or below. */
  _checkFlushed(): void {
    if (this.#flushWaiters !== undefined && this._unsentBytes === 0) this.#flushWaiters.resolve();
  }

  /** A deadline that only this transport knows (a handshake's); `Infinity` for none. */
  protected _ownDeadline(): number {
    return Number.POSITIVE_INFINITY;
  }

  /** That deadline has come. */
  protected _ownDeadlineReached(): void {}

  // --- LoopMember ---

  _flush(): void {
    this._state &= ~State.dirty;
    if (!this._mayWrite) return;
    if (this._output.length > 0) this._writeOut();
    else this._afterWrite();
  }

  // --- Private ---

  protected override _toldClosed(report: CloseReport): void {
    const waiters = this.#closedWaiters;
    this.#closedWaiters = undefined;
    if (waiters !== undefined) for (const resolve of waiters) resolve(report);
    this.#closeChannel();
  }

  #closeChannel(): void {
    const { end, direction } = this.#report as CloseReport;
    this.#channel?.close({ end, direction });
  }

  protected override _writeRefusal(): SluiceError {
    if ((this._state & State.releasing) === 0) return writeAfterEndError(this);
    return endedError(this, 'write');
  }

  /** From now on the peer has `closeMs` to end its direction. */
  #limitPeerEnd(): void {
    this._deadlines.closing(this.loop.now());
    this._armDeadline();
  }

  /** Both directions ended in order: let go. */
  #finishIfEnded(): void {
    if ((this._state & (State.peerEnded | State.ended)) === (State.peerEnded | State.ended)) {
      this.#finish('end', 'both', undefined);
    }
  }

  #finish(end: EndKind, direction: Direction, error: SluiceError | undefined): void {
    if ((this._state & State.releasing) !== 0) return;
    this._state |= State.releasing;
    this._deadlines.stop();
    if (this._limiter !== undefined) dropLimiter(this);
    this.#report = this._describe(closeReport(this, end, direction, error, this.loop.now() - this.#openedAt));
    this._unpend(Pending.drained | Pending.timeoutRead | Pending.timeoutWrite);
    if (end !== 'end') this._unpend(Pending.end);
    this._updateReading();
    const unsent = this._unsentBytes > 0 || (this._state & State.aborting) !== 0;
    this._output.clear();
    if (end === 'end') this.#flushWaiters?.resolve();
    else this.#flushWaiters?.reject(() => endedError(this, 'flush'));
    this._release(unsent && end !== 'end');
  }

  protected override _armDeadline(): void {
    if ((this._state & State.releasing) === 0) this._deadlines.arm(this.#nextDeadline());
  }

  #nextDeadline(): number {
    const connected = (this._state & State.connected) !== 0;
    return Math.min(
      this._ownDeadline(),
      this._deadlines.next(this.limits, connected, (this._state & State.reading) !== 0, this.#writePending),
    );
  }

  get #writePending(): boolean {
    return this._outputWaits && (this._state & State.writeEnabled) !== 0 && this.writeSuspended === 0;
  }

  protected override _deadlineReached(): void {
    const now = this.loop.now();
    if (now >= this._ownDeadline()) this._ownDeadlineReached();
    else if (now >= this.#nextDeadline()) {
      const connected = (this._state & State.connected) !== 0;
      this.#timedOut(this._deadlines.reached(now, this.limits, connected, this.#writePending));
    }
    this._armDeadline();
  }

  #timedOut(kind: TimeoutKind): void {
    if (kind === 'read' || kind === 'write') {
      this.disable(kind);
      this._pend(kind === 'read' ? Pending.timeoutRead : Pending.timeoutWrite);
    } else if (kind === 'close' && this.#writeError !== undefined) this._fail(this.#writeError);
    else this._fail(timeoutError(this, kind, kind === 'close' ? 'read' : 'both', this.limits[`${kind}Ms`]));
  }
}

function nothing(): void {}

let nextId = 1;
