import { channel } from 'node:diagnostics_channel';
import { LimitError, type SluiceError, type SluiceErrorCode } from '@sluice/errors';
import type { Address } from '@sluice/native';
import type { RejectReason } from './accept-limits.ts';
import type { BufferEvent } from './bufferevent.ts';
import type { BufferEventFlow } from './bufferevent-flow.ts';
import type { CloseReport } from './close-report.ts';
import { DebugLog } from './debug-log.ts';
import type { Listener } from './listener.ts';
import type { Server } from './server.ts';

/**
 * What is published on `node:diagnostics_channel`, by the channel's name. Subscribers are called where it happens, from
 * within whatever call brought it about, a `write` of the user's included: they are to look and to count, and not to
 * touch. While nobody subscribes to a channel, no message is made for it.
 */
export interface DiagnosticMessages {
  /** `connect` was called. */
  'sluice.connect.start': {
    bev: BufferEvent;
    host: string | undefined;
    port: number | undefined;
    path: string | undefined;
  };
  /** What it asked for stands, has failed, or was given up here (then there is no `error`). */
  'sluice.connect.end': { bev: BufferEvent; connected: boolean; error: SluiceError | undefined };
  /** A server took a connection. With a layer over it (TLS), that layer. */
  'sluice.server.accept': { bev: BufferEvent; server: Server; listener: Listener };
  /** A connection is gone; each layer tells of itself. Before its user is told. */
  'sluice.connection.close': { bev: BufferEvent; report: CloseReport };
  /**
   * A buffer has reached its high watermark (`high`: reading stops, or `write` answers false), or was relieved (`low`:
   * reading goes on, or output has drained). `bytes`: what it holds.
   */
  'sluice.buffer.pressure': { bev: BufferEvent; direction: 'read' | 'write'; level: 'high' | 'low'; bytes: number };
  /**
   * A limit said no. Of a connection: `error`, and its code as `limit`; it refused a write, or ended the connection. Of a
   * server that did not take a connection: the reason as `limit`, with `server`, `listener` and the peer's `address`.
   */
  'sluice.limit.rejected': {
    limit: SluiceErrorCode | RejectReason;
    bev: BufferEvent | undefined;
    error: SluiceError | undefined;
    server: Server | undefined;
    listener: Listener | undefined;
    address: Address | undefined;
  };
}

interface TypedChannel<Message> {
  readonly hasSubscribers: boolean;
  publish(message: Message): void;
}

function open<Name extends keyof DiagnosticMessages>(name: Name): TypedChannel<DiagnosticMessages[Name]> {
  return channel(name);
}

const connectStart = open('sluice.connect.start');
const connectEnd = open('sluice.connect.end');
const serverAccept = open('sluice.server.accept');
const connectionClose = open('sluice.connection.close');
const bufferPressure = open('sluice.buffer.pressure');
const limitRejected = open('sluice.limit.rejected');

/** With `NODE_DEBUG=sluice`. */
const debug = DebugLog.ofProcess();

/** Connections whose output was told to be full, and not yet to have drained. */
const full = new WeakSet<BufferEventFlow>();

export function tellConnectStart(bev: BufferEvent, to: { host?: string; port?: number; path?: string }): void {
  debug?.connectStart(bev, to);
  if (connectStart.hasSubscribers) connectStart.publish({ bev, host: to.host, port: to.port, path: to.path });
}

export function tellConnectEnd(bev: BufferEvent, connected: boolean, error?: SluiceError): void {
  debug?.connectEnd(bev, connected, error);
  if (connectEnd.hasSubscribers) connectEnd.publish({ bev, connected, error });
}

export function tellAccept(bev: BufferEvent, server: Server, listener: Listener): void {
  debug?.accept(bev, listener);
  if (serverAccept.hasSubscribers) serverAccept.publish({ bev, server, listener });
}

export function tellClose(bev: BufferEvent, report: CloseReport): void {
  debug?.close(bev, report);
  if (connectionClose.hasSubscribers) connectionClose.publish({ bev, report });
}

export function tellInput(bev: BufferEventFlow, level: 'high' | 'low'): void {
  debug?.pressure(bev as BufferEvent, 'read', level, bev.input.length);
  if (!bufferPressure.hasSubscribers) return;
  bufferPressure.publish({ bev: bev as BufferEvent, direction: 'read', level, bytes: bev.input.length });
}

/** `high` may be told at every write while output is full: only the first counts. */
export function tellOutput(bev: BufferEventFlow, level: 'high' | 'low'): void {
  if ((debug === undefined && !bufferPressure.hasSubscribers) || full.has(bev) === (level === 'high')) return;
  if (level === 'high') full.add(bev);
  else full.delete(bev);
  debug?.pressure(bev as BufferEvent, 'write', level, bev.output.length);
  if (!bufferPressure.hasSubscribers) return;
  bufferPressure.publish({ bev: bev as BufferEvent, direction: 'write', level, bytes: bev.output.length });
}

/** Tells if the error is a limit's. */
export function tellLimit(bev: BufferEventFlow, error: SluiceError): void {
  if ((debug === undefined && !limitRejected.hasSubscribers) || !(error instanceof LimitError)) return;
  debug?.limit(bev as BufferEvent, error);
  if (!limitRejected.hasSubscribers) return;
  const nothing = { server: undefined, listener: undefined, address: undefined };
  limitRejected.publish({ limit: error.code, bev: bev as BufferEvent, error, ...nothing });
}

export function tellNotTaken(
  server: Server,
  listener: Listener,
  limit: RejectReason,
  address: Address | undefined,
): void {
  debug?.notTaken(listener, limit, address);
  if (!limitRejected.hasSubscribers) return;
  limitRejected.publish({ limit, bev: undefined, error: undefined, server, listener, address });
}
