import type { BufferEvent } from '../../bufferevent.ts';
import type { CloseReport } from '../../close-report.ts';
import { streamBytes } from './stream-bytes.ts';

export type EventName = 'connected' | 'data' | 'drained' | 'end' | 'timeout' | 'closed';

/** What both witnesses of a connection have in common. */
export interface Testimony {
  /** Callbacks that are running. */
  running: number;
  /** What broke a promise that holds in every case. */
  readonly faults: string[];
  /** See `ComplianceSettings`. */
  readonly overshootBytes: number;
}

/**
 * One end of a connection, with all that it told. What every case relies on is checked at each callback: that none runs
 * inside a user's call, that they come in their order, that nothing follows `closed`, and that the bytes that are taken are
 * those that the other end sent.
 */
export class Witness {
  readonly bev: BufferEvent;
  readonly name: 'first' | 'second';
  readonly events: EventName[] = [];
  /** What a case does in a callback, after it was noted. */
  readonly react: Partial<Record<EventName, () => void>> = {};
  report: CloseReport | undefined;
  /** Input is taken in `data`. */
  consumes = true;
  /** What is taken is held against what the other end sent by `send`. */
  verifies = true;
  /** Whose bytes come: the other end's, or for an echo this end's own. */
  expectedFrom: 'first' | 'second';
  sentBytes = 0;
  takenBytes = 0;
  readonly #testimony: Testimony;
  /** The highest mark that input ever had. */
  #readHigh = 0;

  constructor(bev: BufferEvent, name: 'first' | 'second', testimony: Testimony) {
    this.bev = bev;
    this.name = name;
    this.expectedFrom = name === 'first' ? 'second' : 'first';
    this.#testimony = testimony;
    bev.on('connected', () => this.#told('connected'));
    bev.on('data', () => this.#told('data'));
    bev.on('drained', () => this.#told('drained'));
    bev.on('end', () => this.#told('end'));
    bev.on('closed', (report) => {
      this.report = report;
      this.#told('closed');
    });
  }

  get closed(): boolean {
    return this.report !== undefined;
  }

  /** Listens for `timeout` as well; without it a limit of time closes the connection. */
  listenForTimeouts(): string[] {
    const directions: string[] = [];
    this.bev.on('timeout', (direction) => {
      directions.push(direction);
      this.#told('timeout');
    });
    return directions;
  }

  count(event: EventName): number {
    return this.events.filter((told) => told === event).length;
  }

  /** Writes the next bytes of this end's stream. What is refused is not counted. */
  send(length: number): boolean {
    const below = this.bev.write(streamBytes(this.sentBytes + saltOf(this.name), length));
    this.sentBytes += length;
    return below;
  }

  /** Takes input, and holds it against what the other end sent. */
  take(length?: number): Buffer {
    const bytes = this.bev.read(length);
    if (this.verifies && !bytes.equals(streamBytes(this.takenBytes + saltOf(this.expectedFrom), bytes.length))) {
      this.#fault(`the ${bytes.length} bytes after ${this.takenBytes} are not those that were sent`);
    }
    this.takenBytes += bytes.length;
    return bytes;
  }

  /** Sends `total` bytes, waiting for `drained` whenever `write` says so, then calls `done`. */
  pump(total: number, pieceBytes: number, done: () => void = () => {}): void {
    const more = (): void => {
      while (this.sentBytes < total) {
        if (!this.send(Math.min(pieceBytes, total - this.sentBytes)) && this.sentBytes < total) return;
      }
      delete this.react.drained;
      done();
    };
    this.react.drained = more;
    more();
  }

  #told(event: EventName): void {
    const testimony = this.#testimony;
    const { bev, events } = this;
    if (testimony.running > 0) this.#fault(`${event} was told inside a call that a callback made`);
    else if (!bev.loop.inTurn) this.#fault(`${event} was told outside the loop's turns`);
    if (events.includes('closed')) this.#fault(`${event} was told after closed`);
    if (events.includes('end') && event !== 'closed' && event !== 'drained' && event !== 'timeout') {
      this.#fault(`${event} was told after end`);
    }
    if (event === 'connected' && events.length > 0) this.#fault(`connected was told after ${events.at(-1)}`);
    if (event === 'data' && bev.input.length === 0) this.#fault('data was told with nothing in input');
    this.#checkBounds();
    if (event === 'closed' && bev.closed !== this.report) this.#fault('closed told another report than it keeps');
    events.push(event);
    testimony.running += 1;
    try {
      if (event === 'data' && this.consumes) this.take();
      this.react[event]?.();
    } finally {
      testimony.running -= 1;
    }
  }

  #checkBounds(): void {
    const { input, output, limits, closed } = this.bev;
    this.#readHigh = Math.max(this.#readHigh, limits.readHigh);
    const inputMax = this.#readHigh + this.#testimony.overshootBytes;
    // What is left when the connection is gone comes at once.
    if (input.length > inputMax && closed === undefined) {
      this.#fault(`input holds ${input.length} bytes, ${inputMax} are allowed`);
    }
    if (output.length > limits.writeCap) this.#fault(`output holds ${output.length} bytes, past its cap`);
  }

  #fault(what: string): void {
    this.#testimony.faults.push(`${this.name} end: ${what}`);
  }
}

/** The two ends send different bytes. */
function saltOf(name: 'first' | 'second'): number {
  return name === 'first' ? 0 : 31_337;
}
