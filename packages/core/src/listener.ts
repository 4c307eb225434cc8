import { isIPv4 } from 'node:net';
import process from 'node:process';
import { errorFromErrno, type SluiceError } from '@sluice/errors';
import type { Address, NativeLoop } from '@sluice/native';
import { ListenFlag } from '@sluice/native';
import { EventEmitter } from 'eventemitter3';
import { misuse, nameOf as typeName, requireOpenLoop } from './arguments.ts';
import type { EventLoop } from './event-loop.ts';
import { type HandleOwner, Reactor } from './reactor.ts';
import type { ListenerStats } from './server-stats.ts';

export interface ListenerEvents {
  /**
   * Accepting failed, for want of descriptors or memory: it is tried again after a pause, and who comes meanwhile waits in
   * the kernel. Told once per run of failures; when nobody listens, by a process warning.
   */
  error: [error: SluiceError];
  closed: [];
}

export interface ListenerBinding {
  /** A numeric address, for TCP. */
  address?: string;
  port?: number;
  /** A Unix socket's path, in place of address and port. */
  path?: string;
  /**
   * A socket that is bound already, of whatever family, in place of them: inherited, from systemd (`listenFds`) or a
   * parent. The listener owns it from then on; the path of a Unix socket stays when it is closed.
   */
  fd?: number;
  /** Connections that the kernel completes before they are accepted. Default 511, as Node and nginx have it; the kernel cuts it to its own limit. */
  backlog?: number;
  ipv6Only?: boolean;
  /** Several processes or threads listen on one port, and the kernel spreads connections over them. */
  reusePort?: boolean;
  /** Accepts nothing before `resume`; the kernel's backlog takes who comes meanwhile. */
  paused?: boolean;
}

/** Why a listener does not accept; it does when no bit is set. */
export const Pause = { user: 1, failing: 2, rate: 4 } as const;

/** Out of descriptors, accepting pauses this long: trying again at once would only spin. */
const ACCEPT_PAUSE_MS = 100;

const BACKLOG_DEFAULT = 511;
const BACKLOG_MAX = 0x7fffffff;

/** A listening socket. Hands each accepted handle to `accept`, from the loop. */
export class Listener extends EventEmitter<ListenerEvents> implements HandleOwner {
  readonly loop: EventLoop;
  readonly transport: 'tcp' | 'unix';
  readonly #reactor: Reactor;
  readonly #accept: (handle: number) => void;
  #handle: number;
  #address: Address;
  #failing = false;
  #paused = 0;
  /** Accepted by the system in the turn in which accepting was paused. */
  readonly #waiting: number[] = [];
  #closed = false;
  #acceptedTotal = 0;
  #acceptErrorsTotal = 0;
  #closing: (() => void)[] = [];

  /**
   * Binds and listens at once.
   * @throws SystemError: the address is in use, not this machine's, or needs rights; ApiMisuse for options that contradict
   */
  constructor(loop: EventLoop, binding: ListenerBinding, accept: (handle: number) => void) {
    super();
    requireOpenLoop(OPERATION, loop);
    checkBinding(binding);
    this.loop = loop;
    this.#accept = accept;
    this.#reactor = Reactor.of(loop);
    const handle = listenOn(this.#reactor.native, binding);
    if (handle < 0) throw errorFromErrno(handle, { operation: 'listen', subject: nameOf(binding) });
    this.#handle = handle;
    this.#reactor.attach(handle, this);
    const address = this.#reactor.native.localAddress(handle);
    this.#address = typeof address === 'number' ? { family: 'unix', address: nameOf(binding), port: 0 } : address;
    this.transport = this.#address.family === 'unix' ? 'unix' : 'tcp';
    if (binding.paused === true) this.pause();
  }

  /** Where it listens; the port that the kernel chose included. Known after `close`, too. */
  get address(): Address {
    return this.#address;
  }

  /** Its descriptor, which stays the listener's; undefined once it is closed. */
  get fd(): number | undefined {
    const fd = this.#closed ? -1 : this.#reactor.native.fd(this.#handle);
    return fd < 0 ? undefined : fd;
  }

  /** A snapshot of it, as plain values. */
  get stats(): ListenerStats {
    return {
      transport: this.transport,
      address: this.#address,
      listening: this.listening,
      acceptedTotal: this.#acceptedTotal,
      acceptErrorsTotal: this.#acceptErrorsTotal,
    };
  }

  get listening(): boolean {
    return !this.#closed;
  }

  /** Stops accepting; the kernel's backlog fills. */
  pause(): void {
    this._pause(Pause.user);
  }

  resume(): void {
    this._resume(Pause.user);
  }

  /** Pauses for one reason of `Pause`, and knows of no other. */
  _pause(reason: number): void {
    if (this.#paused === 0 && !this.#closed) this.#reactor.native.pauseAccept(this.#handle);
    this.#paused |= reason;
  }

  _resume(reason: number): void {
    if ((this.#paused & reason) === 0) return;
    this.#paused &= ~reason;
    if (this.#paused !== 0 || this.#closed) return;
    this.#reactor.native.resumeAccept(this.#handle);
    if (this.#waiting.length > 0) this.loop.defer(() => this.#acceptWaiting());
  }

  /** Stops listening. Accepted connections live on. Idempotent. */
  close(): Promise<void> {
    if (this.loop.closed) {
      // The system half went with it, and tells nothing any more.
      this.#closed = true;
      return Promise.resolve();
    }
    if (!this.#closed) {
      this.#closed = true;
      for (const handle of this.#waiting.splice(0)) this.#reactor.native.close(handle, true);
      this.#reactor.native.close(this.#handle, false);
    } else if (this.#handle < 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#closing.push(resolve);
      this.loop._closers.add(resolve);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  _handleAccepted(handle: number): void {
    this.#failing = false;
    this.#acceptedTotal += 1;
    if (this.#closed) this.#reactor.native.close(handle, true);
    else if (this.#paused !== 0 || this.#waiting.length > 0) this.#waiting.push(handle);
    else this.#accept(handle);
  }

  _handleAcceptError(errno: number): void {
    this.#acceptErrorsTotal += 1;
    if (this.#closed) return;
    this._pause(Pause.failing);
    this.loop.timer(ACCEPT_PAUSE_MS, () => this._resume(Pause.failing)).unref();
    if (this.#failing) return;
    this.#failing = true;
    const error = errorFromErrno(errno, { operation: 'accept', subject: nameOf(this.#address) });
    if (!this.emit('error', error)) warnOfAcceptError(error);
  }

  #acceptWaiting(): void {
    while (this.#paused === 0 && !this.#closed) {
      const handle = this.#waiting.shift();
      if (handle === undefined) return;
      this.#accept(handle);
    }
  }

  _handleClosed(): void {
    this.#handle = -1;
    this.emit('closed');
    for (const resolve of this.#closing) {
      this.loop._closers.delete(resolve);
      resolve();
    }
  }

  _handleKind(): { kind: 'listener'; name: string } {
    const { address, port } = this.#address;
    return { kind: 'listener', name: this.transport === 'tcp' ? `tcp ${address}:${port}` : `unix ${address}` };
  }

  _handleRead(): void {}
  _handleEof(): void {}
  _handleReadError(): void {}
  _handleConnected(): void {}
  _handleWritten(): void {}
  _handleShutdown(): void {}
}

/** Answers a handle, or a negative error number. */
function listenOn(native: NativeLoop, binding: ListenerBinding): number {
  const { address = '::', port = 0, path, fd, backlog = BACKLOG_DEFAULT } = binding;
  if (fd !== undefined) return native.listenFd(fd, backlog);
  if (path !== undefined) return native.listenPipe(path, backlog);
  const ipv6Only = binding.ipv6Only === true ? ListenFlag.ipv6Only : 0;
  const reusePort = binding.reusePort === true ? ListenFlag.reusePort : 0;
  return native.listenTcp(address, port, backlog, ipv6Only | reusePort);
}

function checkBinding(binding: ListenerBinding): void {
  const { address, port, path, fd, backlog = BACKLOG_DEFAULT } = binding;
  const tcp = path === undefined && fd === undefined;
  for (const name of ['ipv6Only', 'reusePort'] as const) {
    if (binding[name] !== true || tcp) continue;
    wrong(`${name} cannot be had for ${nameOf(binding)}: it is for a TCP address and port`);
  }
  if (!tcp && (port !== undefined || (path !== undefined && fd !== undefined))) {
    wrong(`port, path and fd are places of their own; leave all out but one, as ${nameOf(binding)}`);
  }
  if (binding.ipv6Only === true && address !== undefined && isIPv4(address)) {
    wrong(`ipv6Only cannot be had for ${nameOf(binding)}, which is an IPv4 address`);
  }
  if (fd !== undefined && (!Number.isInteger(fd) || fd < 0)) wrong(`fd must be the number of a descriptor, not ${fd}`);
  if (path !== undefined && typeof path !== 'string') wrong(`path must be a string, not ${typeName(path)}`);
  if (!Number.isInteger(backlog) || backlog < 1 || backlog > BACKLOG_MAX) {
    wrong(`backlog must be a whole number from 1 to ${BACKLOG_MAX}, not ${backlog}`);
  }
}

function nameOf({ address, port, path, fd }: ListenerBinding): string {
  if (fd !== undefined) return `descriptor ${fd}`;
  return path ?? `${address}:${port}`;
}

/** What nobody listens for becomes a process's warning: a server that takes nobody must not be a riddle. */
export function warnOfAcceptError(error: SluiceError): void {
  process.emitWarning(`${error.message} Connections wait until there are some.`, {
    type: 'SluiceWarning',
    code: error.code,
  });
}

const OPERATION = 'listen';

function wrong(message: string): never {
  misuse(OPERATION, message, 'SLUICE_CORE_LISTEN');
}
