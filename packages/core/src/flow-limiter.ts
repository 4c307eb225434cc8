import type { EventLoop } from './event-loop.ts';
import type { FairShare, Share } from './fair-share.ts';
import { Suspend } from './suspend.ts';
import type { Timer } from './timer.ts';
import { type TickRate, TokenBucket } from './token-bucket.ts';

/** The flow that is limited: what a BufferEvent offers for it. */
export interface LimitedFlow {
  readonly loop: EventLoop;
  readonly output: { readonly length: number };
  suspendRead(reason: number): void;
  unsuspendRead(reason: number): void;
  suspendWrite(reason: number): void;
  unsuspendWrite(reason: number): void;
}

/** The limits of one connection: of bytes per second, of bytes per turn, and its part of a group's. Made when one is set. */
export class FlowLimiter {
  readonly read: FlowLane;
  readonly write: FlowLane;
  readonly #loop: EventLoop;
  #timer: Timer | undefined;

  constructor(flow: LimitedFlow) {
    const { loop } = flow;
    const arm = (): void => this.#arm();
    this.#loop = loop;
    this.read = new FlowLane(loop, arm, {
      hold: (reason) => flow.suspendRead(reason),
      release: (reason) => flow.unsuspendRead(reason),
    });
    this.write = new FlowLane(loop, arm, {
      hold: (reason) => flow.suspendWrite(reason),
      release: (reason) => flow.unsuspendWrite(reason),
    });
  }

  /** Whether anything is limited. */
  get needed(): boolean {
    return this.read.limited || this.write.limited;
  }

  /** Sets both rates; `undefined` for none. */
  setRates(read: TickRate | undefined, write: TickRate | undefined): void {
    this.read.setRate(read);
    this.write.setRate(write);
  }

  close(): void {
    this.#timer?.stop();
  }

  /** One timer wakes both directions, for the one that may go on first. It keeps the process: a stopped socket does not. */
  #arm(): void {
    const waitMs = Math.min(this.read.waitMs, this.write.waitMs);
    if (waitMs === Number.POSITIVE_INFINITY) return;
    const deadline = this.#loop.now() + waitMs;
    if (this.#timer?.pending === true && this.#timer.deadline <= deadline) return;
    this.#timer ??= this.#loop.idleTimer(() => this.#wake()).ref();
    this.#timer.start(waitMs);
  }

  #wake(): void {
    this.read.refill();
    this.write.refill();
    this.#arm();
  }
}

interface Gate {
  hold(reason: number): void;
  release(reason: number): void;
}

/** One direction. It is open exactly while every limit allows a byte or more. */
class FlowLane {
  /** The part of a group's limit, and whom to tell when it was used. */
  share: { readonly of: FairShare; readonly member: Share; readonly charged: () => void } | undefined = undefined;
  bucket: TokenBucket | undefined = undefined;
  readonly gate: Gate;
  readonly #loop: EventLoop;
  readonly #arm: () => void;
  #rateHeld = false;
  #turnBytesMax: number = Number.POSITIVE_INFINITY;
  #turn = -1;
  #turnBytes = 0;

  constructor(loop: EventLoop, arm: () => void, gate: Gate) {
    this.#loop = loop;
    this.#arm = arm;
    this.gate = gate;
  }

  get limited(): boolean {
    return this.bucket !== undefined || this.share !== undefined || this.#turnBytesMax !== Number.POSITIVE_INFINITY;
  }

  get turnBytesMax(): number {
    return this.#turnBytesMax;
  }

  /** Bytes that may move now: what all limits allow. */
  get allowance(): number {
    let allowance = this.#turnBytesMax - (this.#turn === this.#loop.turns ? this.#turnBytes : 0);
    if (this.bucket !== undefined) allowance = Math.min(allowance, this.bucket.level);
    if (this.share !== undefined) allowance = Math.min(allowance, this.share.of.allowance(this.share.member));
    return allowance === Number.POSITIVE_INFINITY ? allowance : Math.max(0, Math.floor(allowance));
  }

  /** Milliseconds until the rate allows a byte; `Infinity` while it is not held. */
  get waitMs(): number {
    if (!this.#rateHeld || this.bucket === undefined) return Number.POSITIVE_INFINITY;
    return this.bucket.msUntil(1, this.#loop.now());
  }

  /** Counts bytes that moved. What was moved past a limit stays owed. */
  charge(bytes: number): void {
    if (this.bucket !== undefined) {
      this.bucket.refill(this.#loop.now());
      this.bucket.take(bytes);
      this.#checkRate(this.bucket);
    }
    if (this.share !== undefined) {
      this.share.of.charge(bytes, this.#loop.now(), this.share.member);
      this.share.charged();
    }
    if (this.#turnBytesMax !== Number.POSITIVE_INFINITY) this.#chargeTurn(bytes);
  }

  setRate(rate: TickRate | undefined): void {
    const now = this.#loop.now();
    if (rate === undefined) this.bucket = undefined;
    else if (this.bucket === undefined) this.bucket = new TokenBucket(rate, now);
    else this.bucket.change(rate, now);
    if (this.bucket !== undefined) this.#checkRate(this.bucket);
    else if (this.#rateHeld) this.#release();
  }

  setTurnBytes(bytesMax: number): void {
    this.#turnBytesMax = bytesMax;
    if (bytesMax === Number.POSITIVE_INFINITY) this.gate.release(Suspend.turn);
  }

  /** Looks whether the rate allows to go on. */
  refill(): void {
    if (this.bucket === undefined || !this.#rateHeld) return;
    this.bucket.refill(this.#loop.now());
    this.#checkRate(this.bucket);
  }

  #checkRate(bucket: TokenBucket): void {
    if (bucket.level >= 1) {
      if (this.#rateHeld) this.#release();
      return;
    }
    this.#rateHeld = true;
    this.gate.hold(Suspend.rate);
    this.#arm();
  }

  #release(): void {
    this.#rateHeld = false;
    this.gate.release(Suspend.rate);
  }

  #chargeTurn(bytes: number): void {
    const { turns } = this.#loop;
    if (this.#turn !== turns) {
      this.#turn = turns;
      this.#turnBytes = 0;
    }
    const before = this.#turnBytes;
    this.#turnBytes += bytes;
    if (before >= this.#turnBytesMax || this.#turnBytes < this.#turnBytesMax) return;
    this.gate.hold(Suspend.turn);
    this.#loop.deferNext(() => this.gate.release(Suspend.turn));
  }
}
