import { Chunk, type Reference } from './chunk.ts';
import type { Reservation } from './reservation.ts';
import type { Slab, SlabHolder } from './slab.ts';

/** A chunk of a buffer's own: at least this, so that dribbled bytes share one... */
const CHUNK_BYTES_MIN = 256;
/** ...as large as what is buffered already, so that their number stays logarithmic, and at most this. */
const CHUNK_BYTES_MAX = 16 * 1024;

/**
 * The store under `EvBuffer`: a singly linked list of chunks, none of them empty, with the sum of their lengths.
 *
 * It moves and counts; it checks no arguments and tells nobody. All members are internal to the package.
 */
export class ChunkList implements SlabHolder {
  /** @internal Read `next` before bytes are drained: a drained chunk is unlinked. */
  _head: Chunk | undefined = undefined;
  /** @internal */
  _tail: Chunk | undefined = undefined;
  /** @internal */
  _length = 0;
  /** @internal Chunks in slab memory. */
  _transient = 0;
  /** @internal Bytes at the front that are known to hold no end of line (of the style looked for last). */
  _scanned = 0;
  /** @internal References whose last chunk is gone and whose user has not been told yet. */
  _released: Reference[] | undefined = undefined;
  /** @internal Room that may still be committed. */
  _reservation: Reservation | undefined = undefined;
  /* Slabs this list is registered with. Two fields, because nearly always there are two (reads and scratch). */
  #slab: Slab | undefined = undefined;
  #otherSlab: Slab | undefined = undefined;
  #moreSlabs: Slab[] | undefined = undefined;

  get length(): number {
    return this._length;
  }

  /** @internal Appends `slab.bytes[offset, offset + length)`, which must not be empty. */
  _linkSlab(slab: Slab, offset: number, length: number): void {
    const tail = this._tail;
    this._length += length;
    if (tail !== undefined && tail.slab === slab && tail.end === offset) {
      tail.end = offset + length;
      tail.high = tail.end;
      return;
    }
    const chunk = new Chunk(slab.bytes, offset, offset + length, slab, undefined);
    if (tail === undefined) this._head = chunk;
    else tail.next = chunk;
    this._tail = chunk;
    this._transient += 1;
    this.#hold(slab);
  }

  /** @internal Appends a chunk that no list has. */
  _link(chunk: Chunk): void {
    const tail = this._tail;
    if (tail === undefined) this._head = chunk;
    else tail.next = chunk;
    this._tail = chunk;
    this._count(chunk);
  }

  /** @internal Puts a chunk that no list has at the front. */
  _linkFront(chunk: Chunk): void {
    chunk.next = this._head;
    this._head = chunk;
    this._tail ??= chunk;
    this._scanned = 0;
    this._count(chunk);
  }

  /** @internal A chunk with room for `n` bytes behind `end`: the tail or a new one. Fill it, then `_commit`. */
  _room(n: number): Chunk {
    const tail = this._tail;
    return tail !== undefined && tail.high - tail.end >= n ? tail : this._allocate(n);
  }

  /** @internal Makes the `n` bytes (1 or more) written into the room of `chunk`, which `_room` gave, part of the list. */
  _commit(chunk: Chunk, n: number): void {
    chunk.end += n;
    if (chunk === this._tail) this._length += n;
    else this._link(chunk);
  }

  /**
   * @internal Takes room for `n` bytes behind the end away from the list: an empty chunk, in no list, which alone may be
   * written there. It is given back with `_attachRoom`, or never.
   */
  _detachRoom(n: number): Chunk {
    const tail = this._tail;
    if (tail === undefined || tail.high - tail.end < Math.max(n, 1)) return this._allocate(n);
    const chunk = new Chunk(tail.bytes, tail.end, tail.end, undefined, undefined);
    chunk.high = tail.high;
    tail.high = tail.end;
    return chunk;
  }

  /** @internal Makes the first `n` bytes of the detached room part of the list; the rest is room of its tail again. */
  _attachRoom(chunk: Chunk, n: number): void {
    chunk.end += n;
    const tail = this._tail;
    if (tail?.bytes === chunk.bytes && tail.end === chunk.start) {
      tail.end = chunk.end;
      tail.high = chunk.high;
      this._length += n;
    } else if (n > 0) this._link(chunk);
  }

  /** @internal A chunk of lasting memory with room for `n` bytes or more, in no list yet. */
  _allocate(n: number): Chunk {
    const wanted = Math.min(Math.max(this._length, CHUNK_BYTES_MIN), CHUNK_BYTES_MAX);
    const chunk = new Chunk(Buffer.allocUnsafe(Math.max(n, wanted)), 0, 0, undefined, undefined);
    chunk.high = chunk.bytes.length;
    return chunk;
  }

  /** @internal Removes the first `n` bytes; `n` is at most `length`. */
  _drop(n: number): void {
    this._length -= n;
    if (this._scanned !== 0) this._scanned = Math.max(0, this._scanned - n);
    let rest = n;
    let chunk = this._head;
    while (rest > 0 && chunk !== undefined) {
      const size = chunk.end - chunk.start;
      if (rest < size) {
        chunk.start += rest;
        chunk.low = chunk.start;
        return;
      }
      rest -= size;
      const { next } = chunk;
      this._head = next;
      if (next === undefined) this._tail = undefined;
      this._discard(chunk);
      chunk = next;
    }
  }

  /** @internal Moves everything of `source`, which is not empty, behind what is here. No byte is touched. */
  _takeAll(source: ChunkList): void {
    if (this._tail === undefined) this._head = source._head;
    else this._tail.next = source._head;
    this._tail = source._tail;
    this.#holdAllOf(source);
    this._length += source._length;
    this._transient += source._transient;
    source._forget();
  }

  /** @internal Moves everything of `source`, which is not empty, before what is here. */
  _takeAllFront(source: ChunkList): void {
    if (source._tail !== undefined) source._tail.next = this._head;
    this._head = source._head;
    this._tail ??= source._tail;
    this.#holdAllOf(source);
    this._length += source._length;
    this._transient += source._transient;
    this._scanned = 0;
    source._forget();
  }

  /** @internal Moves the first `n` bytes of `source`, which has more: whole chunks as they are, the last one shared. */
  _take(source: ChunkList, n: number): void {
    let rest = n;
    let chunk = source._head;
    while (chunk !== undefined && rest >= chunk.end - chunk.start) {
      const { next } = chunk;
      rest -= chunk.end - chunk.start;
      if (chunk.slab !== undefined) source._transient -= 1;
      chunk.next = undefined;
      this._link(chunk);
      chunk = next;
    }
    source._head = chunk;
    source._length -= n - rest;
    if (source._scanned !== 0) source._scanned = Math.max(0, source._scanned - (n - rest));
    if (rest === 0 || chunk === undefined) return;
    this.#share(chunk, rest);
    source._drop(rest);
  }

  /** @internal Appends the first `n` bytes of `source`, which keeps them. */
  _shareFrom(source: ChunkList, n: number): void {
    let rest = n;
    for (let chunk = source._head; chunk !== undefined && rest > 0; chunk = chunk.next) {
      const size = Math.min(rest, chunk.end - chunk.start);
      this.#share(chunk, size);
      rest -= size;
    }
  }

  /** @internal Copies `n` bytes from position `from` on; there must be as many. */
  _copyOut(target: Uint8Array, from: number, n: number): void {
    let skip = from;
    let at = 0;
    for (let chunk = this._head; chunk !== undefined && at < n; chunk = chunk.next) {
      const size = chunk.end - chunk.start;
      if (skip >= size) {
        skip -= size;
        continue;
      }
      const start = chunk.start + skip;
      const end = Math.min(chunk.end, start + n - at);
      chunk.bytes.copy(target, at, start, end);
      at += end - start;
      skip = 0;
    }
  }

  /** @internal Makes the first `n` bytes (1 or more, at most `length`) one chunk of lasting memory. */
  _gather(n: number): Chunk {
    const head = this._head;
    if (head !== undefined && head.slab === undefined && head.end - head.start >= n) return head;
    const chunk = n === this._length ? this._allocate(n) : new Chunk(Buffer.allocUnsafe(n), 0, 0, undefined, undefined);
    this._copyOut(chunk.bytes, 0, n);
    chunk.end = n;
    if (chunk.high < n) chunk.high = n;
    this._drop(n);
    this._linkFront(chunk);
    return chunk;
  }

  /** @internal Copies slab memory (of one slab, or of all) into lasting memory, small pieces together. */
  _own(only: Slab | undefined): void {
    if (this._transient === 0) return;
    let before: Chunk | undefined;
    let chunk = this._head;
    while (chunk !== undefined) {
      if (!liesIn(chunk, only)) before = chunk;
      else before = this.#ownRun(before, chunk, only);
      chunk = before.next;
    }
    this._tail = before;
  }

  /** @internal Called by the slab at the end of its turn. */
  _settle(slab: Slab): void {
    if (this.#slab === slab) this.#slab = undefined;
    else if (this.#otherSlab === slab) this.#otherSlab = undefined;
    else this.#moreSlabs = this.#moreSlabs?.filter((other) => other !== slab);
    this._own(slab);
  }

  /** @internal A chunk left the list. */
  _discard(chunk: Chunk): void {
    chunk.next = undefined;
    if (chunk.slab !== undefined) this._transient -= 1;
    if (chunk.reference !== undefined && chunk.reference.drop()) (this._released ??= []).push(chunk.reference);
  }

  /** @internal A chunk came to the list. */
  _count(chunk: Chunk): void {
    this._length += chunk.end - chunk.start;
    if (chunk.slab === undefined) return;
    this._transient += 1;
    this.#hold(chunk.slab);
  }

  /** @internal The chunks are another list's now. */
  _forget(): void {
    this._head = undefined;
    this._tail = undefined;
    this._length = 0;
    this._transient = 0;
    this._scanned = 0;
  }

  /** Appends the first `n` bytes of another list's chunk; as more of the tail when they continue it. */
  #share(chunk: Chunk, n: number): void {
    const tail = this._tail;
    if (tail?.bytes !== chunk.bytes || tail.end !== chunk.start || tail.reference !== chunk.reference) {
      this._link(chunk.shareFront(n));
      return;
    }
    tail.end += n;
    tail.high = tail.end;
    this._length += n;
  }

  /**
   * Replaces a run of slab chunks, of which `first` is the first and `before` its predecessor, by a copy: in the room of
   * `before` when it is large enough. Returns the chunk that holds the copy.
   */
  #ownRun(before: Chunk | undefined, first: Chunk, only: Slab | undefined): Chunk {
    let size = 0;
    let chunk: Chunk | undefined = first;
    while (chunk !== undefined && liesIn(chunk, only)) {
      size += chunk.end - chunk.start;
      chunk = chunk.next;
    }
    const behind = chunk;
    let target = before;
    if (target === undefined || target.high - target.end < size) {
      target = this._allocate(size);
      if (before === undefined) this._head = target;
      else before.next = target;
    }
    for (chunk = first; chunk !== behind && chunk !== undefined; ) {
      chunk.bytes.copy(target.bytes, target.end, chunk.start, chunk.end);
      target.end += chunk.end - chunk.start;
      const next: Chunk | undefined = chunk.next;
      this._discard(chunk);
      chunk = next;
    }
    target.next = behind;
    return target;
  }

  /** Registers with a slab whose memory is here now, once until it settles. */
  #hold(slab: Slab): void {
    if (this.#slab === slab || this.#otherSlab === slab) return;
    if (this.#moreSlabs?.includes(slab) === true) return;
    if (this.#slab === undefined) this.#slab = slab;
    else if (this.#otherSlab === undefined) this.#otherSlab = slab;
    else (this.#moreSlabs ??= []).push(slab);
    slab.hold(this);
  }

  #holdAllOf(source: ChunkList): void {
    if (source._transient === 0) return;
    if (source.#slab !== undefined) this.#hold(source.#slab);
    if (source.#otherSlab !== undefined) this.#hold(source.#otherSlab);
    if (source.#moreSlabs === undefined) return;
    for (const slab of source.#moreSlabs) this.#hold(slab);
  }
}

/** Whether the chunk's memory is that of a slab, or of any slab. */
function liesIn(chunk: Chunk, slab: Slab | undefined): boolean {
  return slab === undefined ? chunk.slab !== undefined : chunk.slab === slab;
}
