import { errorFromErrno, systemErrorNumber } from '@sluice/errors';
import { misuse, nameOf, requireMs } from '../arguments.ts';
import { BufferEvent } from '../bufferevent.ts';
import { EvBuffer } from '../evbuffer.ts';
import type { EventLoop } from '../event-loop.ts';
import type { ConnectionOptions } from '../limits.ts';
import type { Timer } from '../timer.ts';
import { InFlight } from './in-flight.ts';

export interface LinkOptions {
  /** Bytes that each direction holds between the ends, as a kernel's buffers do. Default 64 KiB. */
  capacityBytes?: number;
  /** Bytes that each direction takes per turn: what is written arrives in slices of as many. Default no limit. */
  perTurnBytes?: number;
  /** How long bytes, ends and resets take from one end to the other, on the loop's clock. Default 0: no time. */
  delayMs?: number;
  first?: ConnectionOptions;
  second?: ConnectionOptions;
}

/** A connection in memory that behaves like a socket with a kernel behind it, and as badly as a test wants. */
export interface Link {
  readonly ends: readonly [LinkBufferEvent, LinkBufferEvent];
  /** Nothing is taken from this end any more: its socket is full. */
  cork(end: LinkBufferEvent): void;
  uncork(end: LinkBufferEvent): void;
  /** Changes how many bytes are taken from this end per turn. */
  limit(end: LinkBufferEvent, perTurnBytes: number): void;
  /** Changes how long what this end sends is under way. Nothing overtakes what was sent before. */
  delay(end: LinkBufferEvent, delayMs: number): void;
  /** The connection dies in both directions: what is on its way arrives, then the end or a reset. */
  cut(kind: 'fin' | 'reset'): void;
  /** This end's next write fails with the error ('EPIPE', 'ECONNRESET', ...); reading goes on. */
  breakWrites(end: LinkBufferEvent, errno: string): void;
}

export function link(loop: EventLoop, options: LinkOptions = {}): Link {
  const first = new LinkBufferEvent(loop, options, options.first);
  const second = new LinkBufferEvent(loop, options, options.second ?? options.first);
  first._join(second);
  return {
    ends: [first, second],
    cork: (end) => end._cork(true),
    uncork: (end) => end._cork(false),
    limit: (end, perTurnBytes) => end._limit(perTurnBytes),
    delay: (end, delayMs) => end._delay(delayMs),
    cut: (kind) => {
      if (kind !== 'fin' && kind !== 'reset') misuse('link', `an end is cut by 'fin' or 'reset', not ${nameOf(kind)}`);
      for (const end of [first, second]) end._cut(kind);
      for (const end of [first, second]) end._carry();
    },
    breakWrites: (end, errno) => {
      if (systemErrorNumber(errno) === 0) misuse('link', `${errno} is no error of the system's`);
      end._breakWrites(errno);
    },
  };
}

/** One end of a link. */
export class LinkBufferEvent extends BufferEvent {
  /** Writes that the link refused in part or whole, as a full socket does. */
  refusedTotal = 0;
  /** Bytes on their way to the other end. */
  readonly #wire: EvBuffer = new EvBuffer();
  /** Those of them that have not arrived yet: the last ones. */
  readonly #flight: InFlight = new InFlight();
  readonly #capacityBytes: number;
  #perTurnBytes: number;
  #delayMs: number;
  #timer: Timer | undefined;
  #takenInTurn = 0;
  #turn = -1;
  #corked = false;
  #wakeAsked = false;
  #writeErrno: string | undefined;
  #partner: LinkBufferEvent | undefined;
  /** What follows the last byte on the wire, and when it is there. */
  #wireEnd: 'fin' | 'reset' | undefined;
  #wireEndDue = 0;

  constructor(loop: EventLoop, link: LinkOptions, options: ConnectionOptions = {}) {
    super(loop, 'link', options);
    this.#capacityBytes = bytesOf('capacityBytes', link.capacityBytes ?? 64 * 1024);
    this.#perTurnBytes = bytesOf('perTurnBytes', link.perTurnBytes ?? Number.POSITIVE_INFINITY);
    this.#delayMs = msOf(link.delayMs ?? 0);
  }

  /** Bytes of this end's that were taken and not read by the other yet. */
  get wireBytes(): number {
    return this.#wire.length;
  }

  _join(partner: LinkBufferEvent): void {
    this.#partner = partner;
    partner.#partner = this;
    this._connected();
    partner._connected();
  }

  _cork(on: boolean): void {
    this.#corked = on;
    if (!on) this._markDirty();
  }

  _limit(perTurnBytes: number): void {
    this.#perTurnBytes = bytesOf('perTurnBytes', perTurnBytes);
    this._markDirty();
  }

  _delay(delayMs: number): void {
    this.#delayMs = msOf(delayMs);
  }

  _cut(kind: 'fin' | 'reset'): void {
    // In the middle: what is on its way has it behind itself.
    this.#endWire(kind, this.loop.now());
    this.#writeErrno ??= kind === 'fin' ? 'EPIPE' : 'ECONNRESET';
  }

  _breakWrites(errno: string): void {
    this.#writeErrno = errno;
    this._markDirty();
  }

  protected override _setReading(on: boolean): void {
    if (on) this.#partner?._wake();
  }

  protected override _writeOut(): void {
    if (this.#writeErrno !== undefined) {
      this._writeFailed(errorFromErrno(this.#writeErrno, { operation: 'write', direction: 'write' }));
      return;
    }
    const offered = this._output.length;
    const taken = this._output.moveTo(this.#wire, Math.min(offered, this.#room(), this._writeAllowance));
    this.#takenInTurn += taken;
    if (taken > 0 && (this.#delayMs > 0 || this.#flight.bytes > 0)) this.#flight.add(taken, this.#due);
    if (taken < offered) {
      this.refusedTotal += 1;
      this._writeBlocked();
      if (taken > 0 && this.#takenInTurn >= this.#perTurnBytes && !this.#corked) this._wake();
    }
    this._carry();
    this._afterWrite();
  }

  protected override _endOutput(): void {
    this.#endWire('fin', this.#due);
    this._carry();
    this._ended();
  }

  protected override _release(abort: boolean): void {
    if (abort) {
      this.#wire.clear();
      this.#flight.clear();
      this.#wireEnd = undefined;
    }
    this.#endWire(abort ? 'reset' : 'fin', this.#due);
    this._carry();
    if (this.#delayMs === 0) this.#leave();
    else
      this.loop
        .idleTimer(() => this.#leave())
        .ref()
        .start(this.#delayMs);
    this._released();
  }

  /** What waits at the partner for room will have none: its write fails now. */
  #leave(): void {
    const partner = this.#partner;
    if (partner === undefined) return;
    partner.#writeErrno ??= 'EPIPE';
    partner._wake();
  }

  /** When what is sent now will be there. */
  get #due(): number {
    return this.loop.now() + this.#delayMs;
  }

  #endWire(kind: 'fin' | 'reset', due: number): void {
    if (this.#wireEnd !== undefined) return;
    this.#wireEnd = kind;
    this.#wireEndDue = Math.max(due, this.#flight.lastDue);
  }

  #room(): number {
    if (this.#corked) return 0;
    if (this.#turn !== this.loop.turns) {
      this.#turn = this.loop.turns;
      this.#takenInTurn = 0;
    }
    return Math.max(0, Math.min(this.#capacityBytes - this.#wire.length, this.#perTurnBytes - this.#takenInTurn));
  }

  /** Looks again in the next turn. */
  _wake(): void {
    if (this.#wakeAsked) return;
    this.#wakeAsked = true;
    this.loop.defer(() => {
      this.#wakeAsked = false;
      this._carry();
      this._markDirty();
    });
  }

  /** Looks again at that time, if it is to come. */
  #carryAt(due: number): void {
    const waitMs = due - this.loop.now();
    if (!(waitMs > 0) || due === Number.POSITIVE_INFINITY) return;
    this.#timer ??= this.loop.idleTimer(() => this._carry()).ref();
    if (!this.#timer.pending || this.#timer.deadline > due) this.#timer.start(waitMs);
  }

  /** From the wire to the other end, what has arrived there, as far as it reads. */
  _carry(): void {
    const partner = this.#partner;
    if (partner === undefined || partner.closed !== undefined) {
      this.#wire.clear();
      this.#flight.clear();
      return;
    }
    const now = this.loop.now();
    this.#flight.land(now);
    let moved = 0;
    // More than once for a partner that is closing, whose input is empty again at once.
    while (partner._mayRead && this.#wire.length > this.#flight.bytes) {
      const room = Math.min(partner.limits.readHigh - partner._input.length, partner._readAllowance);
      if (room <= 0) break;
      moved += this.#wire.moveTo(partner._input, Math.min(this.#wire.length - this.#flight.bytes, room));
    }
    if (moved > 0) this._markDirty();
    this.#carryAt(Math.min(this.#flight.next, this.#wireEnd === undefined ? this.#flight.next : this.#wireEndDue));
    if (this.#wire.length > 0 || now < this.#wireEndDue) return;
    if (this.#wireEnd === 'fin' && partner._mayRead) partner._peerEnded();
    else if (this.#wireEnd === 'reset') {
      partner._readFailed(errorFromErrno('ECONNRESET', { operation: 'read', direction: 'read' }));
    }
  }
}

function msOf(delayMs: number): number {
  requireMs('link', 'delayMs', delayMs);
  return delayMs;
}

function bytesOf(name: string, bytes: number): number {
  if (bytes === Number.POSITIVE_INFINITY || (Number.isInteger(bytes) && bytes >= 1)) return bytes;
  return misuse('link', `${name} must be an integer of 1 or more, or Infinity, not ${nameOf(bytes)}`);
}
