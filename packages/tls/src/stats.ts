import type { BufferEventStats } from '@sluice/core';
import type { NativeTlsInfo } from '@sluice/native';
import type { HandshakeSummary } from './handshake-trace.ts';
import type { TlsSession } from './session.ts';

/** A snapshot of a session: plain values. Bytes are of ciphertext. */
export interface TlsSessionStats {
  readonly handshakeDone: boolean;
  readonly handshake: HandshakeSummary;
  /** Taken in and given out. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Bytes per direction of the pair; what waits in it to leave; plaintext of a write that is not finished. */
  readonly pairBytes: number;
  readonly pendingOutBytes: number;
  readonly pendingWriteBytes: number;
  /** Held in front of the engine. */
  readonly memoryBytes: number;
  /** OpenSSL calls made, and those of them that moved nothing and that nothing gave reason for. */
  readonly calls: number;
  readonly spins: number;
  /** Error entries of somebody else's that were found in the thread's queue. */
  readonly staleEntries: number;
  readonly alerts: number;
  readonly closeNotifySent: boolean;
  readonly closeNotifyReceived: boolean;
}

/** What was negotiated, for people. */
export interface NegotiatedStats {
  /** 'TLSv1.3' */
  readonly version: string;
  readonly cipher: string;
  readonly alpn: string;
  readonly servername: string;
  readonly resumed: boolean;
}

/** A snapshot of a TLS connection: plain values. */
export interface TlsBufferEventStats extends BufferEventStats {
  readonly session: TlsSessionStats;
  /** Null until the handshake is done. */
  readonly negotiated: NegotiatedStats | null;
  /** See `TlsBufferEvent.memoryBytes`. */
  readonly memoryBytes: number;
}

export function sessionStats(session: TlsSession): TlsSessionStats {
  return {
    handshakeDone: session.handshakeDone,
    handshake: session.trace.summary,
    bytesIn: session.bytesIn,
    bytesOut: session.bytesOut,
    pairBytes: session.pairBytes,
    pendingOutBytes: session.pendingOut,
    pendingWriteBytes: session.pendingWriteBytes,
    memoryBytes: session.memoryBytes,
    calls: session.calls,
    spins: session.spins,
    staleEntries: session.staleEntries,
    alerts: session.alerts.length,
    closeNotifySent: session.closeNotifySent,
    closeNotifyReceived: session.closeNotifyReceived,
  };
}

export function negotiatedStats(info: NativeTlsInfo | undefined): NegotiatedStats | null {
  if (info === undefined) return null;
  const { version, cipher, alpn, servername, resumed } = info;
  // On the wire TLS 1.2 is 3.3, and 1.3 is 3.4.
  return { version: `TLSv1.${(version & 0xff) - 1}`, cipher, alpn, servername, resumed };
}
