import type { ErrorEntry } from '@sluice/errors';
import { Alert, type TlsAlert } from './alert.ts';
import type { TurnOperation } from './turn.ts';

/** Numbers of `SSL_get_error`. */
export const SslError = { none: 0, ssl: 1, wantRead: 2, wantWrite: 3, syscall: 5, zeroReturn: 6 } as const;

/** SSL_R_UNEXPECTED_EOF_WHILE_READING, packed. */
export const UNEXPECTED_EOF = 0x0a000126;

/**
 * What ended a session before its time.
 *
 * - `truncated`: the transport ended without close_notify
 * - `canceled`: the peer gave the handshake up in order (user_canceled, close_notify)
 * - `limit`: the peer sent more than a handshake may be long
 * - `alert`: the peer refused, with the alert that is the last in `alerts`
 * - `fault`: OpenSSL found a fault and (if it could) sent an alert about it
 */
export type FailureKind = 'truncated' | 'canceled' | 'limit' | 'alert' | 'fault';

export interface SessionFailure {
  readonly kind: FailureKind;
  /** The OpenSSL function that reported it. */
  readonly operation: string;
  /** `handshake/flight 1`, or `data`. */
  readonly phase: string;
  /** Of `SSL_get_error`. */
  readonly sslError: number;
  /** OpenSSL's error queue after the call, oldest first. */
  readonly entries: readonly ErrorEntry[];
  /** Alerts sent and received up to now, oldest first. */
  readonly alerts: readonly TlsAlert[];
  /** X509_V_* of the peer's chain and its text; 0 when it was good or not looked at. */
  readonly verifyResult: number;
  readonly verifyText: string;
}

/** The OpenSSL function behind an operation. */
export function functionName(operation: TurnOperation, role: 'server' | 'client'): string {
  switch (operation) {
    case 'handshake':
      return role === 'server' ? 'SSL_accept' : 'SSL_connect';
    case 'read':
      return 'SSL_read';
    case 'write':
      return 'SSL_write';
    case 'shutdown':
      return 'SSL_shutdown';
    default:
      return 'BIO_read';
  }
}

/** Tells the kinds apart by the whole queue and the alerts, never by the queue's first entry alone. */
export function failureKind(
  sslError: number,
  entries: readonly ErrorEntry[],
  alerts: readonly TlsAlert[],
  inputEnded: boolean,
): FailureKind {
  if (entries.some((entry) => entry.code === UNEXPECTED_EOF)) return 'truncated';
  const last = alerts.at(-1);
  const received = last?.sent === false ? last.description : undefined;
  const saidGoodbye = alerts.some(({ sent, description }) => !sent && description === Alert.closeNotify);
  // So it is where OpenSSL was told to take the transport's end for close_notify.
  if (sslError === SslError.zeroReturn && inputEnded && !saidGoodbye) return 'truncated';
  // For a close_notify in mid-handshake TLS 1.2 says ZERO_RETURN, TLS 1.3 SYSCALL; neither leaves an entry.
  if (sslError === SslError.zeroReturn || (entries.length === 0 && received === Alert.closeNotify)) return 'canceled';
  if (inputEnded && sslError === SslError.syscall && entries.length === 0) return 'truncated';
  return received === undefined || isWarning(received) ? 'fault' : 'alert';
}

/** close_notify and user_canceled refuse nothing. */
function isWarning(description: number): boolean {
  return description === Alert.closeNotify || description === Alert.userCanceled;
}
