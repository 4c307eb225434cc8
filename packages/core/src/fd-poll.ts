import type { FdWatcher } from './fd-watcher.ts';
import type { HandleOwner, Reactor } from './reactor.ts';

/** One descriptor that is polled, for all of its watchers: the system takes each descriptor once. */
export class FdPoll implements HandleOwner {
  readonly fd: number;
  readonly #reactor: Reactor;
  readonly #handle: number;
  /** Replaced, never changed, so that a round goes over the list as it was. */
  #watchers: readonly FdWatcher[] = [];
  #hasRef = true;

  private constructor(reactor: Reactor, fd: number, handle: number) {
    this.#reactor = reactor;
    this.fd = fd;
    this.#handle = handle;
  }

  /** The poll of a descriptor, or a negative error number when it cannot be polled. */
  static of(reactor: Reactor, fd: number): FdPoll | number {
    const existing = reactor.polls.get(fd);
    if (existing !== undefined) return existing;
    const handle = reactor.native.pollOpen(fd);
    if (handle < 0) return handle;
    const poll = new FdPoll(reactor, fd, handle);
    reactor.attach(handle, poll);
    reactor.polls.set(fd, poll);
    return poll;
  }

  /** Answers 0 or a negative error number. */
  add(watcher: FdWatcher): number {
    this.#watchers = [...this.#watchers, watcher];
    this.updateRef();
    return this.update();
  }

  /** The last one to go closes it: its descriptor may be closed as soon as this returns. */
  remove(watcher: FdWatcher): void {
    this.#watchers = this.#watchers.filter((other) => other !== watcher);
    if (this.#watchers.length > 0) {
      this.update();
      this.updateRef();
      return;
    }
    this.#setRef(true);
    this.#reactor.polls.delete(this.fd);
    this.#reactor.native.close(this.#handle, false);
  }

  /** Watches for what any of the watchers wants. Answers 0 or a negative error number. */
  update(): number {
    let events = 0;
    for (const watcher of this.#watchers) events |= watcher._interest;
    return this.#reactor.native.pollStart(this.#handle, events);
  }

  updateRef(): void {
    this.#setRef(this.#watchers.some((watcher) => watcher._holds));
  }

  _handlePoll(events: number): void {
    for (const watcher of this.#watchers) {
      if (events < 0) watcher._failed();
      else watcher._polled(events);
    }
  }

  _handleRead(): void {}
  _handleEof(): void {}
  _handleReadError(): void {}
  _handleConnected(): void {}
  _handleWritten(): void {}
  _handleShutdown(): void {}
  _handleAccepted(): void {}
  _handleAcceptError(): void {}
  _handleClosed(): void {}

  #setRef(on: boolean): void {
    if (on === this.#hasRef) return;
    this.#hasRef = on;
    this.#reactor.setRef(this.#handle, on);
  }
}
