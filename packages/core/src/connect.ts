import { lookup as dnsLookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { ApiMisuse, errorFromErrno, type SluiceError } from '@sluice/errors';
import { AddressRace, type Family } from './address-race.ts';
import { type SocketOptions, SocketBufferEvent } from './bufferevent-socket.ts';
import type { CloseReport } from './close-report.ts';
import { tellConnectEnd, tellConnectStart } from './diagnostics.ts';
import { EventLoop } from './event-loop.ts';
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
  loop?: EventLoop;
}

/**
 * Asks for a connection. Bytes may be written at once; they leave when it stands. `connected` or `closed` follows,
 * never inside this call.
 */
export function connect(options: ConnectOptions): SocketBufferEvent {
  const loop = options.loop ?? EventLoop.default;
  const socket = new ConnectingSocket(loop, options.path === undefined ? 'tcp' : 'unix', options);
  socket.start(options);
  return socket;
}

class ConnectingSocket extends SocketBufferEvent {
  #race: AddressRace | undefined;
  #endTold = false;

  start(options: ConnectOptions): void {
    this._armDeadline();
    if (options.path !== undefined) {
      tellConnectStart(this, options);
      this.#began(Reactor.of(this.loop).native.connectPipe(options.path));
      return;
    }
    const { port, host = 'localhost' } = options;
    if (port === undefined || !Number.isInteger(port) || port < 1 || port > 65_535) {
      throw new ApiMisuse(`connect needs a port from 1 to 65535 or a path, not port ${port}`, {
        layer: 'core',
        operation: 'connect',
      });
    }
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
    let lookups = families.length;
    this.suspendRead(Suspend.lookup);
    this.#race = new AddressRace({
      loop: this.loop,
      families,
      lookUp: (wanted, done) => {
        lookup(host, { family: wanted, all: true }, (error, found) => {
          lookups -= 1;
          if (lookups === 0) ref.unref();
          if (error !== null) done(error, []);
          else done(undefined, typeof found === 'string' ? [found] : found.map(({ address }) => address));
        });
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
        const { error } = failure;
        const errno = (error as NodeJS.ErrnoException).errno ?? 0;
        this._fail(errorFromErrno(errno, { operation: 'lookup', subject: host, cause: error }));
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
