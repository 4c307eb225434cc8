import { abortConnecting, type BufferEvent, connect, type ConnectionOptions, type ConnectOptions } from '@sluice/core';
import { ApiMisuse } from '@sluice/errors';
import { TlsBufferEvent } from './bufferevent-tls.ts';
import type { TlsContext } from './context.ts';
import type { TlsClientOptions, TlsOptions } from './tls-options.ts';

/**
 * Puts TLS over a transport that is connected, or will be. A server gives its own connection options along: they are the
 * connection's that the handlers see, as far as the wrap's own do not say otherwise.
 */
export type TlsWrap = (transport: BufferEvent, options?: ConnectionOptions) => TlsBufferEvent;

/** The `wrap` of a listener: each accepted connection becomes the server's side of a TLS connection. */
export function tlsServer(context: TlsContext, options: TlsOptions = {}): TlsWrap {
  requireRole(context, 'server', 'tlsServer');
  return (transport, inherited) => new TlsBufferEvent(transport, context, { ...inherited, ...options });
}

/** The client's side, over any transport. */
export function tlsClient(context: TlsContext, options: TlsClientOptions): TlsWrap {
  requireRole(context, 'client', 'tlsClient');
  if (typeof options?.servername !== 'string') {
    throw new ApiMisuse("tlsClient: servername must be the server's name, or '' to verify no name", {
      layer: 'tls',
      operation: 'tlsClient',
    });
  }
  return (transport, inherited) => new TlsBufferEvent(transport, context, { ...inherited, ...options });
}

export interface TlsConnectOptions extends ConnectOptions {
  tls?: Omit<TlsClientOptions, 'servername'> & { servername?: string };
}

/** `connect`, then TLS; a `signal` gives up both, and the handshake. The name to verify is `tls.servername`, else the host that is connected to. */
export function connectTls(context: TlsContext, options: TlsConnectOptions): TlsBufferEvent {
  const { tls = {}, ...connectOptions } = options;
  const servername = tls.servername ?? options.host ?? (options.path === undefined ? 'localhost' : undefined);
  if (servername === undefined) {
    throw new ApiMisuse("connectTls: a path says no name: give tls.servername, or '' to verify none", {
      layer: 'tls',
      operation: 'connectTls',
    });
  }
  const wrap = tlsClient(context, { ...tls, servername });
  const bev = wrap(connect(connectOptions));
  abortConnecting(bev, options.signal, 'connectTls');
  return bev;
}

function requireRole(context: TlsContext, role: 'server' | 'client', operation: string): void {
  if (context.role === role) return;
  throw new ApiMisuse(`${operation}: the context is a ${context.role}'s; make one with TlsContext.${role}`, {
    layer: 'tls',
    operation,
  });
}
