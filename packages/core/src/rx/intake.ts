import { ApiMisuse, type SluiceError } from '@sluice/errors';
import { endedError } from '../bufferevent-errors.ts';
import type { BufferEvent } from '../bufferevent.ts';
import type { Subscription } from '../change-listeners.ts';
import { claimInput } from '../duplex/wait-for.ts';
import { Suspend } from '../suspend.ts';

/** What becomes of the connection when the subscriber goes before the end. */
export interface UnsubscribeOptions {
  /** `pause` (default) stops reading and leaves the connection as it is; `abort` destroys it. */
  onUnsubscribe?: 'pause' | 'abort';
}

export interface IntakeOptions extends UnsubscribeOptions {
  /** Largest chunk. Default 64 KiB. */
  bytesMax?: number;
}

/** Whom an intake gives to: chunks, then one end. Called from the loop. */
export interface IntakeReceiver {
  chunk(bytes: Buffer): void;
  ended(): void;
  failed(error: SluiceError): void;
}

const CHUNK_BYTES_MAX = 64 * 1024;

/**
 * Takes chunks out of a connection's input and keeps count of those that were not given back.
 *
 * A chunk is taken while less than `read.high` bytes are out (and fewer than `chunksMax` chunks), and the peer is read
 * from while what is out and what is unread are less than that together. So bytes that somebody works on count as unread
 * input does: both never pass the high watermark by more than one delivery, whatever is done with the chunks. When half
 * of it stays out for good, the peer is read from no more: chunks that nobody gives back make a stall that can be seen,
 * not a connection that gets slower and slower.
 */
export class Intake {
  readonly #bev: BufferEvent;
  readonly #receiver: IntakeReceiver;
  readonly #bytesMax: number;
  readonly #chunksMax: number;
  readonly #onUnsubscribe: 'pause' | 'abort';
  readonly #unclaim: () => void;
  readonly #changes: Subscription;
  readonly #look = (): void => this.#lookNow();
  readonly #lookLater = (): void => {
    this.#lookAsked = false;
    this.#lookNow();
  };
  #outBytes = 0;
  #outChunks = 0;
  #looking = false;
  #lookAsked = false;
  #over = false;

  /** @throws ApiMisuse for an option that makes no sense, and when somebody else reads the connection already */
  constructor(
    bev: BufferEvent,
    operation: string,
    options: IntakeOptions & { chunksMax: number },
    receiver: IntakeReceiver,
  ) {
    const { bytesMax = CHUNK_BYTES_MAX, chunksMax, onUnsubscribe = 'pause' } = options;
    requireCount(operation, 'bytesMax', bytesMax);
    requireCount(operation, 'window', chunksMax);
    this.#unclaim = claimInput(bev, operation);
    this.#bev = bev;
    this.#receiver = receiver;
    this.#bytesMax = bytesMax;
    this.#chunksMax = chunksMax;
    this.#onUnsubscribe = onUnsubscribe;
    this.#changes = bev.input.onChange(() => this.#bound());
    for (const event of EVENTS) bev.on(event, this.#look);
    this.#bound();
    bev.resume();
    this.#askLook();
  }

  /** A chunk is done with. */
  giveBack(bytes: number): void {
    if (this.#over) return;
    this.#outBytes -= bytes;
    this.#outChunks -= 1;
    this.#bound();
    if (!this.#looking) this.#askLook();
  }

  /** The receiver is gone. What is out counts no more. Nothing, after the end was told. */
  stop(): void {
    if (this.#over) return;
    if (this.#onUnsubscribe === 'abort') this.#bev.destroy();
    else this.#bev.pause();
    this.#letGo();
  }

  /** Gives what may be given; then the end, if that is all there will be. */
  #lookNow(): void {
    if (this.#looking || this.#over) return;
    this.#looking = true;
    try {
      while (this.#mayTake()) this.#take();
    } finally {
      this.#looking = false;
    }
    this.#tellEnd();
  }

  #mayTake(): boolean {
    const { closed, input, limits, peerEnded } = this.#bev;
    if (this.#over || input.length === 0 || closed?.end === 'aborted') return false;
    if (input.length < limits.readLow && !peerEnded && closed === undefined) return false;
    return this.#outBytes < limits.readHigh && this.#outChunks < this.#chunksMax;
  }

  #take(): void {
    const { input } = this.#bev;
    const bytes = Math.min(this.#bytesMax, input.length);
    this.#outBytes += bytes;
    this.#outChunks += 1;
    this.#receiver.chunk(input.read(bytes));
  }

  #tellEnd(): void {
    const { closed, input, peerEnded } = this.#bev;
    if (this.#over || (input.length > 0 && closed?.end !== 'aborted')) return;
    if (closed === undefined ? peerEnded : closed.end === 'end') {
      this.#letGo();
      this.#receiver.ended();
    } else if (closed !== undefined) {
      this.#letGo();
      this.#receiver.failed(endedError(this.#bev, 'read'));
    }
  }

  /** Stops reading when too much is out, and goes on when half of that was given back. */
  #bound(): void {
    if (this.#over) return;
    const bev = this.#bev;
    const { readHigh } = bev.limits;
    const out = this.#outBytes;
    const wasFull = (bev.suspended & Suspend.lease) !== 0;
    const full = out > 0 && (out + bev.input.length >= readHigh || (wasFull && out > readHigh / 2));
    if (full === wasFull) return;
    if (full) bev.suspendRead(Suspend.lease);
    else bev.unsuspendRead(Suspend.lease);
    bev.loop.requestTurn();
  }

  #askLook(): void {
    const { closed, input, loop, peerEnded } = this.#bev;
    if (this.#lookAsked || (input.length === 0 && !peerEnded && closed === undefined)) return;
    this.#lookAsked = true;
    loop.defer(this.#lookLater);
  }

  #letGo(): void {
    this.#over = true;
    this.#unclaim();
    this.#changes.unsubscribe();
    for (const event of EVENTS) this.#bev.off(event, this.#look);
    this.#bev.unsuspendRead(Suspend.lease);
  }
}

const EVENTS = ['data', 'end', 'closed'] as const;

function requireCount(operation: string, name: string, value: number): void {
  if (value >= 1 && (Number.isInteger(value) || value === Number.POSITIVE_INFINITY)) return;
  throw new ApiMisuse(`${operation}: ${name} must be an integer of 1 or more, or Infinity, not ${String(value)}`, {
    layer: 'core',
    operation,
  });
}
