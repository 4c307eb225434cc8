import type { Chunk } from './chunk.ts';

/** Up to here a loop in JavaScript is faster than the view and the call that native code needs (measured: 64 to 100). */
const LOOP_BYTES_MAX = 64;

/** What ends a line. See `BufferReader.readLine`. */
export type EolStyle = 'any' | 'crlf' | 'crlf-strict' | 'lf' | 'nul';

export const LF = 10;
export const CR = 13;

/** Position of the first `byte` in `[from, to)` of a list of chunks, or -1. `to` is at most the list's length. */
export function findByte(head: Chunk | undefined, byte: number, from: number, to: number): number {
  let base = 0;
  for (let chunk = head; chunk !== undefined && base < to; chunk = chunk.next) {
    const size = chunk.end - chunk.start;
    if (base + size > from) {
      const shift = chunk.start - base;
      const begin = from > base ? from + shift : chunk.start;
      const end = to < base + size ? to + shift : chunk.end;
      const found = byteIn(chunk.bytes, byte, begin, end);
      if (found >= 0) return found - shift;
    }
    base += size;
  }
  return -1;
}

/** Position of the first `needle`, which has 2 bytes or more, that lies wholly in `[from, to)`, or -1. */
export function findBytes(head: Chunk | undefined, needle: Uint8Array, from: number, to: number): number {
  const last = to - needle.length;
  let base = 0;
  for (let chunk = head; chunk !== undefined && base <= last; chunk = chunk.next) {
    const size = chunk.end - chunk.start;
    if (base + size > from) {
      const begin = Math.max(from - base, 0);
      const found = bytesFrom(chunk, needle, begin, Math.min(size, last - base + 1));
      if (found >= 0) return base + found;
    }
    base += size;
  }
  return -1;
}

/**
 * Position of what ends the first line that ends in `[from, to)`, or -1: the LF for every style that has one, the NUL,
 * or for `any` the first CR or LF. Bytes before `start` do not belong to the line, so no CR is looked for there.
 */
export function findTerminator(
  head: Chunk | undefined,
  style: EolStyle,
  start: number,
  from: number,
  to: number,
): number {
  switch (style) {
    case 'crlf':
    case 'lf':
      return findByte(head, LF, from, to);
    case 'nul':
      return findByte(head, 0, from, to);
    case 'any':
      return findLineBreak(head, from, to);
    default:
      return findStrict(head, start, from, to);
  }
}

/** The byte at position `at`, -1 behind the end. */
export function byteAt(head: Chunk | undefined, at: number): number {
  let rest = at;
  for (let chunk = head; chunk !== undefined; chunk = chunk.next) {
    const size = chunk.end - chunk.start;
    if (rest < size) return chunk.bytes[chunk.start + rest] ?? -1;
    rest -= size;
  }
  return -1;
}

/** How many bytes from `at` on, and before `to`, are CR or LF. */
export function lineBreakRun(head: Chunk | undefined, at: number, to: number): number {
  let base = 0;
  let position = at;
  for (let chunk = head; chunk !== undefined && position < to; chunk = chunk.next) {
    const size = chunk.end - chunk.start;
    for (; position < base + size && position < to; position += 1) {
      const byte = chunk.bytes[chunk.start + position - base];
      if (byte !== LF && byte !== CR) return position - at;
    }
    base += size;
  }
  return position - at;
}

function byteIn(bytes: Buffer, byte: number, begin: number, end: number): number {
  if (end - begin > LOOP_BYTES_MAX) {
    // A view, because native indexOf knows no end and would search all the memory behind.
    const found = bytes.subarray(begin, end).indexOf(byte);
    return found < 0 ? -1 : begin + found;
  }
  for (let at = begin; at < end; at += 1) if (bytes[at] === byte) return at;
  return -1;
}

function findLineBreak(head: Chunk | undefined, from: number, to: number): number {
  const lf = findByte(head, LF, from, to);
  const cr = findByte(head, CR, from, lf < 0 ? to : lf);
  return cr < 0 ? lf : cr;
}

function findStrict(head: Chunk | undefined, start: number, from: number, to: number): number {
  let lf = findByte(head, LF, from, to);
  while (lf >= 0 && (lf === start || byteAt(head, lf - 1) !== CR)) lf = findByte(head, LF, lf + 1, to);
  return lf;
}

/** Where in `chunk` (from its start) the first match begins, at `begin` or later and before `end`; it may end in later chunks. */
function bytesFrom(chunk: Chunk, needle: Uint8Array, begin: number, end: number): number {
  const size = chunk.end - chunk.start;
  const whole = Math.min(end, size - needle.length + 1);
  if (begin < whole) {
    const view = chunk.bytes.subarray(chunk.start + begin, chunk.start + whole + needle.length - 1);
    const found = view.indexOf(needle);
    if (found >= 0) return begin + found;
  }
  for (let at = Math.max(begin, whole); at < end; at += 1) if (matchesAt(chunk, at, needle)) return at;
  return -1;
}

function matchesAt(first: Chunk, at: number, needle: Uint8Array): boolean {
  let chunk: Chunk | undefined = first;
  let position = first.start + at;
  for (let index = 0; index < needle.length; index += 1) {
    if (chunk !== undefined && position === chunk.end) {
      chunk = chunk.next;
      position = chunk === undefined ? 0 : chunk.start;
    }
    if (chunk === undefined || chunk.bytes[position] !== needle[index]) return false;
    position += 1;
  }
  return true;
}
