import type { CloseReport, ConnectionOptions, EventLoop } from '@sluice/core';
import { ApiMisuse } from '@sluice/errors';
import type { TlsAlert } from './alert.ts';
import type { HandshakeSummary } from './handshake-trace.ts';
import type { CipherStore, TlsSessionOptions } from './session-options.ts';

/** What can be said of a TLS connection when it is made. `timeouts.connectMs` is the transport's, and has no meaning here. */
export interface TlsOptions extends ConnectionOptions {
  /** Bytes of ciphertext per direction that may wait at OpenSSL, 1 or more. Default 17 KiB: one record of full size. */
  pairBytes?: number;
  /** Where they wait: see `CipherStore`. Default 'borrowed'. */
  store?: CipherStore;
  /**
   * From the transport's connection to the end of the handshake, in milliseconds. Absolute: a byte a second does not
   * extend it. Default 10 s, as in Netty: three losses of a packet in a row fit in.
   */
  handshakeMs?: number;
  /** Ciphertext that the peer may send before the handshake is done. Default: `certListBytesMax` and 64 KiB. */
  handshakeBytesMax?: number;
  /** Engine calls per turn of the loop. Default 32. */
  callsPerTurnMax?: number;
}

export interface TlsClientOptions extends TlsOptions {
  /** The name to ask for (SNI) and to verify. '' for neither: then whoever has a good chain is the server. */
  servername: string;
}

/** A close report that also tells how the handshake went, and which alerts were seen. */
export interface TlsCloseReport extends CloseReport {
  readonly handshake: HandshakeSummary;
  readonly alerts: readonly TlsAlert[];
  /** Both sides sent close_notify. Every `end` is so, unless the context takes a truncation for one. */
  readonly clean: boolean;
}

const HANDSHAKE_MS_DEFAULT = 10_000;

/** The handshake's limit. Throws `ApiMisuse` for what is no time. */
export function handshakeLimit(options: TlsOptions): number {
  const { handshakeMs = HANDSHAKE_MS_DEFAULT } = options;
  if (typeof handshakeMs === 'number' && handshakeMs >= 0) return handshakeMs;
  throw new ApiMisuse(`handshakeMs must be a number of 0 or more, not ${String(handshakeMs)}; Infinity for no limit`, {
    code: 'SLUICE_TLS_OPTIONS',
    layer: 'tls',
    operation: 'TlsBufferEvent',
  });
}

/** The part of the options that the session is about. */
export function sessionOptions(
  options: TlsOptions & { servername?: string },
  loop: EventLoop,
  onStaleEntries: (count: number) => void,
): TlsSessionOptions {
  const { pairBytes, store, servername, callsPerTurnMax, handshakeBytesMax } = options;
  return {
    ...(pairBytes === undefined ? {} : { pairBytes }),
    ...(store === undefined ? {} : { store }),
    ...(servername === undefined ? {} : { servername }),
    ...(callsPerTurnMax === undefined ? {} : { callsPerTurnMax }),
    ...(handshakeBytesMax === undefined ? {} : { handshakeBytesMax }),
    now: () => loop.now(),
    onStaleEntries,
  };
}
