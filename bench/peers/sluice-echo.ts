/** Sluice as its users write it: one handler, and the same for TCP and TLS. */
import { type Handlers, serve } from '@sluice/core';
import { TlsContext, tlsServer } from '@sluice/tls';
import { announce, peerOptions } from './peer-options.ts';

const { port, host, tls } = peerOptions();

const echo: Handlers = {
  data(bev) {
    bev.output.appendFrom(bev.input);
  },
};

const flow = { pauseReadWhenFull: true };
const wrap = tls === undefined ? {} : { wrap: tlsServer(TlsContext.server(tls), flow) };
const server = await serve({ port, host, backlog: 4096, ...flow, ...wrap }, echo);
for (const { address } of server.listening) announce(address.port);
