import {
  type NativeEntry,
  type NativeTlsEngine,
  type NativeTlsInfo,
  TLS_RESULT_LENGTH,
  TlsOp,
  TlsResult,
} from '@sluice/native';
import { Alert, ALERTS_MAX, type TlsAlert, alertsFromTriples } from './alert.ts';
import type { TlsContext } from './context.ts';
import type { TurnIo } from './turn.ts';

/**
 * The native engine and its books: one crossing per step, what it came to, and what has moved in all. Knows nothing of
 * what a step is for.
 */
export class Engine {
  /** Ciphertext taken in and given out. */
  bytesIn = 0;
  bytesOut = 0;
  /** OpenSSL calls made. */
  calls = 0;
  /** Entries of somebody else's that lay in the thread's error queue before a call. */
  staleEntries = 0;
  /** Sent and received, oldest first, at most `ALERTS_MAX`. */
  alerts: readonly TlsAlert[] = [];
  /** It was told that no more input comes. */
  inputEnded = false;
  readonly #native: NativeTlsEngine;
  readonly #onStaleEntries: (count: number) => void;
  readonly #results = new Int32Array(TLS_RESULT_LENGTH);

  constructor(
    context: TlsContext,
    pairBytes: number,
    servername: string,
    pair: boolean,
    onStaleEntries: (count: number) => void,
  ) {
    this.#onStaleEntries = onStaleEntries;
    this.#native = context._createEngine(pairBytes, servername, this.#results, pair);
  }

  /** Makes one OpenSSL call (or one native loop of reads) on `data`, fed from and drained into `io`. */
  call(op: number, io: TurnIo, data: Uint8Array | undefined, start: number, length: number): NativeEntry[] | undefined {
    return this.#step(op, io, io.input, io.inputStart, io.inputEnd - io.inputStart, data, start, length);
  }

  /** Moves ciphertext out, as far as there is room. Makes no call. */
  move(io: TurnIo): void {
    this.#step(TlsOp.move, io, undefined, 0, 0, undefined, 0, 0);
  }

  /** Everything was fed: tells OpenSSL that nothing follows. */
  endInput(io: TurnIo): void {
    this.inputEnded = true;
    this.#step(TlsOp.eof, io, undefined, 0, 0, undefined, 0, 0);
  }

  // What the last step came to; see `TlsResult`.

  get ret(): number {
    return this.#result(TlsResult.ret);
  }

  get sslError(): number {
    return this.#result(TlsResult.sslError);
  }

  get consumed(): number {
    return this.#result(TlsResult.consumed);
  }

  get produced(): number {
    return this.#result(TlsResult.produced);
  }

  get transferred(): number {
    return this.#result(TlsResult.transferred);
  }

  /** Ciphertext that waits in the pair: when the call returned, and after the drain. */
  get pendingAfter(): number {
    return this.#result(TlsResult.pendingAfter);
  }

  get pendingOut(): number {
    return this.#result(TlsResult.pendingOut);
  }

  /** Ciphertext that was moved out after the last call. */
  get drained(): number {
    return this.#result(TlsResult.pendingAfter) - this.#result(TlsResult.pendingOut);
  }

  /** Ciphertext that was fed and that OpenSSL has not taken. */
  get pendingIn(): number {
    return this.#result(TlsResult.pendingIn);
  }

  /** Ciphertext that the last call wrote into the pair. */
  get written(): number {
    return this.#result(TlsResult.pendingAfter) - this.#result(TlsResult.pendingBefore);
  }

  /** The peer sent close_notify. */
  get saidGoodbye(): boolean {
    return this.alerts.some(({ sent, description }) => !sent && description === Alert.closeNotify);
  }

  /** Something came in that a read may give out. */
  get holdsInput(): boolean {
    return this.#result(TlsResult.hasPending) === 1 || this.#result(TlsResult.pendingIn) > 0;
  }

  info(): NativeTlsInfo {
    return this.#native.info();
  }

  free(): void {
    this.#native.free();
  }

  #step(
    op: number,
    io: TurnIo,
    input: Uint8Array | undefined,
    inputStart: number,
    inputLength: number,
    data: Uint8Array | undefined,
    dataStart: number,
    dataLength: number,
  ): NativeEntry[] | undefined {
    const room = io.outputEnd - io.outputStart;
    const entries = this.#native.step(
      op,
      input,
      input === undefined ? 0 : inputStart,
      input === undefined ? 0 : inputLength,
      data,
      dataStart,
      dataLength,
      io.output,
      io.outputStart,
      room,
    );
    const consumed = this.#result(TlsResult.consumed);
    const produced = this.#result(TlsResult.produced);
    io.inputStart += consumed;
    io.outputStart += produced;
    this.bytesIn += consumed;
    this.bytesOut += produced;
    this.calls += this.#result(TlsResult.calls);
    if (this.#result(TlsResult.staleEntries) > 0) this.#noteStale(this.#result(TlsResult.staleEntries));
    if (this.#result(TlsResult.alerts) > 0) this.#takeAlerts();
    return entries;
  }

  #noteStale(count: number): void {
    this.staleEntries += count;
    this.#onStaleEntries(count);
  }

  #takeAlerts(): void {
    const alerts = this.alerts.concat(alertsFromTriples(this.#native.takeAlerts()));
    // Whoever sends many is known by the first ones; the last one says why it ended.
    this.alerts = alerts.length <= ALERTS_MAX ? alerts : [...alerts.slice(0, ALERTS_MAX - 1), ...alerts.slice(-1)];
  }

  #result(index: number): number {
    return this.#results[index] as number;
  }
}
