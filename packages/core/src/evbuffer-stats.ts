import type { EvBuffer } from './evbuffer.ts';

/** A snapshot of a buffer: plain values, in bytes but for `chunks`. Making one goes over all of its chunks. */
export interface EvBufferStats {
  readonly length: number;
  /** Runs of memory that the bytes lie in. */
  readonly chunks: number;
  /** Of `length`: what lies in the loop's slabs, until the end of the turn. */
  readonly slabBytes: number;
  /** Of `length`: what lies in memory that was lent (`appendRef`) with an `onRelease`. */
  readonly lentBytes: number;
  /**
   * Memory that it keeps from being freed, each piece once: its bytes, room that is not used yet, and whatever else the
   * piece was allocated for. More than `length` where little is left of much; `read` and append it again to let go of that.
   */
  readonly memoryBytes: number;
}

export function evBufferStats(buffer: EvBuffer): EvBufferStats {
  const memory = new Set<ArrayBufferLike>();
  let chunks = 0;
  let slabBytes = 0;
  let lentBytes = 0;
  let memoryBytes = 0;
  for (let chunk = buffer._head; chunk !== undefined; chunk = chunk.next) {
    const size = chunk.end - chunk.start;
    chunks += 1;
    if (chunk.slab !== undefined) {
      slabBytes += size;
      continue;
    }
    if (chunk.reference !== undefined) lentBytes += size;
    const { buffer: piece } = chunk.bytes;
    if (!memory.has(piece)) memoryBytes += piece.byteLength;
    memory.add(piece);
  }
  return { length: buffer.length, chunks, slabBytes, lentBytes, memoryBytes };
}
