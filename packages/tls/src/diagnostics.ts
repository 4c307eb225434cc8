import { channel } from 'node:diagnostics_channel';
import { debuglog } from 'node:util';
import type { SluiceError } from '@sluice/errors';
import type { TlsBufferEvent } from './bufferevent-tls.ts';
import type { HandshakeSummary } from './handshake-trace.ts';
import { negotiatedStats } from './stats.ts';

/**
 * What is published on `node:diagnostics_channel` beside the messages of `@sluice/core`, under the same rules: look, and do
 * not touch. While nobody subscribes, no message is made.
 */
export interface TlsDiagnosticMessages {
  /** The transport is connected; the handshake's limit runs. */
  'sluice.tls.handshake.start': { bev: TlsBufferEvent };
  /** It is done (`bev.tls` tells what was negotiated), has failed, or was given up here (then there is no `error`). */
  'sluice.tls.handshake.end': {
    bev: TlsBufferEvent;
    done: boolean;
    handshake: HandshakeSummary;
    error: SluiceError | undefined;
  };
  /**
   * Before an operation of the connection, so many entries were found in the thread's OpenSSL error queue, left there by
   * somebody else (another addon), and dropped. They changed nothing; whoever left them has lost them.
   */
  'sluice.tls.errors.stale': { bev: TlsBufferEvent; count: number };
}

const STALE = 'sluice.tls.errors.stale';
const START = 'sluice.tls.handshake.start';
const END = 'sluice.tls.handshake.end';
const handshakeStart = channel(START);
const handshakeEnd = channel(END);
const staleErrors = channel(STALE);

export function tellStaleErrors(bev: TlsBufferEvent, count: number): void {
  if (!staleErrors.hasSubscribers) return;
  const message: TlsDiagnosticMessages[typeof STALE] = { bev, count };
  staleErrors.publish(message);
}

/** Lines on stderr, with `NODE_DEBUG=sluice:tls`. */
const debug = debuglog('sluice:tls');

export function tellHandshakeStart(bev: TlsBufferEvent): void {
  if (debug.enabled) debug('%s', `tls ${bev.id} shakes hands`);
  if (!handshakeStart.hasSubscribers) return;
  const message: TlsDiagnosticMessages[typeof START] = { bev };
  handshakeStart.publish(message);
}

export function tellHandshakeEnd(bev: TlsBufferEvent, done: boolean, error?: SluiceError): void {
  if (debug.enabled) debug('%s', handshakeLine(bev, error));
  if (!handshakeEnd.hasSubscribers) return;
  const message: TlsDiagnosticMessages[typeof END] = { bev, done, handshake: bev.handshake.summary, error };
  handshakeEnd.publish(message);
}

/** How a handshake ended, for people. */
export function handshakeLine(bev: TlsBufferEvent, error: SluiceError | undefined): string {
  const { acceptCalls, wantRead, wantWrite, durationMs } = bev.handshake.summary;
  const negotiated = negotiatedStats(bev.tls);
  const failed =
    error === undefined ? 'gave its handshake up' : `failed to shake hands, ${error.code}: ${error.message}`;
  const how =
    negotiated === null
      ? failed
      : `has shaken hands: ${negotiated.version} ${negotiated.cipher}${negotiated.resumed ? ', resumed' : ''}`;
  return `tls ${bev.id} ${how}; ${acceptCalls} calls, ${wantRead} wanted input, ${wantWrite} output, ${Math.round(durationMs)} ms`;
}
