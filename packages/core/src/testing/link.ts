import { errorFromErrno, systemErrorNumber } from '@sluice/errors';
import { misuse, nameOf } from '../arguments.ts';
import { BufferEvent } from '../bufferevent.ts';
import { EvBuffer } from '../evbuffer.ts';
import type { EventLoop } from '../event-loop.ts';
import type { ConnectionOptions } from '../limits.ts';

export interface LinkOptions {
  /** Bytes that each direction holds between the ends, as a kernel's buffers do. Default 64 KiB. */
  capacityBytes?: number;
  /** Bytes that each direction takes per turn. Default no limit. */
  perTurnBytes?: number;
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
  readonly #capacityBytes: number;
  #perTurnBytes: number;
  #takenInTurn = 0;
  #turn = -1;
  #corked = false;
  #wakeAsked = false;
  #writeErrno: string | undefined;
  #partner: LinkBufferEvent | undefined;
  /** What follows the last byte on the wire. */
  #wireEnd: 'fin' | 'reset' | undefined;

  constructor(loop: EventLoop, link: LinkOptions, options: ConnectionOptions = {}) {
    super(loop, 'link', options);
    this.#capacityBytes = bytesOf('capacityBytes', link.capacityBytes ?? 64 * 1024);
    this.#perTurnBytes = bytesOf('perTurnBytes', link.perTurnBytes ?? Number.POSITIVE_INFINITY);
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

  _cut(kind: 'fin' | 'reset'): void {
    this.#wireEnd ??= kind;
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
    if (taken < offered) {
      this.refusedTotal += 1;
      this._writeBlocked();
      if (taken > 0 && this.#takenInTurn >= this.#perTurnBytes && !this.#corked) this._wake();
    }
    this._carry();
    this._afterWrite();
  }

  protected override _endOutput(): void {
    this.#wireEnd ??= 'fin';
    this._carry();
    this._ended();
  }

  protected override _release(abort: boolean): void {
    if (abort) {
      this.#wire.clear();
      this.#wireEnd = 'reset';
    } else this.#wireEnd ??= 'fin';
    this._carry();
    const partner = this.#partner;
    if (partner !== undefined) {
      partner.#writeErrno ??= 'EPIPE';
      // What waits there for room will have none: its write fails now.
      partner._wake();
    }
    this._released();
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

  /** From the wire to the other end, as far as it reads. */
  _carry(): void {
    const partner = this.#partner;
    if (partner === undefined || partner.closed !== undefined) {
      this.#wire.clear();
      return;
    }
    let moved = 0;
    // More than once for a partner that is closing, whose input is empty again at once.
    while (partner._mayRead && this.#wire.length > 0) {
      const room = Math.min(partner.limits.readHigh - partner._input.length, partner._readAllowance);
      if (room <= 0) break;
      moved += this.#wire.moveTo(partner._input, Math.min(this.#wire.length, room));
    }
    if (moved > 0) this._markDirty();
    if (this.#wire.length > 0) return;
    if (this.#wireEnd === 'fin' && partner._mayRead) partner._peerEnded();
    else if (this.#wireEnd === 'reset') {
      partner._readFailed(errorFromErrno('ECONNRESET', { operation: 'read', direction: 'read' }));
    }
  }
}

function bytesOf(name: string, bytes: number): number {
  if (bytes === Number.POSITIVE_INFINITY || (Number.isInteger(bytes) && bytes >= 1)) return bytes;
  return misuse('link', `${name} must be an integer of 1 or more, or Infinity, not ${nameOf(bytes)}`);
}
