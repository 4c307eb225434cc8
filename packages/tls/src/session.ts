import { ApiMisuse, entriesFromNative, LastResult, resultFromSslError } from '@sluice/errors';
import { type NativeEntry, type NativeTlsInfo, TlsOp } from '@sluice/native';
import type { TlsAlert } from './alert.ts';
import type { TlsContext } from './context.ts';
import { Engine } from './engine.ts';
import { type HandshakeCall, HandshakeTrace } from './handshake-trace.ts';
import { type FailureKind, type SessionFailure, SslError, failureKind, functionName } from './session-failure.ts';
import { type CipherStore, resolveOptions, type TlsSessionOptions } from './session-options.ts';
import { sessionStats, type TlsSessionStats } from './stats.ts';
import type { TurnIo, TurnOperation, TurnOutcome } from './turn.ts';

/** How much longer than its plaintext a record is, at most (TLS 1.2 CBC included). */
const RECORD_OVERHEAD = 64;
/** Plaintext per write over pairs too small for such a record: longer ones would only be retried more often. */
const SMALL_PAIR_SLICE = 512;

/** One of the two sides that wait independently: handshake and read, write and shutdown. */
interface Side {
  want: 'nothing' | 'input' | 'output';
  /** The bytes that had moved in the wanted direction when the wait began: any more are a reason to call again. */
  mark: number;
  /** All bytes moved, and whether the end of input was told, at the last call. */
  moved: number;
  eofTold: boolean;
}

/**
 * A TLS connection without I/O: ciphertext in, ciphertext out, plaintext in and out, in the caller's memory, over a BIO
 * pair of any size from one byte up.
 *
 * It keeps the rules that make a bounded pair safe. Ciphertext is moved out after every OpenSSL call, before the answer is
 * looked at. Any operation may want either direction. No call is made unless bytes have moved since the last. A write
 * that was not finished keeps its bytes and its length. SSL_shutdown waits for it, and is never called in a handshake or
 * after a failure.
 */
export class TlsSession {
  readonly context: TlsContext;
  readonly trace: HandshakeTrace = new HandshakeTrace();
  /** What the last operation came to; the same however often and late it is asked, whatever else went on. */
  readonly lastResult: LastResult = new LastResult();
  readonly pairBytes: number;
  /** The largest piece that one SSL_write is given: at most a record, and one that fits the pair if any does. */
  readonly sliceBytesMax: number;
  readonly #store: CipherStore;
  readonly #engine: Engine;
  readonly #callsPerTurnMax: number;
  readonly #handshakeBytesMax: number;
  readonly #now: () => number;
  readonly #reader: Side;
  readonly #writer: Side = newSide('nothing');
  #spins = 0;
  #handshakeDone = false;
  #closeNotifySent = false;
  #closeNotifyReceived = false;
  #retry = false;
  #pendingWrite: Uint8Array | undefined;
  #failure: SessionFailure | undefined;
  #freed = false;

  constructor(context: TlsContext, options: TlsSessionOptions = {}) {
    const resolved = resolveOptions(options, context);
    const { pairBytes, store, servername, callsPerTurnMax, handshakeBytesMax, now, onStaleEntries } = resolved;
    this.context = context;
    this.pairBytes = pairBytes;
    this.#store = store;
    this.sliceBytesMax = Math.min(
      context.sendFragmentBytesMax,
      Math.max(SMALL_PAIR_SLICE, pairBytes - RECORD_OVERHEAD),
    );
    this.#callsPerTurnMax = callsPerTurnMax;
    this.#handshakeBytesMax = handshakeBytesMax;
    this.#now = now;
    // A server has nothing to say before the client has spoken.
    this.#reader = newSide(context.role === 'server' ? 'input' : 'nothing');
    this.#engine = new Engine(context, pairBytes, servername, store === 'pair', onStaleEntries);
  }

  /** SSL_accept or SSL_connect has returned 1. */
  get handshakeDone(): boolean {
    return this.#handshakeDone;
  }

  /** What ended the session before its time; once set it never changes. */
  get failure(): SessionFailure | undefined {
    return this.#failure;
  }

  /** Our close_notify was written into the pair; it has left the session once `pendingOut` is 0 as well. */
  get closeNotifySent(): boolean {
    return this.#closeNotifySent;
  }

  /** The peer's close_notify was read, or an end that the context takes for it: nothing comes after it. */
  get closeNotifyReceived(): boolean {
    return this.#closeNotifyReceived;
  }

  /** Both sides said that they were done. */
  get clean(): boolean {
    return this.#closeNotifySent && this.#engine.saidGoodbye;
  }

  /** The last turn stopped at its limit of calls while it could go on: call again, but let others go first. */
  get retry(): boolean {
    return this.#retry;
  }

  /** Ciphertext in the pair that found no room in `output`. */
  get pendingOut(): number {
    return this.#engine.pendingOut;
  }

  /** Plaintext of a write that is not finished; the session owns it. */
  get pendingWriteBytes(): number {
    return this.#pendingWrite?.length ?? 0;
  }

  /** Something was read into the engine that a read may still give out without further input, if only there is room for an answer. */
  get readable(): boolean {
    return this.#reader.want !== 'input' && this.#handshakeDone;
  }

  /** Alerts sent and received, oldest first, at most 16. */
  get alerts(): readonly TlsAlert[] {
    return this.#engine.alerts;
  }

  /** Ciphertext taken in and given out. */
  get bytesIn(): number {
    return this.#engine.bytesIn;
  }

  get bytesOut(): number {
    return this.#engine.bytesOut;
  }

  /** OpenSSL calls made. */
  get calls(): number {
    return this.#engine.calls;
  }

  /** Calls that moved nothing and that nothing gave reason for: 0, or a fault of ours. */
  get spins(): number {
    return this.#spins;
  }

  /** Entries of somebody else's that lay in the thread's error queue before a call; they were dropped. */
  get staleEntries(): number {
    return this.#engine.staleEntries;
  }

  /** Bytes held in front of the engine: both rings of a pair, or what a store that borrows keeps; and an unfinished write. */
  get memoryBytes(): number {
    if (this.#freed) return 0;
    return (this.#store === 'pair' ? 2 * this.pairBytes : this.pendingOut) + this.pendingWriteBytes;
  }

  /** A snapshot of it, as plain values. */
  get stats(): TlsSessionStats {
    return sessionStats(this);
  }

  /** What was negotiated. */
  info(): NativeTlsInfo {
    this.#assertLive('info');
    return this.#engine.info();
  }

  /**
   * Works at one operation until it is done, or bytes are missing, or the limit of calls is reached (then `retry` is set).
   *
   * - `handshake`: `done` when it is finished
   * - `read`: fills `data`; whatever the outcome, `dataStart` tells how far. `done` when it is full
   * - `write`: takes `data`, a record at a time. What lies before `dataStart` belongs to the session even when the outcome
   *   is not `done`; the next write, with or without data, goes on with it
   * - `shutdown`: a write, then close_notify. `done` when that has left the pair. In a handshake, and after a failure,
   *   `closed` without a call
   * - `move`: no OpenSSL call: moves ciphertext that waits to `output`. `done` when none is left. Also after a failure,
   *   for the alert's sake
   */
  turn(operation: TurnOperation, io: TurnIo): TurnOutcome {
    this.#assertLive(operation);
    this.#retry = false;
    if (operation === 'move') return this.#move(io);
    if (this.#failure !== undefined) return 'closed';
    if (operation === 'handshake') return this.#handshakeDone ? 'done' : this.#work(operation, this.#reader, io);
    if (operation === 'shutdown') return this.#handshakeDone ? this.#shutdown(io) : 'closed';
    if (!this.#handshakeDone) throw misuse(operation, 'finish the handshake first');
    if (operation === 'read') {
      if (this.#closeNotifyReceived) return 'closed';
      return io.dataStart < io.dataEnd ? this.#work(operation, this.#reader, io) : 'done';
    }
    if (this.#closeNotifySent) throw misuse(operation, 'nothing can be written after close_notify');
    return this.#write(io);
  }

  /** Ends the engine at once and frees its memory; what the session knows can still be asked. Idempotent. */
  free(): void {
    if (this.#freed) return;
    this.#freed = true;
    this.#pendingWrite = undefined;
    this.trace.stop(this.#now());
    this.#engine.free();
  }

  #write(io: TurnIo): TurnOutcome {
    if (this.#pendingWrite === undefined && io.dataStart >= io.dataEnd) return 'done';
    return this.#work('write', this.#writer, io);
  }

  #shutdown(io: TurnIo): TurnOutcome {
    if (!this.#closeNotifySent) {
      const written = this.#write(io);
      if (written !== 'done') return written;
      const outcome = this.#work('shutdown', this.#writer, io);
      if (outcome !== 'done') return outcome;
    }
    return this.#move(io);
  }

  #move(io: TurnIo): TurnOutcome {
    if (this.pendingOut === 0) return 'done';
    if (io.outputStart < io.outputEnd) {
      this.#engine.move(io);
      if (!this.#handshakeDone) this.trace.noteMoved(0, this.#engine.produced);
    }
    return this.pendingOut === 0 ? 'done' : 'want-output';
  }

  /** Repeats an operation's call as long as there is reason to. */
  #work(operation: TurnOperation, side: Side, io: TurnIo): TurnOutcome {
    this.lastResult.start();
    for (let calls = 0; calls < this.#callsPerTurnMax; calls++) {
      if (!this.#hasReason(side, io)) return this.#waits(side);
      const outcome = this.#perform(operation, side, io);
      if (outcome !== undefined) return outcome;
    }
    this.#retry = this.#hasReason(side, io);
    return this.#waits(side);
  }

  #waits(side: Side): TurnOutcome {
    this.lastResult.set(side.want === 'input' ? 'want-read' : 'want-write');
    return wantOutcome(side);
  }

  /** No progress, no retry: whether anything has changed for a side since its last call. Makes no OpenSSL call itself. */
  #hasReason(side: Side, io: TurnIo): boolean {
    if (side.want === 'nothing') {
      if (side === this.#reader || this.pendingOut < this.pairBytes) return true;
      // A write into a full pair can only fail: as if it had, without the call.
      side.want = 'output';
      side.mark = this.#engine.bytesOut;
    }
    if (side.want === 'output') {
      if (this.#engine.bytesOut === side.mark) this.#move(io);
      return this.#engine.bytesOut > side.mark;
    }
    if (this.#engine.bytesIn > side.mark || io.inputStart < io.inputEnd) return true;
    if (io.inputEof && !this.#engine.inputEnded) this.#engine.endInput(io);
    return this.#engine.inputEnded && !side.eofTold;
  }

  /** One OpenSSL call and what follows from it; undefined: not complete, `side` says what it wants. */
  #perform(operation: TurnOperation, side: Side, io: TurnIo): TurnOutcome | undefined {
    const eofBefore = side.eofTold;
    const pendingInBefore = this.#engine.pendingIn;
    const entries = this.#call(operation, io);
    const sslError = this.#sslError(operation);
    this.lastResult.set(resultFromSslError(sslError));
    const moved = this.#engine.bytesIn + this.#engine.bytesOut;
    if (sslError === SslError.wantRead || sslError === SslError.wantWrite) {
      const wantsInput = sslError === SslError.wantRead;
      side.want = wantsInput ? 'input' : 'output';
      // What was fed came before the call; what was moved out after it (a read may have made more than one) is a reason
      // already.
      side.mark = wantsInput ? this.#engine.bytesIn : this.#engine.bytesOut - this.#engine.drained;
      const inPair = Math.abs(this.#engine.pendingIn - pendingInBefore) + this.#engine.written;
      const idle = inPair === 0 && this.#engine.transferred === 0 && eofBefore === this.#engine.inputEnded;
      if (moved === side.moved && idle) this.#countSpin(operation);
    }
    side.moved = moved;
    side.eofTold = this.#engine.inputEnded;
    return this.#conclude(operation, side, sslError, entries, io);
  }

  #conclude(
    operation: TurnOperation,
    side: Side,
    sslError: number,
    entries: readonly NativeEntry[] | undefined,
    io: TurnIo,
  ): TurnOutcome | undefined {
    switch (sslError) {
      case SslError.none:
        return this.#succeeded(operation, side, io);
      case SslError.wantRead:
      case SslError.wantWrite:
        if (operation === 'write') this.#keepWrite(io);
        if (operation !== 'handshake' || this.#engine.bytesIn <= this.#handshakeBytesMax) return undefined;
        return this.#fail('limit', operation, sslError, entries);
      case SslError.zeroReturn:
        if (operation !== 'read') break;
        // OpenSSL was told to take the transport's end for close_notify, and does so in the middle of a record, too.
        if (!this.#engine.saidGoodbye && this.#engine.holdsInput) {
          return this.#fail('truncated', operation, sslError, entries);
        }
        this.#closeNotifyReceived = true;
        return 'closed';
      default:
        break;
    }
    return this.#fail(undefined, operation, sslError, entries);
  }

  #succeeded(operation: TurnOperation, side: Side, io: TurnIo): TurnOutcome | undefined {
    const inside = this.#engine.holdsInput;
    switch (operation) {
      case 'handshake':
        this.#handshakeDone = true;
        this.trace.stop(this.#now());
        this.#rest(side, !inside);
        return 'done';
      case 'read':
        this.#rest(side, !inside);
        return io.dataStart < io.dataEnd ? undefined : 'done';
      case 'write':
        this.#rest(side, false);
        return io.dataStart < io.dataEnd ? undefined : 'done';
      default:
        this.#closeNotifySent = true;
        return 'done';
    }
  }

  /** A side's operation is complete; the next one may begin, or has nothing to do until input comes. */
  #rest(side: Side, untilInput: boolean): void {
    side.want = untilInput ? 'input' : 'nothing';
    side.mark = this.#engine.bytesIn;
  }

  #call(operation: TurnOperation, io: TurnIo): NativeEntry[] | undefined {
    if (operation === 'handshake') return this.#callHandshake(io);
    if (operation === 'shutdown') return this.#engine.call(TlsOp.shutdown, io, undefined, 0, 0);
    if (operation === 'read') {
      const entries = this.#engine.call(TlsOp.read, io, io.data, io.dataStart, io.dataEnd - io.dataStart);
      io.dataStart += this.#engine.transferred;
      return entries;
    }
    const pending = this.#pendingWrite;
    if (pending === undefined) {
      const entries = this.#engine.call(TlsOp.write, io, io.data, io.dataStart, this.#sliceLength(io));
      io.dataStart += this.#engine.transferred;
      return entries;
    }
    const entries = this.#engine.call(TlsOp.write, io, pending, 0, pending.length);
    const left = pending.length - this.#engine.transferred;
    this.#pendingWrite = left > 0 ? pending.subarray(pending.length - left) : undefined;
    return entries;
  }

  #callHandshake(io: TurnIo): NativeEntry[] | undefined {
    this.trace.start(this.#now());
    const startedAt = performance.now();
    const entries = this.#engine.call(TlsOp.handshake, io, undefined, 0, 0);
    this.trace.note(
      callResult(this.#sslError('handshake')),
      this.#engine.written,
      this.#engine.pendingAfter,
      this.#engine.consumed,
      this.#engine.produced,
      performance.now() - startedAt,
    );
    return entries;
  }

  /** The write contract: the same bytes and the same length until it is done, so they are copied out of anyone's reach. */
  #keepWrite(io: TurnIo): void {
    if (this.#pendingWrite !== undefined || io.data === undefined) return;
    const end = io.dataStart + this.#sliceLength(io);
    // Not `slice`, which for a Buffer is a view.
    this.#pendingWrite = Uint8Array.from(io.data.subarray(io.dataStart, end));
    io.dataStart = end;
  }

  #sliceLength(io: TurnIo): number {
    return Math.min(this.sliceBytesMax, io.dataEnd - io.dataStart);
  }

  #fail(
    kind: FailureKind | undefined,
    operation: TurnOperation,
    sslError: number,
    native: readonly NativeEntry[] | undefined,
  ): 'closed' {
    const entries = entriesFromNative(native);
    const { verifyResult, verifyText } = this.#engine.info();
    this.trace.stop(this.#now());
    this.#pendingWrite = undefined;
    this.#failure = {
      kind: kind ?? failureKind(sslError, entries, this.#engine.alerts, this.#engine.inputEnded),
      operation: functionName(operation, this.context.role),
      phase: this.#handshakeDone ? 'data' : this.trace.phase,
      sslError,
      entries,
      alerts: this.#engine.alerts,
      verifyResult,
      verifyText,
    };
    return 'closed';
  }

  #countSpin(operation: TurnOperation): void {
    this.#spins++;
    if (operation === 'handshake') this.trace.spins++;
  }

  /** What the last call came to; SSL_shutdown's 0 means that close_notify was sent. */
  #sslError(operation: TurnOperation): number {
    const ret = this.#engine.ret;
    return ret > 0 || (operation === 'shutdown' && ret === 0) ? SslError.none : this.#engine.sslError;
  }

  #assertLive(operation: string): void {
    if (this.#freed) throw misuse(operation, 'the session was freed');
  }
}

function newSide(want: Side['want']): Side {
  return { want, mark: 0, moved: -1, eofTold: false };
}

function wantOutcome(side: Side): TurnOutcome {
  return side.want === 'input' ? 'want-input' : 'want-output';
}

function callResult(sslError: number): HandshakeCall['result'] {
  switch (sslError) {
    case SslError.none:
      return 'done';
    case SslError.wantRead:
      return 'want-read';
    case SslError.wantWrite:
      return 'want-write';
    default:
      return 'failed';
  }
}

function misuse(operation: string, message: string): ApiMisuse {
  return new ApiMisuse(message, { layer: 'tls', operation });
}
