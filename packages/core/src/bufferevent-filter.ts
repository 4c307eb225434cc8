import { misuse, requireConnection, requireMethods } from './arguments.ts';
import { BufferEvent } from './bufferevent.ts';
import { State } from './bufferevent-state.ts';
import type { CloseReport } from './close-report.ts';
import type { EvBuffer } from './evbuffer.ts';
import { type Filter, type FilterMode, passThrough } from './filter.ts';
import {
  afterFinishedError,
  cutMessageError,
  filterError,
  lostLayerError,
  overrunError,
  stuckError,
} from './filter-errors.ts';
import { type FilterOutcome, FilterRun } from './filter-run.ts';
import type { ConnectionOptions } from './limits.ts';
import { Suspend } from './suspend.ts';

export interface FilterOptions extends ConnectionOptions {
  /**
   * How far past input's high watermark the input transform may go before the connection fails with a `LimitError`.
   * Default 1 MiB: room for one unit of any protocol, and not for what a decompression bomb becomes.
   */
  overrunBytesMax?: number;
}

const OVERRUN_BYTES_MAX = 1024 * 1024;

/**
 * A connection whose bytes are of one form for its user and of another for the layer below, which may be any BufferEvent:
 * a socket, a pair, TLS, another filter.
 *
 * The layer below belongs to it: it alone reads, writes and closes it. The transforms run in the loop's turns, never in
 * a call of the user's, and each layer keeps its own watermarks: input is filtered while there is room in ours, output
 * while there is room in the layer below. When the peer ends, the input transform is told (`finished`) before the user
 * is; `end` and `close` tell the output transform, then drain and end the layer below. The report is about this layer,
 * and a failure below comes through as it is.
 */
export class FilterBufferEvent extends BufferEvent {
  readonly #below: BufferEvent;
  readonly #filter: Filter;
  readonly #incoming: FilterRun;
  readonly #outgoing: FilterRun;
  readonly #overrunBytesMax: number;
  readonly #pullLater = (): void => {
    this.#pullAsked = false;
    this.#pull();
  };
  readonly #pushLater = (): void => this._markDirty();
  #pullAsked = false;
  /** Nothing below will keep what is not taken now. */
  #lastPull = false;
  #flushAsked = false;
  #flushAwaited = false;
  #flushWatched = false;
  #belowReport: CloseReport | undefined;

  /** @throws ApiMisuse when the layer below is gone already, and for a limit that is no number */
  constructor(below: BufferEvent, filter: Filter, options: FilterOptions = {}) {
    const { overrunBytesMax = OVERRUN_BYTES_MAX } = options;
    requireConnection(OPERATION, below);
    requireMethods(OPERATION, 'filter', filter, [], ['input', 'output', 'close']);
    if (below.closed !== undefined) misuse(OPERATION, `${below.transport} connection ${below.id} is closed`);
    if (!(overrunBytesMax >= 0)) misuse(OPERATION, `overrunBytesMax must be 0 or more, not ${overrunBytesMax}`);
    // The layer below has its own limit for connecting.
    super(below.loop, 'filter', { ...options, timeouts: { ...options.timeouts, connectMs: Number.POSITIVE_INFINITY } });
    this.#below = below;
    this.#filter = filter;
    this.#overrunBytesMax = overrunBytesMax;
    this.#incoming = new FilterRun(filter.input?.bind(filter) ?? passThrough, {
      direction: 'read',
      source: below.input,
      destination: this._input,
      room: () => this.#inputRoom,
      moved: () => below.bytesIn - below.input.length + this.bytesIn,
    });
    this.#outgoing = new FilterRun(filter.output?.bind(filter) ?? passThrough, {
      direction: 'write',
      source: this._output,
      destination: below.output,
      room: () => below.limits.writeHigh - below.output.length,
      moved: () => this.bytesOut + below.output.length + below.bytesOut,
    });
    below.suspendRead(Suspend.filter);
    below._takeOver({
      connected: () => this._connected(),
      data: () => this.#pull(),
      drained: () => this._markDirty(),
      end: () => this.#pull(),
      closed: (_below, report) => this.#belowClosed(report),
    });
    if (below.connected) this._connected();
  }

  override get underlying(): BufferEvent {
    return this.#below;
  }

  override get _unsentBytes(): number {
    return this._output.length + (this.#flushAsked ? 1 : 0) + this.#below._unsentBytes;
  }

  /** Of a connection that has ended in order this cuts short the end of what is below. */
  override destroy(error?: unknown): void {
    if (this.closed?.end === 'end') this.#below.destroy();
    super.destroy(error);
  }

  /** Asks the filter for what it holds back, too. */
  override _onFlushed(resolve: () => void, reject: Parameters<BufferEvent['_onFlushed']>[1]): () => void {
    if (this.closed === undefined && !this.#outgoing.finished) {
      this.#flushAsked = true;
      this._markDirty();
    }
    this.#flushAwaited = true;
    const cancel = super._onFlushed(resolve, reject);
    this.#watchFlush();
    return cancel;
  }

  override admit(buffer: EvBuffer, bytes: number): void {
    if (buffer === this._input && this.#incoming.running) {
      const cap = this.limits.readHigh + this.#overrunBytesMax;
      if (buffer.length + bytes > cap) throw overrunError(buffer.length, bytes, cap);
    }
    super.admit(buffer, bytes);
  }

  // --- What BufferEvent asks of its transport. ---

  protected override _setReading(): void {
    this.#adjustReading();
    if (this._mayRead && !this.#incoming.running) this.#askPull();
  }

  protected override _writeOut(): void {
    this._afterWrite();
  }

  /** Runs the filter over the output as far as the layer below has room; then, whatever waits for that. */
  override _afterWrite(): void {
    if (this.closed !== undefined) return;
    if (!this.#outgoing.finished && !this.#push()) return;
    if (this._output.length > 0 && !this.#outgoing.finished) this._writeBlocked();
    this.#watchFlush();
    const ending = (this._state & State.ending) !== 0;
    if (this.#outgoing.finished || !ending) super._afterWrite();
  }

  /** Output that the filter wants more of waits for the user, not for the peer. */
  protected override get _outputWaits(): boolean {
    return this._output.length > 0 && this.#below.output.length > 0;
  }

  protected override _endOutput(): void {
    this.#below.end();
    this.#below._onFlushed(() => this.loop.defer(this.#outputLeft), ignore);
  }

  protected override _release(abort: boolean): void {
    try {
      this.#filter.close?.();
    } catch (error) {
      this.loop.uncaught(error);
    }
    if (this.#belowReport !== undefined) this._released();
    else if (this.closed?.end === 'end') void this.#below.close();
    else if (abort) this.#below._abort();
    else this.#below.destroy();
  }

  // --- Private ---

  readonly #outputLeft = (): void => this._ended();

  get #inputRoom(): number {
    if (this.#lastPull) return this.#overrunBytesMax;
    return this._mayRead ? this.limits.readHigh - this._input.length : 0;
  }

  /** After the end of the filter's own stream the layer below is read on, and what comes is dropped: its end is noticed. */
  #adjustReading(): void {
    if (this._mayRead || this.#incoming.finished) this.#below.unsuspendRead(Suspend.filter);
    else this.#below.suspendRead(Suspend.filter);
  }

  #askPull(): void {
    if (this.#pullAsked) return;
    this.#pullAsked = true;
    this.loop.defer(this.#pullLater);
  }

  /** Filters what has arrived, as far as input takes it. */
  #pull(): void {
    const below = this.#below;
    const { source } = this.#incoming.side;
    if (this.#incoming.finished) return void source.drain();
    if (this.closed !== undefined || !this.connected) return;
    let outcome = this.#run(this.#incoming, 'normal');
    while (this.#lastPull && outcome === 'later') outcome = this.#run(this.#incoming, 'normal');
    if (outcome === 'hungry' && below.peerEnded) outcome = this.#run(this.#incoming, 'finished');
    if (outcome === 'finished') {
      source.drain();
      this.#adjustReading();
      this._peerEnded();
    } else if (outcome === 'later') this.#askPull();
    else if (outcome === 'hungry' && below.peerEnded) this._fail(cutMessageError('read', source.length));
    else if (outcome === 'hungry' && source.length >= below.limits.readHigh) {
      this._fail(stuckError(source.length, below.limits.readHigh));
    }
  }

  /** Filters what was written, as far as the layer below has room. Answers false when that failed. */
  #push(): boolean {
    const ending = (this._state & State.ending) !== 0;
    let outcome = this.#run(this.#outgoing, 'normal');
    if (outcome === 'hungry') {
      if (ending) outcome = this.#run(this.#outgoing, 'finished');
      else if (this.#flushAsked) outcome = this.#run(this.#outgoing, 'flush');
    }
    if (outcome === undefined) return false;
    if (outcome === 'hungry' || outcome === 'finished') this.#flushAsked = false;
    const left = this._output.length;
    if (outcome === 'later') this.loop.defer(this.#pushLater);
    else if (outcome === 'hungry' && ending) this._fail(cutMessageError('write', left));
    else if (outcome === 'finished' && left > 0) this._fail(afterFinishedError(left));
    else if (outcome === 'finished') this.end();
    return this.closed === undefined;
  }

  /** Answers undefined when the transform failed, and the connection with it. */
  #run(run: FilterRun, mode: FilterMode): FilterOutcome | undefined {
    try {
      const outcome = run.run(mode);
      return this.closed === undefined || this.#lastPull ? outcome : undefined;
    } catch (error) {
      this._fail(filterError(run.side.direction, error));
      return undefined;
    }
  }

  #belowClosed(report: CloseReport): void {
    this.#belowReport = report;
    if (this.closed === undefined) this.#endWithBelow(report);
    else this._released();
  }

  /** The layer below is gone before us. What arrived is filtered first: it may say why. */
  #endWithBelow(report: CloseReport): void {
    const inOrder = report.end === 'end';
    this.#lastPull = !inOrder;
    this.#pull();
    this.#lastPull = false;
    if (this.closed !== undefined) return;
    if (inOrder && this.#outgoing.finished) this._ended();
    else if (report.error !== undefined) this._fail(report.error);
    else if (inOrder) this._fail(lostLayerError(report.end));
    else this.destroy();
  }

  /** Whoever waits for a flush is told when the layer below has no more of ours either. */
  #watchFlush(): void {
    if (!this.#flushAwaited || this.#flushWatched || this.#flushAsked || this._output.length > 0) return;
    if (this.#below._unsentBytes === 0) {
      this.#flushAwaited = false;
      this._checkFlushed();
      return;
    }
    this.#flushWatched = true;
    this.#below._onFlushed(() => {
      this.#flushWatched = false;
      this.#watchFlush();
    }, ignore);
  }
}

function ignore(): void {}

const OPERATION = 'FilterBufferEvent';
