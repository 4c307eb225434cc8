/** `node:net` and `node:tls` as their users write them, with backpressure respected. */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { announce, peerOptions } from './peer-options.ts';

const { port, host, tls } = peerOptions();

function echo(socket: Socket): void {
  socket.on('data', (bytes) => {
    if (!socket.write(bytes)) socket.pause();
  });
  socket.on('drain', () => socket.resume());
  socket.on('error', () => socket.destroy());
}

const server: Server =
  tls === undefined ? createServer({ noDelay: true }, echo) : createTlsServer({ ...tls, noDelay: true }, echo);
server.listen({ port, host, backlog: 4096 }, () => announce((server.address() as AddressInfo).port));
