/** Sluice as its users write it: one handler, and the same for TCP and TLS. */
import { serve } from '@sluice/core';
import { announce, peerOptions } from './peer-options.ts';

const { port, host } = peerOptions();

const server = await serve(
  { port, host, backlog: 4096, pauseReadWhenFull: true },
  {
    data(bev) {
      bev.output.appendFrom(bev.input);
    },
  },
);
for (const { address } of server.listening) announce(address.port);
