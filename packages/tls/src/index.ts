/** TLS for any BufferEvent, on Node's own OpenSSL over a bounded BIO pair. See README.md. */
export { Alert, ALERTS_MAX, alertName, type TlsAlert } from './alert.ts';
export { TlsContext } from './context.ts';
export type {
  ClientContextOptions,
  Pem,
  ServerContextOptions,
  TlsContextOptions,
  TlsRole,
  TlsVersion,
} from './context-options.ts';
export type { TlsDiagnosticMessages } from './diagnostics.ts';
export { HANDSHAKE_CALLS_KEPT, type HandshakeCall, type HandshakeSummary, HandshakeTrace } from './handshake-trace.ts';
export { TlsSession } from './session.ts';
export {
  CALLS_PER_TURN_DEFAULT,
  type CipherStore,
  PAIR_BYTES_DEFAULT,
  type TlsSessionOptions,
} from './session-options.ts';
export { type FailureKind, type SessionFailure, SslError } from './session-failure.ts';
export type { NegotiatedStats, TlsBufferEventStats, TlsSessionStats } from './stats.ts';
export { type TurnIo, turnIo, type TurnOperation, type TurnOutcome } from './turn.ts';
export { TlsBufferEvent } from './bufferevent-tls.ts';
export type { TlsClientOptions, TlsCloseReport, TlsOptions } from './tls-options.ts';
export { connectTls, tlsClient, type TlsConnectOptions, tlsServer, type TlsWrap } from './wrap.ts';
