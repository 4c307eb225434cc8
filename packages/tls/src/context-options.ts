import { ApiMisuse } from '@sluice/errors';
import type { NativeTlsContextOptions } from '@sluice/native';

export type TlsRole = 'server' | 'client';

/** No older ones: TLS 1.0 and 1.1 are deprecated (RFC 8996). */
export type TlsVersion = 'TLSv1.2' | 'TLSv1.3';

/** PEM text, as a string or as bytes. */
export type Pem = string | Uint8Array;

/** What servers and clients have in common. */
export interface TlsContextOptions {
  /** The certificate: leaf first, then its chain without the root. Needs `key`. */
  cert?: Pem | undefined;
  /** The private key of `cert`, PKCS #8 or traditional. */
  key?: Pem | undefined;
  /** For an encrypted `key`. */
  passphrase?: string | undefined;
  /** Trusted roots, one bundle or several. Absent: OpenSSL's default locations, which may hold none on your system. */
  ca?: Pem | readonly Pem[] | undefined;
  /** Default TLSv1.2 to TLSv1.3. */
  minVersion?: TlsVersion | undefined;
  maxVersion?: TlsVersion | undefined;
  /** TLS 1.2 cipher list, TLS 1.3 cipher suites, and groups, each in OpenSSL's syntax. Default: OpenSSL's own. */
  ciphers?: string | undefined;
  ciphersuites?: string | undefined;
  groups?: string | undefined;
  /** Protocol names, best first, each 1 to 255 bytes. */
  alpn?: readonly string[] | undefined;
  /** Bytes of the peer's certificate list, 1 to 16 MiB. Default 100 KiB as in OpenSSL: chains of 4 kB are common, 40 kB are seen. */
  certListBytesMax?: number | undefined;
  /** Plaintext bytes per record, 512 to 16384. Default 16384, the protocol's limit. */
  sendFragmentBytesMax?: number | undefined;
  /**
   * What an end of the transport without close_notify is: `failure` (default), so that nobody can cut a message short unseen;
   * or `end`, for peers that never send close_notify, where the protocol above says itself when it is complete. In a handshake
   * and in the middle of a record it is a failure in any case. `TlsCloseReport.clean` tells which end it was.
   */
  truncation?: 'failure' | 'end' | undefined;
  /** More SSL_OP_* bits. For tests and for strange peers; the defaults are safe. */
  opensslOptions?: bigint | undefined;
}

export interface ServerContextOptions extends TlsContextOptions {
  cert: Pem;
  key: Pem;
  /** Client certificates: not asked for, asked for and verified if sent, or required. Default 'none'. */
  clientCertificate?: 'none' | 'request' | 'require' | undefined;
  /** TLS 1.3 session tickets after each handshake, 0 to 16. Default 2, as in OpenSSL; the server keeps no state for them. */
  tickets?: number | undefined;
}

export interface ClientContextOptions extends TlsContextOptions {
  /** Whether the server's chain (and name, when one is given to the connection) must be good. Default true. */
  verify?: boolean | undefined;
}

const VERSIONS: Readonly<Record<TlsVersion, number>> = { 'TLSv1.2': 0x0303, 'TLSv1.3': 0x0304 };
const CERT_LIST_BYTES_DEFAULT = 100 * 1024;
const CERT_LIST_BYTES_MAX = 16 * 1024 * 1024;
const RECORD_BYTES_MAX = 16_384;
const FRAGMENT_BYTES_MIN = 512;
const TICKETS_DEFAULT = 2;
const TICKETS_MAX = 16;
const ALPN_NAME_BYTES_MAX = 255;
const ALPN_LIST_BYTES_MAX = 65_535;

/** Checks what can be checked without OpenSSL. Throws `ApiMisuse` that names the option. */
export function nativeServerOptions(options: ServerContextOptions): NativeTlsContextOptions {
  if (options.cert === undefined || options.key === undefined) {
    throw wrong('cert', `a server needs cert and key; ${options.cert === undefined ? 'cert' : 'key'} is missing`);
  }
  const verify = { none: 0, request: 1, require: 2 } as const;
  const clientCertificate = options.clientCertificate ?? 'none';
  if (!Object.hasOwn(verify, clientCertificate)) {
    throw wrong('clientCertificate', `must be 'none', 'request' or 'require', not ${shown(clientCertificate)}`);
  }
  return {
    ...commonOptions(options),
    server: true,
    verify: verify[clientCertificate],
    tickets: wholeNumber('tickets', options.tickets ?? TICKETS_DEFAULT, 0, TICKETS_MAX),
  };
}

/** The same for a client. */
export function nativeClientOptions(options: ClientContextOptions): NativeTlsContextOptions {
  return { ...commonOptions(options), server: false, verify: options.verify === false ? 0 : 1, tickets: 0 };
}

type CommonOptions = Omit<NativeTlsContextOptions, 'server' | 'verify' | 'tickets'>;

function commonOptions(options: TlsContextOptions): CommonOptions {
  const minVersion = version('minVersion', options.minVersion ?? 'TLSv1.2');
  const maxVersion = version('maxVersion', options.maxVersion ?? 'TLSv1.3');
  if (minVersion > maxVersion) {
    throw wrong('minVersion', `${options.minVersion} is above maxVersion ${options.maxVersion}: no version is left`);
  }
  if ((options.cert === undefined) !== (options.key === undefined)) {
    const [present, absent] = options.cert === undefined ? ['key', 'cert'] : ['cert', 'key'];
    throw wrong(absent, `${present} is given without ${absent}: give both or neither`);
  }
  return {
    cert: pem('cert', 'CERTIFICATE', options.cert),
    key: pem('key', 'PRIVATE KEY', options.key),
    passphrase: text('passphrase', options.passphrase),
    ca: authorities(options.ca),
    minVersion,
    maxVersion,
    ciphers: text('ciphers', options.ciphers),
    ciphersuites: text('ciphersuites', options.ciphersuites),
    groups: text('groups', options.groups),
    alpn: options.alpn === undefined ? undefined : alpnList(options.alpn),
    certListBytesMax: wholeNumber(
      'certListBytesMax',
      options.certListBytesMax ?? CERT_LIST_BYTES_DEFAULT,
      1,
      CERT_LIST_BYTES_MAX,
    ),
    sendFragmentBytesMax: wholeNumber(
      'sendFragmentBytesMax',
      options.sendFragmentBytesMax ?? RECORD_BYTES_MAX,
      FRAGMENT_BYTES_MIN,
      RECORD_BYTES_MAX,
    ),
    extraOptions: extraOptions(options),
  };
}

/** SSL_OP_IGNORE_UNEXPECTED_EOF. */
const IGNORE_UNEXPECTED_EOF = 0x80n;

function extraOptions({ truncation = 'failure', opensslOptions }: TlsContextOptions): string | undefined {
  if (truncation !== 'failure' && truncation !== 'end') {
    throw wrong('truncation', `must be 'failure' or 'end', not ${shown(truncation)}`);
  }
  if (truncation === 'failure' && opensslOptions === undefined) return undefined;
  const bits = (opensslOptions ?? 0n) | (truncation === 'end' ? IGNORE_UNEXPECTED_EOF : 0n);
  return BigInt.asUintN(64, bits).toString();
}

function version(option: string, value: TlsVersion): number {
  const number = Object.hasOwn(VERSIONS, value) ? VERSIONS[value] : undefined;
  if (number === undefined) throw wrong(option, `must be 'TLSv1.2' or 'TLSv1.3', not ${shown(value)}`);
  return number;
}

function pem(option: string, block: string, value: Pem | undefined): string | undefined {
  if (value === undefined) return undefined;
  const content = typeof value === 'string' ? value : Buffer.from(value).toString('latin1');
  if (!content.includes('-----BEGIN ') || !content.includes(`${block}-----`)) {
    throw wrong(
      option,
      `must be PEM text with a block "-----BEGIN ${block}-----" (the content of the file, not its name)`,
    );
  }
  if (content.includes('\0')) throw wrong(option, 'must not contain NUL characters');
  return content;
}

function authorities(ca: Pem | readonly Pem[] | undefined): string | undefined {
  if (ca === undefined) return undefined;
  const bundles: readonly Pem[] = typeof ca === 'string' || ca instanceof Uint8Array ? [ca] : ca;
  if (bundles.length === 0) throw wrong('ca', 'is an empty list: leave it out for the default roots');
  return bundles.map((bundle) => pem('ca', 'CERTIFICATE', bundle)).join('\n');
}

function text(option: string, value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || value.includes('\0')) throw wrong(option, 'must be a string without NUL characters');
  if (value === '' && option !== 'passphrase') throw wrong(option, 'is empty: leave it out for the default');
  return value;
}

/** Wire format: each name behind its length. */
function alpnList(names: readonly string[]): Uint8Array {
  if (names.length === 0) throw wrong('alpn', 'is an empty list: leave it out to offer nothing');
  const parts = names.map((name) => {
    const bytes = Buffer.from(name, 'latin1');
    if (bytes.length < 1 || bytes.length > ALPN_NAME_BYTES_MAX) {
      throw wrong(
        'alpn',
        `each name must have 1 to ${ALPN_NAME_BYTES_MAX} bytes, not ${bytes.length} (${shown(name)})`,
      );
    }
    return Buffer.concat([Buffer.of(bytes.length), bytes]);
  });
  const list = Buffer.concat(parts);
  if (list.length > ALPN_LIST_BYTES_MAX)
    throw wrong('alpn', `has ${list.length} bytes; the wire allows ${ALPN_LIST_BYTES_MAX}`);
  return list;
}

function wholeNumber(option: string, value: number, min: number, max: number): number {
  if (Number.isSafeInteger(value) && value >= min && value <= max) return value;
  throw wrong(option, `must be a whole number from ${min} to ${max}, not ${shown(value)}`);
}

function shown(value: unknown): string {
  return typeof value === 'string' ? `'${value.slice(0, 40)}'` : String(value);
}

function wrong(option: string, message: string): ApiMisuse {
  return new ApiMisuse(`TlsContext: ${option} ${message}`, {
    code: `SLUICE_TLS_CONFIG_${option.toUpperCase()}`,
    layer: 'tls',
    operation: 'TlsContext',
  });
}
