import type { CloseReport, ConnectionOptions } from '@sluice/core';
import { link, type Link, type LinkBufferEvent, TestLoop } from '@sluice/core/testing';
import { expect } from 'chai';
import { nativeQueue } from '../../../native/test/support/native-queue.ts';
import {
  type CipherStore,
  TlsBufferEvent,
  type TlsClientOptions,
  type TlsCloseReport,
  type TlsOptions,
} from '../../src/index.ts';
import type { Contexts } from './contexts.ts';

export interface DuoOptions {
  /** Bytes between the ends, per direction. */
  capacityBytes?: number;
  perTurnBytes?: number;
  transport?: ConnectionOptions;
  client?: Partial<TlsClientOptions>;
  server?: TlsOptions;
  /** Both ends'. */
  store?: CipherStore;
}

/** One TLS connection over a link, with what it told its user. */
export class Side {
  readonly tls: TlsBufferEvent;
  readonly below: LinkBufferEvent;
  /** Events in order. */
  readonly events: string[] = [];
  readonly received: Buffer[] = [];
  receivedBytes = 0;
  report: TlsCloseReport | undefined;
  /** Consumes input in `data`. */
  reads = true;
  /** The most memory that was seen at the end of a settle. */
  memoryMost = 0;
  #closedCount = 0;

  constructor(tls: TlsBufferEvent, below: LinkBufferEvent) {
    this.tls = tls;
    this.below = below;
    tls.setHandlers({
      connected: () => this.#note('connected'),
      data: () => {
        this.#note('data');
        if (this.reads) this.take();
      },
      drained: () => this.#note('drained'),
      end: () => this.#note('end'),
      closed: (_bev, report: CloseReport) => {
        this.#note('closed');
        this.report = report as TlsCloseReport;
      },
    });
  }

  take(n?: number): void {
    const bytes = this.tls.read(n);
    this.received.push(bytes);
    this.receivedBytes += bytes.length;
  }

  get text(): string {
    return Buffer.concat(this.received).toString('latin1');
  }

  /** The events without repetitions of `data` and `drained`. */
  get story(): string[] {
    return this.events.filter((event, index) => event !== this.events[index - 1]);
  }

  /** What must hold after every turn. Chai only says what is wrong: a case takes tens of thousands. */
  check(): void {
    const { tls, below } = this;
    const { session } = tls;
    if (session.spins !== 0) expect.fail(`${session.spins} spins`);
    if (session.staleEntries !== 0) expect.fail(`${session.staleEntries} stale entries`);
    if (nativeQueue.peek() !== undefined) expect.fail("something is left in the thread's error queue");
    const record = 16 * 1024;
    const bound =
      3 * session.pairBytes +
      record +
      (below.limits.writeHigh + below.limits.readHigh) +
      (tls.limits.readHigh + record) +
      tls.output.length;
    const { memoryBytes } = tls;
    if (memoryBytes > bound) expect.fail(`${memoryBytes} bytes are held, over ${bound}`);
    this.memoryMost = Math.max(this.memoryMost, memoryBytes);
    if (this.#closedCount !== (this.report === undefined ? 0 : 1)) expect.fail(`closed ${this.#closedCount} times`);
  }

  #note(event: string): void {
    expect(this.events.at(-1), `${event} after closed`).to.not.equal('closed');
    if (event === 'closed') this.#closedCount += 1;
    this.events.push(event);
  }
}

/** A TLS server and client over a link in memory, on virtual time. */
export class Duo {
  readonly loop: TestLoop = new TestLoop();
  readonly link: Link;
  readonly client: Side;
  readonly server: Side;

  constructor(contexts: Contexts, options: DuoOptions = {}) {
    const { capacityBytes, perTurnBytes, transport = {}, store = 'borrowed' } = options;
    this.link = link(this.loop, {
      ...(capacityBytes === undefined ? {} : { capacityBytes }),
      ...(perTurnBytes === undefined ? {} : { perTurnBytes }),
      first: transport,
      second: transport,
    });
    const [first, second] = this.link.ends;
    this.client = new Side(
      new TlsBufferEvent(first, contexts.client, { servername: 'localhost', store, ...options.client }),
      first,
    );
    this.server = new Side(new TlsBufferEvent(second, contexts.server, { store, ...options.server }), second);
  }

  get sides(): readonly [Side, Side] {
    return [this.client, this.server];
  }

  /** Turns until nothing is pending; checks the invariants after each turn. Answers the count of turns. */
  settle(turnsMax = 50_000): number {
    let turns = 0;
    while (this.loop.pending) {
      if (turns++ >= turnsMax) throw new Error(`the loop is still busy after ${turnsMax} turns`);
      this.loop.turn();
      for (const side of this.sides) side.check();
    }
    expect(this.loop.uncaughtErrors, 'uncaught').to.deep.equal([]);
    return turns;
  }

  turns(count: number): void {
    for (let turn = 0; turn < count && this.loop.pending; turn++) this.loop.turn();
    for (const side of this.sides) side.check();
  }

  advance(ms: number): void {
    this.settle();
    this.loop.virtual.advance(ms, () => this.settle());
    this.settle();
  }

  connect(): this {
    this.settle();
    for (const side of this.sides) expect(side.story, 'story').to.deep.equal(['connected']);
    return this;
  }

  /** Closes both and checks that everything ended in order. */
  closeInOrder(): void {
    void this.client.tls.close();
    this.settle();
    for (const side of this.sides) {
      expect(side.report?.error, 'error').to.equal(undefined);
      expect(side.report?.end, 'end').to.equal('end');
    }
    expect(this.loop.virtual.pending, 'timers').to.be.at.most(1);
  }
}
