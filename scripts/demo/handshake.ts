/** One handshake, seen from the server: each call of SSL_accept, what it wanted and what moved. */
import { once } from 'node:events';
import { connect as tlsConnect } from 'node:tls';
import { serve } from '@sluice/core';
import { type HandshakeTrace, TlsBufferEvent, type TlsContext, tlsServer } from '@sluice/tls';

export interface HandshakeOptions {
  context: TlsContext;
  /** PEM of the root that the client trusts. */
  ca: string;
  pairBytes: number;
}

/** Serves one `node:tls` client in this process, and returns the trace of its handshake. */
export async function traceHandshake({ context, ca, pairBytes }: HandshakeOptions): Promise<HandshakeTrace> {
  const traces: HandshakeTrace[] = [];
  const server = await serve(
    { host: '127.0.0.1', port: 0, wrap: tlsServer(context, { pairBytes }) },
    {
      connected(bev) {
        if (bev instanceof TlsBufferEvent) traces.push(bev.handshake);
        bev.end();
      },
    },
  );
  const [listener] = server.listening;
  const client = tlsConnect({ host: '127.0.0.1', port: listener?.address.port ?? 0, servername: 'localhost', ca });
  client.resume();
  await once(client, 'close');
  await server.close();
  const [trace] = traces;
  if (trace === undefined) throw new Error('the handshake was not completed');
  return trace;
}
