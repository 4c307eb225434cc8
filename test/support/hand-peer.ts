/**
 * A TLS peer made by hand: a plain socket, and OpenSSL's engine beside it. Nothing is sent unless the test says so, so
 * it can send less than all, something else, or at the wrong time.
 */
import { type AddressInfo, createServer, type NetConnectOpts, Socket, type SocketConstructorOpts } from 'node:net';
import type { DuplexOptions } from 'node:stream';
import {
  native,
  type NativeEntry,
  type NativeTlsContext,
  type NativeTlsEngine,
  TLS_RESULT_LENGTH,
  TlsOp,
  TlsResult,
} from '@sluice/native';

/** Room for any flight of a test. */
const PAIR_BYTES = 256 * 1024;

/** What a call of an engine makes; copied out of here before the next. */
const ciphertext = Buffer.alloc(PAIR_BYTES);
const plaintext = Buffer.alloc(64 * 1024);

export interface HandPeerOptions {
  /** The peer's side of TLS; without it only bytes can be sent. See `context` of the native package's tests. */
  context?: NativeTlsContext;
  /** Does not read from its socket until `socket.resume()`. */
  paused?: boolean;
}

/** How the other side ended the connection. */
export interface Farewell {
  how: 'fin' | 'reset';
  /** Plaintext that came and was not taken before. */
  plain: Buffer;
  /** Numbers of the alerts that came, in order. */
  alerts: number[];
}

export class HandPeer implements AsyncDisposable {
  readonly socket: Socket;
  /** Everything that came from the other side, as it was on the wire. */
  readonly wire: Buffer[] = [];
  /** What the engine had to say of its own accord while it read: alerts, changes of keys. Not sent. */
  readonly answers: Buffer[] = [];
  /** OpenSSL's last entries, if a call failed. */
  entries: readonly NativeEntry[] = [];
  readonly #engine: NativeTlsEngine | undefined;
  readonly #results = new Int32Array(TLS_RESULT_LENGTH);
  readonly #unread = new Bytes();
  readonly #plain = new Bytes();
  readonly #alerts: number[] = [];
  #ended: 'fin' | 'reset' | undefined;
  #eofTold = false;
  #changed: () => void = () => {};

  private constructor(socket: Socket, options: HandPeerOptions) {
    this.socket = socket;
    if (options.context !== undefined) {
      const engine = native().tlsEngine(options.context, PAIR_BYTES, '', this.#results);
      if ('operation' in engine) throw new Error(`${engine.operation} failed`);
      this.#engine = engine;
    }
    socket.on('data', (chunk: Buffer) => {
      this.wire.push(chunk);
      this.#unread.push(chunk);
      this.#changed();
    });
    socket.on('end', () => this.#end('fin'));
    socket.on('error', () => this.#end('reset'));
    if (options.paused === true) socket.pause();
  }

  /** Connects to a server of ours. */
  static async connect(where: NetConnectOpts, options: HandPeerOptions = {}): Promise<HandPeer> {
    // A low mark lets pause() stop reading at once, instead of after 64 kB more.
    const lowMark: SocketConstructorOpts & DuplexOptions = { allowHalfOpen: true, highWaterMark: 1 };
    const socket = new Socket(lowMark);
    const peer = new HandPeer(socket, options);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve).once('error', reject);
      socket.connect(where);
    });
    socket.setNoDelay(true);
    return peer;
  }

  /** Waits for one client of ours. `connect` is called with the port when it may come. */
  static accept(connect: (port: number) => void, options: HandPeerOptions = {}): Promise<HandPeer> {
    return new Promise((resolve, reject) => {
      const listener = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
        listener.close();
        resolve(new HandPeer(socket, options));
      });
      listener.once('error', reject);
      listener.listen(0, '127.0.0.1', () => connect((listener.address() as AddressInfo).port));
    });
  }

  // --- What is sent. ---

  send(...parts: readonly (Uint8Array | string)[]): void {
    this.socket.write(Buffer.concat(parts.map((part) => Buffer.from(part as Uint8Array))));
  }

  fin(): void {
    this.socket.end();
  }

  reset(): void {
    this.socket.resetAndDestroy();
  }

  // --- TLS. What these return is not sent. ---

  /** Goes on with the handshake by what came so far, and answers with the bytes to send. */
  shake(): Buffer {
    return this.#step('handshake').out;
  }

  /** The data as TLS records. */
  seal(data: string | Uint8Array): Buffer {
    const records: Buffer[] = [];
    // OpenSSL takes a record's worth at a time.
    for (
      let rest = Buffer.from(data as Uint8Array);
      rest.length > 0;
      rest = rest.subarray(this.#result('transferred'))
    ) {
      const { out, failed } = this.#step('write', rest);
      if (failed) throw new Error(`seal: ${JSON.stringify(this.entries)}`);
      records.push(out);
    }
    return Buffer.concat(records);
  }

  /** A close_notify. */
  sealEnd(): Buffer {
    return this.#step('shutdown').out;
  }

  /** A request to change keys, with some data behind it. */
  sealKeyUpdate(data: string | Uint8Array): Buffer {
    this.#step('keyUpdate');
    return this.seal(data);
  }

  get handshakeDone(): boolean {
    return this.#results[TlsResult.initFinished] === 1;
  }

  /** How many bytes came so far. */
  get wireBytes(): number {
    return this.wire.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  /** The alerts that came so far. */
  get alerts(): readonly number[] {
    return this.#alerts;
  }

  /** Completes the handshake, in both directions of the wire. Throws when it fails. */
  async handshake(): Promise<this> {
    for (;;) {
      const { out, failed } = this.#step('handshake');
      if (out.length > 0) this.send(out);
      if (failed) throw new Error(`handshake: ${JSON.stringify(this.entries)}`);
      if (this.handshakeDone) return this;
      await this.#more('the handshake');
    }
  }

  /** Takes plaintext as it comes, `n` bytes in all. */
  async take(n: number): Promise<Buffer> {
    for (;;) {
      this.#open();
      if (this.#plain.length >= n) break;
      await this.#more(`${n} bytes of plaintext`);
    }
    return this.#plain.take(n);
  }

  /** Waits until there are bytes of the other side's that were not looked at. */
  async more(): Promise<void> {
    await this.#more('more bytes');
  }

  /** Waits for the next bytes of the other side's, whatever came before. */
  async nextChunk(): Promise<void> {
    if (this.#ended !== undefined) throw new Error(`${this.#ended} came in place of more bytes`);
    await this.#change();
  }

  /** Takes bytes as they come, without TLS. */
  async takeRaw(n: number): Promise<Buffer> {
    while (this.#unread.length < n) await this.nextChunk();
    return this.#unread.take(n);
  }

  /** Changes a bit in what came and was not looked at, as if the network had done it, and looks at it. */
  readDamaged(at: number): void {
    this.#unread.push(flipped(this.#unread.take(this.#unread.length), at));
    this.#open();
  }

  /** Waits for the other side's end, and tells all that came before it. */
  async farewell(): Promise<Farewell> {
    while (this.#ended === undefined) await this.#change();
    this.#open();
    return { how: this.#ended, plain: this.#plain.take(this.#plain.length), alerts: this.#alerts };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#engine?.free();
    if (this.socket.closed) return;
    const closed = new Promise((resolve) => this.socket.once('close', resolve));
    this.socket.destroy();
    await closed;
  }

  #end(how: 'fin' | 'reset'): void {
    this.#ended ??= how;
    this.#changed();
  }

  /** Decrypts what came. */
  #open(): void {
    if (this.#engine === undefined || this.#eofTold) return;
    if (!this.handshakeDone) this.#step('handshake');
    while (this.handshakeDone) {
      const { out } = this.#step('read', plaintext);
      if (out.length > 0) this.answers.push(out);
      const count = this.#result('transferred');
      if (count === 0) break;
      this.#plain.push(Buffer.from(plaintext.subarray(0, count)));
    }
    this.#eofTold = this.#ended !== undefined;
  }

  async #more(what: string): Promise<void> {
    if (this.#unread.length > 0) return;
    if (this.#ended !== undefined) throw new Error(`${this.#ended} came in place of ${what}`);
    await this.#change();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#changed = resolve;
    });
  }

  #step(op: keyof typeof TlsOp, data?: Buffer): { out: Buffer; failed: boolean } {
    const engine = this.#engine;
    if (engine === undefined) throw new Error('this peer has no context');
    const input = this.#unread.whole();
    const length = data?.length ?? 0;
    const entries = engine.step(TlsOp[op], input, 0, input.length, data, 0, length, ciphertext, 0, PAIR_BYTES);
    this.#unread.take(this.#result('consumed'));
    if (this.#result('alerts') > 0) {
      const triples = engine.takeAlerts();
      for (let at = 0; at < triples.length; at += 3) {
        if (triples[at] === 0) this.#alerts.push(triples[at + 2] as number);
      }
    }
    if (entries !== undefined) this.entries = entries;
    return { out: Buffer.from(ciphertext.subarray(0, this.#result('produced'))), failed: entries !== undefined };
  }

  #result(name: keyof typeof TlsResult): number {
    return this.#results[TlsResult[name]] as number;
  }
}

/** Bytes in order, put together only when they are looked at. */
class Bytes {
  length = 0;
  #chunks: Buffer[] = [];

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.length += chunk.length;
  }

  whole(): Buffer {
    if (this.#chunks.length !== 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] as Buffer;
  }

  take(n: number): Buffer {
    let count = 0;
    let bytes = 0;
    while (bytes < n && count < this.#chunks.length) bytes += (this.#chunks[count++] as Buffer).length;
    const front = Buffer.concat(this.#chunks.slice(0, count));
    this.#chunks.splice(0, count, ...(bytes > n ? [front.subarray(n)] : []));
    this.length -= Math.min(n, bytes);
    return front.subarray(0, n);
  }
}

/** An alert in the clear, as a peer sends it that has no keys yet. */
export function clearAlert(level: 1 | 2, description: number): Buffer {
  return Buffer.from([0x15, 0x03, 0x03, 0x00, 0x02, level, description]);
}

/** The bytes with one bit changed. */
export function flipped(bytes: Buffer, at: number): Buffer {
  const changed = Buffer.from(bytes);
  changed[at] = (changed[at] as number) ^ 0x01;
  return changed;
}
