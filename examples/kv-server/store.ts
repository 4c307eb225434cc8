import { type Item, ItemList } from './item-list.ts';
import { type StoreCounters, storeCounters } from './store-counters.ts';
import { parseUint64 } from './tokens.ts';
import { concatValues, leadingText, paddedValue, SHORT_VALUE_BYTES_MAX, type Value } from './value.ts';

/** Longest key and value; memcached's own limits. */
export const KEY_BYTES_MAX = 250;
export const VALUE_BYTES_MAX = 1024 * 1024;

/** The least `memoryLimitBytes`: with less there is hardly an item. Below 1 MiB and some, no value of full size fits. */
export const MEMORY_LIMIT_BYTES_MIN = 4096;

/** What an item costs beside its key and value: the object, its place in the map and the list. Measured on Node 24. */
const ITEM_OVERHEAD_BYTES = 240;
/** ... and what a value kept as a Buffer adds. */
const BUFFER_OVERHEAD_BYTES = 256;

/** Expiry times up to 30 days are relative to now, later ones are seconds since 1970. */
const RELATIVE_EXPIRY_SECONDS_MAX = 60 * 60 * 24 * 30;

/** Longer values are never numbers: memcached does not look into items that it keeps in several chunks. */
const NUMERIC_VALUE_BYTES_MAX = 512 * 1024;

export interface StoreOptions {
  /** For items and for values being received; see `MEMORY_LIMIT_BYTES_MIN`. Default 64 MiB, memcached's. */
  memoryLimitBytes?: number;
  /** Monotonic milliseconds. */
  now?: () => number;
  /** Milliseconds since 1970; only for expiry times given as a date. */
  wallNow?: () => number;
}

export type StoreMode = 'set' | 'add' | 'replace' | 'append' | 'prepend' | 'cas';
export type StoreResult = 'STORED' | 'NOT_STORED' | 'EXISTS' | 'NOT_FOUND';

/**
 * The cache: items by key, within a memory limit, the least recently used evicted first.
 *
 * Expired items go when they are met, by a command or by eviction. Keys are Latin-1 strings, one character per byte.
 */
export class Store {
  readonly memoryLimitBytes: number;
  counters: StoreCounters = storeCounters();
  readonly #now: () => number;
  readonly #wallNow: () => number;
  readonly #items = new Map<string, Item>();
  readonly #order = new ItemList();
  #bytes = 0;
  #reservedBytes = 0;
  #casUnique = 0;
  /** When everything stored before is to go. */
  #flushAt = Number.POSITIVE_INFINITY;

  constructor(options: StoreOptions = {}) {
    this.memoryLimitBytes = options.memoryLimitBytes ?? 64 * 1024 * 1024;
    this.#now = options.now ?? (() => performance.now());
    this.#wallNow = options.wallNow ?? Date.now;
  }

  get size(): number {
    return this.#items.size;
  }

  /** What all items count against the memory limit. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Milliseconds since the least recently used item was used; 0 when there is none. */
  get oldestAgeMs(): number {
    const oldest = this.#order.oldest;
    return oldest === undefined ? 0 : this.#now() - oldest.usedAt;
  }

  /** The moment at which a protocol's expiry time ends: 0 never, negative at once, up to 30 days relative, else a date. */
  expiry(seconds: number): number {
    if (seconds === 0) return Number.POSITIVE_INFINITY;
    if (seconds < 0) return Number.NEGATIVE_INFINITY;
    if (seconds <= RELATIVE_EXPIRY_SECONDS_MAX) return this.#now() + seconds * 1000;
    return this.#now() + (seconds * 1000 - this.#wallNow());
  }

  /** The item, which becomes the most recently used; its members are for reading only. */
  get(key: string): Item | undefined {
    this.counters.cmdGet += 1;
    const item = this.#use(key);
    if (item === undefined) this.counters.getMisses += 1;
    else this.counters.getHits += 1;
    return item;
  }

  /** The item, if there is one, with a new expiry time. */
  touch(key: string, expiresAt: number): Item | undefined {
    this.counters.cmdTouch += 1;
    const item = this.#use(key);
    if (item === undefined) {
      this.counters.touchMisses += 1;
    } else {
      this.counters.touchHits += 1;
      item.expiresAt = expiresAt;
    }
    return item;
  }

  /**
   * Stores a value by one of the six rules. `casUnique` matters to 'cas' alone; 'append' and 'prepend' keep the flags
   * and the expiry time that the item has. The value is kept, not copied.
   */
  store(mode: StoreMode, key: string, value: Value, flags: number, expiresAt: number, casUnique = 0): StoreResult {
    this.counters.cmdSet += 1;
    const old = this.#find(key);
    switch (mode) {
      case 'add':
        if (old === undefined) break;
        this.#order.bump(old);
        return 'NOT_STORED';
      case 'replace':
        if (old === undefined) return 'NOT_STORED';
        break;
      case 'append':
      case 'prepend':
        return old === undefined ? 'NOT_STORED' : this.#extend(old, mode, value);
      case 'cas':
        if (old === undefined) {
          this.counters.casMisses += 1;
          return 'NOT_FOUND';
        }
        if (old.casUnique !== casUnique) {
          this.counters.casBadval += 1;
          return 'EXISTS';
        }
        this.counters.casHits += 1;
        break;
      case 'set':
        break;
    }
    return this.#put(old, key, value, flags, expiresAt) ? 'STORED' : 'NOT_STORED';
  }

  delete(key: string): boolean {
    const item = this.#find(key);
    if (item === undefined) {
      this.counters.deleteMisses += 1;
      return false;
    }
    this.counters.deleteHits += 1;
    this.#unlink(item);
    return true;
  }

  /**
   * Adds to (or takes from) a decimal value and returns the new one; undefined when there is no such key. Adding wraps
   * round at 64 bits, taking stops at 0. A shorter result is padded with spaces to the length the value had. What
   * follows the number after white space counts for nothing, and is lost.
   */
  count(key: string, direction: 'incr' | 'decr', delta: bigint): bigint | 'non-numeric' | 'no-memory' | undefined {
    const item = this.#find(key);
    if (item === undefined) {
      this.counters[direction === 'incr' ? 'incrMisses' : 'decrMisses'] += 1;
      return undefined;
    }
    const { length } = item.value;
    const value = length > NUMERIC_VALUE_BYTES_MAX ? undefined : parseUint64(leadingText(item.value));
    if (value === undefined) return 'non-numeric';
    this.counters[direction === 'incr' ? 'incrHits' : 'decrHits'] += 1;
    const result = direction === 'incr' ? BigInt.asUintN(64, value + delta) : value > delta ? value - delta : 0n;
    const padded = paddedValue(String(result), length);
    return this.#put(item, key, padded, item.flags, item.expiresAt) ? result : 'no-memory';
  }

  /** Drops every item: now, or what is there after a delay (read as an expiry time). Replaces a delay that is pending. */
  flush(delaySeconds = 0): void {
    this.counters.cmdFlush += 1;
    this.#flushAt = delaySeconds > 0 ? this.expiry(delaySeconds) : this.#now();
    this.#flushWhenDue();
  }

  /**
   * Sets memory aside for a value that is about to be received, evicting for it. 'too-large' and 'no-memory' set nothing
   * aside; a number is to be given to `release` when the value is there, or will never be.
   */
  reserve(key: string, valueBytes: number): number | 'too-large' | 'no-memory' {
    if (valueBytes > VALUE_BYTES_MAX) {
      this.counters.storeTooLarge += 1;
      return 'too-large';
    }
    const bytes = itemBytes(key, valueBytes, valueBytes > SHORT_VALUE_BYTES_MAX);
    if (!this.#makeRoom(bytes)) {
      this.counters.storeNoMemory += 1;
      return 'no-memory';
    }
    this.#reservedBytes += bytes;
    return bytes;
  }

  release(reservedBytes: number): void {
    this.#reservedBytes -= reservedBytes;
  }

  /** Removes without counting: a value that could not be replaced must not go on being served. */
  drop(key: string): void {
    const item = this.#find(key);
    if (item !== undefined) this.#unlink(item);
  }

  resetCounters(): void {
    this.counters = storeCounters();
  }

  /** The item unless it is gone by time. */
  #find(key: string): Item | undefined {
    this.#flushWhenDue();
    const item = this.#items.get(key);
    if (item === undefined || item.expiresAt > this.#now()) return item;
    this.counters.getExpired += 1;
    this.#unlink(item);
    return undefined;
  }

  #use(key: string): Item | undefined {
    const item = this.#find(key);
    if (item === undefined) return undefined;
    item.fetched = true;
    item.usedAt = this.#now();
    this.#order.bump(item);
    return item;
  }

  #extend(old: Item, mode: 'append' | 'prepend', value: Value): StoreResult {
    if (old.value.length + value.length > VALUE_BYTES_MAX) return 'NOT_STORED';
    const joined = mode === 'append' ? concatValues(old.value, value) : concatValues(value, old.value);
    return this.#put(old, old.key, joined, old.flags, old.expiresAt) ? 'STORED' : 'NOT_STORED';
  }

  /** Puts a value in the place of `old`, or of nothing. False, and nothing changed, when there can be no memory for it. */
  #put(old: Item | undefined, key: string, value: Value, flags: number, expiresAt: number): boolean {
    const bytes = itemBytes(key, value.length, typeof value !== 'string');
    if (bytes + this.#reservedBytes > this.memoryLimitBytes) {
      this.counters.outOfMemory += 1;
      return false;
    }
    this.counters.totalItems += 1;
    let item = old;
    if (item === undefined) {
      item = newItem(ownText(key), value);
      this.#items.set(item.key, item);
    } else {
      this.#order.remove(item);
      this.#bytes -= item.bytes;
      item.value = value;
      item.fetched = false;
    }
    this.#makeRoom(bytes);
    item.flags = flags;
    item.expiresAt = expiresAt;
    item.casUnique = ++this.#casUnique;
    item.usedAt = this.#now();
    item.bytes = bytes;
    this.#bytes += bytes;
    this.#order.add(item);
    return true;
  }

  /** Evicts until `bytes` more fit. False when even an empty store has no room for them beside what is reserved. */
  #makeRoom(bytes: number): boolean {
    const limit = this.memoryLimitBytes - this.#reservedBytes - bytes;
    if (limit < 0) return false;
    while (this.#bytes > limit) this.#evict(this.#order.oldest as Item);
    return true;
  }

  #evict(item: Item): void {
    const now = this.#now();
    const { counters } = this;
    if (item.expiresAt <= now) {
      counters.reclaimed += 1;
      if (!item.fetched) counters.expiredUnfetched += 1;
    } else {
      counters.evictions += 1;
      if (!item.fetched) counters.evictedUnfetched += 1;
      if (item.expiresAt !== Number.POSITIVE_INFINITY) counters.evictedNonzero += 1;
      counters.evictedAgeMs = now - item.usedAt;
    }
    this.#unlink(item);
  }

  #unlink(item: Item): void {
    this.#items.delete(item.key);
    this.#order.remove(item);
    this.#bytes -= item.bytes;
  }

  #flushWhenDue(): void {
    if (this.#flushAt === Number.POSITIVE_INFINITY || this.#flushAt > this.#now()) return;
    this.#flushAt = Number.POSITIVE_INFINITY;
    this.#items.clear();
    this.#order.clear();
    this.#bytes = 0;
  }
}

function itemBytes(key: string, valueBytes: number, buffered: boolean): number {
  return ITEM_OVERHEAD_BYTES + key.length + valueBytes + (buffered ? BUFFER_OVERHEAD_BYTES : 0);
}

function newItem(key: string, value: Value): Item {
  return {
    key,
    value,
    flags: 0,
    expiresAt: 0,
    casUnique: 0,
    usedAt: 0,
    fetched: false,
    bytes: 0,
    newer: undefined,
    older: undefined,
  };
}

/** A copy that keeps nothing else alive: a word cut from a command line refers to the whole line. */
function ownText(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}
