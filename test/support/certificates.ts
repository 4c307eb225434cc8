/**
 * Certificates for tests, made once per process and kept: an authority, and what it (or somebody else) signed.
 *
 * All keys are P-256, all dates and names are fixed, so that sizes repeat from run to run to within the few bytes by
 * which ECDSA signatures differ.
 */
// oxlint-disable-next-line import/no-unassigned-import -- a polyfill that @peculiar/x509 needs
import 'reflect-metadata';
import { createHash, webcrypto } from 'node:crypto';
import { readFileSync } from 'node:fs';
import * as x509 from '@peculiar/x509';

/** What a TLS endpoint is configured with. */
export interface TestCertificate {
  /** PEM, leaf first, then its chain without the root. */
  certPem: string;
  /** PEM, PKCS #8, not encrypted. */
  keyPem: string;
  /** PEM of the root that a peer should trust. */
  caPem: string;
}

/**
 * A server's certificate for `localhost`, 127.0.0.1 and ::1, with `sanCount` more names of 31 characters.
 *
 * DER sizes: 0 -> 0.4 kB, 400 -> 13.6 kB, 1200 -> 40 kB, 2000 -> 66 kB; from 3100 on it exceeds OpenSSL's default limit of
 * 102,400 bytes for a peer's certificate list.
 */
export function serverCertificate(sanCount = 0): Promise<TestCertificate> {
  return remembered(`server ${sanCount}`, async () => issue(await authority(), { sanCount, server: true }));
}

/**
 * A client's certificate, for mutual TLS.
 *
 * OpenSSL compresses a client's certificate when both sides can; set SSL_OP_NO_TX_CERTIFICATE_COMPRESSION where the
 * size on the wire matters, though the names are nearly random.
 */
export function clientCertificate(sanCount = 0, commonName = 'Sluice test client'): Promise<TestCertificate> {
  return remembered(`client ${sanCount} ${commonName}`, async () => issue(await authority(), { sanCount, commonName }));
}

/** A server's certificate signed by an intermediate authority, which follows it in `certPem`. */
export function chainedCertificate(sanCount = 0): Promise<TestCertificate> {
  return remembered(`chained ${sanCount}`, async () => {
    const root = await authority();
    const middle = await makeAuthority('Sluice test intermediate CA', root);
    const leaf = await issue(middle, { sanCount, server: true });
    return { ...leaf, certPem: `${leaf.certPem}\n${middle.certificate.toString('pem')}`, caPem: pem(root) };
  });
}

/** For server or client: valid only in the year 2020. */
export function expiredCertificate(): Promise<TestCertificate> {
  return remembered('expired', async () =>
    issue(await authority(), { notAfter: new Date('2021-01-01T00:00:00Z'), commonName: 'Sluice expired' }),
  );
}

/** For server or client: its own issuer; `caPem` is the usual root, which does not know it. */
export function selfSignedCertificate(): Promise<TestCertificate> {
  return remembered('self-signed', async () => ({
    ...(await issue(undefined, { commonName: 'Sluice self-signed' })),
    caPem: pem(await authority()),
  }));
}

/** For server or client: signed by an authority that is not the one in `caPem`. */
export function wrongAuthorityCertificate(): Promise<TestCertificate> {
  return remembered('wrong authority', async () => ({
    ...(await issue(await makeAuthority('Somebody else', undefined), { commonName: 'Sluice stranger' })),
    caPem: pem(await authority()),
  }));
}

/**
 * A self-signed certificate for `localhost` with an RSA key of 16,384 bits: about 3 kB on the wire, and more than a
 * second of CPU time per handshake. Such a key takes minutes to make, so this one is committed.
 */
export function rsa16384(): TestCertificate {
  const read = (name: string): string => readFileSync(new URL(`../fixtures/${name}`, import.meta.url), 'utf8');
  const certPem = read('rsa16384-cert.pem');
  return { certPem, keyPem: read('rsa16384-key.pem'), caPem: certPem };
}

interface Authority {
  certificate: x509.X509Certificate;
  keys: webcrypto.CryptoKeyPair;
}

interface LeafOptions {
  sanCount?: number;
  commonName?: string;
  /** Only good for servers; else for servers and clients. */
  server?: boolean;
  notAfter?: Date;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const notBefore = new Date('2020-01-01T00:00:00Z');
const notAfterDefault = new Date('2049-12-31T00:00:00Z');

const memory = new Map<string, Promise<TestCertificate>>();
let usualAuthority: Promise<Authority> | undefined;

function remembered(key: string, make: () => Promise<TestCertificate>): Promise<TestCertificate> {
  let made = memory.get(key);
  if (made === undefined) {
    made = make();
    memory.set(key, made);
  }
  return made;
}

function authority(): Promise<Authority> {
  usualAuthority ??= makeAuthority('Sluice test CA', undefined);
  return usualAuthority;
}

async function makeAuthority(commonName: string, parent: Authority | undefined): Promise<Authority> {
  const keys = await newKeys();
  const subject = `CN=${commonName}`;
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(`authority ${commonName}`),
    subject,
    issuer: parent?.certificate.subject ?? subject,
    notBefore,
    notAfter: notAfterDefault,
    signingKey: (parent ?? { keys }).keys.privateKey,
    publicKey: keys.publicKey,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate, keys };
}

/** Without an issuer the certificate is self-signed. */
async function issue(issuer: Authority | undefined, options: LeafOptions): Promise<TestCertificate> {
  const { sanCount = 0, commonName = 'localhost', server = false, notAfter = notAfterDefault } = options;
  const keys = await newKeys();
  const usages = server ? ['1.3.6.1.5.5.7.3.1'] : ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'];
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(`leaf ${commonName} ${sanCount}`),
    subject: `CN=${commonName}`,
    issuer: issuer?.certificate.subject ?? `CN=${commonName}`,
    notBefore,
    notAfter,
    signingKey: (issuer ?? { keys }).keys.privateKey,
    publicKey: keys.publicKey,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension(usages),
      new x509.SubjectAlternativeNameExtension(alternativeNames(sanCount)),
    ],
  });
  return {
    certPem: certificate.toString('pem'),
    keyPem: x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY'),
    caPem: issuer === undefined ? certificate.toString('pem') : pem(issuer),
  };
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
}

/** Names that hardly compress: 26 characters of a hash in base 36, and a top-level domain. */
function alternativeNames(count: number): x509.JsonGeneralNames {
  const names: x509.JsonGeneralNames = [
    { type: 'dns', value: 'localhost' },
    { type: 'ip', value: '127.0.0.1' },
    { type: 'ip', value: '::1' },
  ];
  for (let index = 0; index < count; index++) {
    const hash = createHash('sha256').update(`name ${index}`).digest('hex');
    names.push({ type: 'dns', value: `${BigInt(`0x${hash}`).toString(36).slice(-26)}.test` });
  }
  return names;
}

/** 16 bytes, the first below 0x80 and not 0: a positive number whose encoding always has the same length. */
function serialNumber(text: string): string {
  return `40${createHash('sha256').update(text).digest('hex').slice(0, 30)}`;
}

function pem(signer: Authority): string {
  return signer.certificate.toString('pem');
}
