/** A native loop with everything that happens on it written down, and waiting for it by promise. */
import { expect } from 'chai';
import { COUNTERS_LENGTH, Counter, native, type NativeLoop, RECORD_LENGTH, RecordType } from '../../src/index.ts';

export type EventName = keyof typeof RecordType;

/** A record with its bytes copied out of the slab. */
export interface Happening {
  type: EventName;
  id: number;
  a: number;
  b: number;
  bytes?: Uint8Array;
  /** Which delivery brought it, from 1. */
  delivery: number;
}

export interface FixtureOptions {
  slabBytes?: number;
  records?: number;
}

const typeNames = new Map<number, EventName>(
  Object.entries(RecordType).map(([name, value]) => [value, name as EventName]),
);

interface Waiter {
  matches: (happening: Happening) => boolean;
  resolve: (happening: Happening) => void;
}

export class LoopFixture {
  readonly slab: Uint8Array;
  readonly scratch: Uint8Array = new Uint8Array(65_536);
  readonly records: Int32Array;
  readonly counters: Float64Array = new Float64Array(COUNTERS_LENGTH);
  readonly loop: NativeLoop;
  readonly happened: Happening[] = [];
  /** Runs for each record, inside the delivery. */
  onHappening: (happening: Happening) => void = () => {};
  /** Runs at the end of each delivery, inside it. */
  onDelivered: (count: number) => void = () => {};
  readonly #waiters: Waiter[] = [];
  readonly #claimed = new Set<Happening>();

  constructor(options: FixtureOptions = {}) {
    this.slab = new Uint8Array(options.slabBytes ?? 262_144);
    this.records = new Int32Array((options.records ?? 256) * RECORD_LENGTH);
    this.loop = new (native().Loop)(this.slab, this.scratch, this.records, this.counters, (count) =>
      this.#deliver(count),
    );
  }

  count(name: keyof typeof Counter): number {
    return this.counters[Counter[name]] as number;
  }

  /** The next record of that type (and handle) that no other `next` took, past ones included. */
  async next(type: EventName, id?: number): Promise<Happening> {
    const matches = (happening: Happening): boolean =>
      happening.type === type && (id === undefined || happening.id === id) && !this.#claimed.has(happening);
    const past = this.happened.find(matches);
    if (past !== undefined) {
      this.#claimed.add(past);
      return past;
    }
    return new Promise((resolve) => {
      this.#waiters.push({ matches, resolve });
    });
  }

  /** The types of a handle's records, in order. */
  story(id: number): EventName[] {
    return this.happened.filter((happening) => happening.id === id).map(({ type }) => type);
  }

  /** Every byte read from a handle so far. */
  received(id: number): Buffer {
    return Buffer.concat(
      this.happened.filter((one) => one.type === 'read' && one.id === id).map(({ bytes }) => bytes!),
    );
  }

  /** Reads from a handle until so many bytes came in all. */
  async receive(id: number, length: number): Promise<Buffer> {
    while (this.received(id).length < length) await this.next('read', id);
    return this.received(id);
  }

  listen(flags = 0): { listener: number; port: number } {
    const listener = this.loop.listenTcp('127.0.0.1', 0, 128, flags);
    expect(listener).to.be.at.least(0);
    return { listener, port: this.port(listener) };
  }

  port(id: number): number {
    const address = this.loop.localAddress(id);
    if (typeof address === 'number') throw new Error(`localAddress failed: ${address}`);
    return address.port;
  }

  connect(port: number): number {
    const id = this.loop.connectTcp('127.0.0.1', port);
    expect(id).to.be.at.least(0);
    return id;
  }

  /** Both ends of a TCP connection, and the listener between them, which stays open. */
  async pair(): Promise<{ client: number; server: number; listener: number }> {
    const { listener, port } = this.listen();
    const client = this.connect(port);
    const { a: server } = await this.next('accept', listener);
    expect((await this.next('connected', client)).a).to.equal(0);
    return { client, server, listener };
  }

  /** One `flush` of one connection; returns its result. */
  write(id: number, ...chunks: Uint8Array[]): number {
    const ops = Int32Array.from([
      id,
      chunks.length,
      12_345,
      ...chunks.flatMap((chunk, index) => [index, 0, chunk.length]),
    ]);
    this.loop.flush(ops, ops.length, chunks);
    return ops[2] as number;
  }

  /** Closes a handle and waits until it is gone. */
  async close(id: number, reset = false): Promise<void> {
    const gone = this.next('closed', id);
    this.loop.close(id, reset);
    await gone;
  }

  #deliver(count: number): void {
    const fresh: Happening[] = [];
    for (let index = 0; index < count; index += 1) fresh.push(this.#read(index * RECORD_LENGTH));
    for (const happening of fresh) {
      this.happened.push(happening);
      this.onHappening(happening);
      const waiting = this.#waiters.findIndex(({ matches }) => matches(happening));
      if (waiting === -1) continue;
      this.#claimed.add(happening);
      this.#waiters.splice(waiting, 1)[0]?.resolve(happening);
    }
    this.onDelivered(count);
  }

  #read(at: number): Happening {
    const [type, id, a, b] = this.records.subarray(at, at + RECORD_LENGTH) as unknown as [
      number,
      number,
      number,
      number,
    ];
    const name = typeNames.get(type);
    if (name === undefined) throw new Error(`unknown record type ${type}`);
    const happening: Happening = { type: name, id, a, b, delivery: this.count('deliveries') };
    if (name === 'read') happening.bytes = this.slab.slice(a, a + b);
    return happening;
  }
}

/** One turn of the loop. */
export async function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** So many turns that whatever was under way on loopback has been told. */
export async function turns(count = 20): Promise<void> {
  for (let index = 0; index < count; index += 1) await turn();
}

/** Bytes of a text. */
export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Bytes that differ from place to place, so that a loss or a swap shows. */
export function pattern(length: number, seed = 1): Uint8Array {
  const out = new Uint8Array(length);
  let state = seed >>> 0 || 1;
  for (let index = 0; index < length; index += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    out[index] = state >>> 24;
  }
  return out;
}

const fixtures: LoopFixture[] = [];

/** A fixture that `destroyFixtures` ends. */
export function fixture(options?: FixtureOptions): LoopFixture {
  const made = new LoopFixture(options);
  fixtures.push(made);
  return made;
}

/** For `afterEach`: destroys every loop of the test and waits until no handle is left. */
export async function destroyFixtures(): Promise<void> {
  for (const { loop } of fixtures) loop.destroy();
  for (const { loop } of fixtures) while (loop.handleCount() > 0) await turn();
  fixtures.length = 0;
}
