import { ApiMisuse } from '@sluice/errors';
import { ChunkList } from './chunk-list.ts';

/**
 * Integers of 8 to 64 bits, signed (`Int`) and not (`UInt`), big endian (`BE`, network order) and little (`LE`).
 * `get…(at)` looks at position `at` (default 0) and leaves it; `read…()` takes the bytes from the front. Both throw
 * `ApiMisuse` (`SLUICE_CORE_BUFFER_UNDERFLOW`) when the buffer is too short: look at `length` first.
 */
export interface IntegerReader {
  getUInt8(at?: number): number;
  getInt8(at?: number): number;
  getUInt16BE(at?: number): number;
  getUInt16LE(at?: number): number;
  getInt16BE(at?: number): number;
  getInt16LE(at?: number): number;
  getUInt32BE(at?: number): number;
  getUInt32LE(at?: number): number;
  getInt32BE(at?: number): number;
  getInt32LE(at?: number): number;
  getBigUInt64BE(at?: number): bigint;
  getBigUInt64LE(at?: number): bigint;
  getBigInt64BE(at?: number): bigint;
  getBigInt64LE(at?: number): bigint;
  readUInt8(): number;
  readInt8(): number;
  readUInt16BE(): number;
  readUInt16LE(): number;
  readInt16BE(): number;
  readInt16LE(): number;
  readUInt32BE(): number;
  readUInt32LE(): number;
  readInt32BE(): number;
  readInt32LE(): number;
  readBigUInt64BE(): bigint;
  readBigUInt64LE(): bigint;
  readBigInt64BE(): bigint;
  readBigInt64LE(): bigint;
}

/** Appends integers; named as in `IntegerReader`. Throws `ApiMisuse` for a value that is none or does not fit. */
export interface IntegerWriter {
  appendUInt8(value: number): void;
  appendInt8(value: number): void;
  appendUInt16BE(value: number): void;
  appendUInt16LE(value: number): void;
  appendInt16BE(value: number): void;
  appendInt16LE(value: number): void;
  appendUInt32BE(value: number): void;
  appendUInt32LE(value: number): void;
  appendInt32BE(value: number): void;
  appendInt32LE(value: number): void;
  appendBigUInt64BE(value: bigint): void;
  appendBigUInt64LE(value: bigint): void;
  appendBigInt64BE(value: bigint): void;
  appendBigInt64LE(value: bigint): void;
}

/* Where integers are put together: an integer's way in, and its way out when it crosses from chunk to chunk. */
const word = Buffer.alloc(8);
const word1 = word.subarray(0, 1);
const word2 = word.subarray(0, 2);
const word4 = word.subarray(0, 4);

/** The part of `EvBuffer` that speaks integers. */
export abstract class IntegerBuffer extends ChunkList implements IntegerReader, IntegerWriter {
  /** Where the integer that `#locate` found lies in the memory it returned. */
  #offset = 0;

  abstract drain(n?: number): number;
  abstract append(data: Uint8Array): number;

  getUInt8(at = 0): number {
    return this.#locate(at, 1, 'UInt8').readUInt8(this.#offset);
  }

  getInt8(at = 0): number {
    return this.#locate(at, 1, 'Int8').readInt8(this.#offset);
  }

  getUInt16BE(at = 0): number {
    return this.#locate(at, 2, 'UInt16BE').readUInt16BE(this.#offset);
  }

  getUInt16LE(at = 0): number {
    return this.#locate(at, 2, 'UInt16LE').readUInt16LE(this.#offset);
  }

  getInt16BE(at = 0): number {
    return this.#locate(at, 2, 'Int16BE').readInt16BE(this.#offset);
  }

  getInt16LE(at = 0): number {
    return this.#locate(at, 2, 'Int16LE').readInt16LE(this.#offset);
  }

  getUInt32BE(at = 0): number {
    return this.#locate(at, 4, 'UInt32BE').readUInt32BE(this.#offset);
  }

  getUInt32LE(at = 0): number {
    return this.#locate(at, 4, 'UInt32LE').readUInt32LE(this.#offset);
  }

  getInt32BE(at = 0): number {
    return this.#locate(at, 4, 'Int32BE').readInt32BE(this.#offset);
  }

  getInt32LE(at = 0): number {
    return this.#locate(at, 4, 'Int32LE').readInt32LE(this.#offset);
  }

  getBigUInt64BE(at = 0): bigint {
    return this.#locate(at, 8, 'BigUInt64BE').readBigUInt64BE(this.#offset);
  }

  getBigUInt64LE(at = 0): bigint {
    return this.#locate(at, 8, 'BigUInt64LE').readBigUInt64LE(this.#offset);
  }

  getBigInt64BE(at = 0): bigint {
    return this.#locate(at, 8, 'BigInt64BE').readBigInt64BE(this.#offset);
  }

  getBigInt64LE(at = 0): bigint {
    return this.#locate(at, 8, 'BigInt64LE').readBigInt64LE(this.#offset);
  }

  readUInt8(): number {
    const value = this.getUInt8();
    this.drain(1);
    return value;
  }

  readInt8(): number {
    const value = this.getInt8();
    this.drain(1);
    return value;
  }

  readUInt16BE(): number {
    const value = this.getUInt16BE();
    this.drain(2);
    return value;
  }

  readUInt16LE(): number {
    const value = this.getUInt16LE();
    this.drain(2);
    return value;
  }

  readInt16BE(): number {
    const value = this.getInt16BE();
    this.drain(2);
    return value;
  }

  readInt16LE(): number {
    const value = this.getInt16LE();
    this.drain(2);
    return value;
  }

  readUInt32BE(): number {
    const value = this.getUInt32BE();
    this.drain(4);
    return value;
  }

  readUInt32LE(): number {
    const value = this.getUInt32LE();
    this.drain(4);
    return value;
  }

  readInt32BE(): number {
    const value = this.getInt32BE();
    this.drain(4);
    return value;
  }

  readInt32LE(): number {
    const value = this.getInt32LE();
    this.drain(4);
    return value;
  }

  readBigUInt64BE(): bigint {
    const value = this.getBigUInt64BE();
    this.drain(8);
    return value;
  }

  readBigUInt64LE(): bigint {
    const value = this.getBigUInt64LE();
    this.drain(8);
    return value;
  }

  readBigInt64BE(): bigint {
    const value = this.getBigInt64BE();
    this.drain(8);
    return value;
  }

  readBigInt64LE(): bigint {
    const value = this.getBigInt64LE();
    this.drain(8);
    return value;
  }

  appendUInt8(value: number): void {
    requireInteger('appendUInt8', value, 0, 0xff);
    word.writeUInt8(value);
    this.append(word1);
  }

  appendInt8(value: number): void {
    requireInteger('appendInt8', value, -0x80, 0x7f);
    word.writeInt8(value);
    this.append(word1);
  }

  appendUInt16BE(value: number): void {
    requireInteger('appendUInt16BE', value, 0, 0xffff);
    word.writeUInt16BE(value);
    this.append(word2);
  }

  appendUInt16LE(value: number): void {
    requireInteger('appendUInt16LE', value, 0, 0xffff);
    word.writeUInt16LE(value);
    this.append(word2);
  }

  appendInt16BE(value: number): void {
    requireInteger('appendInt16BE', value, -0x8000, 0x7fff);
    word.writeInt16BE(value);
    this.append(word2);
  }

  appendInt16LE(value: number): void {
    requireInteger('appendInt16LE', value, -0x8000, 0x7fff);
    word.writeInt16LE(value);
    this.append(word2);
  }

  appendUInt32BE(value: number): void {
    requireInteger('appendUInt32BE', value, 0, 0xffff_ffff);
    word.writeUInt32BE(value);
    this.append(word4);
  }

  appendUInt32LE(value: number): void {
    requireInteger('appendUInt32LE', value, 0, 0xffff_ffff);
    word.writeUInt32LE(value);
    this.append(word4);
  }

  appendInt32BE(value: number): void {
    requireInteger('appendInt32BE', value, -0x8000_0000, 0x7fff_ffff);
    word.writeInt32BE(value);
    this.append(word4);
  }

  appendInt32LE(value: number): void {
    requireInteger('appendInt32LE', value, -0x8000_0000, 0x7fff_ffff);
    word.writeInt32LE(value);
    this.append(word4);
  }

  appendBigUInt64BE(value: bigint): void {
    requireBigInt('appendBigUInt64BE', value, 0n, 0xffff_ffff_ffff_ffffn);
    word.writeBigUInt64BE(value);
    this.append(word);
  }

  appendBigUInt64LE(value: bigint): void {
    requireBigInt('appendBigUInt64LE', value, 0n, 0xffff_ffff_ffff_ffffn);
    word.writeBigUInt64LE(value);
    this.append(word);
  }

  appendBigInt64BE(value: bigint): void {
    requireBigInt('appendBigInt64BE', value, -0x8000_0000_0000_0000n, 0x7fff_ffff_ffff_ffffn);
    word.writeBigInt64BE(value);
    this.append(word);
  }

  appendBigInt64LE(value: bigint): void {
    requireBigInt('appendBigInt64LE', value, -0x8000_0000_0000_0000n, 0x7fff_ffff_ffff_ffffn);
    word.writeBigInt64LE(value);
    this.append(word);
  }

  /** The memory that has the `n` bytes at `at` on end; `#offset` says where in it. */
  #locate(at: number, n: number, what: string): Buffer {
    if (!(at >= 0 && at + n <= this._length && Number.isInteger(at))) this.#refuse(at, n, what);
    let rest = at;
    let chunk = this._head;
    while (chunk !== undefined && rest >= chunk.end - chunk.start) {
      rest -= chunk.end - chunk.start;
      chunk = chunk.next;
    }
    if (chunk !== undefined && chunk.end - chunk.start - rest >= n) {
      this.#offset = chunk.start + rest;
      return chunk.bytes;
    }
    this._copyOut(word, at, n);
    this.#offset = 0;
    return word;
  }

  #refuse(at: number, n: number, what: string): never {
    const operation = `get${what}`;
    if (!Number.isSafeInteger(at) || at < 0) {
      throw new ApiMisuse(`${operation}: at must be an integer of 0 or more, not ${String(at)}`, {
        layer: 'core',
        operation,
      });
    }
    const message = `${operation} needs ${n} bytes at ${at}, and the buffer has ${this._length}; look at length first`;
    throw new ApiMisuse(message, { code: 'SLUICE_CORE_BUFFER_UNDERFLOW', layer: 'core', operation });
  }
}

function requireInteger(operation: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  refuseValue(operation, `an integer from ${min} to ${max}`, value);
}

function requireBigInt(operation: string, value: bigint, min: bigint, max: bigint): void {
  if (typeof value === 'bigint' && value >= min && value <= max) return;
  refuseValue(operation, `a bigint from ${min} to ${max}`, value);
}

function refuseValue(operation: string, wanted: string, value: unknown): never {
  const message = `${operation}: value must be ${wanted}, not ${String(value)}`;
  throw new ApiMisuse(message, { layer: 'core', operation });
}
