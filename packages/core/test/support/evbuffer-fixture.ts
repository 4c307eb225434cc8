import { EvBuffer, type EvBufferOwner } from '../../src/evbuffer.ts';
import type { Slab } from '../../src/slab.ts';
import { assertInvariants } from '../../src/testing/evbuffer-invariants.ts';

/** An owner that keeps count of what it hears, and may refuse. */
export class RecordingOwner implements EvBufferOwner {
  readonly scratch: Slab | undefined;
  readonly changes: string[] = [];
  /** Longest that the buffer may become. */
  cap: number = Number.POSITIVE_INFINITY;

  constructor(scratch?: Slab) {
    this.scratch = scratch;
  }

  admit(buffer: EvBuffer, bytes: number): void {
    if (buffer.length + bytes > this.cap) throw new RangeError('full');
  }

  bufferChanged(buffer: EvBuffer, added: number, removed: number): void {
    assertWholeInside(buffer);
    this.changes.push(`+${added} -${removed} =${buffer.length}`);
  }
}

/** In the middle of a change released memory may not have been told of yet; all else must hold. */
function assertWholeInside(buffer: EvBuffer): void {
  const released = buffer._released;
  buffer._released = undefined;
  assertInvariants(buffer);
  buffer._released = released;
}

/** A buffer that holds each piece in a chunk of its own. */
export function chunked(...pieces: (string | Uint8Array)[]): EvBuffer {
  const buffer = new EvBuffer();
  for (const piece of pieces) buffer.appendRef(Buffer.from(piece as string));
  return buffer;
}

/** A buffer that holds the text in chunks of `size` bytes. */
export function sliced(text: string | Uint8Array, size: number): EvBuffer {
  const buffer = new EvBuffer();
  const bytes = Buffer.from(text as string);
  for (let at = 0; at < bytes.length; at += size) buffer.appendRef(bytes.subarray(at, at + size));
  return buffer;
}

export function chunkSizes(buffer: EvBuffer): number[] {
  const sizes: number[] = [];
  for (let chunk = buffer._head; chunk !== undefined; chunk = chunk.next) sizes.push(chunk.end - chunk.start);
  return sizes;
}

/** Puts bytes into a slab, as a read from the kernel would, and into the buffer. */
export function receive(buffer: EvBuffer, slab: Slab, data: string | Uint8Array): void {
  const bytes = Buffer.from(data as string);
  const at = slab.reserve(bytes.length);
  slab.bytes.set(bytes, at);
  buffer.appendSlab(slab, at, bytes.length);
}

/** Ends the turn, and makes sure that nobody can still read the slab's bytes. */
export function endTurn(...slabs: Slab[]): void {
  for (const slab of slabs) {
    slab.settle();
    slab.bytes.fill(0xee);
  }
}

/** What a call threw. */
export function thrownBy(call: () => unknown): Error & { code?: string } {
  try {
    call();
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
