import type { Direction, SluiceError } from '@sluice/errors';
import { EventEmitter } from 'eventemitter3';
import { misuse, nameOf, requireObject, requireOpenLoop } from './arguments.ts';
import { capError } from './bufferevent-errors.ts';
import type { BufferEventEvents } from './bufferevent-events.ts';
import { Pending, State } from './bufferevent-state.ts';
import { Deadlines } from './deadlines.ts';
import { tellInput, tellLimit, tellOutput } from './diagnostics.ts';
import { type BufferReader, type BufferWriter, type Data, EvBuffer, type EvBufferOwner } from './evbuffer.ts';
import type { EventLoop } from './event-loop.ts';
import type { FlowLimiter } from './flow-limiter.ts';
import { type ConnectionOptions, type Limits, limitsFrom, type Timeouts, type Watermarks } from './limits.ts';
import type { Slab } from './slab.ts';
import { Suspend } from './suspend.ts';

/**
 * The flow of bytes through a BufferEvent: its two buffers, their bounds, and whether each direction moves. How the
 * connection begins, tells its user and ends is `BufferEvent`.
 */
export abstract class BufferEventFlow extends EventEmitter<BufferEventEvents> implements EvBufferOwner {
  readonly loop: EventLoop;
  protected readonly _input: EvBuffer;
  protected readonly _output: EvBuffer;
  /** Bits of `State`. */
  protected _state: number = State.readEnabled | State.writeEnabled;
  protected readonly _deadlines: Deadlines;
  /** Limits of rate and turn; undefined without any, and on every layer but the lowest. */
  _limiter: FlowLimiter | undefined = undefined;
  #limits: Limits;
  #suspended = 0;
  #writeSuspended = 0;
  #bytesIn = 0;
  #bytesOut = 0;

  protected constructor(loop: EventLoop, options: ConnectionOptions) {
    super();
    requireOpenLoop('BufferEvent', loop);
    requireObject('BufferEvent', 'options', options);
    this.loop = loop;
    this._input = new EvBuffer(this);
    this._output = new EvBuffer(this);
    this.#limits = limitsFrom(options);
    if (options.halfOpen === true) this._state |= State.halfOpen;
    if (options.pauseReadWhenFull === true) this._state |= State.pauseReadWhenFull;
    this._deadlines = new Deadlines(loop, loop.now(), () => this._deadlineReached());
  }

  /** What arrived and is not consumed yet. Still readable after `closed`. */
  get input(): BufferReader {
    return this._input;
  }

  /** What was written and is not accepted below yet. */
  get output(): BufferWriter {
    return this._output;
  }

  /** Where small writes are made, so that they cost no memory of their own. */
  get scratch(): Slab {
    return this.loop.scratch;
  }

  get limits(): Limits {
    return this.#limits;
  }

  /** Bytes that arrived from below and bytes that were accepted below; of this layer. */
  get bytesIn(): number {
    return this.#bytesIn;
  }

  get bytesOut(): number {
    return this.#bytesOut;
  }

  /** Bits of `Suspend` for which reading stands still. */
  get suspended(): number {
    return this.#suspended;
  }

  /** The same for writing. */
  get writeSuspended(): number {
    return this.#writeSuspended;
  }

  setWatermarks(watermarks: Watermarks): void {
    this.#limits = limitsFrom({ watermarks }, this.#limits);
    if (this._input.length < this.#limits.readHigh) this.#inputRelieved();
    else this.#inputFull();
    if (this._input.length >= this.#limits.readLow && this._input.length > 0) this._pend(Pending.data);
  }

  setTimeouts(timeouts: Timeouts): void {
    this.#limits = limitsFrom({ timeouts }, this.#limits);
    this._armDeadline();
  }

  /**
   * Takes the bytes for sending. Answers whether output is below its high watermark; after false, wait for `drained`.
   * A string is sent as UTF-8, an EvBuffer is emptied without copying.
   * @throws LimitError past the hard cap, and takes nothing; the channel's error once it failed; ApiMisuse after `end`
   */
  write(data: Data | EvBuffer): boolean {
    if (data instanceof EvBuffer) this._output.appendFrom(data);
    else this._output.append(data);
    return this._output.length < this.#limits.writeHigh;
  }

  /** Takes up to `n` bytes out of `input` (all without `n`), as a copy of its own; empty when there are none. */
  read(n?: number): Buffer {
    return this._input.read(n);
  }

  /** Whether the user wants the direction to move: see `enable`. `suspended` tells what else may hold it. */
  get readEnabled(): boolean {
    return (this._state & State.readEnabled) !== 0;
  }

  get writeEnabled(): boolean {
    return (this._state & State.writeEnabled) !== 0;
  }

  enable(direction: Direction): void {
    requireDirection('enable', direction);
    if (direction !== 'write' && (this._state & State.readEnabled) === 0) {
      this._state |= State.readEnabled;
      this._deadlines.touchRead(this.loop.now());
      const low = (this._state & State.peerEnded) === 0 ? this.#limits.readLow : 1;
      if (this._input.length >= low && this._input.length > 0) this._pend(Pending.data);
      this._activate();
      this._updateReading();
    }
    if (direction !== 'read' && (this._state & State.writeEnabled) === 0) {
      this._state |= State.writeEnabled;
      this._deadlines.touchWrite(this.loop.now());
      this._markDirty();
    }
  }

  /** A pending callback of the direction is not delivered any more. */
  disable(direction: Direction): void {
    requireDirection('disable', direction);
    if (direction !== 'write') {
      this._state &= ~State.readEnabled;
      this._updateReading();
    }
    if (direction !== 'read') this._state &= ~State.writeEnabled;
  }

  /** `disable('read')`. */
  pause(): void {
    this.disable('read');
  }

  /** `enable('read')`. */
  resume(): void {
    this.enable('read');
  }

  /**
   * Has `data` ('read'), `drained` ('write') or both told of what is there now, from the loop: for a handler that could do
   * nothing with it when it was told. As ever, `data` is told of input at the low watermark, to whoever wants to read, and
   * `drained` of output at its own; with `ignoreWatermarks` of any input, and of any output.
   */
  trigger(direction: Direction, options: { ignoreWatermarks?: boolean } = {}): void {
    requireDirection('trigger', direction);
    const any = options.ignoreWatermarks === true;
    if (direction !== 'write' && this._input.length > 0)
      this._pend(any ? Pending.data | Pending.anyData : Pending.data);
    if (direction === 'read' || (this._state & (State.ending | State.releasing)) !== 0) return;
    if (any || this._output.length <= this.#limits.writeLow) this._pend(Pending.drained);
  }

  suspendRead(reason: number): void {
    this.#suspended |= reason;
    this._updateReading();
  }

  unsuspendRead(reason: number): void {
    if ((this.#suspended & reason) === 0) return;
    this.#suspended &= ~reason;
    this._updateReading();
  }

  suspendWrite(reason: number): void {
    this.#writeSuspended |= reason;
  }

  unsuspendWrite(reason: number): void {
    if ((this.#writeSuspended & reason) === 0) return;
    this.#writeSuspended &= ~reason;
    // What the peer did not take while we held back is no fault of its.
    this._deadlines.touchWrite(this.loop.now());
    this._markDirty();
  }

  // --- What the rest of the BufferEvent does. ---

  /** Queues callbacks, bits of `Pending`. */
  protected abstract _pend(bits: number): void;

  /** Queues the callbacks that are waiting, if there are any. */
  protected abstract _activate(): void;

  /** Begins or stops taking bytes from below. Called on changes only. */
  protected abstract _setReading(on: boolean): void;

  /** Asks for the output to be moved at the end of this turn, or of one soon. */
  abstract _markDirty(): void;

  /** Why nothing may be written any more. */
  protected abstract _writeRefusal(): SluiceError;

  protected abstract _deadlineReached(): void;
  protected abstract _armDeadline(): void;

  /** Whether reading is wanted and nothing stands against it. */
  get _mayRead(): boolean {
    return (this._state & State.reading) !== 0;
  }

  /** Bytes that may be taken from below, or moved down, now. */
  get _readAllowance(): number {
    return this._limiter === undefined ? Number.POSITIVE_INFINITY : this._limiter.read.allowance;
  }

  protected get _writeAllowance(): number {
    return this._limiter === undefined ? Number.POSITIVE_INFINITY : this._limiter.write.allowance;
  }

  protected get _mayWrite(): boolean {
    const needed = State.connected | State.writeEnabled;
    return (this._state & (needed | State.releasing)) === needed && this.#writeSuspended === 0;
  }

  // --- EvBufferOwner ---

  admit(buffer: EvBuffer, bytes: number): void {
    if (buffer !== this._output) return;
    if ((this._state & (State.ending | State.releasing)) !== 0) throw this._writeRefusal();
    if (buffer.length + bytes <= this.#limits.writeCap) return;
    const error = capError(buffer.length, bytes, this.#limits.writeCap);
    tellLimit(this, error);
    throw error;
  }

  bufferChanged(buffer: EvBuffer, added: number, removed: number): void {
    if (buffer === this._input) this.#inputChanged(added, removed);
    else this.#outputChanged(added, removed);
  }

  protected _updateReading(): void {
    const wanted =
      this.#suspended === 0 &&
      (this._state & (State.connected | State.readEnabled | State.peerEnded | State.releasing)) ===
        (State.connected | State.readEnabled);
    if (wanted === ((this._state & State.reading) !== 0)) return;
    this._state ^= State.reading;
    if (wanted) {
      this._deadlines.touchRead(this.loop.now());
      this._armDeadline();
    }
    this._setReading(wanted);
  }

  #inputChanged(added: number, removed: number): void {
    if (added > 0) {
      this.#bytesIn += added;
      if (this._limiter !== undefined) this._limiter.read.charge(added);
      this._deadlines.touchRead(this.loop.now());
      if ((this._state & State.discarding) !== 0) {
        this._input.clear();
        return;
      }
      if (this._input.length >= this.#limits.readHigh) this.#inputFull();
      if (this._input.length >= this.#limits.readLow) this._pend(Pending.data);
    } else if (
      removed > 0 &&
      (this.#suspended & Suspend.watermark) !== 0 &&
      this._input.length < this.#limits.readHigh
    ) {
      this.#inputRelieved();
    }
  }

  #inputFull(): void {
    if ((this.#suspended & Suspend.watermark) === 0) tellInput(this, 'high');
    this.suspendRead(Suspend.watermark);
  }

  #inputRelieved(): void {
    if ((this.#suspended & Suspend.watermark) !== 0) tellInput(this, 'low');
    this.unsuspendRead(Suspend.watermark);
  }

  #outputFull(): void {
    if ((this._state & State.pauseReadWhenFull) !== 0) this.suspendRead(Suspend.output);
    tellOutput(this, 'high');
  }

  #outputChanged(added: number, removed: number): void {
    const length = this._output.length;
    if (added > 0) {
      this._markDirty();
      if (length >= this.#limits.writeHigh) this.#outputFull();
    }
    if (removed > 0) {
      // What is dropped when the connection is let go has not left.
      if ((this._state & State.releasing) !== 0) return;
      this.#bytesOut += removed;
      if (this._limiter !== undefined) this._limiter.write.charge(removed);
      this._deadlines.touchWrite(this.loop.now());
      if (length <= this.#limits.writeLow && length + removed > this.#limits.writeLow) {
        this.unsuspendRead(Suspend.output);
        tellOutput(this, 'low');
        if ((this._state & (State.ending | State.releasing)) === 0) this._pend(Pending.drained);
      }
    }
  }
}

function requireDirection(operation: string, direction: Direction): void {
  if (direction === 'read' || direction === 'write' || direction === 'both') return;
  misuse(operation, `the direction must be 'read', 'write' or 'both', not ${nameOf(direction)}`);
}
