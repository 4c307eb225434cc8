import { ApiMisuse } from '@sluice/errors';
import type { TlsContext } from './context.ts';

/**
 * Where ciphertext waits. `pair`: in an OpenSSL BIO pair, two rings of `pairBytes` allocated with the connection.
 * `borrowed`: in the caller's memory, read and written where it lies; only output that finds no room is kept, up to
 * `pairBytes`. Both refuse and retry alike; `borrowed` copies less and holds nothing for an idle connection.
 */
export type CipherStore = 'borrowed' | 'pair';

export interface TlsSessionOptions {
  /**
   * Bytes of ciphertext per direction that may wait between OpenSSL and the caller, 1 to 1 MiB. Default 17 KiB, as in
   * OpenSSL's BIO pair: one record of full size.
   */
  pairBytes?: number;
  /** See `CipherStore`. Default 'borrowed'. */
  store?: CipherStore;
  /** Client: the name to ask for (SNI) and to verify. */
  servername?: string;
  /**
   * Engine calls per turn; then the turn ends with `retry` set. Default 32: a handshake over the usual pair needs 3 or
   * 4, and one over a tiny pair does not keep other connections waiting.
   */
  callsPerTurnMax?: number;
  /**
   * Ciphertext that the peer may send before the handshake is done. By default its longest certificate list plus 64
   * KiB: the other messages take a few.
   */
  handshakeBytesMax?: number;
  /** Monotonic milliseconds, for the handshake's duration. */
  now?: () => number;
  /** Told of entries of somebody else's that lay in the thread's error queue before a call, and were dropped. */
  onStaleEntries?: (count: number) => void;
}

export const PAIR_BYTES_DEFAULT: number = 17 * 1024;
export const CALLS_PER_TURN_DEFAULT = 32;
/** More holds memory for nothing: a record is 16 KiB. */
const PAIR_BYTES_MAX = 1024 * 1024;
const HANDSHAKE_BYTES_SPARE = 64 * 1024;

/** All of them, checked. Throws `ApiMisuse` that names the wrong one. */
export function resolveOptions(options: TlsSessionOptions, context: TlsContext): Required<TlsSessionOptions> {
  const {
    pairBytes = PAIR_BYTES_DEFAULT,
    callsPerTurnMax = CALLS_PER_TURN_DEFAULT,
    handshakeBytesMax = context.certListBytesMax + HANDSHAKE_BYTES_SPARE,
  } = options;
  return {
    pairBytes: checked('pairBytes', pairBytes, PAIR_BYTES_MAX),
    store: checkedStore(options.store ?? 'borrowed'),
    servername: options.servername ?? '',
    callsPerTurnMax: checked('callsPerTurnMax', callsPerTurnMax, Number.POSITIVE_INFINITY),
    handshakeBytesMax: checked('handshakeBytesMax', handshakeBytesMax, Number.POSITIVE_INFINITY),
    now: options.now ?? (() => performance.now()),
    onStaleEntries: options.onStaleEntries ?? (() => {}),
  };
}

function checked(option: string, value: number, max: number): number {
  if (value >= 1 && value <= max && (Number.isSafeInteger(value) || value === Number.POSITIVE_INFINITY)) return value;
  throw misuse(`TlsSession: ${option} must be a whole number from 1 to ${max}, not ${value}`);
}

function checkedStore(store: CipherStore): CipherStore {
  if (store === 'borrowed' || store === 'pair') return store;
  throw misuse(`TlsSession: store must be 'borrowed' or 'pair', not ${String(store)}`);
}

function misuse(message: string): ApiMisuse {
  return new ApiMisuse(message, { code: 'SLUICE_TLS_OPTIONS', layer: 'tls', operation: 'TlsSession' });
}
