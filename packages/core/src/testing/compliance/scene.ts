import assert from 'node:assert/strict';
import type { EventLoop } from '../../event-loop.ts';
import type { ConnectionOptions } from '../../limits.ts';
import type { ComplianceConnection, ComplianceFactory, ComplianceSettings } from './contract.ts';
import { type Testimony, Witness } from './witness.ts';

const PATIENCE_MS = 8000;

/** One promise of a BufferEvent, as a test of it. */
export interface ComplianceCase {
  readonly title: string;
  /** What the end that the case is about, and its peer, are made with. */
  readonly subject?: ConnectionOptions;
  readonly peer?: ConnectionOptions;
  /** Is about limits of time. */
  readonly timed?: true;
  /** Runs a second time with the ends exchanged. */
  readonly eachWay?: true;
  run(scene: Scene): Promise<void> | void;
}

/** A connection of the transport under test, as a case sees it. */
export class Scene {
  /** The end that the case is about. */
  readonly subject: Witness;
  readonly peer: Witness;
  readonly settings: ComplianceSettings;
  readonly #connection: ComplianceConnection;
  readonly #testimony: Testimony;
  /** Exceptions that the case caused itself. */
  uncaughtExpected = 0;

  private constructor(connection: ComplianceConnection, exchanged: boolean, settings: ComplianceSettings) {
    const [first, second] = connection.ends;
    this.#testimony = {
      running: 0,
      faults: [],
      overshootBytes: settings.overshootBytes ?? connection.loop.slab.bytes.length,
    };
    const witnesses: [Witness, Witness] = [
      new Witness(first, 'first', this.#testimony),
      new Witness(second, 'second', this.#testimony),
    ];
    this.subject = witnesses[exchanged ? 1 : 0];
    this.peer = witnesses[exchanged ? 0 : 1];
    this.#connection = connection;
    this.settings = settings;
  }

  /** Runs a case on a connection of its own, and checks what holds in all of them. */
  static async play(
    played: ComplianceCase,
    factory: ComplianceFactory,
    exchanged: boolean,
    settings: ComplianceSettings,
  ): Promise<void> {
    const { subject = {}, peer = {} } = played;
    const connection = await factory(exchanged ? { first: peer, second: subject } : { first: subject, second: peer });
    const scene = new Scene(connection, exchanged, settings);
    try {
      await scene.until(() => connection.ends.every((end) => end.connected), 'both ends are connected');
      await played.run(scene);
      await scene.#closeAll();
      scene.#check();
    } finally {
      for (const end of connection.ends) end.destroy();
      await connection.settle();
      await connection.dispose();
    }
  }

  get witnesses(): readonly [Witness, Witness] {
    return [this.subject, this.peer];
  }

  /** See `ComplianceSettings`. */
  get overshootBytes(): number {
    return this.#testimony.overshootBytes;
  }

  get loop(): EventLoop {
    return this.#connection.loop;
  }

  get uncaughtErrors(): readonly unknown[] {
    return this.#connection.uncaughtErrors;
  }

  async settle(): Promise<void> {
    await this.#connection.settle();
  }

  async advance(ms: number): Promise<void> {
    const connection = this.#connection;
    if (connection.advance === undefined) {
      assert.fail('the factory has no advance: give its loop a virtual clock, or set realTime');
    }
    await connection.advance(ms);
  }

  /** Waits until the condition holds. */
  async until(condition: () => boolean, what: string): Promise<void> {
    const deadline = Date.now() + (this.settings.patienceMs ?? PATIENCE_MS);
    for (let round = 0; !condition(); round += 1) {
      if (Date.now() > deadline || this.#testimony.faults.length > 0) {
        assert.fail([`it was waited for in vain that ${what}; ${this.#state()}`, ...this.#testimony.faults].join('\n'));
      }
      await this.#connection.settle();
      // What runs between the turns of Node's own loop has its part, too.
      if (round > 0) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Waits until each end has taken all that the other sent. */
  async untilAllTaken(): Promise<void> {
    const { subject, peer } = this;
    await this.until(
      () => subject.takenBytes === peer.sentBytes && peer.takenBytes === subject.sentBytes,
      'each end has what the other sent',
    );
  }

  async untilClosed(): Promise<void> {
    await this.until(() => this.subject.closed && this.peer.closed, 'both ends are closed');
  }

  /** Both reports say that all ended in order. */
  assertEndedInOrder(): void {
    for (const { name, report } of this.witnesses) {
      assert.equal(report?.error, undefined, `${name} end: ${report?.error?.message}`);
      assert.equal(report?.end, 'end', `${name} end`);
    }
  }

  /** Ends what a case has left open. Nothing that was dropped may keep an end from being told. */
  async #closeAll(): Promise<void> {
    for (const { bev } of this.witnesses) bev.destroy();
    await this.until(() => this.subject.closed && this.peer.closed, 'destroyed ends are closed');
  }

  #check(): void {
    assert.deepEqual(this.#testimony.faults, []);
    for (const witness of this.witnesses) {
      assert.equal(witness.count('closed'), 1, `${witness.name} end: closed is told once`);
      assert.ok(witness.count('end') <= 1, `${witness.name} end: end is told once`);
    }
    assert.equal(this.uncaughtErrors.length, this.uncaughtExpected, 'exceptions of callbacks');
  }

  #state(): string {
    return this.witnesses
      .map(({ name, bev, sentBytes, takenBytes, events }) => {
        const held = `input ${bev.input.length}, output ${bev.output.length}, suspended ${bev.suspended}`;
        return `${name} end: sent ${sentBytes}, took ${takenBytes}, ${held}, ${events.slice(-5).join(' ')} (${bev.closed?.end}, ${bev.closed?.code})`;
      })
      .join('; ');
  }
}
