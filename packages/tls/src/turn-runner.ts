import { type BufferEvent, EvBuffer, type Slab } from '@sluice/core';
import type { TlsSession } from './session.ts';
import { type TurnOperation, type TurnOutcome, turnIo } from './turn.ts';

/** Room for plaintext that a read is given: a record of full size. */
const READ_BYTES = 16 * 1024;
/** Room for ciphertext beside a read: a KeyUpdate's answer or an alert. */
const ANSWER_BYTES = 256;
/** Room for ciphertext per turn of a handshake, about; see `#handshakeRoom`. */
const FLIGHT_BYTES = 16 * 1024;
/** How much longer than its plaintext a record can be, in any version. */
const RECORD_OVERHEAD = 96;
/** Below this much free scratch memory a turn gets memory of its own. */
const SCRATCH_BYTES_MIN = 2048;
/** Plaintext in memory of its own is copied out of it when this small: the rest would be held for nothing. */
const COPIED_BYTES_MAX = 4096;

/**
 * Runs a session's turns between the buffers of a connection and those of the transport below it. Ciphertext is read where
 * it lies; plaintext and ciphertext are made in the loop's scratch memory and linked, not copied.
 */
export class TurnRunner {
  /** The transport has ended: nothing follows what is in its input. */
  inputEof = false;
  readonly #session: TlsSession;
  readonly #below: BufferEvent;
  readonly #cipherIn: EvBuffer;
  readonly #cipherOut: EvBuffer;
  readonly #scratch: Slab;

  constructor(session: TlsSession, below: BufferEvent) {
    if (!(below.input instanceof EvBuffer) || !(below.output instanceof EvBuffer)) {
      throw new TypeError('the transport must be a BufferEvent of this copy of @sluice/core');
    }
    this.#session = session;
    this.#below = below;
    this.#cipherIn = below.input;
    this.#cipherOut = below.output;
    this.#scratch = below.loop.scratch;
  }

  /** Ciphertext that arrived and was not fed yet. */
  get waitingBytes(): number {
    return this.#cipherIn.length;
  }

  /** Drops it: nothing may follow close_notify. */
  discard(): void {
    this.#cipherIn.clear();
  }

  /** Moves ciphertext that waits in the pair. With `all`, past the transport's high watermark: for a last alert. */
  move(all = false): TurnOutcome {
    const waiting = this.#session.pendingOut;
    if (waiting === 0) return 'done';
    const room = all ? waiting : Math.min(waiting, this.#room);
    return room === 0 ? 'want-output' : this.#turn('move', room, undefined, 0, 0);
  }

  /** Goes on with the handshake as far as input and room allow. */
  handshake(): TurnOutcome {
    for (;;) {
      const { bytesIn, bytesOut } = this.#session;
      const outcome = this.#turn('handshake', Math.min(this.#room, this.#flightRoom), undefined, 0, 0);
      if (!this.#goesOn(outcome, bytesIn, bytesOut)) return outcome;
    }
  }

  /** Reads into `plain` once: at most a record's worth. */
  read(plain: EvBuffer): TurnOutcome {
    const scratch = this.#scratch;
    const outRoom = Math.min(this.#room, ANSWER_BYTES + this.#session.pendingOut);
    const wanted = Math.min(READ_BYTES + outRoom, scratch.free);
    const offset = wanted < SCRATCH_BYTES_MIN + outRoom ? -1 : scratch.reserve(wanted);
    const memory = offset < 0 ? Buffer.allocUnsafe(READ_BYTES + outRoom) : scratch.bytes;
    const start = Math.max(offset, 0);
    const end = offset < 0 ? memory.length : offset + wanted;
    io.data = memory;
    io.dataStart = start;
    io.dataEnd = end - outRoom;
    const outcome = this.#step('read', memory, end - outRoom, end);
    const read = io.dataStart;
    const produced = io.outputStart - (end - outRoom);
    if (offset >= 0) scratch.trim(produced > 0 ? io.outputStart : read);
    if (read > start) link(plain, offset < 0 ? undefined : scratch, memory, start, read);
    if (produced > 0) link(this.#cipherOut, offset < 0 ? undefined : scratch, memory, end - outRoom, io.outputStart);
    return outcome;
  }

  /** Writes the front of `plain`, at least a record of it where there is as much, and drains what the session took. */
  write(plain: EvBuffer): TurnOutcome {
    const head = plain._head;
    if (head === undefined) return this.#writeData('write', plain, undefined, 0, 0);
    const slice = this.#session.sliceBytesMax;
    const length = head.end - head.start;
    if (length >= slice || length === plain.length) {
      // Whole records, unless nothing follows: the rest goes with what does. And no more than there is a place for.
      const whole = length === plain.length ? length : length - (length % slice);
      return this.#writeData('write', plain, head.bytes, head.start, head.start + Math.min(whole, this.#writeBytesMax));
    }
    const gathered = plain.copy(slice < gather.length ? gather.subarray(0, slice) : gather);
    return this.#writeData('write', plain, gather, 0, gathered);
  }

  /** Finishes a write, then sends close_notify. */
  shutdown(): TurnOutcome {
    for (;;) {
      const { bytesIn, bytesOut } = this.#session;
      const room = ANSWER_BYTES + this.#session.pendingOut + this.#session.pendingWriteBytes;
      const outcome = this.#turn('shutdown', Math.min(this.#room, room), undefined, 0, 0);
      if (!this.#goesOn(outcome, bytesIn, bytesOut)) return outcome;
    }
  }

  /** Whether the transport takes more: below its high watermark. Else its `drained` is waited for. */
  get hasRoom(): boolean {
    return this.#room > 0;
  }

  get #room(): number {
    if (!this.#below.writable) return 0;
    return Math.max(0, this.#below.limits.writeHigh - this.#cipherOut.length);
  }

  /** Plaintext that the transport and the pair have room for, in whole records; one record if not even that. */
  get #writeBytesMax(): number {
    const { sliceBytesMax, pairBytes, pendingOut } = this.#session;
    const records = Math.floor((this.#room + pairBytes - pendingOut) / (sliceBytesMax + RECORD_OVERHEAD));
    return Math.max(1, records) * sliceBytesMax;
  }

  /** A whole number of pairs, so that a flight is moved out a full pair at a time. */
  get #flightRoom(): number {
    const { pairBytes } = this.#session;
    return pairBytes * Math.max(1, Math.floor(FLIGHT_BYTES / pairBytes));
  }

  #writeData(
    operation: TurnOperation,
    plain: EvBuffer,
    data: Uint8Array | undefined,
    start: number,
    end: number,
  ): TurnOutcome {
    const session = this.#session;
    const bytes = end - start + session.pendingWriteBytes;
    const room = bytes + RECORD_OVERHEAD * Math.ceil(1 + bytes / session.sliceBytesMax) + session.pendingOut;
    const outcome = this.#turn(operation, Math.min(this.#room, room), data, start, end);
    if (io.dataStart > start) plain.drain(io.dataStart - start);
    return outcome;
  }

  /** One turn with so much room for ciphertext. */
  #turn(
    operation: TurnOperation,
    room: number,
    data: Uint8Array | undefined,
    dataStart: number,
    dataEnd: number,
  ): TurnOutcome {
    const scratch = this.#scratch;
    // All of it or memory of its own: what a turn left in the pair for want of scratch memory, nobody would come for.
    const offset = room > 0 ? scratch.reserve(room) : -1;
    const memory = offset >= 0 ? scratch.bytes : Buffer.allocUnsafe(room);
    const start = Math.max(offset, 0);
    io.data = data;
    io.dataStart = dataStart;
    io.dataEnd = dataEnd;
    const outcome = this.#step(operation, memory, start, start + room);
    if (offset >= 0) scratch.trim(io.outputStart);
    if (io.outputStart > start) {
      link(this.#cipherOut, offset < 0 ? undefined : scratch, memory, start, io.outputStart);
    }
    return outcome;
  }

  #step(operation: TurnOperation, output: Uint8Array, outputStart: number, outputEnd: number): TurnOutcome {
    const chunk = operation === 'handshake' || operation === 'read' ? this.#cipherIn._head : undefined;
    const start = chunk?.start ?? 0;
    io.input = chunk?.bytes;
    io.inputStart = start;
    io.inputEnd = chunk?.end ?? 0;
    io.inputEof = this.inputEof && chunk?.next === undefined;
    io.output = output;
    io.outputStart = outputStart;
    io.outputEnd = outputEnd;
    const outcome = this.#session.turn(operation, io);
    if (io.inputStart > start) this.#cipherIn.drain(io.inputStart - start);
    return outcome;
  }

  /** Whether another turn follows at once: something moved, and what was wanted is there. */
  #goesOn(outcome: TurnOutcome, bytesInBefore: number, bytesOutBefore: number): boolean {
    const session = this.#session;
    if (session.retry || (session.bytesIn === bytesInBefore && session.bytesOut === bytesOutBefore)) return false;
    if (outcome === 'want-input') return this.#cipherIn.length > 0;
    return outcome === 'want-output' && this.#room > 0;
  }
}

/** Appends `memory[start, end)` without copying, if it is worth holding. */
function link(buffer: EvBuffer, slab: Slab | undefined, memory: Buffer, start: number, end: number): void {
  if (slab !== undefined) buffer.appendSlab(slab, start, end - start);
  else if (end - start <= COPIED_BYTES_MAX) buffer.append(memory.subarray(start, end));
  else buffer.appendRef(memory.subarray(start, end));
}

/** Where small pieces are put together to a record. The engine has done with it when a turn returns. */
const gather = Buffer.allocUnsafe(READ_BYTES);

/** One for all: a turn is over before anything else runs. */
const io = turnIo();
