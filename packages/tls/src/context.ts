import { type NativeEntry, type NativeTlsContext, type NativeTlsEngine, native } from '@sluice/native';
import { configurationError, engineError } from './context-error.ts';
import {
  type ClientContextOptions,
  type ServerContextOptions,
  type TlsRole,
  nativeClientOptions,
  nativeServerOptions,
} from './context-options.ts';

/**
 * The configuration of any number of TLS connections, checked and loaded once: certificates, key, trust, versions,
 * ciphers. Immutable. Connections keep what they need of it alive.
 */
export class TlsContext {
  readonly role: TlsRole;
  /** Plaintext bytes per record, at most. */
  readonly sendFragmentBytesMax: number;
  /** Bytes of the peer's certificate list, at most. */
  readonly certListBytesMax: number;
  readonly #native: NativeTlsContext;

  /** Use `TlsContext.server` or `TlsContext.client`. */
  private constructor(role: TlsRole, options: ServerContextOptions | ClientContextOptions) {
    const nativeOptions =
      role === 'server' ? nativeServerOptions(options as ServerContextOptions) : nativeClientOptions(options);
    const context = native().tlsContext(nativeOptions);
    if (isRefusal(context)) throw configurationError(context.operation, context.entries, nativeOptions);
    this.role = role;
    this.sendFragmentBytesMax = nativeOptions.sendFragmentBytesMax;
    this.certListBytesMax = nativeOptions.certListBytesMax;
    this.#native = context;
  }

  /** @throws TlsError that names the option that is wrong and says what to do, with OpenSSL's entries */
  static server(options: ServerContextOptions): TlsContext {
    return new TlsContext('server', options);
  }

  /** @throws TlsError, as `server` does */
  static client(options: ClientContextOptions = {}): TlsContext {
    return new TlsContext('client', options);
  }

  /** For `TlsSession`: an engine of this context. `results` is the engine's to write into for as long as it lives. */
  _createEngine(pairBytes: number, servername: string, results: Int32Array, pair: boolean): NativeTlsEngine {
    const engine = native().tlsEngine(this.#native, pairBytes, servername, results, pair);
    if (isRefusal(engine)) throw engineError(engine.operation, engine.entries, servername);
    return engine;
  }
}

function isRefusal(value: object): value is { operation: string; entries: NativeEntry[] } {
  return 'entries' in value;
}
