import type { Data } from './buffer-ends.ts';
import { requireBytes, requireEncoding } from './evbuffer-arguments.ts';

/** Up to here a loop in JavaScript writes a text faster than native code does (measured: 16 to 24). */
const ASCII_LOOP_UNITS_MAX = 16;

/** What UTF-8 makes of one UTF-16 unit at most. */
const UTF8_BYTES_PER_UNIT = 3;

/** Bytes that `units` UTF-16 units become at most, for the encodings that are written in place; -1 for the others. */
export function encodedBytesMax(units: number, encoding: BufferEncoding): number {
  switch (encoding) {
    case 'utf8':
    case 'utf-8':
      return units * UTF8_BYTES_PER_UNIT;
    case 'latin1':
    case 'binary':
    case 'ascii':
      return units;
    default:
      return -1;
  }
}

/** `bytes.write`, and for a short ASCII text without the call into native code, which costs twice as much. */
export function writeText(bytes: Buffer, text: string, at: number, encoding: BufferEncoding): number {
  const units = text.length;
  if (units > ASCII_LOOP_UNITS_MAX) return bytes.write(text, at, encoding);
  for (let index = 0; index < units; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit > 0x7f) return bytes.write(text, at, encoding);
    bytes[at + index] = unit;
  }
  return units;
}

export function encode(operation: string, text: string, encoding: BufferEncoding): Buffer {
  requireEncoding(operation, encoding);
  return Buffer.from(text, encoding);
}

/** Bytes that a piece will be when appended; text as UTF-8. */
export function byteLengthOf(operation: string, piece: Data): number {
  if (typeof piece === 'string') return Buffer.byteLength(piece);
  requireBytes(operation, piece);
  return piece.byteLength;
}

/** Writes the pieces one behind the other; text as UTF-8. There must be room for all. */
export function writeAll(bytes: Buffer, at: number, pieces: readonly Data[]): void {
  let end = at;
  for (const piece of pieces) {
    if (typeof piece === 'string') end += writeText(bytes, piece, end, 'utf8');
    else {
      bytes.set(piece, end);
      end += piece.byteLength;
    }
  }
}
