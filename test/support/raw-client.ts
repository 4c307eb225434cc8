/** A plain node:net client that speaks in bytes: for comparing what servers answer. */
import { createConnection, type NetConnectOpts, type Socket } from 'node:net';

export class RawClient implements AsyncDisposable {
  readonly socket: Socket;
  #received: Buffer[] = [];
  #receivedBytes = 0;
  #ended = false;
  #changed: () => void = () => {};

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#received.push(chunk);
      this.#receivedBytes += chunk.length;
      this.#changed();
    });
    for (const event of ['end', 'close'] as const) {
      socket.on(event, () => {
        this.#ended = true;
        this.#changed();
      });
    }
    // A reset is an end like another here; what was received before it counts.
    socket.on('error', () => {});
  }

  static async connect(where: NetConnectOpts): Promise<RawClient> {
    const socket = createConnection({ allowHalfOpen: true, ...where });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', () => resolve()).once('error', reject);
    });
    return new RawClient(socket);
  }

  /** For a socket that is connected already, a TLS one for example. */
  static over(socket: Socket): RawClient {
    return new RawClient(socket);
  }

  /** Sends Latin-1 text. */
  send(text: string): void {
    this.socket.write(text, 'latin1');
  }

  /** Takes what comes until its end matches, as Latin-1 text. Rejects when the connection ends before that. */
  async until(end: RegExp, lookBackBytes = 200): Promise<string> {
    while (!end.test(this.#tail(lookBackBytes))) {
      if (this.#ended) throw new Error(`the connection ended, ${end} did not come: ${this.#tail(lookBackBytes)}`);
      await this.#change();
    }
    return this.#take();
  }

  /** Sends, ends this direction, and takes everything until the other ends his. */
  async exchange(text: string): Promise<string> {
    this.socket.end(text, 'latin1');
    while (!this.#ended) await this.#change();
    return this.#take();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.socket.closed) return;
    const closed = new Promise((resolve) => this.socket.once('close', resolve));
    this.socket.destroy();
    await closed;
  }

  #tail(bytes: number): string {
    const last = this.#received.at(-1);
    if (last !== undefined && last.length < bytes) this.#received = [Buffer.concat(this.#received)];
    return (this.#received.at(-1) ?? Buffer.alloc(0)).subarray(-bytes).toString('latin1');
  }

  #take(): string {
    const text = Buffer.concat(this.#received, this.#receivedBytes).toString('latin1');
    this.#received = [];
    this.#receivedBytes = 0;
    return text;
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#changed = resolve;
    });
  }
}
