/**
 * `Bun.listen` as its users write it. A Bun socket does not buffer: `write` tells how much it took, and the rest must be
 * kept and written again when the socket has drained.
 */
import { announce, peerOptions } from './peer-options.ts';

interface BunSocket {
  data: Unsent | undefined;
  write(bytes: Uint8Array): number;
  pause(): void;
  resume(): void;
  setNoDelay(on: boolean): void;
  end(): void;
}

interface Unsent {
  bytes: Uint8Array;
}

declare const Bun: {
  listen(options: {
    hostname: string;
    port: number;
    tls: { cert: string; key: string } | undefined;
    socket: {
      open(socket: BunSocket): void;
      data(socket: BunSocket, bytes: Uint8Array): void;
      drain(socket: BunSocket): void;
      end(socket: BunSocket): void;
      error(socket: BunSocket, error: Error): void;
    };
  }): { port: number };
};

const { port, host, tls } = peerOptions();

/** Writes what the socket takes, and keeps the rest; until that is gone, nothing more is read. */
function send(socket: BunSocket, bytes: Uint8Array): void {
  const taken = Math.max(0, socket.write(bytes));
  if (taken === bytes.length) return;
  // A copy: Bun's chunk is only valid during the callback.
  socket.data = { bytes: bytes.slice(taken) };
  socket.pause();
}

function append(unsent: Unsent, bytes: Uint8Array): void {
  const joined = new Uint8Array(unsent.bytes.length + bytes.length);
  joined.set(unsent.bytes);
  joined.set(bytes, unsent.bytes.length);
  unsent.bytes = joined;
}

const server: { port: number } = Bun.listen({
  hostname: host,
  port,
  tls,
  socket: {
    open(socket) {
      socket.data = undefined;
      socket.setNoDelay(true);
    },
    data(socket, bytes) {
      if (socket.data === undefined) send(socket, bytes);
      else append(socket.data, bytes);
    },
    drain(socket) {
      const unsent = socket.data;
      if (unsent === undefined) return;
      socket.data = undefined;
      send(socket, unsent.bytes);
      if (socket.data === undefined) socket.resume();
    },
    end(socket) {
      socket.end();
    },
    error(socket) {
      socket.end();
    },
  },
});
announce(server.port);
