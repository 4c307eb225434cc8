import { expect } from 'chai';
import { nativeQueue } from '../../../native/test/support/native-queue.ts';
import {
  type TlsContext,
  TlsSession,
  type TlsSessionOptions,
  type TurnOperation,
  type TurnOutcome,
  turnIo,
} from '../../src/index.ts';

/** Bytes in order. */
export class ByteQueue {
  #chunks: Buffer[] = [];
  length = 0;

  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#chunks.push(Buffer.from(bytes));
    this.length += bytes.length;
  }

  /** The first bytes in one piece, without taking them. */
  peek(n: number = this.length): Buffer {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return (this.#chunks[0] ?? Buffer.alloc(0)).subarray(0, n);
  }

  take(n: number = this.length): Buffer {
    const taken = Buffer.from(this.peek(n));
    const rest = (this.#chunks[0] ?? Buffer.alloc(0)).subarray(taken.length);
    this.#chunks = rest.length > 0 ? [rest] : [];
    this.length = rest.length;
    return taken;
  }
}

export interface EndOptions extends TlsSessionOptions {
  /** Bytes of ciphertext that may wait for the wire. Default 64 KiB. */
  outboxMax?: number;
}

/** A session with the buffers that a transport would have around it. Every turn is checked against the invariants. */
export class TlsEnd {
  readonly session: TlsSession;
  /** Ciphertext that arrived and was not fed yet, and ciphertext that waits for the wire. */
  readonly inbox: ByteQueue = new ByteQueue();
  readonly outbox: ByteQueue = new ByteQueue();
  readonly received: ByteQueue = new ByteQueue();
  /** Plaintext to send. */
  readonly toSend: ByteQueue = new ByteQueue();
  inputEof = false;
  /** The test itself puts entries into the queue. */
  staleAllowed = false;
  /** Set, this end wants to send close_notify once all is sent. */
  wantsShutdown = false;
  /** Reads are made, into room of this size, at most 16,384. 0: the application does not read. */
  readBytes = 16_384;
  outboxMax: number;
  /** Each turn's operation and outcome, in order. */
  readonly outcomes: [TurnOperation, TurnOutcome][] = [];
  readonly #io = turnIo();
  readonly #room = Buffer.alloc(100_000);
  readonly #plain = Buffer.alloc(16_384);

  constructor(context: TlsContext, options: EndOptions = {}) {
    const { outboxMax = 65_536, ...rest } = options;
    this.outboxMax = outboxMax;
    this.session = new TlsSession(context, rest);
  }

  /** One turn of an operation, with what the buffers hold. Returns the outcome and the bytes moved. */
  turn(operation: TurnOperation): TurnOutcome {
    const io = this.#io;
    const { session } = this;
    const input = this.inbox.peek();
    io.input = input;
    io.inputStart = 0;
    io.inputEnd = input.length;
    io.inputEof = this.inputEof;
    io.output = this.#room;
    io.outputStart = 0;
    io.outputEnd = Math.max(0, Math.min(this.#room.length, this.outboxMax - this.outbox.length));
    io.data = undefined;
    io.dataStart = 0;
    io.dataEnd = 0;
    if (operation === 'read') {
      io.data = this.#plain;
      io.dataEnd = this.readBytes;
    } else if (operation === 'write' || operation === 'shutdown') {
      io.data = this.toSend.peek();
      io.dataEnd = io.data.length;
    }
    const outcome = session.turn(operation, io);
    this.inbox.take(io.inputStart);
    this.outbox.push(this.#room.subarray(0, io.outputStart));
    if (operation === 'read') this.received.push(this.#plain.subarray(0, io.dataStart));
    else if (io.data !== undefined) this.toSend.take(io.dataStart);
    this.outcomes.push([operation, outcome]);
    this.check();
    return outcome;
  }

  /** What must hold after every turn. Chai only says what is wrong: a case takes up to 100,000 turns. */
  check(): void {
    const { session, outbox, outboxMax } = this;
    if (session.spins !== 0) expect.fail(`${session.spins} spins`);
    if (session.staleEntries !== 0 && !this.staleAllowed) expect.fail(`${session.staleEntries} stale entries`);
    if (nativeQueue.peek() !== undefined) expect.fail("something is left in the thread's error queue");
    if (session.pendingOut > session.pairBytes) expect.fail(`${session.pendingOut} bytes in the pair`);
    if (session.pendingWriteBytes > session.sliceBytesMax) expect.fail(`a write of ${session.pendingWriteBytes} bytes`);
    if (outbox.length > outboxMax) expect.fail(`${outbox.length} bytes in the outbox`);
  }

  /** Everything there is to do now. Answers whether anything moved. */
  work(): boolean {
    const before = this.#progress();
    const { session } = this;
    if (session.pendingOut > 0) this.turn('move');
    if (session.failure !== undefined) return this.#progress() !== before;
    if (!session.handshakeDone) {
      if (this.turn('handshake') !== 'done') return this.#progress() !== before;
    }
    if (this.readBytes > 0 && !session.closeNotifyReceived) while (this.turn('read') === 'done');
    if (session.closeNotifySent || session.failure !== undefined) return this.#progress() !== before;
    if (this.wantsShutdown) this.turn('shutdown');
    else if (this.toSend.length > 0 || session.pendingWriteBytes > 0) this.turn('write');
    return this.#progress() !== before;
  }

  #progress(): string {
    const { session } = this;
    return [
      session.bytesIn,
      session.bytesOut,
      session.calls,
      session.handshakeDone,
      this.received.length,
      this.toSend.length,
    ].join();
  }
}

/** Two ends and the network between them: corked, cut and slowed down at will. No clock and no sockets. */
export class Wire {
  readonly client: TlsEnd;
  readonly server: TlsEnd;
  /** Bytes that the wire takes from each side per transfer. */
  clientToServer = Number.POSITIVE_INFINITY;
  serverToClient = Number.POSITIVE_INFINITY;

  constructor(client: TlsEnd, server: TlsEnd) {
    this.client = client;
    this.server = server;
  }

  /** Moves ciphertext across, as much as the wire takes. */
  transfer(): number {
    return carry(this.client, this.server, this.clientToServer) + carry(this.server, this.client, this.serverToClient);
  }

  /** One round: both work, then the wire carries. Answers whether anything moved. */
  step(): boolean {
    const client = this.client.work();
    const server = this.server.work();
    return this.transfer() > 0 || client || server;
  }

  /** Works and transfers until nothing moves any more; throws when it never ends. */
  settle(roundsMax = 50_000): void {
    for (let round = 0; round < roundsMax; round++) if (!this.step()) return;
    throw new Error(`nothing settled in ${roundsMax} rounds`);
  }

  /** Works and transfers until the condition holds; throws when it never does. */
  settleUntil(condition: () => boolean, roundsMax = 50_000): void {
    for (let round = 0; round < roundsMax; round++) {
      if (condition()) return;
      this.step();
    }
    throw new Error(`not reached in ${roundsMax} rounds`);
  }

  /** Completes the handshake and checks that it did. */
  connect(): this {
    this.settle();
    for (const end of [this.client, this.server]) {
      expect(end.session.failure, 'failure').to.equal(undefined);
      expect(end.session.handshakeDone, 'handshake done').to.equal(true);
    }
    return this;
  }

  free(): void {
    this.client.session.free();
    this.server.session.free();
  }
}

function carry(from: TlsEnd, to: TlsEnd, bytesMax: number): number {
  const bytes = from.outbox.take(Math.min(bytesMax, from.outbox.length));
  to.inbox.push(bytes);
  return bytes.length;
}

/** Header, content type and tag of a TLS 1.3 record with AES-GCM. */
export const RECORD_OVERHEAD = 22;

/** Fills the pair of a corked end that speaks TLS 1.3: no record fits any more. Answers what was written, record by record. */
export function fillPair(end: TlsEnd): Buffer[] {
  const { session } = end;
  const written: Buffer[] = [];
  for (;;) {
    const room = session.pairBytes - session.pendingOut;
    if (room <= RECORD_OVERHEAD) return written;
    const bytes = pattern(Math.min(session.sliceBytesMax, room - RECORD_OVERHEAD), written.length);
    end.toSend.push(bytes);
    expect(end.turn('write')).to.equal('done');
    written.push(bytes);
  }
}

/** The records in a run of ciphertext: type and length of each, header included. */
export function recordsIn(ciphertext: Buffer): { type: number; bytes: number }[] {
  const records: { type: number; bytes: number }[] = [];
  for (let at = 0; at + 5 <= ciphertext.length; ) {
    const bytes = 5 + ciphertext.readUInt16BE(at + 3);
    records.push({ type: ciphertext[at] ?? 0, bytes });
    at += bytes;
  }
  return records;
}

/** Bytes that are the same in every run, and different enough to notice when they are out of order. */
export function pattern(length: number, seed = 1): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let at = 0, state = seed; at < length; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}
