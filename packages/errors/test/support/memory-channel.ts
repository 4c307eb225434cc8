/** A multiplexed protocol in memory: streams over a channel over a port, failing as QUIC's do, with nothing on the wire. */
import {
  type Bracket,
  ChannelErrorStack,
  type CloseInfo,
  type ErrorEntry,
  type ErrorEntryInit,
  ErrorStack,
  Library,
  LastResult,
  packCode,
  type PortErrorStack,
  type ResultKind,
  type SluiceError,
  sslReasons,
  systemCode,
} from '../../src/index.ts';

export type ReadResult = { data: string } | { wait: ResultKind } | { end: true };

export interface MemoryChannelOptions {
  stack?: ErrorStack;
  port?: PortErrorStack;
  deliver?: (task: () => void) => void;
  onStaleErrors?: (entries: readonly ErrorEntry[]) => void;
}

/** What arrives for a channel; handled by its next tick. */
export type Arrival = (channel: MemoryChannel) => void;

export const ssl = (name: keyof typeof sslReasons): number => packCode(Library.ssl, sslReasons[name][0]);

export class MemoryChannel {
  readonly stack: ErrorStack;
  readonly errors: ChannelErrorStack;
  readonly lastResult: LastResult;
  readonly #inbox: Arrival[] = [];

  constructor(options: MemoryChannelOptions = {}) {
    this.stack = options.stack ?? new ErrorStack();
    const { deliver, onStaleErrors } = options;
    this.errors = new ChannelErrorStack({
      layer: 'quic',
      stack: this.stack,
      ...(deliver === undefined ? {} : { deliver }),
      ...(onStaleErrors === undefined ? {} : { onStaleErrors }),
    });
    this.lastResult = new LastResult(this.errors);
    options.port?.add(this.errors);
  }

  arrive(...arrivals: Arrival[]): void {
    this.#inbox.push(...arrivals);
  }

  /** Handles what has arrived. True whatever became of the channel. */
  tick(): true {
    for (const arrival of this.#inbox.splice(0)) {
      this.errors.operate(() => arrival(this));
    }
    return true;
  }

  stream(): MemoryStream {
    if (this.errors.failed) throw this.errors.report('open stream');
    return new MemoryStream(this);
  }

  /** The peer broke the protocol: what was raised below, and a cover that says where. */
  protocolError(below: readonly number[], cover: Partial<ErrorEntryInit>): void {
    const entry = { code: ssl('quicProtocolError'), func: 'handleFrame', file: 'frames.ts', line: 7, ...cover };
    this.errors.operate((bracket) => {
      for (const code of below) this.stack.raise({ code });
      this.errors.failFrom(bracket, { operation: 'tick', cover: entry });
    });
  }

  closed(info: CloseInfo): void {
    this.errors.closeWith(info);
  }

  /** A datagram to this channel's peer was refused by the system: the next one may go through. */
  sendRefused(errno: number, result: LastResult): void {
    this.errors.operate((bracket) => {
      this.stack.raise({ code: systemCode(errno), func: 'sendmsg' });
      this.errors.settle(bracket, result, 'want-write');
    }, result);
  }
}

export class MemoryStream {
  readonly channel: MemoryChannel;
  readonly lastResult: LastResult;
  #input: string[] = [];
  #error: { code: number } | undefined;
  #ended = false;

  constructor(channel: MemoryChannel) {
    this.channel = channel;
    this.lastResult = new LastResult(channel.errors);
  }

  receive(...data: string[]): void {
    this.#input.push(...data);
  }

  end(): void {
    this.#ended = true;
  }

  /** From now on operations on this stream, and on no other, fail with the reason. */
  fault(code: number): void {
    this.#error = { code };
  }

  /** Data that came before the failure first, then the failure, as often as asked. */
  read(): ReadResult {
    return this.#operate((bracket) => {
      const data = this.#input.shift();
      if (data !== undefined) return this.#done(bracket, 'none', { data });
      if (this.channel.errors.failed) return this.#refuse(bracket, 'stream read');
      if (this.#error !== undefined) return this.#fail(bracket, 'stream read');
      if (this.#ended) return this.#done(bracket, 'zero-return', { end: true });
      this.channel.stack.raise({ code: systemCode(11), func: 'recvmsg' });
      return this.#done(bracket, 'want-read', { wait: 'want-read' });
    });
  }

  write(): void {
    this.#operate((bracket) => {
      if (this.channel.errors.failed) this.#refuse(bracket, 'stream write');
      if (this.#error !== undefined) this.#fail(bracket, 'stream write');
      this.#done(bracket, 'none', undefined);
    });
  }

  /** Nothing more will be written. */
  conclude(): void {
    this.#operate((bracket) => {
      if (this.channel.errors.failed) this.#refuse(bracket, 'stream conclude');
      if (this.#error !== undefined) this.#fail(bracket, 'stream conclude');
      this.#done(bracket, 'none', undefined);
    });
  }

  #operate<T>(work: (bracket: Bracket) => T): T {
    return this.channel.errors.operate(work, this.lastResult);
  }

  #done<T>(bracket: Bracket, kind: ResultKind, value: T): T {
    this.channel.errors.settle(bracket, this.lastResult, kind);
    return value;
  }

  #refuse(bracket: Bracket, operation: string): never {
    this.channel.errors.settle(bracket, this.lastResult, 'ssl');
    throw this.channel.errors.report(operation);
  }

  #fail(bracket: Bracket, operation: string): never {
    if (this.#error !== undefined) this.channel.stack.raise({ ...this.#error, func: 'streamRead' });
    throw this.channel.errors.streamError(bracket, { operation }, this.lastResult);
  }
}

/** What the function throws. */
export function caught(work: () => unknown): SluiceError {
  try {
    work();
  } catch (error) {
    return error as SluiceError;
  }
  throw new Error('nothing was thrown');
}

/** The bytes of an entry's data, to be looked at or scribbled on. */
export function bytesOf(entry: ErrorEntry | undefined): Uint8Array {
  if (entry === undefined || typeof entry.data === 'string') throw new Error('no entry with bytes');
  return entry.data;
}

/** The codes of an error's entries. */
export function codesOf(error: { entries: readonly ErrorEntry[] }): number[] {
  return error.entries.map((entry) => entry.code);
}

/** The last entry of every report. */
export const LETTER = packCode(Library.sluice, 1);
/** What covers a port's failure. */
export const NETWORK_ERROR = packCode(Library.sluice, 2);
