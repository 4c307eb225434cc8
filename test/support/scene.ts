/** A Sluice server on a real socket, and everything that its connections told. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type BufferEvent,
  EventLoop,
  type EventLoopOptions,
  type Handlers,
  Reactor,
  Server,
  type SocketOptions,
} from '@sluice/core';
import { VirtualClock } from '@sluice/core/testing';
import { type ServerContextOptions, TlsContext, type TlsOptions, tlsServer } from '@sluice/tls';
import { serverCertificate } from './certificates.ts';
import { Witness } from './witness.ts';

/** A loop that calls back after each turn: to look at what must always hold, and to wait for what should happen. */
export class WatchedLoop extends EventLoop {
  readonly afterTurn: Set<() => void> = new Set();
  /** Exceptions of callbacks; a scene throws the first one when it ends. */
  readonly uncaughtErrors: unknown[];

  constructor(options: Omit<EventLoopOptions, 'onUncaught'> = {}) {
    const uncaughtErrors: unknown[] = [];
    super({ ...options, onUncaught: (error) => uncaughtErrors.push(error) });
    this.uncaughtErrors = uncaughtErrors;
  }

  override turn(count?: number): void {
    super.turn(count);
    for (const look of this.afterTurn) look();
  }

  /** Resolves after the first turn at whose end the condition holds, at once if it does; rejects after `PATIENCE_MS`. */
  until(what: string, condition: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const timeout = setTimeout(() => {
        this.afterTurn.delete(look);
        reject(new Error(`it did not happen: ${what}`));
      }, PATIENCE_MS);
      const look = (): void => {
        if (!condition()) return;
        this.afterTurn.delete(look);
        clearTimeout(timeout);
        resolve();
      };
      this.afterTurn.add(look);
      look();
    });
  }
}

/** Polls of Node's loop without work in between, after which nothing more is to be expected of a local socket. */
const SETTLE_ROUNDS = 4;
const STANDS_STILL_MS = 100;
/** Less than mocha's own, so that it is said what was waited for; the machine may be busy. */
const PATIENCE_MS = 25_000;

export interface SceneOptions {
  /** TLS with this certificate and these options; `{}` for a small certificate of the usual authority. */
  tls?: Partial<ServerContextOptions>;
  tlsOptions?: TlsOptions;
  /** Options of the accepted sockets; without TLS, of the connections that the witnesses see. */
  socket?: SocketOptions;
  /** A Unix socket in place of TCP. */
  unix?: boolean;
  /** Time stands still unless the test advances it. */
  virtualTime?: boolean;
  /** What arrives is sent back at once. */
  echo?: boolean;
  /** The test itself puts errors into the thread's queue. */
  foreignErrors?: boolean;
  /** More callbacks, for all connections. */
  handlers?: Handlers;
}

export class Scene implements AsyncDisposable {
  readonly loop: WatchedLoop;
  readonly clock: VirtualClock | undefined;
  readonly server: Server;
  /** Of the connections, in the order in which they were accepted. */
  readonly witnesses: Witness[] = [];
  /** Where the server listens, for `net.connect`. */
  where: { port: number; host: string } | { path: string };
  readonly #directory: string | undefined;

  private constructor(options: SceneOptions) {
    this.clock = options.virtualTime === true ? new VirtualClock() : undefined;
    this.loop = new WatchedLoop(this.clock === undefined ? {} : { clock: this.clock });
    this.#directory = options.unix === true ? mkdtempSync(join(tmpdir(), 'sluice-scene-')) : undefined;
    this.where = this.#directory === undefined ? { port: 0, host: '127.0.0.1' } : { path: join(this.#directory, 's') };
    const { handlers = {} } = options;
    this.server = new Server(
      {
        ...handlers,
        open: (bev: BufferEvent) => {
          this.witnesses.push(new Witness(bev, this.loop, options));
          handlers.open?.(bev);
        },
      },
      { ...options.socket, loop: this.loop },
    );
  }

  static async listen(options: SceneOptions = {}): Promise<Scene> {
    const scene = new Scene(options);
    let wrap: ReturnType<typeof tlsServer> | undefined;
    if (options.tls !== undefined) {
      const { certPem, keyPem } = await serverCertificate();
      wrap = tlsServer(TlsContext.server({ cert: certPem, key: keyPem, ...options.tls }), options.tlsOptions);
    }
    const listener = await scene.server.listen({ ...scene.where, ...(wrap === undefined ? {} : { wrap }) });
    if ('port' in scene.where) scene.where.port = listener.address.port;
    return scene;
  }

  /** The port, for programs. */
  get port(): number {
    if (!('port' in this.where)) throw new Error('the scene listens on a Unix socket');
    return this.where.port;
  }

  /** See `Counter` of the native binding. */
  get counters(): Float64Array {
    return Reactor.of(this.loop).counters;
  }

  /** Native handles that are open: 1, the listener's, when every connection is gone. */
  get handles(): number {
    return Reactor.of(this.loop).native.handleCount();
  }

  /** The nth connection, when it was accepted. */
  async witness(n = 0): Promise<Witness> {
    await this.loop.until(`connection ${n}`, () => this.witnesses.length > n);
    return this.witnesses[n] as Witness;
  }

  /** Resolves when what the kernel has by now was read, and led to what it leads to. */
  async settled(): Promise<void> {
    for (let round = 0; round < SETTLE_ROUNDS; round++) {
      await new Promise((resolve) => setImmediate(resolve));
      if (this.loop.pending) round = 0;
    }
  }

  /** Resolves when the loop has not turned for a while: TCP acknowledges 40 ms late, and a full socket goes on then. */
  async standsStill(): Promise<void> {
    for (let turns = -1; turns !== this.loop.stats.turns; ) {
      ({ turns } = this.loop.stats);
      await new Promise((resolve) => setTimeout(resolve, STANDS_STILL_MS));
    }
  }

  /** Checks the connections that are gone, and lets go of all that is remembered of them. */
  forgetClosed(): void {
    for (const witness of this.witnesses.splice(0)) {
      if (witness.closedCount === 0) this.witnesses.push(witness);
      else witness.check();
    }
  }

  /** Lets virtual time pass. */
  advance(ms: number): void {
    if (this.clock === undefined) throw new Error('the scene runs on real time');
    this.clock.advance(ms);
  }

  /** Ends the connections that are left and the server, and checks what must hold of any scene. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const bev of this.server.connections) bev.destroy();
    for (const connection of this.server.connections) connection.underlying?.destroy();
    await this.server.close();
    const handles = this.handles;
    this.loop.close();
    if (this.#directory !== undefined) rmSync(this.#directory, { recursive: true });
    for (const witness of this.witnesses) witness.check();
    if (handles !== 0) throw new Error(`${handles} native handles are left over`);
    if (this.loop.uncaughtErrors.length > 0) throw this.loop.uncaughtErrors[0];
  }
}
