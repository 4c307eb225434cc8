import { lookup as dnsLookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import type { SluiceError } from '@sluice/errors';
import { AddressRace, type Family } from './address-race.ts';
import { allowFunction, misuse, nameOf, requireObject, requireSignal } from './arguments.ts';
import { checkSocketOptions, type SocketOptions, SocketBufferEvent } from './bufferevent-socket.ts';
import type { CloseReport } from './close-report.ts';
import { abortConnecting } from './connecting.ts';
import { tellConnectEnd, tellConnectStart } from './diagnostics.ts';
import { EventLoop } from './event-loop.ts';
import type { LoopRef } from './loop-handles.ts';
import { lookupError } from './lookup-error.ts';
import { type HandleOwner, Reactor } from './reactor.ts';
import { Suspend } from './suspend.ts';

/** Where to connect to: a TCP port, or a Unix socket's path. */
export interface ConnectOptions extends SocketOptions {
  port?: number;
  /**
   * A name or an address. Default 'localhost'. The addresses of a name are raced, as RFC 8305 says: IPv6 first, each with
   * a start of 250 ms, and the first that answers is kept.
   */
  host?: string;
  path?: string;
  /** Addresses of one family only. Default both. */
  family?: Family;
  /** Called for each family, in place of `dns.lookup`. */
  lookup?: LookupFunction;
  /** Gives it up while it does not stand: `closed` tells `aborted`. Later it has no say. */
  signal?: AbortSignal;
  loop?: EventLoop;
}

/**
 * Asks for a connection. Bytes may be written at once; they leave when it stands. `connected` or `closed` follows,
 * never inside this call.
 * @throws ApiMisuse that names the option that makes no sense
 */
export function connect(options: ConnectOptions): SocketBufferEvent {
  checkOptions(options);
  const loop = options.loop ?? EventLoop.default;
  const socket = new ConnectingSocket(loop, options.path === undefined ? 'tcp' : 'unix', options);
  socket.start(options);
  abortConnecting(socket, options.signal);
  return socket;
}

function checkOptions(options: ConnectOptions): void {
  requireObject('connect', 'options', options);
  checkSocketOptions('connect', options);
  const { port, host, path, family, lookup, signal } = options;
  requireSignal('connect', signal);
  allowFunction('connect', 'lookup', lookup);
  if (path !== undefined) {
    if (typeof path !== 'string') misuse('connect', `path must be a string, not ${nameOf(path)}`);
    if (port !== undefined) misuse('connect', `port ${port} and path ${path} are two places; leave one of them out`);
  } else if (port === undefined || !Number.isInteger(port) || port < 1 || port > 65_535) {
    misuse('connect', `a port from 1 to 65535 or a path is needed, not port ${nameOf(port)}`);
  }
  if (host !== undefined && typeof host !== 'string') misuse('connect', `host must be a string, not ${nameOf(host)}`);
  if (family !== undefined && family !== 4 && family !== 6)
    misuse('connect', `family must be 4 or 6, not ${nameOf(family)}`);
}

class ConnectingSocket extends SocketBufferEvent {
  #race: AddressRace | undefined;
  #lookupRef: LoopRef | undefined;
  #endTold = false;

  start(options: ConnectOptions): void {
    this._armDeadline();
    if (options.path !== undefined) {
      tellConnectStart(this, options);
      this.#began(Reactor.of(this.loop).native.connectPipe(options.path));
      return;
    }
    const { port = 0, host = 'localhost' } = options;
    tellConnectStart(this, { host, port });
    if (isIP(host) !== 0) this.#began(Reactor.of(this.loop).native.connectTcp(host, port));
    else this.#raceFor(host, port, options);
  }

  override _connected(): void {
    super._connected();
    this.#tellEnd(true);
  }

  protected override _describe(report: CloseReport): CloseReport {
    this.#tellEnd(false, report.error);
    return super._describe(report);
  }

  protected override _release(abort: boolean): void {
    this.#race?.cancel();
    // A lookup cannot be given up; nobody waits for its answer any more.
    this.#lookupRef?.unref();
    super._release(abort);
  }

  /** Connected, or given up: the first of both. */
  #tellEnd(connected: boolean, error?: SluiceError): void {
    if (this.#endTold) return;
    this.#endTold = true;
    tellConnectEnd(this, connected, error);
  }

  #raceFor(host: string, port: number, options: ConnectOptions): void {
    const { family, lookup = dnsLookup } = options;
    const { native } = Reactor.of(this.loop);
    const families: Family[] = family === undefined ? [6, 4] : [family];
    const ref = this.loop.ref(`lookup of ${host}`);
    this.#lookupRef = ref;
    let lookups = families.length;
    this.suspendRead(Suspend.lookup);
    this.#race = new AddressRace({
      loop: this.loop,
      families,
      lookUp: (wanted, done) => {
        const answered: LookupAnswer = (error, found) => {
          lookups -= 1;
          if (lookups === 0) ref.unref();
          if (error !== null && error !== undefined) done(error, []);
          else done(undefined, addressesOf(found));
        };
        lookUp(lookup, host, wanted, answered);
      },
      dial: (address, done) => {
        const handle = native.connectTcp(address, port);
        if (handle >= 0) return this.#attempt(handle, done);
        let given = false;
        this.loop.defer(() => void (given || done(handle)));
        return () => {
          given = true;
        };
      },
      lost: (failure) => {
        if ('status' in failure) return this._connectFailed(failure.status);
        this._fail(lookupError(host, failure.error));
      },
    });
  }

  /** One connection that may become this one. Answers how to give it up. */
  #attempt(handle: number, done: (status: number) => void): () => void {
    const { native } = Reactor.of(this.loop);
    Reactor.of(this.loop).attach(handle, {
      ...unused,
      _handleConnected: (status) => {
        done(status);
        if (status < 0) return native.close(handle, false);
        this.unsuspendRead(Suspend.lookup);
        this._attach(handle);
        this._connected();
      },
      _handleKind: () => this._handleKind(),
    });
    return () => native.close(handle, false);
  }

  #began(handle: number): void {
    if (handle >= 0) this._attach(handle);
    else this._connectFailed(handle);
  }
}

type LookupAnswer = (error: Error | null | undefined, found: unknown) => void;

/** Asks once and answers once, whatever the function does. */
function lookUp(lookup: LookupFunction, host: string, family: Family, answer: LookupAnswer): void {
  let answered = false;
  const once: LookupAnswer = (error, found) => {
    if (answered) return;
    answered = true;
    answer(error, found);
  };
  try {
    lookup(host, { family, all: true }, once);
  } catch (error) {
    once(error instanceof Error ? error : new Error(String(error)), undefined);
  }
}

/** An address, or several; none for anything else. */
function addressesOf(found: unknown): string[] {
  if (typeof found === 'string') return [found];
  if (!Array.isArray(found)) return [];
  const addresses = (found as unknown[]).map((each) =>
    typeof each === 'object' && each !== null ? Reflect.get(each, 'address') : each,
  );
  return addresses.filter((address) => typeof address === 'string');
}

/** What does not happen to a handle that is being connected. */
const unused: HandleOwner = {
  _handleRead() {},
  _handleEof() {},
  _handleReadError() {},
  _handleConnected() {},
  _handleWritten() {},
  _handleShutdown() {},
  _handleAccepted() {},
  _handleAcceptError() {},
  _handleClosed() {},
};
