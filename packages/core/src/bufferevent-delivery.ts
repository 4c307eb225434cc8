import { SluiceError } from '@sluice/errors';
import { requireHandlers } from './arguments.ts';
import type { BufferEvent } from './bufferevent.ts';
import { handlerError, timeoutError } from './bufferevent-errors.ts';
import type { Handlers } from './bufferevent-events.ts';
import { BufferEventFlow } from './bufferevent-flow.ts';
import { Pending, State } from './bufferevent-state.ts';
import type { CloseReport } from './close-report.ts';
import { tellClose } from './diagnostics.ts';
import type { EventLoop, LoopMember } from './event-loop.ts';
import type { ConnectionOptions } from './limits.ts';
import { checkPriority, LoopTask } from './task-queue.ts';

/**
 * What a BufferEvent tells its user, and when: callbacks gather as bits, and one delivery per turn runs them in a fixed
 * order. How the connection ends is `BufferEvent`.
 */
export abstract class BufferEventDelivery extends BufferEventFlow implements LoopMember {
  #pending = 0;
  #handlers: Handlers = noHandlers;
  /** Undefined for a connection that is delivered with the input of its turn. */
  #queued: Delivery | undefined;

  protected constructor(loop: EventLoop, options: ConnectionOptions) {
    super(loop, options);
    if (options.priority !== undefined) this.priority = options.priority;
  }

  setHandlers(handlers: Handlers): void {
    requireHandlers('setHandlers', handlers);
    this.#handlers = handlers;
  }

  /**
   * How urgent its callbacks are among all that the loop runs: 0 comes before everything else of a turn; what is less
   * urgent than other work may wait for turns. Undefined, the default, for callbacks in every turn, with its input.
   * @throws ApiMisuse when the loop has no such priority (`new EventLoop({ priorities })`)
   */
  get priority(): number | undefined {
    return this.#queued?._priority;
  }

  set priority(priority: number | undefined) {
    const { loop } = this;
    const queued = priority === undefined ? undefined : new Delivery(this, checkPriority(priority, loop.priorities));
    const waited = this.#queued?._list !== undefined;
    if (waited) loop._cancel(this.#queued as Delivery);
    this.#queued = queued;
    // Those that wait with the input of this turn come with it once more.
    if (waited) this.#queue();
  }

  // --- What the rest of the BufferEvent is. ---

  abstract get closed(): CloseReport | undefined;
  abstract end(): void;
  abstract _flush(): void;
  abstract _fail(error: SluiceError): void;

  /** The user was told that the connection is gone; nothing follows. */
  protected abstract _toldClosed(report: CloseReport): void;

  // --- LoopMember ---

  _deliver(): void {
    this._state &= ~State.active;
    const pending = this.#pending;
    this.#pending = 0;
    try {
      if ((pending & Pending.connected) !== 0 && this.#alive()) {
        this.#handlers.connected?.(this.#bev);
        this.emit('connected');
      }
      if ((pending & Pending.data) !== 0) this.#deliverData((pending & Pending.anyData) !== 0);
      if ((pending & Pending.drained) !== 0 && this.#goesOn()) {
        this.#handlers.drained?.(this.#bev);
        this.emit('drained');
      }
      if ((pending & Pending.timeoutRead) !== 0 && this.#goesOn()) this.#deliverTimeout('read');
      if ((pending & Pending.timeoutWrite) !== 0 && this.#goesOn()) this.#deliverTimeout('write');
      if ((pending & Pending.end) !== 0 && !this.#deliverEnd()) this.#pending |= Pending.end;
    } catch (error) {
      this.#handlerThrew(error);
    }
    if ((pending & Pending.closed) !== 0) {
      if ((this.#pending & Pending.end) !== 0) this.#pending |= Pending.closed;
      else this.#deliverClosed();
    }
  }

  protected override _pend(bits: number): void {
    this.#pending |= bits;
    this._activate();
  }

  /** Those are not delivered any more. */
  protected _unpend(bits: number): void {
    this.#pending &= ~bits;
  }

  protected override _activate(): void {
    if (this.#pending === 0 || (this._state & (State.active | State.closed)) !== 0) return;
    this._state |= State.active;
    this.#queue();
  }

  // --- Private ---

  get #bev(): BufferEvent {
    return this as unknown as BufferEvent;
  }

  #queue(): void {
    if (this.#queued === undefined) this.loop.activate(this);
    else this.loop._post(this.#queued);
  }

  /** Not destroyed by a callback that ran before in the same delivery. A decided end lets what came before it through. */
  #alive(): boolean {
    return (this._state & (State.destroyed | State.closed)) === 0;
  }

  /** Its end is not decided. */
  #goesOn(): boolean {
    return (this._state & State.releasing) === 0;
  }

  #deliverData(below: boolean): void {
    if ((this._state & (State.readEnabled | State.discarding)) !== State.readEnabled || !this.#alive()) return;
    const { length } = this._input;
    if (length === 0) return;
    const isLast = (this._state & (State.peerEnded | State.releasing)) !== 0;
    if (length < this.limits.readLow && !isLast && !below) return;
    this.#handlers.data?.(this.#bev);
    this.emit('data');
  }

  /** Answers false when the end has to wait: there is input that a paused user has not seen. */
  #deliverEnd(): boolean {
    const { closed } = this;
    if (closed !== undefined && closed.end !== 'end') return true;
    if ((this._state & State.readEnabled) === 0 && this._input.length > 0) return false;
    this.#handlers.end?.(this.#bev);
    this.emit('end');
    if ((this._state & State.halfOpen) === 0) this.end();
    return true;
  }

  #deliverTimeout(direction: 'read' | 'write'): void {
    if (this.#handlers.timeout === undefined && this.listenerCount('timeout') === 0) {
      this._fail(timeoutError(this.#bev, direction, direction, this.limits[`${direction}Ms`]));
      return;
    }
    this.#handlers.timeout?.(this.#bev, direction);
    this.emit('timeout', direction);
  }

  #deliverClosed(): void {
    this._state |= State.closed;
    const report = this.closed as CloseReport;
    tellClose(this.#bev, report);
    try {
      this.#handlers.closed?.(this.#bev, report);
    } catch (error) {
      this.loop.uncaught(error);
    }
    try {
      this.emit('closed', report);
    } catch (error) {
      this.loop.uncaught(error);
    }
    this.removeAllListeners();
    this.#handlers = noHandlers;
    this._toldClosed(report);
  }

  /** A limit that the peer broke in a handler (a line too long) ends its connection; a fault of the program's goes up as well. */
  #handlerThrew(error: unknown): void {
    if (error instanceof SluiceError && error.blame === 'remote') return this._fail(error);
    this.loop.uncaught(error);
    this._fail(handlerError(this.#bev, error));
  }
}

/** The delivery of a connection that has a priority of its own. */
class Delivery extends LoopTask {
  readonly #member: LoopMember;

  constructor(member: LoopMember, priority: number) {
    super(priority);
    this.#member = member;
  }

  override _run(): void {
    this.#member._deliver();
  }
}

const noHandlers: Handlers = {};
