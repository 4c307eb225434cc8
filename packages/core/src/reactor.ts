import { COUNTERS_LENGTH, type NativeLoop, native, RECORD_LENGTH, RecordType } from '@sluice/native';
import type { EvBuffer } from './evbuffer.ts';
import type { EventLoop, LoopBackend } from './event-loop.ts';
import type { FdPoll } from './fd-poll.ts';
import { debugging, debugOrigin } from './loop-event.ts';
import type { LoopHandle } from './loop-handles.ts';
import type { Slab } from './slab.ts';
import { type ReactorStats, reactorStats } from './stats.ts';

/** Whom a handle's records go to. */
export interface HandleOwner {
  /** Bytes for the owner lie in the loop's slab until the turn ends. */
  _handleRead(offset: number, length: number): void;
  _handleEof(): void;
  _handleReadError(errno: number): void;
  _handleConnected(status: number): void;
  /** What `writeQueued` was given is out (0) or failed. */
  _handleWritten(status: number): void;
  _handleShutdown(status: number): void;
  _handleAccepted(handle: number): void;
  _handleAcceptError(errno: number): void;
  /** A polled descriptor is ready (`PollEvent` bits), or cannot be polled any more (a negative error number). */
  _handlePoll?(events: number): void;
  _handleClosed(): void;
  /** What it is, for the list of what keeps a loop alive; absent when something else lists it. */
  _handleKind?(): Pick<LoopHandle, 'kind' | 'name'>;
}

/** Who has output in this turn's flush. */
export interface Writer {
  /** How many of the queued bytes the system took, or a negative error number. */
  _flushed(result: number): void;
}

/** Records per delivery: more than a poll returns (1024 descriptors), so a delivery is cut short by the slab only. */
const RECORDS_MAX = 4096;

/** Chunks of one connection per flush; the rest follows in the next. A gathered write of more gains nothing. */
const CHUNKS_PER_WRITE_MAX = 64;

const OPS_LENGTH_START = 4096;

/**
 * A loop's system half: one native object that reads every socket into the loop's slab, tells all that happened in one
 * call a turn, and writes for all sockets in one call a turn.
 */
export class Reactor implements LoopBackend {
  readonly native: NativeLoop;
  /** See `Counter` of the native binding: what was read, written, refused, and how many calls it took. */
  readonly counters: Float64Array = new Float64Array(COUNTERS_LENGTH);
  /** Descriptors of others that are watched. */
  readonly polls: Map<number, FdPoll> = new Map();
  readonly #loop: EventLoop;
  readonly #slab: Slab;
  readonly #scratch: Slab;
  readonly #records: Int32Array = new Int32Array(RECORDS_MAX * RECORD_LENGTH);
  readonly #owners: (HandleOwner | undefined)[] = [];
  #ops: Int32Array = new Int32Array(OPS_LENGTH_START);
  #opsLength = 0;
  /** Where handles were made, when `SLUICE_DEBUG` is set. */
  readonly #origins: WeakMap<HandleOwner, string> = new WeakMap();
  /** Open handles that do not keep the process alive. */
  readonly #unrefed: Set<number> = new Set();
  readonly #buffers: Uint8Array[] = [];
  readonly #writers: Writer[] = [];
  /** Where each writer's result is in the operations. */
  readonly #resultAt: number[] = [];

  private constructor(loop: EventLoop) {
    this.#loop = loop;
    this.#slab = loop.slab;
    this.#scratch = loop.scratch;
    this.native = new (native().Loop)(loop.slab.bytes, loop.scratch.bytes, this.#records, this.counters, (count) =>
      loop.turn(count),
    );
  }

  /** The loop's reactor; made, and the native addon loaded, on first use. */
  static of(loop: EventLoop): Reactor {
    return loop.backend(() => new Reactor(loop));
  }

  /** Handles and their owners, until `_handleClosed`. */
  attach(handle: number, owner: HandleOwner): void {
    this.#owners[handle] = owner;
    if (debugging) this.#origins.set(owner, debugOrigin() ?? '');
  }

  /** Whether a handle keeps the process alive; it does at first. */
  setRef(handle: number, on: boolean): void {
    this.native.setRef(handle, on);
    if (on) this.#unrefed.delete(handle);
    else {
      this.#unrefed.add(handle);
      this.#loop._dropped();
    }
  }

  get refs(): number {
    return this.native.handleCount() - this.#unrefed.size;
  }

  /** A snapshot of what it has done, as plain values. */
  get stats(): ReactorStats {
    return reactorStats(this.counters, this.native.handleCount());
  }

  handles(): LoopHandle[] {
    const handles: LoopHandle[] = [];
    for (const [handle, owner] of this.#owners.entries()) {
      const kind = owner?._handleKind?.();
      if (owner === undefined || kind === undefined) continue;
      const origin = this.#origins.get(owner);
      const hasRef = !this.#unrefed.has(handle);
      handles.push({ ...kind, hasRef, pending: true, ...(origin === undefined ? {} : { origin }) });
    }
    return handles;
  }

  /**
   * Queues a connection's output for this turn's flush, from the front, as many chunks as one write takes and `bytesMax`
   * allows. Answers how many bytes that is.
   */
  queueWrite(handle: number, output: EvBuffer, writer: Writer, bytesMax: number = Number.POSITIVE_INFINITY): number {
    let at = this.#opsLength;
    if (at + 3 + 3 * CHUNKS_PER_WRITE_MAX > this.#ops.length) this.#growOps();
    const ops = this.#ops;
    const header = at;
    ops[at] = handle;
    at += 3;
    let count = 0;
    let bytes = 0;
    for (let chunk = output._head; chunk !== undefined && count < CHUNKS_PER_WRITE_MAX; chunk = chunk.next) {
      const slab = chunk.slab;
      // A chunk that came from another loop's connection is in a slab that this native loop does not know.
      if (slab !== undefined && (slab === this.#slab || slab === this.#scratch)) ops[at] = slab.nativeIndex;
      else {
        ops[at] = this.#buffers.length;
        this.#buffers.push(chunk.bytes);
      }
      ops[at + 1] = chunk.start;
      ops[at + 2] = chunk.end - chunk.start;
      at += 3;
      count += 1;
      bytes += chunk.end - chunk.start;
    }
    while (bytes > bytesMax) {
      const length = ops[at - 1] as number;
      const kept = Math.max(0, length - (bytes - bytesMax));
      bytes -= length - kept;
      ops[at - 1] = kept;
      if (kept > 0) break;
      at -= 3;
      count -= 1;
    }
    ops[header + 1] = count;
    ops[header + 2] = 0;
    this.#writers.push(writer);
    this.#resultAt.push(header + 2);
    this.#opsLength = at;
    return bytes;
  }

  flush(): void {
    if (this.#opsLength === 0) return;
    const writers = this.#writers;
    this.native.flush(this.#ops, this.#opsLength, this.#buffers);
    for (let index = 0; index < writers.length; index += 1) {
      (writers[index] as Writer)._flushed(this.#ops[this.#resultAt[index] as number] as number);
    }
    writers.length = 0;
    this.#resultAt.length = 0;
    this.#buffers.length = 0;
    this.#opsLength = 0;
  }

  dispatch(count: number): void {
    const records = this.#records;
    for (let at = 0, end = count * RECORD_LENGTH; at < end; at += RECORD_LENGTH) {
      const handle = records[at + 1] as number;
      const owner = this.#owners[handle];
      if (owner === undefined) continue;
      const a = records[at + 2] as number;
      switch (records[at]) {
        case RecordType.read:
          owner._handleRead(a, records[at + 3] as number);
          break;
        case RecordType.eof:
          owner._handleEof();
          break;
        case RecordType.readError:
          owner._handleReadError(a);
          break;
        case RecordType.written:
          owner._handleWritten(a);
          break;
        case RecordType.accept:
          owner._handleAccepted(a);
          break;
        case RecordType.connected:
          owner._handleConnected(a);
          break;
        case RecordType.shutdown:
          owner._handleShutdown(a);
          break;
        case RecordType.acceptError:
          owner._handleAcceptError(a);
          break;
        case RecordType.poll:
          owner._handlePoll?.(a);
          break;
        case RecordType.closed:
          this.#owners[handle] = undefined;
          this.#unrefed.delete(handle);
          owner._handleClosed();
          break;
      }
    }
  }

  close(): void {
    this.native.destroy();
    this.#owners.length = 0;
  }

  #growOps(): void {
    const ops = new Int32Array(this.#ops.length * 2);
    ops.set(this.#ops);
    this.#ops = ops;
  }
}
