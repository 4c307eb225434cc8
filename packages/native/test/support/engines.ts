/** Two TLS engines in memory, and the little that moves ciphertext between them. */
import { TLS_RESULT_LENGTH, TlsOp, TlsResult } from '../../src/binding.ts';
import type {
  NativeBinding,
  NativeEntry,
  NativeTlsContext,
  NativeTlsContextOptions,
  NativeTlsEngine,
} from '../../src/binding.ts';
import { native } from '../../src/index.ts';

export const binding: NativeBinding = native();

export const SslError = { none: 0, ssl: 1, wantRead: 2, wantWrite: 3, syscall: 5, zeroReturn: 6 } as const;
export const tls12 = 0x0303;
export const tls13 = 0x0304;

/** One end. What a step produces goes at once to the peer's `incoming`. */
export class Endpoint {
  readonly engine: NativeTlsEngine;
  readonly results: Int32Array = new Int32Array(TLS_RESULT_LENGTH);
  /** Ciphertext that arrived and is not yet fed. */
  incoming: Uint8Array = new Uint8Array(0);
  /** Room offered to each step for ciphertext; 0 corks this end. */
  outputBytes = 65_536;
  /** Ciphertext sent so far, in all. */
  sent = 0;
  peer: Endpoint | undefined;
  readonly #output = new Uint8Array(65_536);

  constructor(context: NativeTlsContext, pairBytes = 17_408, servername = '', pair = true) {
    const made = binding.tlsEngine(context, pairBytes, servername, this.results, pair);
    if ('operation' in made) throw new Error(`${made.operation} failed: ${JSON.stringify(made.entries)}`);
    this.engine = made;
  }

  /** One step that feeds all that arrived; `data` is read into or written from. */
  step(op: keyof typeof TlsOp, data: Uint8Array = new Uint8Array(0)): NativeEntry[] | undefined {
    const { incoming } = this;
    const entries = this.engine.step(
      TlsOp[op],
      incoming,
      0,
      incoming.length,
      data,
      0,
      data.length,
      this.#output,
      0,
      this.outputBytes,
    );
    this.incoming = incoming.subarray(this.result('consumed'));
    const produced = this.result('produced');
    this.sent += produced;
    if (this.peer !== undefined) this.peer.incoming = joined(this.peer.incoming, this.#output.subarray(0, produced));
    return entries;
  }

  result(name: keyof typeof TlsResult): number {
    // oxlint-disable-next-line typescript/no-non-null-assertion -- its length is fixed
    return this.results[TlsResult[name]]!;
  }

  /**
   * Writes everything, `sliceBytes` at a time at most; what does not fit is tried again with the same bytes. Throws when
   * a write fails or nothing moves. Returns what each accepting step took.
   */
  writeAll(bytes: Uint8Array, sliceBytes: number = bytes.length): number[] {
    const taken: number[] = [];
    for (let at = 0; at < bytes.length; ) {
      const entries = this.step('write', bytes.subarray(at, at + sliceBytes));
      const error = this.result('sslError');
      if (error === SslError.none) taken.push(this.result('transferred'));
      else if (error !== SslError.wantWrite || !this.moved())
        throw new Error(`write: ${error} ${JSON.stringify(entries)}`);
      at += this.result('transferred');
    }
    return taken;
  }

  /** Reads until the engine has no more; asserts nothing. */
  readAll(): Uint8Array {
    let all: Uint8Array = new Uint8Array(0);
    const data = new Uint8Array(20_000);
    do {
      this.step('read', data);
      all = joined(all, data.subarray(0, this.result('transferred')));
    } while (this.result('sslError') === SslError.none || this.moved());
    return all;
  }

  /** Whether the last step moved any byte, or made room for what still waits. */
  moved(): boolean {
    const bytes = this.result('consumed') + this.result('produced') + this.result('transferred');
    return bytes > 0 || (this.incoming.length > 0 && this.result('roomIn') > 0);
  }
}

/** A context that must be good. */
export function context(options: Partial<NativeTlsContextOptions>): NativeTlsContext {
  const made = binding.tlsContext({ ...defaults, ...options });
  if ('operation' in made) throw new Error(`${made.operation} failed: ${JSON.stringify(made.entries)}`);
  return made;
}

export const defaults: NativeTlsContextOptions = {
  server: false,
  minVersion: tls12,
  maxVersion: tls13,
  verify: 0,
  tickets: 2,
  certListBytesMax: 102_400,
  sendFragmentBytesMax: 16_384,
};

export function wire(client: Endpoint, server: Endpoint): void {
  client.peer = server;
  server.peer = client;
}

/**
 * Steps both ends, in turn, until both handshakes are done; a done end only moves ciphertext. Throws when one fails, or
 * when a round moves nothing. Returns each end's answers, in order.
 */
export function handshake(client: Endpoint, server: Endpoint): { client: number[]; server: number[] } {
  const answers = { client: [] as number[], server: [] as number[] };
  for (;;) {
    let moved = false;
    for (const [end, log] of [
      [client, answers.client],
      [server, answers.server],
    ] as const) {
      const done = log.at(-1) === SslError.none;
      const entries = end.step(done ? 'move' : 'handshake');
      if (entries !== undefined) throw new HandshakeFailure(end === server, entries);
      if (!done) log.push(end.result('sslError'));
      moved ||= end.moved();
    }
    if (answers.client.at(-1) === SslError.none && answers.server.at(-1) === SslError.none) return answers;
    if (!moved) throw new Error(`the handshake stands still: ${JSON.stringify(answers)}`);
  }
}

/** Which end's OpenSSL refused, and why. */
export class HandshakeFailure extends Error {
  readonly atServer: boolean;
  readonly entries: NativeEntry[];
  constructor(atServer: boolean, entries: NativeEntry[]) {
    super(`${atServer ? 'server' : 'client'}: ${JSON.stringify(entries)}`);
    this.atServer = atServer;
    this.entries = entries;
  }
}

/** The TLS records of some ciphertext. */
export function records(ciphertext: Uint8Array): Uint8Array[] {
  const found: Uint8Array[] = [];
  const view = Buffer.from(ciphertext);
  for (let at = 0; at < view.length; ) {
    const end = at + 5 + view.readUInt16BE(at + 3);
    found.push(view.subarray(at, end));
    at = end;
  }
  return found;
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}
