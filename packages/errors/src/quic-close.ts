import { classifyClose } from './close-verdict.ts';
import type { CloseInfo } from './close-info.ts';
import { sslReasonNames } from './ssl-reasons.ts';
import { sslVerdicts } from './ssl-verdicts.ts';
import { type Verdict, verdicts } from './verdicts.ts';

/** The verdict on a close of a QUIC connection: the transport's codes are those of RFC 9000, TLS alerts among them. */
export function classifyQuicClose(info: CloseInfo): Verdict {
  if (!info.transport) return classifyClose(info);
  if (info.remote && info.code === CONNECTION_REFUSED) return refused;
  if (!info.remote && info.code === INTERNAL_ERROR) return verdicts.internal;
  const alert = alertOf(info.code);
  return (info.remote && alert !== undefined ? alertVerdict(alert) : undefined) ?? classifyClose(info);
}

/** The name of a transport's code: 'FLOW_CONTROL_ERROR', 'CRYPTO_ERROR 120' with the number of the alert; '' when unknown. */
export function quicCodeName(code: bigint): string {
  const alert = alertOf(code);
  return alert === undefined ? (CODE_NAMES[Number(code)] ?? '') : `CRYPTO_ERROR ${alert}`;
}

const INTERNAL_ERROR = 0x1n;
const CONNECTION_REFUSED = 0x2n;

/** From 0x100 on a code is a TLS alert's number. */
const CRYPTO_ERROR = 0x100n;
const ALERTS = 0x100n;

function alertOf(code: bigint): number | undefined {
  return code >= CRYPTO_ERROR && code < CRYPTO_ERROR + ALERTS ? Number(code - CRYPTO_ERROR) : undefined;
}

/** OpenSSL's reasons for alerts received begin at 1000. */
function alertVerdict(alert: number): Verdict {
  const name = sslReasonNames.get(1000 + alert);
  return (name === undefined ? undefined : sslVerdicts.get(name)) ?? verdicts.alert;
}

const refused: Verdict = {
  what: 'REFUSED',
  blame: 'remote',
  remedy: 'retry',
  logLevel: 'warn',
  end: 'failed',
  says: 'the peer takes no connection for now',
  advice: 'Try again later.',
};

const CODE_NAMES: readonly string[] = [
  'NO_ERROR',
  'INTERNAL_ERROR',
  'CONNECTION_REFUSED',
  'FLOW_CONTROL_ERROR',
  'STREAM_LIMIT_ERROR',
  'STREAM_STATE_ERROR',
  'FINAL_SIZE_ERROR',
  'FRAME_ENCODING_ERROR',
  'TRANSPORT_PARAMETER_ERROR',
  'CONNECTION_ID_LIMIT_ERROR',
  'PROTOCOL_VIOLATION',
  'INVALID_TOKEN',
  'APPLICATION_ERROR',
  'CRYPTO_BUFFER_EXCEEDED',
  'KEY_UPDATE_ERROR',
  'AEAD_LIMIT_REACHED',
  'NO_VIABLE_PATH',
];
