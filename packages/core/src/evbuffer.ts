import { ApiMisuse, LimitError } from '@sluice/errors';
import { allowFunction, misuse, nameOf, requireCount, requireFunction, requireOpenLoop } from './arguments.ts';
import { type BufferReader, type BufferWriter, type Data, LINE_BYTES_MAX } from './buffer-ends.ts';
import { type ChangeListener, ChangeListeners, type ChangeOptions, type Subscription } from './change-listeners.ts';
import { Chunk, Reference } from './chunk.ts';
import { deferTo } from './deferred-listener.ts';
import { requireBytes, requireEncoding, requireStyle, requireText } from './evbuffer-arguments.ts';
import { IntegerBuffer } from './evbuffer-integers.ts';
import { byteAt, CR, type EolStyle, findByte, findBytes, findTerminator, lineBreakRun } from './evbuffer-search.ts';
import { type EvBufferStats, evBufferStats } from './evbuffer-stats.ts';
import { byteLengthOf, encode, encodedBytesMax, writeAll, writeText } from './evbuffer-text.ts';
import { Reservation, requireReservable } from './reservation.ts';
import type { Slab } from './slab.ts';

export { type BufferReader, type BufferWriter, type Data, LINE_BYTES_MAX } from './buffer-ends.ts';
export type { BufferChange, ChangeListener, ChangeOptions, Subscription } from './change-listeners.ts';
export type { EolStyle } from './evbuffer-search.ts';
export type { EvBufferStats } from './evbuffer-stats.ts';
export type { Reservation } from './reservation.ts';

/** What a buffer belongs to: a BufferEvent, which bounds it and hears of every change. */
export interface EvBufferOwner {
  /** Called before bytes are added, from wherever; throws to refuse them, and then nothing is taken. */
  admit(buffer: EvBuffer, bytes: number): void;
  /** Called once after every operation that changed the length, when the buffer (both, for a move) is whole again. */
  bufferChanged(buffer: EvBuffer, added: number, removed: number): void;
  /** Where small appends go, if anywhere. */
  readonly scratch?: Slab | undefined;
}

/** Appends up to this size go to the scratch slab; larger ones would fill it for everybody else. */
const SCRATCH_BYTES_MAX = 4096;

/**
 * A queue of bytes: put in at one end, taken out at the other, moved between buffers without copying.
 *
 * Bytes lie in chunks, which may be in the loop's slabs for the rest of the turn, in memory of the buffer's own, or in
 * the user's (`appendRef`). `read`, `peek`, `pullup` and the like never show slab memory. Not bounded by itself: its
 * owner does that (see `EvBufferOwner`).
 */
export class EvBuffer extends IntegerBuffer implements BufferReader, BufferWriter, Disposable {
  static {
    Object.defineProperty(EvBuffer.prototype, Symbol.for('nodejs.util.inspect.custom'), { value: inspectEvBuffer });
  }

  readonly #owner: EvBufferOwner | undefined;
  #listeners: ChangeListeners | undefined = undefined;
  /** The style that `_scanned` is about. */
  #scannedStyle: EolStyle = 'crlf';
  /** Bytes of the end of line that was found last. */
  #eolLength = 0;

  constructor(owner?: EvBufferOwner) {
    super();
    this.#owner = owner;
  }

  get contiguousLength(): number {
    const head = this._head;
    return head === undefined ? 0 : head.end - head.start;
  }

  get stats(): EvBufferStats {
    return evBufferStats(this);
  }

  // --- Appending ---

  append(data: Data, encoding: BufferEncoding = 'utf8'): number {
    const added = typeof data === 'string' ? this.#putString(data, encoding) : this.#putBytes(data);
    if (added > 0) this.#changed(added, 0);
    return added;
  }

  appendString(text: string, encoding: BufferEncoding = 'utf8'): number {
    const added = this.#putString(text, encoding);
    if (added > 0) this.#changed(added, 0);
    return added;
  }

  appendAll(pieces: readonly Data[]): number {
    if (!Array.isArray(pieces)) misuse('appendAll', `pieces must be an array, not ${nameOf(pieces)}`);
    let size = 0;
    for (const piece of pieces) size += byteLengthOf('appendAll', piece);
    if (size === 0) return 0;
    const owner = this.#owner;
    owner?.admit(this, size);
    const scratch = size <= SCRATCH_BYTES_MAX ? owner?.scratch : undefined;
    const at = scratch === undefined ? -1 : scratch.reserve(size);
    if (scratch !== undefined && at >= 0) {
      writeAll(scratch.bytes, at, pieces);
      this._linkSlab(scratch, at, size);
    } else {
      const chunk = this._room(size);
      writeAll(chunk.bytes, chunk.end, pieces);
      this._commit(chunk, size);
    }
    this.#changed(size, 0);
    return size;
  }

  appendRef(data: Uint8Array, onRelease?: () => void): void {
    requireBytes('appendRef', data);
    allowFunction('appendRef', 'onRelease', onRelease);
    const size = data.byteLength;
    const reference = onRelease === undefined ? undefined : new Reference(onRelease);
    if (size === 0) {
      reference?.fire();
      return;
    }
    this.#owner?.admit(this, size);
    const bytes = Buffer.isBuffer(data) ? data : Buffer.from(data.buffer, data.byteOffset, size);
    this._link(new Chunk(bytes, 0, size, undefined, reference));
    try {
      this.#changed(size, 0);
    } finally {
      reference?.appended();
    }
  }

  reserve(n: number): Reservation {
    requireReservable('reserve', n);
    this.#owner?.admit(this, n);
    this._reservation = new Reservation(this, this._detachRoom(n));
    return this._reservation;
  }

  /** @internal For `Reservation`, which has checked that it may. */
  _commitReserved(chunk: Chunk, used: number): void {
    if (used > 0) this.#owner?.admit(this, used);
    this._reservation = undefined;
    this._attachRoom(chunk, used);
    if (used > 0) this.#changed(used, 0);
  }

  appendFrom(source: BufferReader, count?: number): number {
    const from = requireBuffer('appendFrom', source);
    const n = count === undefined ? from._length : count;
    requireCount('appendFrom', 'n', n);
    const moved = n < from._length ? n : from._length;
    if (moved === 0 || from === this) return 0;
    this.#owner?.admit(this, moved);
    if (moved === from._length) this._takeAll(from);
    else this._take(from, moved);
    this.#movedFrom(from, moved);
    return moved;
  }

  appendShared(source: BufferReader, count?: number): number {
    const from = requireBuffer('appendShared', source);
    const n = count === undefined ? from._length : count;
    requireCount('appendShared', 'n', n);
    if (from === this) misuse('appendShared', 'a buffer cannot share with itself; append a copy (read) instead');
    const added = n < from._length ? n : from._length;
    if (added === 0) return 0;
    this.#owner?.admit(this, added);
    this._shareFrom(from, added);
    this.#changed(added, 0);
    return added;
  }

  /**
   * For transports: appends `slab.bytes[offset, offset + length)` without copying, valid or copied by the end of the
   * turn. The owner's `admit` is not asked: these bytes are here already.
   */
  appendSlab(slab: Slab, offset: number, length: number): void {
    if (length === 0) return;
    this._linkSlab(slab, offset, length);
    this.#changed(length, 0);
  }

  prepend(data: Data | BufferReader, encoding: BufferEncoding = 'utf8'): number {
    if (data instanceof EvBuffer) return this.#prependBuffer(data);
    const bytes: unknown = typeof data === 'string' ? encode('prepend', data, encoding) : data;
    requireBytes('prepend', bytes);
    const size = bytes.byteLength;
    if (size === 0) return 0;
    this.#owner?.admit(this, size);
    const head = this._head;
    if (head !== undefined && head.start - head.low >= size) {
      head.start -= size;
      head.bytes.set(bytes, head.start);
      this._length += size;
      this._scanned = 0;
    } else {
      // At the end of its memory, so that what is put before it next has room.
      const chunk = this._allocate(size);
      chunk.end = chunk.high;
      chunk.start = chunk.end - size;
      chunk.bytes.set(bytes, chunk.start);
      this._linkFront(chunk);
    }
    this.#changed(size, 0);
    return size;
  }

  // --- Taking ---

  drain(n: number = this._length): number {
    requireCount('drain', 'n', n);
    const removed = n < this._length ? n : this._length;
    if (removed > 0) this.#remove(removed);
    return removed;
  }

  clear(): void {
    if (this._length > 0) this.#remove(this._length);
  }

  [Symbol.dispose](): void {
    this.clear();
  }

  read(n: number = this._length): Buffer {
    requireCount('read', 'n', n);
    const size = n < this._length ? n : this._length;
    const bytes = Buffer.allocUnsafe(size);
    if (size > 0) {
      this._copyOut(bytes, 0, size);
      this.#remove(size);
    }
    return bytes;
  }

  readInto(view: Uint8Array): number {
    requireBytes('readInto', view);
    const size = Math.min(view.byteLength, this._length);
    if (size > 0) {
      this._copyOut(view, 0, size);
      this.#remove(size);
    }
    return size;
  }

  readString(n: number = this._length, encoding: BufferEncoding = 'utf8'): string {
    requireCount('readString', 'n', n);
    const size = n < this._length ? n : this._length;
    const text = this.#text(size, encoding);
    if (size > 0) this.#remove(size);
    return text;
  }

  moveTo(destination: BufferWriter, n: number = this._length): number {
    return requireBuffer('moveTo', destination).appendFrom(this, n);
  }

  // --- Looking ---

  copy(view: Uint8Array, from = 0): number {
    requireBytes('copy', view);
    requireCount('copy', 'from', from);
    const size = Math.max(0, Math.min(view.byteLength, this._length - from));
    if (size > 0) this._copyOut(view, from, size);
    return size;
  }

  peek(n: number = this._length, from = 0): Buffer[] {
    requireCount('peek', 'n', n);
    requireCount('peek', 'from', from);
    this.own();
    const views: Buffer[] = [];
    let skip = from;
    let rest = n;
    for (let chunk = this._head; chunk !== undefined && rest > 0; chunk = chunk.next) {
      const size = chunk.end - chunk.start;
      if (skip < size) {
        const start = chunk.start + skip;
        const end = Math.min(chunk.end, start + rest);
        views.push(chunk.bytes.subarray(start, end));
        rest -= end - start;
        skip = 0;
      } else skip -= size;
    }
    return views;
  }

  pullup(n: number = this._length): Buffer {
    requireCount('pullup', 'n', n);
    if (n > this._length) {
      const message = `pullup: ${n} bytes are wanted and the buffer has ${this._length}; look at length first`;
      throw new ApiMisuse(message, { code: 'SLUICE_CORE_BUFFER_UNDERFLOW', layer: 'core', operation: 'pullup' });
    }
    if (n === 0) return Buffer.alloc(0);
    const chunk = this._gather(n);
    const view = chunk.bytes.subarray(chunk.start, chunk.start + n);
    if (this._released !== undefined) this.#release([]);
    return view;
  }

  indexOf(needle: Data | number, from = 0, to: number = this._length): number {
    requireCount('indexOf', 'from', from);
    requireCount('indexOf', 'to', to);
    const end = to < this._length ? to : this._length;
    if (typeof needle === 'number') {
      if (!Number.isInteger(needle) || needle < 0 || needle > 0xff) {
        misuse('indexOf', `needle must be a byte from 0 to 255 when it is a number, not ${needle}`);
      }
      return findByte(this._head, needle, from, end);
    }
    const bytes = typeof needle === 'string' ? Buffer.from(needle) : needle;
    requireBytes('indexOf', bytes);
    if (bytes.length === 0) return from <= end ? from : -1;
    if (bytes.length === 1) return findByte(this._head, bytes[0] ?? 0, from, end);
    return findBytes(this._head, bytes, from, end);
  }

  findEol(style: EolStyle = 'crlf', from = 0): { index: number; length: number } | undefined {
    requireStyle('findEol', style);
    requireCount('findEol', 'from', from);
    const index = this.#lineEnd(style, from, this._length);
    return index < 0 ? undefined : { index, length: this.#eolLength };
  }

  readLine(style: EolStyle = 'crlf', maxLength: number = LINE_BYTES_MAX): Buffer | undefined {
    const size = this.#lineLength('readLine', style, maxLength);
    if (size < 0) return undefined;
    const line = Buffer.allocUnsafe(size);
    if (size > 0) this._copyOut(line, 0, size);
    this.#remove(size + this.#eolLength);
    return line;
  }

  readLineString(
    style: EolStyle = 'crlf',
    maxLength: number = LINE_BYTES_MAX,
    encoding: BufferEncoding = 'utf8',
  ): string | undefined {
    requireEncoding('readLineString', encoding);
    const size = this.#lineLength('readLineString', style, maxLength);
    if (size < 0) return undefined;
    const line = this.#text(size, encoding);
    this.#remove(size + this.#eolLength);
    return line;
  }

  override toString(encoding: BufferEncoding = 'utf8'): string {
    return this.#text(this._length, encoding);
  }

  /**
   * Calls `listener` after every change of the length, inside the call that made it. It may change the buffer itself:
   * that is told afterwards, in a change that sums up all that happened meanwhile. It may add and remove listeners.
   * With `deferred` it is called from a loop's turn, once for all changes until then.
   */
  onChange(listener: ChangeListener, options: ChangeOptions = {}): Subscription {
    requireFunction('onChange', 'listener', listener);
    if (options.deferred !== undefined) requireOpenLoop('onChange', options.deferred);
    this.#listeners ??= new ChangeListeners();
    if (options.deferred === undefined) return this.#listeners.add(listener);
    return deferTo(options.deferred, listener, this.#listeners);
  }

  /** For transports: copies what lies in slabs into lasting memory, as the end of the turn does by itself. */
  own(): void {
    if (this._transient > 0) this._own(undefined);
  }

  // --- Putting bytes in, telling nobody ---

  #putBytes(data: Uint8Array): number {
    requireBytes('append', data);
    const size = data.byteLength;
    if (size === 0) return 0;
    const owner = this.#owner;
    owner?.admit(this, size);
    const tail = this._tail;
    if (tail !== undefined && tail.high - tail.end >= size) {
      tail.bytes.set(data, tail.end);
      tail.end += size;
      this._length += size;
      return size;
    }
    const scratch = size <= SCRATCH_BYTES_MAX ? owner?.scratch : undefined;
    const at = scratch === undefined ? -1 : scratch.reserve(size);
    if (scratch !== undefined && at >= 0) {
      scratch.bytes.set(data, at);
      this._linkSlab(scratch, at, size);
    } else {
      const chunk = this._room(size);
      chunk.bytes.set(data, chunk.end);
      this._commit(chunk, size);
    }
    return size;
  }

  #putString(text: string, encoding: BufferEncoding): number {
    const units = requireText('append', text).length;
    if (units === 0) return 0;
    const bytesMax = encodedBytesMax(units, encoding);
    if (bytesMax < 0) return this.#putBytes(encode('append', text, encoding));
    const tail = this._tail;
    if (tail !== undefined && tail.high - tail.end >= bytesMax) {
      const size = writeText(tail.bytes, text, tail.end, encoding);
      this.#owner?.admit(this, size);
      tail.end += size;
      this._length += size;
      return size;
    }
    const scratch = units <= SCRATCH_BYTES_MAX ? this.#owner?.scratch : undefined;
    const at = scratch === undefined ? -1 : scratch.reserve(bytesMax);
    if (scratch === undefined || at < 0) return this.#putLongString(text, encoding);
    const size = writeText(scratch.bytes, text, at, encoding);
    scratch.trim(at + size);
    this.#owner?.admit(this, size);
    this._linkSlab(scratch, at, size);
    return size;
  }

  #putLongString(text: string, encoding: BufferEncoding): number {
    const size = Buffer.byteLength(text, encoding);
    this.#owner?.admit(this, size);
    const chunk = this._room(size);
    chunk.bytes.write(text, chunk.end, encoding);
    this._commit(chunk, size);
    return size;
  }

  #prependBuffer(source: EvBuffer): number {
    const moved = source._length;
    if (moved === 0 || source === this) return 0;
    this.#owner?.admit(this, moved);
    this._takeAllFront(source);
    this.#movedFrom(source, moved);
    return moved;
  }

  // --- Telling ---

  #remove(n: number): void {
    this._drop(n);
    this.#changed(0, n);
  }

  #movedFrom(source: EvBuffer, moved: number): void {
    try {
      source.#changed(0, moved);
    } finally {
      this.#changed(moved, 0);
    }
  }

  #changed(added: number, removed: number): void {
    const before = this._length - added + removed;
    if (added > 0) this._reservation = undefined;
    this.#owner?.bufferChanged(this, added, removed);
    if (this.#listeners === undefined && this._released === undefined) return;
    const errors: unknown[] = [];
    try {
      this.#listeners?.tell(before, added, removed);
    } catch (error) {
      errors.push(error);
    }
    this.#release(errors);
  }

  /** Tells the users of released memory, each of them; then throws the first of the errors, if there are any. */
  #release(errors: unknown[]): void {
    const released = this._released;
    this._released = undefined;
    if (released !== undefined) {
      for (const reference of released) {
        try {
          reference.fire();
        } catch (error) {
          errors.push(error);
        }
      }
    }
    if (errors.length > 0) throw errors[0];
  }

  // --- Lines and text ---

  /** Length of the first line without its end (whose length is `#eolLength`), -1 when it has no end yet. */
  #lineLength(operation: string, style: EolStyle, maxLength: number): number {
    requireStyle(operation, style);
    requireCount(operation, 'maxLength', maxLength);
    const length = this._length;
    if (length === 0) return -1;
    // A line of maxLength bytes and a CR LF end here at the latest.
    const to = Math.min(length, maxLength + 2);
    const size = this.#lineEnd(style, 0, to);
    if (size >= 0 && size <= maxLength) return size;
    if (size < 0) {
      // A CR at the end may be the first half of CR LF.
      const half = (style === 'crlf' || style === 'crlf-strict') && byteAt(this._head, to - 1) === CR ? 1 : 0;
      if (to - half <= maxLength) return -1;
    }
    throw new LimitError(
      `${operation}: the line is longer than maxLength, ${maxLength} bytes; close the connection, or allow more`,
      { code: 'SLUICE_CORE_LINE_TOO_LONG', layer: 'core', operation, blame: 'remote', remedy: 'close' },
    );
  }

  /** Position of the first end of line that lies in `[from, to)`, -1 when there is none; sets `#eolLength`. */
  #lineEnd(style: EolStyle, from: number, to: number): number {
    if (style !== this.#scannedStyle) {
      this.#scannedStyle = style;
      this._scanned = 0;
    }
    const begin = from > this._scanned ? from : this._scanned;
    const at = begin < to ? findTerminator(this._head, style, from, begin, to) : -1;
    if (from === 0) this._scanned = at < 0 ? Math.max(begin, to) : at;
    this.#eolLength = 1;
    if (at < 0 || style === 'lf' || style === 'nul') return at;
    if (style === 'any') {
      this.#eolLength = lineBreakRun(this._head, at, this._length);
      return at;
    }
    if (at === from || byteAt(this._head, at - 1) !== CR) return at;
    this.#eolLength = 2;
    return at - 1;
  }

  #text(n: number, encoding: BufferEncoding): string {
    requireEncoding('toString', encoding);
    const head = this._head;
    if (head === undefined || n === 0) return '';
    if (head.end - head.start >= n) return head.bytes.toString(encoding, head.start, head.start + n);
    const bytes = Buffer.allocUnsafe(n);
    this._copyOut(bytes, 0, n);
    return bytes.toString(encoding);
  }
}

function requireBuffer(operation: string, other: BufferReader | BufferWriter): EvBuffer {
  if (other instanceof EvBuffer) return other;
  return misuse(operation, `the other buffer must be an EvBuffer, not ${nameOf(other)}`);
}

/** What `console.log` shows: not the bytes, which are somebody's data. */
function inspectEvBuffer(this: EvBuffer): string {
  let chunks = 0;
  for (let chunk = this._head; chunk !== undefined; chunk = chunk.next) chunks += 1;
  return `EvBuffer { length: ${this.length}, chunks: ${chunks} }`;
}
