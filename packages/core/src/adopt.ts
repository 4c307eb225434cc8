import { errorFromErrno } from '@sluice/errors';
import { misuse, nameOf } from './arguments.ts';
import { checkSocketOptions, type SocketOptions, SocketBufferEvent } from './bufferevent-socket.ts';
import { EventLoop } from './event-loop.ts';
import { Reactor } from './reactor.ts';

export interface AdoptOptions extends SocketOptions {
  loop?: EventLoop;
}

/**
 * Takes over a connected stream socket that something else opened: inherited from a parent (inetd, systemd), or made by
 * another library. The connection owns the descriptor from then on; `connected` follows, never inside this call.
 * A socket that is not connected fails as soon as it is used.
 * @throws SystemError for what is not open, or no stream socket, or already watched by Node; the descriptor is then still
 *   the caller's
 */
export function adopt(fd: number, options: AdoptOptions = {}): SocketBufferEvent {
  if (!Number.isInteger(fd) || fd < 0) misuse('adopt', `the number of a descriptor is needed, not ${nameOf(fd)}`);
  checkSocketOptions('adopt', options);
  const loop = options.loop ?? EventLoop.default;
  const { native } = Reactor.of(loop);
  const handle = native.openFd(fd);
  if (handle < 0) throw errorFromErrno(handle, { operation: 'adopt', subject: `descriptor ${fd}` });
  // A TCP socket has an address; Unix sockets and pipes are one kind to the system half.
  const address = native.localAddress(handle);
  const transport = typeof address === 'number' || address.family === 'unix' ? 'unix' : 'tcp';
  return SocketBufferEvent.accepted(loop, transport, handle, options);
}
