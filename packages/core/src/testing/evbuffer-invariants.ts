import assert from 'node:assert/strict';
import type { EvBuffer } from '../evbuffer.ts';

/** Fails unless the buffer's chunks, counts and slab registrations agree with each other. For tests: it looks at everything. */
export function assertInvariants(buffer: EvBuffer): void {
  let length = 0;
  let transient = 0;
  let last: EvBuffer['_tail'];
  for (let chunk = buffer._head; chunk !== undefined; chunk = chunk.next) {
    const { bytes, low, start, end, high, slab, reference } = chunk;
    assert.ok(start < end, `a chunk is empty: [${start}, ${end})`);
    assert.ok(
      0 <= low && low <= start && end <= high && high <= bytes.length,
      `a chunk's room is not around its bytes`,
    );
    if (slab !== undefined) {
      assert.equal(bytes, slab.bytes, 'a chunk of a slab shows other memory');
      assert.ok(low === start && high === end, 'a chunk of a slab has room');
      assert.ok(slab.holds(buffer), 'a buffer with bytes of a slab is not registered with it');
      transient += 1;
    }
    if (reference !== undefined) {
      assert.ok(low === start && high === end, "a chunk of the user's memory has room");
      assert.ok(reference.chunks > 0, 'a chunk shows memory that was released');
    }
    length += end - start;
    assert.ok(length <= buffer._length, 'the chunks hold more than length says, or go round');
    last = chunk;
  }
  assert.equal(length, buffer._length, 'the chunks hold less than length says');
  assert.equal(transient, buffer._transient, 'the count of slab chunks is wrong');
  assert.equal(last, buffer._tail, 'the tail is not the last chunk');
  assert.ok(buffer._scanned <= length, 'more was searched than there is');
  assert.equal(buffer._released, undefined, 'released memory has not been told of');
}

/** Fails if a chunk of any of the buffers could write where another one shows bytes or could write. */
export function assertRoomsApart(buffers: readonly EvBuffer[]): void {
  const byMemory = new Map<ArrayBufferLike, Span[]>();
  for (const buffer of buffers) {
    for (let chunk = buffer._head; chunk !== undefined; chunk = chunk.next) {
      const { buffer: memory, byteOffset } = chunk.bytes;
      let spans = byMemory.get(memory);
      if (spans === undefined) byMemory.set(memory, (spans = []));
      addSpan(spans, true, byteOffset + chunk.low, byteOffset + chunk.start);
      addSpan(spans, false, byteOffset + chunk.start, byteOffset + chunk.end);
      addSpan(spans, true, byteOffset + chunk.end, byteOffset + chunk.high);
    }
  }
  for (const spans of byMemory.values()) assertApart(spans);
}

interface Span {
  room: boolean;
  from: number;
  to: number;
}

function addSpan(spans: Span[], room: boolean, from: number, to: number): void {
  if (from < to) spans.push({ room, from, to });
}

function assertApart(spans: Span[]): void {
  spans.sort((a, b) => a.from - b.from);
  let end = 0;
  let roomEnd = 0;
  for (const { room, from, to } of spans) {
    assert.ok(from >= (room ? end : roomEnd), 'the room of one chunk overlaps another chunk');
    end = Math.max(end, to);
    if (room) roomEnd = Math.max(roomEnd, to);
  }
}
