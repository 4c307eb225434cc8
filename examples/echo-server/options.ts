import { portNumber, readArguments, wholeNumber } from '../support/arguments.ts';
import { UsageError } from '../support/usage-error.ts';

export const HELP = `Usage: main.ts --port N [--host H] [--tls --cert FILE --key FILE] [--unix PATH] [--bio-bytes N] [--log json]

Sends back whatever it receives, and can tell how each connection ended.

  --port N       listen on port N; 0 lets the kernel choose
  --host H       address or name for --port (default 127.0.0.1)
  --tls          TLS on --port; needs --cert and --key
  --cert FILE    certificate, PEM, with its chain
  --key FILE     its private key, PEM
  --unix PATH    listen on a Unix socket as well, without TLS
  --bio-bytes N  bytes per direction of the BIO pair under the TLS engine, 1 to 1048576 (default 17408)
  --log json     one line of JSON on stderr for each connection that has closed
  --help         this text

Prints one line LISTENING <transport> <host> <port> (LISTENING unix <path>) for each listener when it is ready.
SIGTERM and SIGINT let connections end, then the server exits.
`;

/** More room than any flight of a handshake needs. */
const BIO_BYTES_MAX = 1024 * 1024;

export interface EchoServerArguments {
  port: number | undefined;
  host: string;
  unixPath: string | undefined;
  /** For `port`. */
  tls: { certFile: string; keyFile: string; bioBytes: number | undefined } | undefined;
  log: 'json' | undefined;
}

/** @throws UsageError that names the option which is wrong */
export function parseOptions(argv: string[]): EchoServerArguments | 'help' {
  const given = readArguments(argv, {
    port: { type: 'string' },
    host: { type: 'string' },
    tls: { type: 'boolean' },
    cert: { type: 'string' },
    key: { type: 'string' },
    unix: { type: 'string' },
    'bio-bytes': { type: 'string' },
    log: { type: 'string' },
    help: { type: 'boolean' },
  });
  if (given.help === true) return 'help';
  const { port, unix, log, tls = false } = given;
  if (log !== undefined && log !== 'json') throw new UsageError(`--log knows only json, not '${log}'`);
  const tlsArguments = tls ? tlsArgumentsOf(given) : undefined;
  for (const name of ['cert', 'key', 'bio-bytes'] as const) {
    if (!tls && given[name] !== undefined) throw new UsageError(`--${name} is of no use without --tls`);
  }
  if (port === undefined && (unix === undefined || tls)) {
    throw new UsageError(tls ? '--tls needs --port' : 'nowhere to listen: give --port or --unix; see --help');
  }
  return {
    port: port === undefined ? undefined : portNumber('--port', port),
    host: given.host ?? '127.0.0.1',
    unixPath: unix,
    tls: tlsArguments,
    log,
  };
}

function tlsArgumentsOf(given: { cert?: string; key?: string; 'bio-bytes'?: string }) {
  const { cert: certFile, key: keyFile, 'bio-bytes': bioBytes } = given;
  if (certFile === undefined) throw new UsageError('--tls needs --cert FILE');
  if (keyFile === undefined) throw new UsageError('--tls needs --key FILE');
  return {
    certFile,
    keyFile,
    bioBytes: bioBytes === undefined ? undefined : wholeNumber('--bio-bytes', bioBytes, 1, BIO_BYTES_MAX),
  };
}
