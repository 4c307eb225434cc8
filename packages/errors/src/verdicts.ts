import type { EndKind } from './end.ts';
import type { Blame, LogLevel, Remedy } from './sluice-error.ts';

/** What a reason comes to: whose doing, what to do, how it ends the connection, and how to say it. */
export interface Verdict {
  /** The last part of the code: `SLUICE_<LAYER>_<what>`. */
  readonly what: string;
  readonly blame: Blame;
  readonly remedy: Remedy;
  readonly logLevel: LogLevel;
  /** How it ends the connection; absent when the connection goes on, or never was. */
  readonly end?: EndKind;
  /** What happened, as the middle of a sentence. */
  readonly says: string;
  /** What to do about it, as a sentence; '' when there is nothing. */
  readonly advice: string;
  /** It covers another entry that says more, if there is one. */
  readonly cover?: true;
}

const peer = { blame: 'remote', remedy: 'close', logLevel: 'info', end: 'failed', advice: '' } as const;
const own = { blame: 'local', remedy: 'fix', logLevel: 'error' } as const;

const truncated: Verdict = {
  ...peer,
  what: 'TRUNCATED',
  end: 'truncated',
  says: 'the peer ended the connection without saying so in TLS (no close_notify)',
  advice: 'Treat what arrived as possibly cut short.',
};
const peerProtocol: Verdict = { ...peer, what: 'PROTOCOL', says: 'the peer broke the rules of the protocol' };
const badRecord: Verdict = {
  ...peer,
  what: 'BAD_RECORD',
  logLevel: 'warn',
  says: 'a record from the peer did not decrypt: it was damaged or changed on its way',
};
const notTls: Verdict = {
  ...peer,
  what: 'NOT_TLS',
  says: 'what the peer sent is not TLS, or a version of it that is not spoken here',
  advice: 'Look whether it is a plain-text client, or a scan.',
};
const noAgreement: Verdict = {
  ...peer,
  what: 'NO_AGREEMENT',
  says: 'the peer offers nothing that is allowed here (version, cipher, group or signature)',
  advice: 'If the peer should be served, widen what the context allows, or use another kind of key.',
};
const noApplicationProtocol: Verdict = {
  ...peer,
  what: 'NO_APPLICATION_PROTOCOL',
  says: 'the peer offers no application protocol (ALPN) that is spoken here',
  advice: 'If the peer should be served, add its protocol to the alpn list.',
};
const tooMuch: Verdict = {
  ...peer,
  what: 'TOO_MUCH',
  logLevel: 'warn',
  says: 'the peer sent more than a limit allows',
};
const peerCertificate: Verdict = {
  ...peer,
  what: 'BAD_CERTIFICATE',
  logLevel: 'warn',
  says: "the peer's certificate was not accepted",
  advice: 'If it should be, add its issuer to ca, and check the name and the dates.',
};
const peerCertificateMissing: Verdict = {
  ...peer,
  what: 'NO_CERTIFICATE',
  says: 'the peer showed no certificate, and one is required',
  advice: '',
};
const alert: Verdict = { ...peer, what: 'ALERT', says: 'the peer gave up and sent an alert' };
const alertAgreement: Verdict = {
  ...peer,
  what: 'ALERT_NO_AGREEMENT',
  remedy: 'fix',
  says: 'the peer refused what is offered here (version, cipher, group, name or protocol)',
  advice: 'Compare versions, ciphers, groups, alpn and the server name of both sides.',
};
const alertCertificate: Verdict = {
  ...peer,
  what: 'ALERT_CERTIFICATE',
  remedy: 'fix',
  logLevel: 'warn',
  says: 'the peer refused the certificate of this side',
  advice: 'Check that it is in date, sends its whole chain, and that the peer knows its issuer.',
};
const alertCancelled: Verdict = {
  ...peer,
  what: 'ALERT_USER_CANCELLED',
  end: 'aborted',
  says: 'the peer cancelled the handshake',
};
const config: Verdict = {
  ...own,
  what: 'CONFIG',
  says: 'the configuration cannot be used',
  advice: 'Check the option that the entries name.',
};
const noCertificate: Verdict = {
  ...own,
  what: 'CONFIG_CERTIFICATE',
  says: 'the certificate or key of this side is missing, too weak, or does not fit',
  advice: 'Check cert and key.',
};
const misuse: Verdict = {
  ...own,
  what: 'API_MISUSE',
  says: 'the engine was called in a way its rules forbid: a bug in the program that called it',
  advice: '',
};
const callback: Verdict = {
  ...own,
  what: 'CALLBACK_FAILED',
  end: 'failed',
  says: 'a callback of this side failed',
  advice: '',
};
const internal: Verdict = {
  ...own,
  what: 'INTERNAL',
  remedy: 'close',
  end: 'failed',
  says: 'the engine underneath failed inside',
  advice: 'Report it with its entries.',
};
const terminated: Verdict = {
  blame: 'local',
  remedy: 'close',
  logLevel: 'info',
  what: 'CONNECTION_TERMINATED',
  end: 'failed',
  says: 'the channel has ended',
  advice: '',
  cover: true,
};
const timedOut: Verdict = {
  ...peer,
  what: 'TIMEOUT',
  end: 'timeout',
  says: 'the peer did not answer in time',
};
const network: Verdict = {
  what: 'NETWORK',
  blame: 'system',
  remedy: 'close',
  logLevel: 'error',
  end: 'failed',
  says: 'the socket under the connection failed',
  advice: '',
  cover: true,
};
const streamReset: Verdict = { ...peer, what: 'STREAM_RESET', end: 'reset', says: 'the peer reset the stream' };
const streamMisuse: Verdict = {
  ...own,
  what: 'STREAM_DIRECTION',
  says: 'the stream does not go that way, or its writing has been concluded',
  advice: 'Look at the direction of the stream before reading or writing.',
};
const streamLimit: Verdict = {
  what: 'STREAM_LIMIT',
  blame: 'remote',
  remedy: 'retry',
  logLevel: 'debug',
  says: 'the peer allows no more streams for now',
  advice: 'Open the stream when another has ended.',
};
const quicProtocol: Verdict = { ...peerProtocol, cover: true };
const handshake: Verdict = { ...peerProtocol, what: 'HANDSHAKE', says: 'the handshake failed', cover: true };
const recordLayer: Verdict = { ...badRecord, cover: true };

/** Every verdict on an entry that is not of the system, by name. */
export const verdicts: Readonly<Record<VerdictName, Verdict>> = {
  truncated,
  peerProtocol,
  badRecord,
  notTls,
  noAgreement,
  noApplicationProtocol,
  tooMuch,
  peerCertificate,
  peerCertificateMissing,
  alert,
  alertAgreement,
  alertCertificate,
  alertCancelled,
  config,
  noCertificate,
  misuse,
  callback,
  internal,
  terminated,
  timedOut,
  network,
  streamReset,
  streamMisuse,
  streamLimit,
  quicProtocol,
  handshake,
  recordLayer,
};

/** The name of a verdict. */
export type VerdictName =
  | 'truncated'
  | 'peerProtocol'
  | 'badRecord'
  | 'notTls'
  | 'noAgreement'
  | 'noApplicationProtocol'
  | 'tooMuch'
  | 'peerCertificate'
  | 'peerCertificateMissing'
  | 'alert'
  | 'alertAgreement'
  | 'alertCertificate'
  | 'alertCancelled'
  | 'config'
  | 'noCertificate'
  | 'misuse'
  | 'callback'
  | 'internal'
  | 'terminated'
  | 'timedOut'
  | 'network'
  | 'streamReset'
  | 'streamMisuse'
  | 'streamLimit'
  | 'quicProtocol'
  | 'handshake'
  | 'recordLayer';
