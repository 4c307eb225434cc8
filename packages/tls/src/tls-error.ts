import {
  contextOf,
  createEntry,
  DataFlag,
  type ErrorEntry,
  errorFromEntries,
  LimitError,
  Library,
  packCode,
  type SluiceError,
  TimeoutError,
} from '@sluice/errors';
import { opensslNames } from './names.ts';
import { type SessionFailure, UNEXPECTED_EOF } from './session-failure.ts';

const CERTIFICATE_VERIFY_FAILED = packCode(Library.ssl, 134);
const USER_CANCELLED = packCode(Library.ssl, 1090);

/** The error for a failed session: cause from the whole queue, with the phase, the alerts and the verify result. */
export function errorOfFailure(failure: SessionFailure): SluiceError {
  const operation = operationOf(failure.phase);
  if (failure.kind === 'limit') {
    return new LimitError(`${operation} failed: the peer sent more than handshakeBytesMax allows before it was done`, {
      code: 'SLUICE_TLS_HANDSHAKE_BYTES',
      layer: 'tls',
      operation,
      blame: 'remote',
      remedy: 'close',
      end: 'failed',
      direction: 'read',
    });
  }
  return errorFromEntries(entriesOf(failure), {
    layer: 'tls',
    operation,
    direction: failure.kind === 'truncated' ? 'read' : 'both',
    names: opensslNames,
  });
}

/** The handshake's limit has passed. */
export function handshakeTimeoutError(phase: string, limitMs: number, waitsFor: string): TimeoutError {
  return new TimeoutError(`tls ${phase}: not done within ${limitMs} ms; it waited for ${waitsFor}`, {
    code: 'SLUICE_TLS_HANDSHAKE_TIMEOUT',
    layer: 'tls',
    operation: operationOf(phase),
    blame: 'remote',
    remedy: 'close',
    end: 'timeout',
    direction: 'both',
  });
}

/** close_notify, or what was written before it, could not be sent in time. */
export function closeTimeoutError(limitMs: number): TimeoutError {
  return new TimeoutError(`tls close: close_notify could not be sent within ${limitMs} ms; the peer does not read`, {
    code: 'SLUICE_TLS_CLOSE_TIMEOUT',
    layer: 'tls',
    operation: 'tls close',
    blame: 'remote',
    remedy: 'close',
    end: 'timeout',
    direction: 'write',
  });
}

/** The transport failed under a handshake: the same error, with the phase told. */
export function errorFromBelow(error: SluiceError, phase: string): SluiceError {
  return errorFromEntries(error.entries, {
    ...contextOf(error),
    operation: operationOf(phase),
    message: `tls ${phase}: ${error.message}`,
    cause: error,
  });
}

function operationOf(phase: string): string {
  return phase === 'data' ? 'tls data' : `tls ${phase}`;
}

/** OpenSSL's entries, and for what leaves none the entry that says it. */
function entriesOf(failure: SessionFailure): readonly ErrorEntry[] {
  const { kind, entries, operation: func } = failure;
  if (kind === 'truncated' && entries.length === 0) return [createEntry({ code: UNEXPECTED_EOF, func })];
  if (kind === 'canceled') return [createEntry({ code: USER_CANCELLED, func, data: alertsText(failure) })];
  if (failure.verifyResult === 0) return entries;
  const data = `verify result ${failure.verifyResult}: ${failure.verifyText}`;
  const flags = DataFlag.owned | DataFlag.text;
  return entries.map((entry) => (entry.code === CERTIFICATE_VERIFY_FAILED ? { ...entry, data, flags } : entry));
}

function alertsText(failure: SessionFailure): string {
  return failure.alerts.map(({ sent, name }) => `${sent ? 'sent' : 'received'} ${name}`).join(', ');
}
