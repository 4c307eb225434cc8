import { ApiMisuse, errorFromErrno } from '@sluice/errors';
import { PollEvent } from '@sluice/native';
import { requireFunction } from './arguments.ts';
import type { EventLoop } from './event-loop.ts';
import { FdPoll } from './fd-poll.ts';
import { LoopEvent, type LoopEventOptions } from './loop-event.ts';
import type { LoopHandle } from './loop-handles.ts';
import { Reactor } from './reactor.ts';
import type { Timer } from './timer.ts';

/**
 * What to watch a descriptor for. `disconnect` is the peer's end (or half) of a socket or pipe, seen without reading
 * what it sent before.
 */
export type FdInterest = 'readable' | 'writable' | 'disconnect';

/** What there is to do about a descriptor. Several may be true at once. */
export interface FdReady {
  readonly readable: boolean;
  readonly writable: boolean;
  readonly disconnect: boolean;
  /** Nothing of the above came within `timeoutMs`. */
  readonly timeout: boolean;
  /**
   * The descriptor is in an error state, and is not watched any more. All that was watched for is reported with it: the
   * next read or write tells the error.
   */
  readonly failed: boolean;
}

export type FdCallback = (ready: FdReady, watcher: FdWatcher) => void;

export interface FdWatcherOptions extends LoopEventOptions {
  /** Stop before the first callback; `start` watches again. Default false: watch until stopped. */
  once?: boolean;
  /** Call back when nothing happened for so long, again and again. Default none. */
  timeoutMs?: number;
  /** Whether it keeps the process alive while it watches. Default true. */
  ref?: boolean;
}

const TIMEOUT = 8;
const FAILED = 16;

/**
 * Watches a file descriptor; made by `EventLoop.watchFd`. It reports as long as the state lasts, so a callback should
 * read or write until the system says EAGAIN, or stop. The descriptor stays its owner's, who may close it as soon as
 * every watcher of it is stopped. Any number of watchers may watch the same one.
 */
export class FdWatcher extends LoopEvent {
  readonly fd: number;
  readonly #callback: FdCallback;
  readonly #once: boolean;
  readonly #reactor: Reactor;
  #interest: number;
  #timer: Timer | undefined;
  #timeoutMs: number | undefined;
  /** What happened since the last callback. */
  #ready = 0;
  #poll: FdPoll | undefined;

  /**
   * @throws ApiMisuse for a descriptor or an interest that is none; SystemError when the descriptor is not open, or
   * cannot be polled (a regular file, a socket of Node's that is reading)
   */
  constructor(
    loop: EventLoop,
    fd: number,
    interest: FdInterest | readonly FdInterest[],
    callback: FdCallback,
    options: FdWatcherOptions = {},
  ) {
    if (!Number.isInteger(fd) || fd < 0) throw fdMisuse(`${fd} is not a file descriptor`);
    const mask = maskOf(interest);
    requireFunction('watchFd', 'fn', callback);
    if (options.timeoutMs !== undefined) checkTimeout(options.timeoutMs);
    super(loop, `fd ${fd}`, options, options.ref ?? true);
    this.fd = fd;
    this.#interest = mask;
    this.#callback = callback;
    this.#once = options.once ?? false;
    this.#reactor = Reactor.of(loop);
    try {
      this.start();
      if (options.timeoutMs !== undefined) this.setTimeout(options.timeoutMs);
    } catch (error) {
      void this.close();
      throw error;
    }
  }

  get interest(): FdInterest[] {
    return namesOf(this.#interest);
  }

  set interest(interest: FdInterest | readonly FdInterest[]) {
    this.#interest = maskOf(interest);
    if (this.#poll === undefined) return;
    const status = this.#poll.update();
    if (status < 0) throw this.#pollError(status);
  }

  override get pending(): boolean {
    return this.#poll !== undefined || this._list !== undefined || this.#timer?.pending === true;
  }

  /** When the timeout is due, in monotonic milliseconds; `undefined` when none runs. */
  get deadline(): number | undefined {
    return this.#timer?.pending === true ? this.#timer.deadline : undefined;
  }

  /** Watches again after `stop`, after a single callback, or after a failure. */
  start(): this {
    this._assertOpen('start');
    if (this.#poll !== undefined) return this;
    const poll = FdPoll.of(this.#reactor, this.fd);
    if (typeof poll === 'number') throw this.#pollError(poll);
    this.#poll = poll;
    const status = poll.add(this);
    if (status < 0) {
      this.stop();
      throw this.#pollError(status);
    }
    this._updateRef();
    if (this.#timeoutMs !== undefined) this.#startTimer();
    return this;
  }

  override stop(): void {
    this.#stopWatching();
    this.#ready = 0;
    this.loop._cancel(this);
  }

  /** Calls back when nothing happened for so long, from now on; `null` ends that and leaves the rest. */
  setTimeout(timeoutMs: number | null): void {
    this._assertOpen('setTimeout');
    if (timeoutMs !== null) checkTimeout(timeoutMs);
    this.#timer?.stop();
    this.#ready &= ~TIMEOUT;
    if (this.#ready === 0) this.loop._cancel(this);
    this.#timeoutMs = timeoutMs ?? undefined;
    if (timeoutMs !== null && this.#poll !== undefined) this.#startTimer();
  }

  /** Queues the callback as if the descriptor were ready, watched or not; such activity puts the timeout off, too. */
  trigger(what: FdInterest | readonly FdInterest[]): void {
    this._assertOpen('trigger');
    this.#happened(maskOf(what));
  }

  override _run(): void {
    const bits = this.#ready;
    this.#ready = 0;
    if (this.#once) this.#stopWatching();
    else if (this.#timeoutMs !== undefined && this.#poll !== undefined && bits !== TIMEOUT) this.#startTimer();
    this.#callback(
      {
        readable: (bits & PollEvent.readable) !== 0,
        writable: (bits & PollEvent.writable) !== 0,
        disconnect: (bits & PollEvent.disconnect) !== 0,
        timeout: (bits & TIMEOUT) !== 0,
        failed: (bits & FAILED) !== 0,
      },
      this,
    );
  }

  protected override _kind(): Pick<LoopHandle, 'kind' | 'name' | 'deadline'> {
    const name = `${this.name} ${this.interest.join(' ')}`;
    return { kind: 'fd', name, ...(this.deadline === undefined ? {} : { deadline: this.deadline }) };
  }

  // --- What its `FdPoll` calls. ---

  get _interest(): number {
    return this.#interest;
  }

  get _holds(): boolean {
    return this.hasRef;
  }

  _polled(events: number): void {
    const bits = events & this.#interest;
    if (bits !== 0) this.#happened(bits);
  }

  _failed(): void {
    this.#stopWatching();
    this.#happened(this.#interest | FAILED);
  }

  // --- Private ---

  protected override _watching(): boolean {
    return this.#poll !== undefined;
  }

  /** The descriptor's own handle keeps the process alive. */
  protected override _hold(): void {
    this.#poll?.updateRef();
  }

  #happened(bits: number): void {
    this.#ready |= bits;
    this.loop._post(this);
  }

  #stopWatching(): void {
    this.#timer?.stop();
    const poll = this.#poll;
    this.#poll = undefined;
    poll?.remove(this);
    this._updateRef();
  }

  /** From one timeout to the next the deadlines follow each other; anything else begins a new period. */
  #startTimer(): void {
    this.#timer ??= this.loop.idleTimer(() => this.#happened(TIMEOUT));
    this.#timer.repeat(this.#timeoutMs as number);
  }

  #pollError(status: number): Error {
    return errorFromErrno(status, { operation: 'watch', subject: `fd ${this.fd}`, syscall: 'epoll_ctl' });
  }
}

function maskOf(interest: FdInterest | readonly FdInterest[]): number {
  let mask = 0;
  const names: unknown = typeof interest === 'string' ? [interest] : interest;
  if (!Array.isArray(names)) throw fdMisuse(`watch for readable, writable or disconnect, not for ${String(names)}`);
  for (const name of names as FdInterest[]) {
    if (!Object.hasOwn(PollEvent, name)) throw fdMisuse(`${name} is nothing that a descriptor can be watched for`);
    mask |= PollEvent[name];
  }
  if (mask === 0) throw fdMisuse('watch for readable, writable or disconnect; an empty list watches for nothing');
  return mask;
}

function checkTimeout(timeoutMs: number): void {
  if (timeoutMs > 0 && timeoutMs < Number.POSITIVE_INFINITY) return;
  throw fdMisuse(`timeoutMs must be a finite number above 0, or null for none, not ${timeoutMs}`);
}

function namesOf(mask: number): FdInterest[] {
  return (['readable', 'writable', 'disconnect'] as const).filter((name) => (mask & PollEvent[name]) !== 0);
}

function fdMisuse(message: string): ApiMisuse {
  return new ApiMisuse(message, { code: 'SLUICE_CORE_FD_WATCHER', layer: 'core', operation: 'watchFd' });
}
