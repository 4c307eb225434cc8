import { CONNECTION_TERMINATED, Library, packCode, ReasonFlag, SluiceReason } from './code.ts';
import { cryptoReasons } from './crypto-reasons.ts';
import { sslReasons } from './ssl-reasons.ts';

const { common } = ReasonFlag;
const fatal = ReasonFlag.fatal | ReasonFlag.common;

/** Reasons that mean the same in every library, by number with flags. */
export const commonReasons: ReadonlyMap<number, string> = new Map([
  [common | 2, 'system lib'],
  [common | 3, 'BN lib'],
  [common | 4, 'RSA lib'],
  [common | 5, 'DH lib'],
  [common | 6, 'EVP lib'],
  [common | 7, 'BUF lib'],
  [common | 8, 'OBJ lib'],
  [common | 9, 'PEM lib'],
  [common | 10, 'DSA lib'],
  [common | 11, 'X509 lib'],
  [common | 13, 'ASN1 lib'],
  [common | 15, 'CRYPTO lib'],
  [common | 16, 'EC lib'],
  [common | 32, 'BIO lib'],
  [common | 33, 'PKCS7 lib'],
  [common | 34, 'X509V3 lib'],
  [common | 38, 'ENGINE lib'],
  [common | 40, 'UI lib'],
  [common | 42, 'ECDSA lib'],
  [common | 44, 'OSSL_STORE lib'],
  [common | 60, 'OSSL_DECODER lib'],
  [common | 262, 'passed invalid argument'],
  [common | 265, 'interrupted or cancelled'],
  [common | 266, 'nested asn1 error'],
  [common | 267, 'missing asn1 eos'],
  [common | 268, 'unsupported'],
  [common | 269, 'fetch failed'],
  [common | 270, 'invalid property definition'],
  [fatal, 'fatal'],
  [fatal | 256, 'malloc failure'],
  [fatal | 257, 'called a function you should not call'],
  [fatal | 258, 'passed a null parameter'],
  [fatal | 259, 'internal error'],
  [fatal | 260, 'called a function that was disabled at compile-time'],
  [fatal | 261, 'init fail'],
  [fatal | 263, 'operation fail'],
  [fatal | 264, 'invalid provider functions'],
  [fatal | 271, 'unable to get read lock'],
  [fatal | 272, 'unable to get write lock'],
]);

let texts: ReadonlyMap<number, string> | undefined;

/** The text of a reason by packed code; undefined when unknown. The table is made on first use: most programs need it late. */
export function reasonText(code: number): string | undefined {
  texts ??= new Map([
    ...Object.values(sslReasons).map(([number, text]) => [packCode(Library.ssl, number), text] as const),
    ...Object.entries(Library).flatMap(([name, library]) => parseReasons(library, cryptoReasons[name] ?? '')),
    [CONNECTION_TERMINATED, 'connection terminated'] as const,
    [packCode(Library.sluice, SluiceReason.networkError), 'network error'] as const,
  ]);
  return texts.get(code);
}

function parseReasons(library: number, lines: string): [code: number, text: string][] {
  return lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const space = line.indexOf(' ');
      return [packCode(library, Number(line.slice(0, space))), line.slice(space + 1)];
    });
}
