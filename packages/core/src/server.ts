import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { AbortedError, type SluiceError } from '@sluice/errors';
import { EventEmitter } from 'eventemitter3';
import { fromEvent, map, type Observable } from 'rxjs';
import { AcceptLimits, type AcceptLimitOptions, type Rejection, type RejectReason } from './accept-limits.ts';
import {
  allowFunction,
  misuse,
  nameOf,
  requireHandlers,
  requireMs,
  requireObject,
  requireSignal,
} from './arguments.ts';
import type { BufferEvent, Handlers } from './bufferevent.ts';
import { checkSocketOptions, type SocketOptions, SocketBufferEvent } from './bufferevent-socket.ts';
import type { CloseReport } from './close-report.ts';
import { tellAccept, tellNotTaken } from './diagnostics.ts';
import { EventLoop } from './event-loop.ts';
import { type ConnectionOptions, defaultLimits } from './limits.ts';
import { Listener, warnOfAcceptError } from './listener.ts';
import { checkLogger, type Logger, silentLogger } from './logger.ts';
import { lookupError } from './lookup-error.ts';
import { Reactor } from './reactor.ts';
import { ServerLog } from './server-log.ts';
import { type ServerStats, ServerCounts } from './server-stats.ts';
import { signalError, untilAborted } from './until-aborted.ts';

/** Where to listen: a TCP port, a Unix socket's path, or a socket that is bound already. */
export interface ListenOptions {
  /** 0 lets the kernel choose; see `Listener.address`. */
  port?: number;
  /** A name or an address. Default '::', which takes IPv4 as well where the system lets it. */
  host?: string;
  path?: string;
  /** See `ListenerBinding.fd`. */
  fd?: number;
  /** Connections that the kernel completes before they are accepted. Default 511. */
  backlog?: number;
  /** Takes no IPv4 at an IPv6 address, so that another socket may. */
  ipv6Only?: boolean;
  /** Several processes or threads listen on one port, and the kernel spreads connections over them. */
  reusePort?: boolean;
  /** Accepts nothing before `Listener.resume`; the kernel's backlog takes who comes meanwhile. */
  paused?: boolean;
  /** Gives it up while the host's name is looked up: rejects with an AbortedError. */
  signal?: AbortSignal;
  /**
   * Puts a layer over each accepted connection (TLS, a filter); what it returns is what the handlers see. It is given
   * the server's connection options, which are that layer's; of them the socket below gets its own, the limits of
   * time and the write marks.
   */
  wrap?: (transport: BufferEvent, options: ConnectionOptions) => BufferEvent;
}

export interface ServerOptions extends SocketOptions {
  loop?: EventLoop;
  /** Whom it takes, and how many. Default: anybody. */
  limits?: AcceptLimitOptions;
  /** Gets a line for what happens to the server and for each connection's end. Default: none are written. */
  logger?: Logger;
}

export interface ServerEvents {
  connection: [bev: BufferEvent];
  /** A connection was not taken. Once per run: again only after one was taken. `rejected` has the counts. */
  rejected: [rejection: Rejection, listener: Listener];
  /** Accepting failed for now; see `ListenerEvents.error`. */
  error: [error: SluiceError, listener: Listener];
}

/** What `drain` did. */
export interface DrainReport {
  /** Connections that ended in order. */
  closed: number;
  /** Connections that were cut at the deadline. */
  cut: number;
}

export interface DrainOptions {
  /** Connections still open then are destroyed. Default 10 s. */
  deadlineMs?: number;
  /** Destroys them at once when aborted. */
  signal?: AbortSignal;
}

const DRAIN_DEADLINE_MS = 10_000;

const NOTHING_REJECTED: Readonly<Record<RejectReason, number>> = {
  connections: 0,
  connectionsPerAddress: 0,
  blocked: 0,
};

/** Accepts connections from any number of listeners and gives them all to one set of handlers. */
export class Server extends EventEmitter<ServerEvents> {
  readonly loop: EventLoop;
  readonly #handlers: Handlers;
  readonly #options: SocketOptions;
  /** For the socket under a wrap, whose user is the wrap: the connection's marks are not its own. */
  readonly #transportOptions: SocketOptions;
  readonly #connections: Set<BufferEvent> = new Set();
  readonly #listeners: Set<Listener> = new Set();
  #idle: (() => void)[] = [];
  /** How often `drain` was called: what was begun before listens no more. */
  #drains = 0;
  readonly #limits: AcceptLimits | undefined;
  readonly #log: ServerLog | undefined;
  readonly #counts: ServerCounts = new ServerCounts();

  /**
   * Without handlers, whoever hears of a connection (`connection`, `connections$`) listens to it.
   * @throws ApiMisuse that names the option that makes no sense
   */
  constructor(handlers: Handlers = {}, options: ServerOptions = {}) {
    super();
    requireHandlers(OPERATION, handlers);
    requireObject(OPERATION, 'options', options);
    checkSocketOptions(OPERATION, options);
    this.loop = options.loop ?? EventLoop.default;
    this.#options = options;
    this.#transportOptions = transportOptions(options);
    if (options.limits !== undefined) this.#limits = new AcceptLimits(this.loop, this.#listeners, options.limits);
    if (options.logger !== undefined) {
      this.#log = new ServerLog(checkLogger(OPERATION, options.logger), (error) => this.loop.uncaught(error));
    }
    this.#handlers = {
      ...handlers,
      closed: (bev, report) => {
        this.#connections.delete(bev);
        this.#limits?.closed(bev);
        this.#counts.closed(report);
        this.#log?.closed(bev, report);
        try {
          handlers.closed?.(bev, report);
        } finally {
          if (this.#connections.size === 0) for (const tell of this.#idle.splice(0)) tell();
        }
      },
    };
  }

  get connections(): ReadonlySet<BufferEvent> {
    return this.#connections;
  }

  get listening(): ReadonlySet<Listener> {
    return this.#listeners;
  }

  get acceptedTotal(): number {
    return this.#counts.acceptedTotal;
  }

  /** Connections that were not taken, by reason. */
  get rejected(): Readonly<Record<RejectReason, number>> {
    return this.#limits?.rejected ?? NOTHING_REJECTED;
  }

  /** A snapshot of it, as plain values. */
  get stats(): ServerStats {
    return this.#counts.snapshot(this);
  }

  /** The logger of one of its connections, which adds the connection's `id` to each line; a silent one without `logger`. */
  loggerOf(bev: BufferEvent): Logger {
    return this.#log?.of(bev) ?? silentLogger;
  }

  /** Each connection as it is accepted. */
  get connections$(): Observable<BufferEvent> {
    return fromEvent(this, 'connection').pipe(map((event) => event as BufferEvent));
  }

  /**
   * Listens at one more place.
   * @throws SystemError when the name is unknown or the address cannot be had; ApiMisuse for options that contradict;
   *   AbortedError when the signal is aborted, or the server drained, while the name is looked up
   */
  async listen(options: ListenOptions): Promise<Listener> {
    checkListenOptions(options);
    const drains = this.#drains;
    const { path, fd, host, signal } = options;
    const named = path === undefined && fd === undefined;
    const address = named ? await resolveHost(host, signal) : undefined;
    if (signal?.aborted === true) throw signalError('listen', signal);
    if (drains !== this.#drains) throw drainedError();
    const binding = address === undefined ? options : { ...options, address };
    const listener: Listener = new Listener(this.loop, binding, (handle) => this.#accepted(listener, handle, options));
    this.#listeners.add(listener);
    this.#limits?.listening(listener);
    this.#log?.listening(listener);
    listener.on('error', (error) => {
      this.#log?.acceptFailed(error);
      const heard = this.emit('error', error, listener);
      if (!heard && this.#log === undefined) warnOfAcceptError(error);
    });
    listener.on('closed', () => this.#listeners.delete(listener));
    return listener;
  }

  /** Stops listening, closes every connection in order (`BufferEvent.close`), and cuts those that take too long. */
  async drain(options: DrainOptions = {}): Promise<DrainReport> {
    const { deadlineMs = DRAIN_DEADLINE_MS, signal } = options;
    requireMs('drain', 'deadlineMs', deadlineMs);
    requireSignal('drain', signal);
    this.#drains += 1;
    const listeners = [...this.#listeners].map((listener) => listener.close());
    this.#limits?.close();
    const report: DrainReport = { closed: 0, cut: 0 };
    const open = [...this.#connections];
    const cut = (): void => {
      for (const bev of open) bev.destroy();
    };
    const timer = this.loop.closed ? undefined : this.loop.timer(deadlineMs, cut);
    signal?.addEventListener('abort', cut, { once: true });
    if (signal?.aborted === true) cut();
    const count = ({ end }: CloseReport): void => {
      if (end === 'end') report.closed += 1;
      else report.cut += 1;
    };
    await Promise.all(open.map((bev) => bev.close().then(count)));
    timer?.stop();
    signal?.removeEventListener('abort', cut);
    await Promise.all(listeners);
    if (this.#connections.size > 0 && !this.loop.closed) await new Promise<void>((resolve) => this.#idle.push(resolve));
    this.#log?.drained(report);
    return report;
  }

  /** `drain`, for whoever wants no report. */
  async close(options?: DrainOptions): Promise<void> {
    await this.drain(options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #accepted(listener: Listener, handle: number, options: ListenOptions): void {
    if (this.#limits !== undefined && !this.#admit(this.#limits, listener, handle)) return;
    const socket = SocketBufferEvent.accepted(
      this.loop,
      listener.transport,
      handle,
      options.wrap === undefined ? this.#options : this.#transportOptions,
    );
    let bev: BufferEvent;
    try {
      bev = options.wrap === undefined ? socket : options.wrap(socket, this.#options);
    } catch (error) {
      socket.destroy();
      this.loop.uncaught(error);
      return;
    }
    this.#counts.acceptedTotal += 1;
    this.#connections.add(bev);
    this.#limits?.opened(bev, bev.remoteAddress);
    bev.setHandlers(this.#handlers);
    tellAccept(bev, this, listener);
    this.#log?.accepted(bev);
    try {
      this.#handlers.open?.(bev);
      this.emit('connection', bev);
    } catch (error) {
      this.loop.uncaught(error);
      bev.destroy();
    }
  }

  /** Answers whether the connection is taken; else it is reset, and told if it is the first of its run. */
  #admit(limits: AcceptLimits, listener: Listener, handle: number): boolean {
    const { native } = Reactor.of(this.loop);
    const address = native.remoteAddress(handle);
    const rejection = limits.check(typeof address === 'number' ? undefined : address);
    if (rejection === undefined) return true;
    native.close(handle, true);
    tellNotTaken(this, listener, rejection.reason, rejection.address);
    if (limits.beginsRun(rejection)) {
      this.#log?.notTaken(rejection);
      try {
        this.emit('rejected', rejection, listener);
      } catch (error) {
        this.loop.uncaught(error);
      }
    }
    return false;
  }
}

/** A server with one listener: the short way. `server.listen` adds more. */
export async function serve(options: ListenOptions & ServerOptions, handlers: Handlers = {}): Promise<Server> {
  requireObject(OPERATION, 'options', options);
  const server = new Server(handlers, options);
  await server.listen(options);
  return server;
}

const OPERATION = 'serve';

function checkListenOptions(options: ListenOptions): void {
  requireObject('listen', 'options', options);
  const { port, host, path, fd, wrap, signal } = options;
  allowFunction('listen', 'wrap', wrap);
  requireSignal('listen', signal);
  if (host !== undefined && typeof host !== 'string') misuse('listen', `host must be a string, not ${nameOf(host)}`);
  if (path !== undefined || fd !== undefined) return;
  if (port === undefined || !Number.isInteger(port) || port < 0 || port > 65_535) {
    misuse('listen', `a port from 0 to 65535, a path or an fd is needed, not port ${nameOf(port)}`);
  }
}

/** A numeric address. */
async function resolveHost(host: string | undefined, signal: AbortSignal | undefined): Promise<string> {
  if (host === undefined) return '::';
  if (isIP(host) !== 0) return host;
  try {
    return (await untilAborted('listen', lookup(host), signal)).address;
  } catch (error) {
    throw lookupError(host, error);
  }
}

function drainedError(): AbortedError {
  return new AbortedError('listen: the server was drained meanwhile; make another one, or listen when it is done', {
    code: 'SLUICE_CORE_SERVER_DRAINED',
    layer: 'core',
    operation: 'listen',
    blame: 'local',
    remedy: 'fix',
  });
}

/** The read marks are about the protocol, which the layer above speaks; the write marks bound memory on either level. */
function transportOptions(options: SocketOptions): SocketOptions {
  const { noDelay, sendBufferBytes, receiveBufferBytes, timeouts, watermarks } = options;
  const { low, high } = watermarks?.write ?? {};
  const write = { ...(low === undefined ? {} : { low }), ...(high === undefined ? {} : { high, cap: capOver(high) }) };
  return {
    ...(noDelay === undefined ? {} : { noDelay }),
    ...(sendBufferBytes === undefined ? {} : { sendBufferBytes }),
    ...(receiveBufferBytes === undefined ? {} : { receiveBufferBytes }),
    timeouts: { ...timeouts, readMs: Number.POSITIVE_INFINITY },
    watermarks: { write },
  };
}

/** The layer above looks at the high mark itself; the cap is not to come in its way. */
function capOver(high: number): number {
  return Math.max(defaultLimits.writeCap, 2 * high);
}
