import { BufferEvent } from './bufferevent.ts';
import { errorFromErrno } from '@sluice/errors';
import type { EventLoop } from './event-loop.ts';
import type { ConnectionOptions } from './limits.ts';

/**
 * One end of a pair in memory: what is written at one end is input of the other, moved without copying, held back by
 * the other's high watermark. Ending and destroying are seen by the partner as a socket's would be.
 */
export class PairBufferEvent extends BufferEvent {
  #partner: PairBufferEvent | undefined;

  private constructor(loop: EventLoop, options: ConnectionOptions) {
    super(loop, 'pair', options);
  }

  /** Two connected ends on one loop. Options for the second end are the first's when absent. */
  static create(
    loop: EventLoop,
    first: ConnectionOptions = {},
    second: ConnectionOptions = first,
  ): [PairBufferEvent, PairBufferEvent] {
    const ends: [PairBufferEvent, PairBufferEvent] = [
      new PairBufferEvent(loop, first),
      new PairBufferEvent(loop, second),
    ];
    ends[0].#partner = ends[1];
    ends[1].#partner = ends[0];
    for (const end of ends) end._connected();
    return ends;
  }

  /** The other end, until one of them is gone. */
  get partner(): PairBufferEvent | undefined {
    return this.#partner;
  }

  protected override _setReading(on: boolean): void {
    if (on) this.#partner?._markDirty();
  }

  protected override _writeOut(): void {
    const partner = this.#partner;
    if (partner === undefined) return this._fail(errorFromErrno('EPIPE', { operation: 'write', direction: 'write' }));
    // More than once for a partner that is closing, whose input is empty again at once.
    while (this._output.length > 0 && this._mayWrite && partner._mayRead) {
      const free = partner.limits.readHigh - partner._input.length;
      const room = Math.min(free, partner._readAllowance, this._writeAllowance);
      partner._input.appendFrom(this._output, room === Number.POSITIVE_INFINITY ? undefined : room);
    }
    if (this._output.length > 0) this._writeBlocked();
    this._afterWrite();
  }

  protected override _endOutput(): void {
    this.#partner?._peerEnded();
    this._ended();
  }

  protected override _release(abort: boolean): void {
    const partner = this.#partner;
    this.#partner = undefined;
    if (partner !== undefined) {
      partner.#partner = undefined;
      if (abort) partner._fail(errorFromErrno('ECONNRESET', { operation: 'read', direction: 'read' }));
      else partner._peerEnded();
      // What waits there for room will have none: its write fails now.
      partner._markDirty();
    }
    this._released();
  }
}
