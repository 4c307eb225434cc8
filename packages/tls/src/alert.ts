/** One TLS alert that was sent or received, as OpenSSL saw it on its way. */
export interface TlsAlert {
  /** True: this side sent it; false: the peer did. */
  readonly sent: boolean;
  /** 1 warning, 2 fatal. TLS 1.3 ignores the level; only the number decides. */
  readonly level: number;
  /** The alert's number on the wire, 0 to 255. */
  readonly description: number;
  /** Its name in the RFCs, or `alert 123` when it has none. */
  readonly name: string;
}

/** Alerts that leave no trace in OpenSSL's error queue and must be watched for. */
export const Alert = { closeNotify: 0, userCanceled: 90 } as const;

/** Alerts that are kept of one session; nobody honest sends more. */
export const ALERTS_MAX = 16;

/** The name of an alert (RFC 8446, 6; RFC 5246, 7.2; RFC 7301). */
export function alertName(description: number): string {
  return NAMES[description] ?? `alert ${description}`;
}

/** Turns the engine's flat triples (sent, level, description) into alerts. */
export function alertsFromTriples(triples: Int32Array): TlsAlert[] {
  const alerts: TlsAlert[] = [];
  for (let at = 0; at + 2 < triples.length; at += 3) {
    const description = triples[at + 2] ?? 0;
    alerts.push({ sent: triples[at] === 1, level: triples[at + 1] ?? 0, description, name: alertName(description) });
  }
  return alerts;
}

const NAMES: Readonly<Record<number, string>> = {
  0: 'close_notify',
  10: 'unexpected_message',
  20: 'bad_record_mac',
  21: 'decryption_failed',
  22: 'record_overflow',
  30: 'decompression_failure',
  40: 'handshake_failure',
  41: 'no_certificate',
  42: 'bad_certificate',
  43: 'unsupported_certificate',
  44: 'certificate_revoked',
  45: 'certificate_expired',
  46: 'certificate_unknown',
  47: 'illegal_parameter',
  48: 'unknown_ca',
  49: 'access_denied',
  50: 'decode_error',
  51: 'decrypt_error',
  60: 'export_restriction',
  70: 'protocol_version',
  71: 'insufficient_security',
  80: 'internal_error',
  86: 'inappropriate_fallback',
  90: 'user_canceled',
  100: 'no_renegotiation',
  109: 'missing_extension',
  110: 'unsupported_extension',
  111: 'certificate_unobtainable',
  112: 'unrecognized_name',
  113: 'bad_certificate_status_response',
  114: 'bad_certificate_hash_value',
  115: 'unknown_psk_identity',
  116: 'certificate_required',
  120: 'no_application_protocol',
};
