import { AbortedError } from '@sluice/errors';
import { misuse, nameOf, requireFunction, requireObject } from '../arguments.ts';
import { BufferEvent } from '../bufferevent.ts';
import type { EventLoop } from '../event-loop.ts';
import type { ConnectionOptions } from '../limits.ts';
import { errorOfStream } from './stream-errors.ts';
import type { IterableStreams } from './to-iterable.ts';

/** Bytes that the sink is given at a time; no more is on its way in it. */
const PIECE_BYTES_MAX = 64 * 1024;

/**
 * A source and a sink as a connection, which owns them from then on.
 *
 * `source` is asked for its next piece while `input` has room; of one that is larger, the rest waits. `sink` is called once,
 * from a turn of the loop, with the bytes that are written: it gets one piece at a time, when it asks for it, and the rest
 * waits in `output`, which has its cap. That it has resolved is the end of our direction; when it does so, or leaves what it
 * is given, before all is written, the connection fails. So it does with what either of them throws, as the cause. When the
 * connection was destroyed and bytes were dropped, what the sink is given throws.
 *
 * @throws ApiMisuse for what is no such pair
 */
export function fromIterable(loop: EventLoop, streams: IterableStreams, options: ConnectionOptions = {}): BufferEvent {
  return new IterableBufferEvent(loop, streams, options);
}

class IterableBufferEvent extends BufferEvent {
  readonly #source: Iterator<Uint8Array> | AsyncIterator<Uint8Array>;
  readonly #sink: IterableStreams['sink'];
  readonly #pullLater = (): void => {
    this.#pullAsked = false;
    this.#pull();
  };
  #pullAsked = false;
  #reading = false;
  #sourceDone = false;
  /** What of the last piece had no room in input. */
  #rest: Uint8Array | undefined;
  /** Bytes of the piece that the sink works on. */
  #writingBytes = 0;
  /** Settled when the sink is; undefined before it was called. */
  #sent: Promise<void> | undefined;
  /** The sink waits for a piece; it is given none at the end. */
  #give: ((piece: Uint8Array | undefined) => void) | undefined;
  /** What the sink is told instead of a next piece. */
  #over: { readonly error?: Error } | undefined;

  constructor(loop: EventLoop, streams: IterableStreams, options: ConnectionOptions) {
    requireObject('fromIterable', 'streams', streams);
    requireFunction('fromIterable', 'sink', streams.sink);
    const iterator = iteratorOf(streams.source);
    super(loop, 'iterable', options);
    this.#source = iterator;
    this.#sink = (source) => streams.sink(source);
    this._connected();
    // The sink's code runs in a turn, not in our user's call.
    loop.defer(() => this.#begin());
  }

  override get _saysGoodbye(): boolean {
    return true;
  }

  override get _unsentBytes(): number {
    return this._output.length + this.#writingBytes;
  }

  // --- BufferEvent ---

  protected override _setReading(on: boolean): void {
    if (!on || this.#pullAsked) return;
    this.#pullAsked = true;
    this.loop.defer(this.#pullLater);
  }

  protected override _writeOut(): void {
    const give = this.#give;
    const bytes = Math.min(this._output.length, PIECE_BYTES_MAX, this._writeAllowance);
    if (give !== undefined && bytes > 0) {
      this.#give = undefined;
      this.#writingBytes = bytes;
      give(this._output.read(bytes));
    }
    if (this._output.length > 0) this._writeBlocked();
  }

  protected override _endOutput(): void {
    this.#over = {};
    this.#give?.(undefined);
  }

  protected override _release(abort: boolean): void {
    if (this.closed?.end !== 'end') {
      this.#over = abort ? { error: this.closed?.error ?? droppedError() } : {};
      this.#give?.(undefined);
    }
    // That bytes are missing is what counts for a connection under both, and the sink says it: in the next turn, or while
    // promises have their part after it. One that hangs cannot.
    void this.#sent?.finally(() => this.#leaveSource());
    this.loop.deferNext(() => this.loop.deferNext(() => this.#leaveSource()));
    this._released();
  }

  #leaveSource(): void {
    if (this.#sourceDone) return;
    this.#sourceDone = true;
    leave(this.#source);
  }

  // --- In ---

  #pull(): void {
    while (this._mayRead && this.#rest !== undefined) {
      const chunk = this.#rest;
      const room = Math.min(this.limits.readHigh - this._input.length, this._readAllowance);
      this.#rest = chunk.byteLength > room ? chunk.subarray(room) : undefined;
      this._input.append(chunk.subarray(0, room));
    }
    if (!this._mayRead || this.#reading) return;
    this.#reading = true;
    nextOf(this.#source).then(
      (result) => this.#arrived(result),
      (error: unknown) => {
        this.#sourceDone = true;
        this._readFailed(errorOfStream(error, 'read'));
      },
    );
  }

  #arrived({ done, value }: IteratorResult<unknown>): void {
    this.#reading = false;
    if (done === true) {
      this.#sourceDone = true;
      return this._peerEnded();
    }
    if (!(value instanceof Uint8Array)) {
      return this._readFailed(
        errorOfStream(new TypeError(`its pieces must be Uint8Array, not ${nameOf(value)}`), 'read'),
      );
    }
    this.#rest = value.byteLength === 0 ? undefined : value;
    this._setReading(this._mayRead);
  }

  // --- Out ---

  #begin(): void {
    // A sink that was never called is told of bytes that were dropped all the same.
    if (this.closed !== undefined && this.#over?.error === undefined) return;
    const sent = async (): Promise<void> => this.#sink(this.#pieces());
    this.#sent = sent().then(
      () => this.#sinkDone(),
      (error: unknown) => this.#writeFailed(error),
    );
  }

  /** What is written, for the sink. That it asks for the next piece tells that it has done with the one before. */
  async *#pieces(): AsyncGenerator<Uint8Array, void, undefined> {
    for (let piece; (piece = await this.#nextPiece()) !== undefined; ) {
      yield piece;
      this.#taken();
    }
    if (this.#over?.error !== undefined) throw this.#over.error;
  }

  #nextPiece(): Promise<Uint8Array | undefined> {
    if (this.#over !== undefined && this._output.length === 0) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#give = resolve;
      this._markDirty();
    });
  }

  #taken(): void {
    this.#writingBytes = 0;
    if (this.closed === undefined && this._output.length === 0) this._afterWrite();
  }

  #sinkDone(): void {
    // Whoever has the last piece need not ask for another.
    if (this.#writingBytes > 0) this.#taken();
    if (this.#over === undefined) this.#writeFailed('its sink ended before all was written');
    else if (this.closed === undefined) this._ended();
  }

  #writeFailed(error: unknown): void {
    if (this.closed === undefined) this._writeFailed(errorOfStream(error, 'write'));
  }
}

/** Tells a source that no more is wanted. Its failure comes too late for anybody. */
function leave(source: Iterator<unknown> | AsyncIterator<unknown>): void {
  const left = async (): Promise<unknown> => source.return?.();
  left().catch(ignore);
}

async function nextOf(source: Iterator<unknown> | AsyncIterator<unknown>): Promise<IteratorResult<unknown>> {
  return source.next();
}

function iteratorOf(source: IterableStreams['source']): Iterator<Uint8Array> | AsyncIterator<Uint8Array> {
  const isObject = typeof source === 'object' && source !== null;
  const make: unknown = isObject
    ? (Reflect.get(source, Symbol.asyncIterator) ?? Reflect.get(source, Symbol.iterator))
    : undefined;
  if (typeof make !== 'function') misuse('fromIterable', `source must be iterable, not ${nameOf(source)}`);
  return Reflect.apply(make, source, []) as Iterator<Uint8Array> | AsyncIterator<Uint8Array>;
}

/** What the sink of a connection is told that was destroyed without a reason, and bytes with it. */
function droppedError(): AbortedError {
  return new AbortedError('the connection was destroyed before all was written', {
    code: 'SLUICE_CORE_CLOSED',
    layer: 'core',
    operation: 'write',
    blame: 'local',
    remedy: 'close',
  });
}

function ignore(): void {}
