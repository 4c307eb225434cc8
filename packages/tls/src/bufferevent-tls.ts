import { BufferEvent, type CloseReport, Suspend, type Timer } from '@sluice/core';
import { AbortedError, type ChannelErrorStackOptions, type ResultKind } from '@sluice/errors';
import type { NativeTlsInfo } from '@sluice/native';
import type { Observable } from 'rxjs';
import { Below, type Layer } from './below.ts';
import type { TlsContext } from './context.ts';
import { tellHandshakeEnd, tellHandshakeStart, tellStaleErrors } from './diagnostics.ts';
import { handshakeOf } from './handshake-observable.ts';
import type { HandshakeTrace } from './handshake-trace.ts';
import { opensslNames } from './names.ts';
import { TlsSession } from './session.ts';
import { negotiatedStats, type TlsBufferEventStats } from './stats.ts';
import { closeTimeoutError, errorFromBelow, errorOfFailure, handshakeTimeoutError } from './tls-error.ts';
import { handshakeLimit, sessionOptions, type TlsCloseReport, type TlsOptions } from './tls-options.ts';
import { TurnRunner } from './turn-runner.ts';

/**
 * TLS over any BufferEvent. `connected` means that the handshake is done, `end` that the peer sent close_notify; an end
 * without it is `truncated`.
 *
 * The transport below belongs to this object: it alone reads, writes, suspends and closes it. What can move is moved
 * whenever bytes arrive or room appears (`#drive`), so neither direction ever waits for the other.
 */
export class TlsBufferEvent extends BufferEvent implements Layer {
  readonly session: TlsSession;
  readonly #below: BufferEvent;
  readonly #runner: TurnRunner;
  readonly #handshakeMs: number;
  readonly #driveLater = (): void => {
    this.#driveAsked = false;
    this.#drive();
  };
  /** When the transport was connected, from which the handshake's limit runs. */
  #handshakeSince: number = Number.NaN;
  #info: NativeTlsInfo | undefined;
  #belowReport: CloseReport | undefined;
  #driving = false;
  #driveAsked = false;
  #flushAsked = false;
  #closeNotify: 'not yet' | 'sending' | 'sent' | 'left' = 'not yet';
  /** When something of ours last left while close_notify waited to, and how much had left then. */
  #leavingSince: number = Number.NaN;
  #leftBytes = 0;
  /** Close_notify is all that was left to send when the end began. */
  #onlyCloseNotify = false;
  #closeAsked = false;
  #lingerTimer: Timer | undefined;

  constructor(below: BufferEvent, context: TlsContext, options: TlsOptions & { servername?: string } = {}) {
    // The transport has its own limit for connecting; ours begins when it is connected.
    super(below.loop, 'tls', { ...options, timeouts: { ...options.timeouts, connectMs: Number.POSITIVE_INFINITY } });
    this.#below = below;
    this.#handshakeMs = handshakeLimit(options);
    this.session = new TlsSession(
      context,
      sessionOptions(options, below.loop, (count) => {
        this.channel.addStaleErrors(count);
        tellStaleErrors(this, count);
      }),
    );
    this.#runner = new TurnRunner(this.session, below);
    below._takeOver(new Below(this));
    if (below.connected) this._belowConnected();
  }

  override get underlying(): BufferEvent {
    return this.#below;
  }

  /** How the handshake went, call by call. */
  get handshake(): HandshakeTrace {
    return this.session.trace;
  }

  /** The trace when the handshake is done, also to those who ask late; the error when it fails. */
  get handshake$(): Observable<HandshakeTrace> {
    return handshakeOf(this);
  }

  /** What the last operation came to; once the network under the connection has failed, that. */
  get lastResult(): ResultKind {
    return this.closed?.layer === 'system' ? 'syscall' : this.session.lastResult.value;
  }

  /** What was negotiated, once connected. */
  get tls(): NativeTlsInfo | undefined {
    return this.#info;
  }

  /** Bytes held for this connection: the store of ciphertext, an unfinished record, and the buffers of this layer and the one below. */
  get memoryBytes(): number {
    const { input, output } = this.#below;
    return this.session.memoryBytes + input.length + output.length + this._input.length + this._output.length;
  }

  override get stats(): TlsBufferEventStats {
    const { memoryBytes, session } = this;
    return { ...super.stats, session: session.stats, negotiated: negotiatedStats(this.#info), memoryBytes };
  }

  override get _unsentBytes(): number {
    if (this.closed !== undefined) return 0;
    const { pendingOut, pendingWriteBytes } = this.session;
    return this._output.length + pendingWriteBytes + pendingOut + this.#below._unsentBytes;
  }

  override close(options?: { signal?: AbortSignal }): Promise<CloseReport> {
    this.#closeAsked = true;
    return super.close(options);
  }

  /** Of a connection that has ended in order this cuts short the end of what is below. */
  override destroy(error?: unknown): void {
    if (this.closed?.end === 'end') this.#below.destroy();
    super.destroy(error);
  }

  override _onFlushed(resolve: () => void, reject: Parameters<BufferEvent['_onFlushed']>[1]): () => void {
    const cancel = super._onFlushed(resolve, reject);
    this.#watchFlush();
    return cancel;
  }

  // --- Layer ---

  _belowConnected(): void {
    if (!Number.isNaN(this.#handshakeSince)) return;
    this.#handshakeSince = this.loop.now();
    this.session.trace.start(this.#handshakeSince);
    tellHandshakeStart(this);
    this._armDeadline();
    this.#askDrive();
  }

  _belowMoved(): void {
    this.#drive();
  }

  _belowEnded(): void {
    this.#runner.inputEof = true;
    this.#drive();
  }

  _belowClosed(report: CloseReport): void {
    this.#belowReport = report;
    this.#lingerTimer?.stop();
    if (this.closed === undefined) this.#endWithBelow(report);
    this.session.free();
    this._released();
  }

  // --- BufferEvent ---

  protected override _setReading(): void {
    this.#adjustReading();
    if (this._mayRead && !this.#driving) this.#askDrive();
  }

  protected override _writeOut(): void {
    while (this._output.length > 0 && this.#runner.hasRoom) {
      const outcome = this.#runner.write(this._output);
      if (outcome === 'closed') return this.#sessionFailed();
      if (this.session.retry) this.#askDrive();
      if (this.session.retry || outcome === 'want-input') break;
    }
    this.#runner.move();
    if (this._output.length > 0) this._writeBlocked();
    this.#watchFlush();
    this._afterWrite();
  }

  protected override _endOutput(): void {
    this.#closeNotify = 'sending';
    this.#leavingSince = this.loop.now();
    this.#leftBytes = this.#below.bytesOut;
    this.#onlyCloseNotify = this._unsentBytes === 0;
    this.#sendCloseNotify();
    this._armDeadline();
  }

  protected override _release(): void {
    if (this.#belowReport !== undefined) return;
    if (this.session.failure !== undefined) return this.#sendAlert();
    this.session.free();
    if (this.closed?.end !== 'end' || !this.#below._saysGoodbye) return this.#below.destroy();
    // Cut short, the end of what is below would be a failure at the peer, which is still saying its own.
    this.#below.unsuspendRead(Suspend.filter);
    void this.#below.close();
  }

  protected override _channelOptions(): ChannelErrorStackOptions {
    return { layer: 'tls', names: opensslNames };
  }

  protected override _describe(report: CloseReport): TlsCloseReport {
    const { trace, alerts, clean } = this.session;
    trace.stop(this.loop.now());
    if (!this.session.handshakeDone && !Number.isNaN(this.#handshakeSince)) tellHandshakeEnd(this, false, report.error);
    return { ...report, layer: report.error?.layer ?? 'tls', handshake: trace.summary, alerts, clean };
  }

  protected override _ownDeadline(): number {
    if (!this.session.handshakeDone) return orNever(this.#handshakeSince + this.#handshakeMs);
    return this.#closeNotify === 'left' ? Number.POSITIVE_INFINITY : orNever(this.#leavingSince + this.#leavingMs);
  }

  protected override _ownDeadlineReached(): void {
    const { handshakeDone, pendingOut, trace } = this.session;
    if (!handshakeDone) {
      const waitsFor = pendingOut > 0 ? 'room: the peer does not read' : "the peer's next bytes";
      this._fail(handshakeTimeoutError(trace.phase, this.#handshakeMs, waitsFor));
    } else if (this.#below.bytesOut > this.#leftBytes) {
      this.#leftBytes = this.#below.bytesOut;
      this.#leavingSince = this.loop.now();
    } else this._fail(closeTimeoutError(this.#leavingMs));
  }

  // --- The engine's work ---

  /** Asks for `#drive` in a turn of the loop. */
  #askDrive(): void {
    if (this.#driveAsked) return;
    this.#driveAsked = true;
    this.loop.defer(this.#driveLater);
  }

  /** Does all that can be done now, in both directions. Called when bytes came, or room, or when a turn was too short. */
  #drive(): void {
    if (this.#driving || this.closed !== undefined) return;
    this.#driving = true;
    try {
      this.#runner.move();
      if (this.session.handshakeDone || this.#shakeHands()) {
        this.#readAll(false);
        this.#writeOn();
      }
      if (this.closed === undefined) this.#runner.move();
    } finally {
      this.#driving = false;
    }
  }

  /** Whether the handshake is done now. */
  #shakeHands(): boolean {
    if (Number.isNaN(this.#handshakeSince)) return false;
    const outcome = this.#runner.handshake();
    if (outcome === 'closed') this.#sessionFailed();
    else if (this.session.retry) this.#askDrive();
    if (outcome !== 'done') return false;
    this.#info = this.session.info();
    tellHandshakeEnd(this, true);
    this._connected();
    return true;
  }

  /** Decrypts what has arrived, as far as input takes it; the `last` time all of it, as nothing below will keep it. */
  #readAll(last: boolean): void {
    const { session } = this;
    const runner = this.#runner;
    while (this.closed === undefined && session.handshakeDone && !session.closeNotifyReceived) {
      if (!last && !this.#pulls) break;
      if (runner.waitingBytes === 0 && !runner.inputEof && !session.readable) break;
      const outcome = runner.read(this._input);
      if (outcome === 'closed') {
        if (session.failure === undefined) this._peerEnded();
        else this.#sessionFailed();
      } else if (session.retry && !last) {
        this.#askDrive();
        break;
      } else if (outcome === 'want-output' ? !runner.hasRoom : outcome === 'want-input' && runner.waitingBytes === 0) {
        break;
      }
    }
    // Nothing may follow close_notify; the transport is read on so that its death is noticed.
    if (session.closeNotifyReceived) runner.discard();
    this.#adjustReading();
  }

  /** Goes on writing where it stopped. */
  #writeOn(): void {
    if (this.closed !== undefined) return;
    if (this.#closeNotify === 'sending') this.#sendCloseNotify();
    else if (this.session.pendingWriteBytes > 0) {
      if (this.#runner.write(this._output) === 'closed') return this.#sessionFailed();
      if (this.session.retry) this.#askDrive();
      this._markDirty();
    } else if (this._output.length > 0) this._markDirty();
    this.#watchFlush();
  }

  #sendCloseNotify(): void {
    const outcome = this.#runner.shutdown();
    if (outcome === 'closed') return this.#sessionFailed();
    if (this.session.retry) this.#askDrive();
    if (outcome !== 'done') return;
    this.#closeNotify = 'sent';
    this.#below.end();
    this.#below._onFlushed(() => this.loop.defer(this.#closeNotifyLeft), ignore);
  }

  readonly #closeNotifyLeft = (): void => {
    this.#closeNotify = 'left';
    this._ended();
  };

  #sessionFailed(): void {
    const { failure } = this.session;
    if (failure !== undefined) this._fail(errorOfFailure(failure));
  }

  /** The alert leaves first, then the transport is closed in order; the peer gets `closeMs` to take both. */
  #sendAlert(): void {
    const below = this.#below;
    if (below.writable) this.#runner.move(true);
    this.session.free();
    below.unsuspendRead(Suspend.filter);
    this.#lingerTimer = this.loop.idleTimer(() => below.destroy());
    this.#lingerTimer.start(this.limits.closeMs);
    void below.close();
  }

  /** The transport is gone before us. What arrived is read first: it may say why. */
  #endWithBelow(report: CloseReport): void {
    const { session } = this;
    this.#readAll(true);
    if (this.closed !== undefined) return;
    const saidGoodbye = session.closeNotifyReceived && this.#closeNotify !== 'not yet';
    if (saidGoodbye && (report.end === 'end' || this.#onlyCloseNotify)) return this._ended();
    if (report.end === 'aborted' && report.error === undefined) return this.destroy();
    if (report.error === undefined) return this._fail(lostTransport(report));
    this._fail(session.handshakeDone ? report.error : errorFromBelow(report.error, session.trace.phase));
  }

  /** Whether plaintext may be made: it is wanted, or a first piece of it while the user pauses, so that what is not data (tickets, key updates, close_notify) gets through. */
  get #pulls(): boolean {
    return this._mayRead || (this.suspended === 0 && this._input.length === 0 && !this.peerEnded);
  }

  #adjustReading(): void {
    // Once closed, the transport is read on its own terms: for the peer's end behind an alert.
    if (this.closed !== undefined) return;
    const wants = !this.session.handshakeDone || this.session.closeNotifyReceived || this.#pulls;
    if (wants) this.#below.unsuspendRead(Suspend.filter);
    else this.#below.suspendRead(Suspend.filter);
  }

  /** Whoever waits for a flush is told when the transport has no more of ours either. */
  #watchFlush(): void {
    const { session } = this;
    if (this.#flushAsked || this._output.length + session.pendingWriteBytes + session.pendingOut > 0) return;
    if (this.#below._unsentBytes === 0) return this._checkFlushed();
    this.#flushAsked = true;
    this.#below._onFlushed(() => {
      this.#flushAsked = false;
      this._checkFlushed();
    }, ignore);
  }

  get #leavingMs(): number {
    return this.#closeAsked ? this.limits.closeMs : this.limits.writeMs;
  }
}

/** A time that was never set never comes. */
function orNever(time: number): number {
  return Number.isNaN(time) ? Number.POSITIVE_INFINITY : time;
}

function lostTransport(report: CloseReport): AbortedError {
  return new AbortedError(`the transport under the TLS connection ended (${report.end}) while it was in use`, {
    code: 'SLUICE_TLS_TRANSPORT_ENDED',
    layer: 'tls',
    operation: 'tls data',
    blame: 'local',
    remedy: 'fix',
  });
}

function ignore(): void {}
