import type { TimeoutKind } from './bufferevent-errors.ts';
import type { EventLoop } from './event-loop.ts';
import type { Limits } from './limits.ts';
import type { Timer } from './timer.ts';

/**
 * When a connection last made progress, and one timer over all of its limits. Progress only notes the time; the timer
 * looks when it fires and is started again for what is left, so a busy connection touches no timer.
 */
export class Deadlines {
  lastRead: number;
  lastWrite: number;
  /** When waiting for the peer's end began; -1 before. */
  closingSince = -1;
  readonly #loop: EventLoop;
  readonly #openedAt: number;
  readonly #reached: () => void;
  #timer: Timer | undefined;

  constructor(loop: EventLoop, now: number, reached: () => void) {
    this.#loop = loop;
    this.#reached = reached;
    this.#openedAt = now;
    this.lastRead = now;
    this.lastWrite = now;
  }

  touchRead(now: number): void {
    this.lastRead = now;
  }

  touchWrite(now: number): void {
    this.lastWrite = now;
  }

  closing(now: number): void {
    if (this.closingSince < 0) this.closingSince = now;
  }

  /** The nearest of the limits that apply now. */
  next(limits: Limits, connected: boolean, reading: boolean, writing: boolean): number {
    if (!connected) return this.#openedAt + limits.connectMs;
    let next = Math.max(this.lastRead, this.lastWrite) + limits.idleMs;
    if (reading) next = Math.min(next, this.lastRead + limits.readMs);
    if (writing) next = Math.min(next, this.lastWrite + limits.writeMs);
    if (this.closingSince >= 0) next = Math.min(next, this.closingSince + limits.closeMs);
    return next;
  }

  /** Which limit it is that `next` has come to; the gravest when there are several. */
  reached(now: number, limits: Limits, connected: boolean, writing: boolean): TimeoutKind {
    if (!connected) return 'connect';
    if (this.closingSince >= 0 && now >= this.closingSince + limits.closeMs) return 'close';
    if (now >= Math.max(this.lastRead, this.lastWrite) + limits.idleMs) return 'idle';
    return writing && now >= this.lastWrite + limits.writeMs ? 'write' : 'read';
  }

  /** Wakes at `deadline` at the latest. */
  arm(deadline: number): void {
    if (deadline === Number.POSITIVE_INFINITY) return;
    if (this.#timer?.pending === true && this.#timer.deadline <= deadline) return;
    this.#timer ??= this.#loop.idleTimer(this.#reached);
    this.#timer.start(deadline - this.#loop.now());
  }

  stop(): void {
    this.#timer?.stop();
  }
}
