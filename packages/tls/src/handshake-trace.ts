/** What one call of SSL_accept (or SSL_connect) came to. */
export interface HandshakeCall {
  readonly result: 'done' | 'want-read' | 'want-write' | 'failed';
  /** Ciphertext bytes waiting in the pair when the call returned: what it wrote and nobody had taken yet. */
  readonly pending: number;
  /** Ciphertext bytes fed to the engine for this call. */
  readonly bytesIn: number;
  /** Ciphertext bytes moved out of the pair right after it. */
  readonly bytesOut: number;
}

/** The totals of a handshake, as they go into a log. */
export interface HandshakeSummary {
  acceptCalls: number;
  wantWrite: number;
  wantRead: number;
  spins: number;
  durationMs: number;
}

/** Calls that are kept one by one; a pair of one byte makes tens of thousands, and only the first tell something. */
export const HANDSHAKE_CALLS_KEPT = 64;

const RESULTS = ['done', 'want-read', 'want-write', 'failed'] as const;
const NUMBERS_PER_CALL = 4;

/** The record of one handshake: each call, what it wanted, and what moved. */
export class HandshakeTrace {
  /** Calls of SSL_accept or SSL_connect. */
  acceptCalls = 0;
  /** Of these, how many stopped for want of room in the pair, or of bytes from the peer. */
  wantWrite = 0;
  wantRead = 0;
  /** Calls that neither moved a byte nor had any reason to be made. A fault of ours when it is not 0. */
  spins = 0;
  /** Ciphertext bytes of the handshake. */
  bytesIn = 0;
  bytesOut = 0;
  /** How many flights this side has begun to send. */
  flights = 0;
  /** From the first call to the last, in milliseconds; 0 until the handshake has ended. */
  durationMs = 0;
  /** Time spent inside the calls, all together and the longest: what a handshake takes from other connections. */
  acceptMs = 0;
  acceptMsMax = 0;
  /** The handshake is done. */
  done = false;

  // Four numbers per call: no object is made unless somebody asks.
  readonly #log: number[] = [];
  #startedAtMs = Number.NaN;
  #sending = false;

  /** The first calls, at most `HANDSHAKE_CALLS_KEPT`. */
  get calls(): readonly HandshakeCall[] {
    const calls: HandshakeCall[] = [];
    for (let at = 0; at < this.#log.length; at += NUMBERS_PER_CALL) {
      calls.push({
        result: RESULTS[this.#number(at)] ?? 'failed',
        pending: this.#number(at + 1),
        bytesIn: this.#number(at + 2),
        bytesOut: this.#number(at + 3),
      });
    }
    return calls;
  }

  /** Where the handshake is, or was when it ended: for error messages. */
  get phase(): string {
    return this.flights === 0 ? 'handshake/before flight 1' : `handshake/flight ${this.flights}`;
  }

  get summary(): HandshakeSummary {
    const { acceptCalls, wantWrite, wantRead, spins, durationMs } = this;
    return { acceptCalls, wantWrite, wantRead, spins, durationMs };
  }

  /** The handshake begins to wait for its first byte, or makes its first call. Idempotent. */
  start(nowMs: number): void {
    if (Number.isNaN(this.#startedAtMs)) this.#startedAtMs = nowMs;
  }

  /** The handshake is over, well or not. Idempotent. */
  stop(nowMs: number): void {
    if (this.durationMs === 0 && !Number.isNaN(this.#startedAtMs)) this.durationMs = nowMs - this.#startedAtMs;
  }

  /** Notes one call. `written`: what it put into the pair; `callMs`: how long it took. */
  note(
    result: HandshakeCall['result'],
    written: number,
    pending: number,
    bytesIn: number,
    bytesOut: number,
    callMs: number,
  ): void {
    this.acceptCalls++;
    this.acceptMs += callMs;
    this.acceptMsMax = Math.max(this.acceptMsMax, callMs);
    if (result === 'want-write') this.wantWrite++;
    if (result === 'want-read') this.wantRead++;
    if (result === 'done') this.done = true;
    this.#countFlight(written, bytesIn);
    this.noteMoved(bytesIn, bytesOut);
    if (this.acceptCalls <= HANDSHAKE_CALLS_KEPT) this.#log.push(RESULTS.indexOf(result), pending, bytesIn, bytesOut);
  }

  /** Notes bytes that moved without a call. */
  noteMoved(bytesIn: number, bytesOut: number): void {
    this.bytesIn += bytesIn;
    this.bytesOut += bytesOut;
  }

  /** A flight begins with the first byte written after something was read. */
  #countFlight(written: number, bytesIn: number): void {
    if (bytesIn > 0) this.#sending = false;
    if (written <= 0 || this.#sending) return;
    this.#sending = true;
    this.flights++;
  }

  #number(at: number): number {
    return this.#log[at] ?? 0;
  }
}
