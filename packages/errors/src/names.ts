import { isSystemCode, Library, libraryOf, reasonOf } from './code.ts';
import { commonReasons, reasonText } from './reasons.ts';
import { systemErrorText } from './system-errors.ts';

/**
 * Where texts get the names of libraries and reasons from. The built-in table knows those of OpenSSL 3.5; the running
 * OpenSSL knows its own (`namesFrom`). A source is passed to what formats, never set globally: two copies of this package,
 * or two users of one, may each have their own.
 */
export interface NameSource {
  /** The name of a code's library; '' when unknown. */
  library(code: number): string;
  /** The text of a code's reason; '' when unknown. */
  reason(code: number): string;
}

/** The built-in table. */
export const defaultNames: NameSource = {
  library(code: number): string {
    return LIBRARY_NAMES.get(libraryOf(code)) ?? '';
  },
  reason(code: number): string {
    if (isSystemCode(code)) return systemErrorText(reasonOf(code));
    return reasonText(code) ?? commonReasons.get(reasonOf(code)) ?? '';
  },
};

/**
 * Names from the running OpenSSL, with the built-in table for what it does not know.
 *
 * @param lookup gives library and reason of a packed code, '' for unknown; native code's `errorStrings`
 */
export function namesFrom(lookup: (code: number) => readonly [library: string, reason: string]): NameSource {
  return {
    library: (code) => lookup(code)[0] || defaultNames.library(code),
    reason: (code) => lookup(code)[1] || defaultNames.reason(code),
  };
}

const LIBRARY_NAMES: ReadonlyMap<number, string> = new Map([
  [Library.none, 'unknown library'],
  [Library.system, 'system library'],
  [Library.bn, 'bignum routines'],
  [Library.rsa, 'rsa routines'],
  [Library.dh, 'Diffie-Hellman routines'],
  [Library.evp, 'digital envelope routines'],
  [Library.buf, 'memory buffer routines'],
  [Library.obj, 'object identifier routines'],
  [Library.pem, 'PEM routines'],
  [Library.dsa, 'dsa routines'],
  [Library.x509, 'x509 certificate routines'],
  [Library.asn1, 'asn1 encoding routines'],
  [Library.conf, 'configuration file routines'],
  [Library.crypto, 'common libcrypto routines'],
  [Library.ec, 'elliptic curve routines'],
  [Library.ssl, 'SSL routines'],
  [Library.bio, 'BIO routines'],
  [Library.pkcs7, 'PKCS7 routines'],
  [Library.x509v3, 'X509 V3 routines'],
  [Library.pkcs12, 'PKCS12 routines'],
  [Library.rand, 'random number generator'],
  [Library.dso, 'DSO support routines'],
  [Library.engine, 'engine routines'],
  [Library.ocsp, 'OCSP routines'],
  [Library.ui, 'UI routines'],
  [Library.ecdsa, 'ECDSA routines'],
  [Library.ecdh, 'ECDH routines'],
  [Library.store, 'STORE routines'],
  [Library.fips, 'FIPS routines'],
  [Library.cms, 'CMS routines'],
  [Library.ts, 'time stamp routines'],
  [Library.hmac, 'HMAC routines'],
  [Library.ct, 'CT routines'],
  [Library.async, 'ASYNC routines'],
  [Library.kdf, 'KDF routines'],
  [Library.sm2, 'SM2 routines'],
  [Library.ess, 'ESS routines'],
  [Library.crmf, 'CRMF routines'],
  [Library.provider, 'Provider routines'],
  [Library.cmp, 'CMP routines'],
  [Library.encoder, 'ENCODER routines'],
  [Library.decoder, 'DECODER routines'],
  [Library.http, 'HTTP routines'],
  [Library.sluice, 'Sluice'],
]);
