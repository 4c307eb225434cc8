import type { EndKind } from './end.ts';
import type { Blame, LogLevel, Remedy } from './sluice-error.ts';
import type { Verdict } from './verdicts.ts';

/** The verdict on a system error by its name; an unknown name gets a cautious one. */
export function systemVerdict(name: string): Verdict {
  const verdict = table.get(name);
  if (verdict !== undefined) return verdict;
  return row(name || 'UNKNOWN', 'system', 'close', 'error', 'failed', 'the operating system refused', '');
}

function row(
  what: string,
  blame: Blame,
  remedy: Remedy,
  logLevel: LogLevel,
  end: EndKind | undefined,
  says: string,
  advice: string,
): Verdict {
  return { what, blame, remedy, logLevel, says, advice, ...(end === undefined ? {} : { end }) };
}

/** Every system error of which more is known than its name. */
export const systemVerdicts: readonly Verdict[] = [
  // The peer, or what stands for it, cut the connection.
  row('ECONNRESET', 'remote', 'close', 'info', 'reset', 'the peer reset the connection', ''),
  row('EPIPE', 'remote', 'close', 'info', 'reset', 'the peer no longer takes what is written', ''),
  row('ECONNABORTED', 'remote', 'close', 'info', 'reset', 'the connection was cut before it could be used', ''),
  row(
    'ECONNREFUSED',
    'remote',
    'retry',
    'warn',
    'failed',
    'nobody accepts connections at the address',
    'Check address and port, and that the server is running.',
  ),
  row('EOF', 'remote', 'close', 'info', 'truncated', 'the peer ended the connection early', ''),

  // The network between lost it.
  row('ETIMEDOUT', 'system', 'retry', 'warn', 'timeout', 'the peer stopped answering', ''),
  row('EHOSTUNREACH', 'system', 'retry', 'warn', 'failed', 'no route leads to the host', 'Check address and routes.'),
  row('EHOSTDOWN', 'system', 'retry', 'warn', 'failed', 'the host is down', ''),
  row('ENETUNREACH', 'system', 'retry', 'warn', 'failed', 'no route leads to the network', 'Check the routes.'),
  row('ENETDOWN', 'system', 'retry', 'error', 'failed', 'the network interface is down', 'Bring it up.'),
  row('EPROTO', 'system', 'close', 'warn', 'failed', 'the network protocol failed', ''),

  // The name of the host.
  row('ENOTFOUND', 'local', 'fix', 'error', 'failed', 'the host name is not known', 'Check its spelling.'),
  row('EAI_NONAME', 'local', 'fix', 'error', 'failed', 'the host name is not known', 'Check its spelling.'),
  row('EAI_NODATA', 'local', 'fix', 'error', 'failed', 'the host name has no address', 'Check its spelling.'),
  row('EAI_AGAIN', 'system', 'retry', 'warn', 'failed', 'the name server did not answer', ''),

  // The machine ran out of something.
  row(
    'EMFILE',
    'system',
    'retry',
    'error',
    undefined,
    'this process has too many files and sockets open',
    'Raise the limit (ulimit -n), or accept fewer connections.',
  ),
  row(
    'ENFILE',
    'system',
    'retry',
    'error',
    undefined,
    'the machine has too many files and sockets open',
    'Raise fs.file-max, or use fewer.',
  ),
  row('ENOBUFS', 'system', 'retry', 'error', undefined, 'the system has no buffers left', 'Send less at once.'),
  row('ENOMEM', 'system', 'retry', 'error', undefined, 'the system has no memory left', ''),
  row('ENOSPC', 'system', 'retry', 'error', undefined, 'the system has no room left', ''),
  row(
    'EADDRNOTAVAIL',
    'local',
    'fix',
    'error',
    'failed',
    'the address is not one of this machine, or its ports are used up',
    'Check the local address.',
  ),

  // Nothing is wrong: it comes again.
  row('EAGAIN', 'system', 'retry', 'debug', undefined, 'it would have to wait', ''),
  row('EINTR', 'system', 'retry', 'debug', undefined, 'it was interrupted', ''),
  row('EINPROGRESS', 'system', 'retry', 'debug', undefined, 'it is still under way', ''),
  row('EALREADY', 'system', 'retry', 'debug', undefined, 'it is under way already', ''),
  row('EBUSY', 'system', 'retry', 'warn', undefined, 'it is in use', ''),

  // This program, or its configuration, asked for what cannot be.
  row(
    'EADDRINUSE',
    'local',
    'fix',
    'error',
    'failed',
    'the address is in use',
    'Stop what listens there, or choose another address or port.',
  ),
  row(
    'EACCES',
    'local',
    'fix',
    'error',
    'failed',
    'permission was denied',
    'Ports below 1024 and paths of others need rights.',
  ),
  row('EPERM', 'local', 'fix', 'error', 'failed', 'it is not permitted', 'Check rights, and firewall rules.'),
  row('EINVAL', 'local', 'fix', 'error', 'failed', 'an argument is not valid', ''),
  row(
    'EAFNOSUPPORT',
    'local',
    'fix',
    'error',
    'failed',
    'the address family is not supported',
    'Check whether IPv6 is on.',
  ),
  row('EPROTONOSUPPORT', 'local', 'fix', 'error', 'failed', 'the protocol is not supported', ''),
  row('ENOTSUP', 'local', 'fix', 'error', 'failed', 'it is not supported here', ''),
  row('ENOPROTOOPT', 'local', 'fix', 'error', 'failed', 'the socket option is not supported', ''),
  row(
    'EMSGSIZE',
    'local',
    'fix',
    'warn',
    undefined,
    'the datagram is too large for the path',
    'Send smaller datagrams.',
  ),
  row('ENOENT', 'local', 'fix', 'error', 'failed', 'there is nothing at the path', 'Check the path of the socket.'),
  row('ENOTDIR', 'local', 'fix', 'error', 'failed', 'a part of the path is not a directory', 'Check the path.'),
  row('EEXIST', 'local', 'fix', 'error', 'failed', 'there is something at the path already', 'Remove it.'),
  row(
    'ENAMETOOLONG',
    'local',
    'fix',
    'error',
    'failed',
    'the path is too long',
    'Paths of sockets have about 100 bytes.',
  ),
  row('ENOTSOCK', 'local', 'fix', 'error', 'failed', 'the file descriptor is not a socket', ''),
  row('EBADF', 'local', 'fix', 'error', 'failed', 'the file descriptor is closed or not valid', ''),
  row('EISCONN', 'local', 'fix', 'error', undefined, 'it is connected already', ''),
  row('ENOTCONN', 'local', 'close', 'info', 'failed', 'it is not connected, or no longer', ''),
  row('ESHUTDOWN', 'local', 'close', 'info', 'failed', 'its writing was shut down', ''),
  row('ECANCELED', 'local', 'close', 'info', 'aborted', 'this side cancelled it', ''),
  row('EDESTADDRREQ', 'local', 'fix', 'error', undefined, 'it needs an address to send to', ''),
];

const table: ReadonlyMap<string, Verdict> = new Map(systemVerdicts.map((verdict) => [verdict.what, verdict]));
