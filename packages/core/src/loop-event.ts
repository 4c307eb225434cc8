import { ApiMisuse } from '@sluice/errors';
import type { EventLoop } from './event-loop.ts';
import type { LoopHandle } from './loop-handles.ts';
import { checkPriority, LoopTask } from './task-queue.ts';

export interface LoopEventOptions {
  /** 0 is the most urgent. Default: the middle of the loop's. */
  priority?: number;
  /** For `EventLoop.handles` and error messages. */
  name?: string;
}

/**
 * What a loop watches on a user's behalf: a signal, a descriptor, a call of `trigger`. Its callback runs in a turn, by
 * priority, once for all that happened since the last time.
 */
export abstract class LoopEvent extends LoopTask implements AsyncDisposable {
  readonly loop: EventLoop;
  readonly name: string;
  /** Where it was made, when `SLUICE_DEBUG` is set. */
  readonly origin: string | undefined = debugOrigin();
  #hasRef: boolean;
  /** Whether the loop was told that this keeps it alive. */
  #holding = false;
  #closing: Promise<void> | undefined;

  protected constructor(loop: EventLoop, name: string, options: LoopEventOptions, hasRef: boolean) {
    super(checkPriority(options.priority ?? loop.defaultPriority, loop.priorities));
    this.loop = loop;
    this.name = options.name ?? name;
    this.#hasRef = hasRef;
    loop._events.add(this);
  }

  get priority(): number {
    return this._priority;
  }

  /** @throws ApiMisuse when there is no such priority, or while the callback is queued */
  set priority(priority: number) {
    if (this._list !== undefined) throw this._misuse('priority', 'is queued; its priority can be set before or after');
    this._priority = checkPriority(priority, this.loop.priorities);
  }

  /** Whether it can bring about a callback: it is watching, or a callback is queued. */
  abstract get pending(): boolean;

  /** Stops watching, and drops a callback that is queued. */
  abstract stop(): void;

  get closed(): boolean {
    return this.#closing !== undefined;
  }

  /** Whether it keeps the loop (and the process) alive while it is watching. */
  get hasRef(): boolean {
    return this.#hasRef;
  }

  ref(): this {
    return this.#setRef(true);
  }

  unref(): this {
    return this.#setRef(false);
  }

  /**
   * Ends it for good: no callback comes after this call. Resolves from the loop, after the callback that is running, if
   * one is. Idempotent.
   */
  close(): Promise<void> {
    if (this.#closing !== undefined) return this.#closing;
    this.stop();
    this.loop._events.delete(this);
    this.#closing = new Promise((resolve) => this._afterClose(resolve));
    this._updateRef();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** For `EventLoop.handles`. */
  _describe(): LoopHandle {
    const { hasRef, pending, priority, origin } = this;
    return { ...this._kind(), hasRef, pending, priority, ...(origin === undefined ? {} : { origin }) };
  }

  protected abstract _kind(): Pick<LoopHandle, 'kind' | 'name' | 'deadline'>;

  /** Tells the loop whether this keeps it alive now. */
  protected _updateRef(): void {
    const holds = this.#hasRef && this._watching();
    if (holds === this.#holding) return;
    this.#holding = holds;
    this._hold(holds);
  }

  /** Whether something outside of the loop's queues can bring about a callback. */
  protected abstract _watching(): boolean;

  /** Keeps the process alive, or no longer. */
  protected _hold(on: boolean): void {
    this.loop._keepAlive.change(on ? 1 : -1);
  }

  /** Calls `done` when what is below is let go, from the loop. */
  protected _afterClose(done: () => void): void {
    this.loop._deferClosing(done);
  }

  /** @throws ApiMisuse when it is closed */
  protected _assertOpen(operation: string): void {
    if (this.closed || this.loop.closed) throw this._misuse(operation, 'is closed; make another one');
  }

  protected _misuse(operation: string, what: string): ApiMisuse {
    return new ApiMisuse(`${operation}: ${this.name} ${what}`, {
      code: 'SLUICE_CORE_LOOP_EVENT',
      layer: 'core',
      operation,
    });
  }

  #setRef(on: boolean): this {
    this.#hasRef = on;
    this._updateRef();
    return this;
  }
}

/** Whether `SLUICE_DEBUG` is set: what is made keeps where it was made. */
export const debugging: boolean = (process.env['SLUICE_DEBUG'] ?? '') !== '';

/** A stack trace that tells who made something, when `SLUICE_DEBUG` is set; making one takes microseconds. */
export function debugOrigin(): string | undefined {
  return debugging ? new Error('made').stack?.split('\n').slice(3).join('\n') : undefined;
}
