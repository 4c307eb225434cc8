import { lookup } from 'node:dns';
import { isIP } from 'node:net';
import { ApiMisuse, errorFromErrno, type SluiceError } from '@sluice/errors';
import { type SocketOptions, SocketBufferEvent } from './bufferevent-socket.ts';
import type { CloseReport } from './close-report.ts';
import { tellConnectEnd, tellConnectStart } from './diagnostics.ts';
import { EventLoop } from './event-loop.ts';
import { Reactor } from './reactor.ts';
import { Suspend } from './suspend.ts';

/** Where to connect to: a TCP port, or a Unix socket's path. */
export interface ConnectOptions extends SocketOptions {
  port?: number;
  /** A name or an address. Default 'localhost'. A name's addresses are tried one after the other. */
  host?: string;
  path?: string;
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
  #addresses: string[] = [];
  #port = 0;
  #lastError = 0;
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
    this.#port = port;
    tellConnectStart(this, { host, port });
    if (isIP(host) !== 0) {
      this.#addresses = [host];
      this.#next();
    } else this.#lookUp(host);
  }

  override _connected(): void {
    super._connected();
    this.#tellEnd(true);
  }

  protected override _describe(report: CloseReport): CloseReport {
    this.#tellEnd(false, report.error);
    return super._describe(report);
  }

  override _connectFailed(status: number): void {
    this.#lastError = status;
    this.#next();
  }

  /** Connected, or given up: the first of both. */
  #tellEnd(connected: boolean, error?: SluiceError): void {
    if (this.#endTold) return;
    this.#endTold = true;
    tellConnectEnd(this, connected, error);
  }

  #lookUp(host: string): void {
    this.suspendRead(Suspend.lookup);
    const ref = this.loop.ref(`lookup of ${host}`);
    lookup(host, { all: true }, (error, addresses) => {
      ref.unref();
      if (this.closed !== undefined) return;
      this.unsuspendRead(Suspend.lookup);
      if (error !== null) {
        this._fail(errorFromErrno(error.errno ?? 0, { operation: 'lookup', subject: host, cause: error }));
        return;
      }
      this.#addresses = addresses.map(({ address }) => address);
      this.#next();
    });
  }

  #next(): void {
    const address = this.#addresses.shift();
    if (address === undefined) super._connectFailed(this.#lastError);
    else this.#began(Reactor.of(this.loop).native.connectTcp(address, this.#port));
  }

  #began(handle: number): void {
    if (handle >= 0) this._attach(handle);
    else this._connectFailed(handle);
  }
}
