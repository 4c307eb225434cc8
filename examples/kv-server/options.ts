import { portNumber, readArguments, wholeNumber } from '../support/arguments.ts';
import { UsageError } from '../support/usage-error.ts';
import { MEMORY_LIMIT_BYTES_MIN } from './store.ts';

export const HELP = `Usage: main.ts --port N [--host H] [--unix PATH] [--tls-port N --cert FILE --key FILE] [--memory-limit BYTES]

A memcached server (ASCII protocol) on TCP, a Unix socket and TLS, any of them at once.

  --port N              listen on TCP port N; 0 lets the kernel choose
  --host H              address or name for --port and --tls-port (default 127.0.0.1: there is no authentication)
  --unix PATH           listen on a Unix socket
  --tls-port N          listen on port N with TLS; needs --cert and --key
  --cert FILE           certificate, PEM, with its chain
  --key FILE            its private key, PEM
  --memory-limit BYTES  for all items together (default 67108864); the least recently used are evicted
  --help                this text

Prints one line LISTENING <transport> <host> <port> (LISTENING unix <path>) for each listener when it is ready.
SIGTERM and SIGINT let connections end, then the server exits.
`;

/** More than this is more than one heap of V8 can manage well. */
const MEMORY_LIMIT_BYTES_MAX = 2 ** 40;

export interface KvServerArguments {
  port: number | undefined;
  host: string;
  unixPath: string | undefined;
  tls: { port: number; certFile: string; keyFile: string } | undefined;
  memoryLimitBytes: number | undefined;
}

/** @throws UsageError that names the option which is wrong */
export function parseOptions(argv: string[]): KvServerArguments | 'help' {
  const given = readArguments(argv, {
    port: { type: 'string' },
    host: { type: 'string' },
    unix: { type: 'string' },
    'tls-port': { type: 'string' },
    cert: { type: 'string' },
    key: { type: 'string' },
    'memory-limit': { type: 'string' },
    help: { type: 'boolean' },
  });
  if (given.help === true) return 'help';
  const { port, unix, cert, key, 'tls-port': tlsPort, 'memory-limit': memoryLimit } = given;
  if (port === undefined && unix === undefined && tlsPort === undefined) {
    throw new UsageError('nowhere to listen: give --port, --unix or --tls-port; see --help');
  }
  if (tlsPort === undefined && (cert ?? key) !== undefined) {
    throw new UsageError(`--${cert === undefined ? 'key' : 'cert'} is of no use without --tls-port`);
  }
  return {
    port: port === undefined ? undefined : portNumber('--port', port),
    host: given.host ?? '127.0.0.1',
    unixPath: unix,
    tls: tlsPort === undefined ? undefined : tlsArguments(portNumber('--tls-port', tlsPort), cert, key),
    memoryLimitBytes:
      memoryLimit === undefined
        ? undefined
        : wholeNumber('--memory-limit', memoryLimit, MEMORY_LIMIT_BYTES_MIN, MEMORY_LIMIT_BYTES_MAX),
  };
}

function tlsArguments(port: number, certFile: string | undefined, keyFile: string | undefined) {
  if (certFile === undefined) throw new UsageError('--tls-port needs --cert FILE');
  if (keyFile === undefined) throw new UsageError('--tls-port needs --key FILE');
  return { port, certFile, keyFile };
}
