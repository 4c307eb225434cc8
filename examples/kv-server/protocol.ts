import type { BufferEvent } from '@sluice/core';
import { type CommandHost, executeLine, type Fetch, type Update } from './commands.ts';
import type { Store } from './store.ts';
import { wordEnd, wordStart } from './tokens.ts';
import { SHORT_VALUE_BYTES_MAX, type Value } from './value.ts';

/** A line that has not ended after so many bytes is junk, and its sender is cut off; memcached's own limit. */
export const LINE_BYTES_MAX = 2048;

/**
 * ... unless it is a get, whose keys memcached takes without limit. This much is 4,000 keys of full length; a connection
 * costs no more for it.
 */
export const GET_LINE_BYTES_MAX = 1024 * 1024;

/** A sender that announced a value and is silent for so long is cut off: the memory set aside is needed elsewhere. */
export const VALUE_TIMEOUT_MS = 60_000;

/** Values up to this size are copied into the output; longer ones are referred to. */
const COPIED_VALUE_BYTES_MAX = 4096;

const NEWLINE = 0x0a;
const CR_LF = 0x0d0a;
const GET_LINE_START = /^ {0,100}gets? /;
const GET_LINE_START_BYTES_MAX = 105;

/** What every connection of a server shares. */
export interface Service {
  readonly store: Store;
  stats(part: string): string | undefined;
}

/** What the next bytes of a connection are. */
type Mode =
  | { readonly kind: 'line' }
  | {
      readonly kind: 'value';
      readonly update: Update;
      readonly reservedBytes: number;
      bytes: Buffer | undefined;
      filled: number;
    }
  | { readonly kind: 'skip'; bytes: number }
  | { readonly kind: 'fetch'; readonly fetch: Fetch; at: number }
  | { readonly kind: 'closing' };

const LINE: Mode = { kind: 'line' };
const CLOSING: Mode = { kind: 'closing' };

/**
 * One connection's side of the ASCII protocol, over any BufferEvent: takes commands out of its input, executes them in
 * order, puts the answers into its output.
 *
 * It stands still while the output is at its high watermark, in the middle of an answer if need be, and goes on when
 * that has drained; unread input then suspends reading, so that a peer that never reads costs a known amount: both
 * watermarks, one value, one line.
 */
export class Session implements CommandHost {
  readonly store: Store;
  noreply = false;
  readonly #service: Service;
  readonly #bev: BufferEvent;
  readonly #readHigh: number;
  #mode: Mode = LINE;
  /** Bytes of the input in which no line end was found. */
  #searched = 0;
  /** Told when the last answer is complete: nothing is executed any more. */
  #finished: (() => void) | undefined;

  constructor(bev: BufferEvent, service: Service) {
    this.store = service.store;
    this.#service = service;
    this.#bev = bev;
    this.#readHigh = bev.limits.readHigh;
  }

  /** Goes on as far as input, output and the peer allow. To be called for `data`, `drained` and `end`. */
  run(): void {
    const { output, limits } = this.#bev;
    while (output.length < limits.writeHigh) {
      if (this.#finished !== undefined && this.#mode.kind !== 'fetch') return this.quit();
      if (this.#step()) continue;
      if (this.#bev.peerEnded) this.#bev.end();
      return;
    }
  }

  /**
   * Ends the connection, but not in the middle of an answer: what came after its command is not executed. Resolves when
   * nothing more will be sent.
   */
  finish(): Promise<void> {
    return new Promise((resolve) => {
      this.#finished = resolve;
      if (this.#mode.kind !== 'fetch') this.quit();
    });
  }

  /** The connection is gone: gives back what was set aside for a value that will not come. */
  abandon(): void {
    if (this.#mode.kind === 'value') this.store.release(this.#mode.reservedBytes);
    this.#mode = CLOSING;
    this.#finished?.();
  }

  reply(line: string): void {
    if (!this.noreply) this.#send(`${line}\r\n`);
  }

  receive(update: Update, reservedBytes: number): void {
    this.#mode = { kind: 'value', update, reservedBytes, bytes: undefined, filled: 0 };
  }

  skip(bytes: number): void {
    this.#mode = { kind: 'skip', bytes };
  }

  send(fetch: Fetch): void {
    this.#mode = { kind: 'fetch', fetch, at: fetch.at };
  }

  stats(part: string): string | undefined {
    return this.#service.stats(part);
  }

  quit(): void {
    if (this.#mode.kind === 'value') this.store.release(this.#mode.reservedBytes);
    this.#mode = CLOSING;
    this.#finished?.();
    void this.#bev.close();
  }

  /** Does one thing. False when nothing can be done before more input comes. */
  #step(): boolean {
    const mode = this.#mode;
    switch (mode.kind) {
      case 'line':
        return this.#takeLine();
      case 'value':
        return mode.update.valueBytes <= SHORT_VALUE_BYTES_MAX ? this.#takeShortValue(mode) : this.#takeLongValue(mode);
      case 'skip':
        mode.bytes -= this.#bev.input.drain(mode.bytes);
        if (mode.bytes > 0) return false;
        this.#mode = LINE;
        return true;
      case 'fetch':
        this.#sendValues(mode);
        return true;
      case 'closing':
        return false;
    }
  }

  #takeLine(): boolean {
    const { input } = this.#bev;
    const length = input.indexOf(NEWLINE, this.#searched);
    if (length < 0) {
      this.#searched = input.length;
      if (input.length > LINE_BYTES_MAX) this.#checkLongLine();
      return false;
    }
    if (this.#searched >= this.#readHigh) this.#bev.setWatermarks({ read: { high: this.#readHigh } });
    this.#searched = 0;
    const line = input.readString(length, 'latin1');
    input.drain(1);
    executeLine(this, length > 1 && line.endsWith('\r') ? line.slice(0, -1) : line);
    return true;
  }

  /** Makes room in the input for a long get's line; cuts off the sender of any other. */
  #checkLongLine(): void {
    const { input } = this.#bev;
    const start = Buffer.alloc(GET_LINE_START_BYTES_MAX);
    input.copy(start);
    const isGet = GET_LINE_START.test(start.toString('latin1'));
    if (!isGet || input.length > GET_LINE_BYTES_MAX) this.quit();
    else if (input.length >= this.#bev.limits.readHigh) {
      this.#bev.setWatermarks({ read: { high: GET_LINE_BYTES_MAX + 1 } });
    }
  }

  /** Waits in the input, and is taken in one piece. */
  #takeShortValue(mode: Mode & { kind: 'value' }): boolean {
    const { input } = this.#bev;
    const { valueBytes } = mode.update;
    if (input.length < valueBytes + 2) return false;
    const value = input.readString(valueBytes, 'latin1');
    this.#finishUpdate(mode, value);
    return true;
  }

  /** Is copied once, as it comes, from the loop's memory into its own. */
  #takeLongValue(mode: Mode & { kind: 'value' }): boolean {
    const { input } = this.#bev;
    mode.bytes ??= Buffer.allocUnsafeSlow(mode.update.valueBytes);
    if (mode.filled === 0) this.#bev.setTimeouts({ readMs: VALUE_TIMEOUT_MS });
    mode.filled += input.readInto(mode.bytes.subarray(mode.filled));
    if (mode.filled < mode.bytes.length || input.length < 2) return false;
    this.#bev.setTimeouts({ readMs: Number.POSITIVE_INFINITY });
    this.#finishUpdate(mode, mode.bytes);
    return true;
  }

  #finishUpdate({ update, reservedBytes }: Mode & { kind: 'value' }, value: Value): void {
    this.#mode = LINE;
    this.store.release(reservedBytes);
    if (this.#bev.input.readUInt16BE() !== CR_LF) {
      this.reply('CLIENT_ERROR bad data chunk');
      return;
    }
    const { mode, key, flags, expiresAt, casUnique } = update;
    this.reply(this.store.store(mode, key, value, flags, expiresAt, casUnique));
  }

  /** Sends values until there are no more keys, or the output is full. */
  #sendValues(mode: Mode & { kind: 'fetch' }): void {
    const { output, limits } = this.#bev;
    const { line, withCas, expiresAt } = mode.fetch;
    let text = '';
    while (output.length + text.length < limits.writeHigh) {
      if (mode.at === line.length) {
        text += 'END\r\n';
        this.#mode = LINE;
        break;
      }
      const end = wordEnd(line, mode.at);
      const key = line.slice(mode.at, end);
      mode.at = wordStart(line, end);
      const item = expiresAt === undefined ? this.store.get(key) : this.store.touch(key, expiresAt);
      if (item === undefined) continue;
      const { value } = item;
      text += `VALUE ${key} ${item.flags} ${value.length}${withCas ? ` ${item.casUnique}` : ''}\r\n`;
      if (typeof value === 'string') text += `${value}\r\n`;
      else {
        this.#send(text);
        this.#sendBuffer(value);
        text = '\r\n';
      }
    }
    if (text !== '') this.#send(text);
  }

  #sendBuffer(value: Buffer): void {
    if (!this.#bev.writable) return;
    if (value.length > COPIED_VALUE_BYTES_MAX) this.#bev.output.appendRef(value);
    else this.#bev.output.append(value);
  }

  /** To a peer that is gone already nothing is sent; the commands that came before its end are still executed. */
  #send(text: string): void {
    if (this.#bev.writable) this.#bev.output.append(text, 'latin1');
  }
}
