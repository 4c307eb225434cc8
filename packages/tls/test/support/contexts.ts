import {
  chainedCertificate,
  clientCertificate,
  serverCertificate,
  type TestCertificate,
} from '../../../../test/support/certificates.ts';
import {
  type CipherStore,
  type ClientContextOptions,
  type ServerContextOptions,
  TlsContext,
  type TlsVersion,
} from '../../src/index.ts';

/** The pair sizes at which a case is run, unless it is about one size. */
export const PAIRS: readonly number[] = [1, 17, 64, 512, 4096, 8192, 17_408];

/** Runs the cases over each of the two stores of ciphertext: neither may be told from the other. */
export function describeStores(title: string, cases: (store: CipherStore) => void): void {
  for (const store of ['borrowed', 'pair'] as const) describe(`${title}, store '${store}'`, () => cases(store));
}

/** SSL_OP_NO_TX_CERTIFICATE_COMPRESSION and SSL_OP_NO_RX_CERTIFICATE_COMPRESSION. */
export const NO_CERTIFICATE_COMPRESSION: bigint = (1n << 32n) | (1n << 33n);

/** A chain so large that no pair holds it, or, for tiny pairs, one that does not take all day. */
export function sanCountBeyond(pairBytes: number): number {
  return pairBytes < 600 ? 0 : 2000;
}

export interface ContextChoice {
  sanCount?: number;
  chained?: boolean;
  version?: TlsVersion;
  /** The client shows a certificate with so many names, and the server requires one. */
  clientSanCount?: number;
  server?: Partial<ServerContextOptions>;
  client?: ClientContextOptions;
}

export interface Contexts {
  server: TlsContext;
  client: TlsContext;
  certificate: TestCertificate;
}

/** A server's and a client's context that fit each other. */
export async function contexts(choice: ContextChoice = {}): Promise<Contexts> {
  const { sanCount = 0, version, clientSanCount } = choice;
  const certificate = await (choice.chained === true ? chainedCertificate(sanCount) : serverCertificate(sanCount));
  const shown = clientSanCount === undefined ? undefined : await clientCertificate(clientSanCount);
  const versions = version === undefined ? {} : { minVersion: version, maxVersion: version };
  const server = TlsContext.server({
    cert: certificate.certPem,
    key: certificate.keyPem,
    ...versions,
    ...(shown === undefined ? {} : { clientCertificate: 'require', ca: shown.caPem }),
    ...choice.server,
  });
  const client = TlsContext.client({
    ca: certificate.caPem,
    ...versions,
    ...(shown === undefined ? {} : { cert: shown.certPem, key: shown.keyPem }),
    ...choice.client,
  });
  return { server, client, certificate };
}
