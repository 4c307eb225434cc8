/**
 * Packed error codes, as OpenSSL 3 lays them out in 32 bits.
 *
 * A system error is bit 31 and an errno. Anything else is eight bits of library and 23 bits of reason, of which bits 18
 * and up are flags.
 */

/** Library numbers: OpenSSL's, and Sluice's own at the far end of the range that OpenSSL leaves to its users (128–255). */
export const Library = {
  none: 1,
  system: 2,
  bn: 3,
  rsa: 4,
  dh: 5,
  evp: 6,
  buf: 7,
  obj: 8,
  pem: 9,
  dsa: 10,
  x509: 11,
  asn1: 13,
  conf: 14,
  crypto: 15,
  ec: 16,
  ssl: 20,
  bio: 32,
  pkcs7: 33,
  x509v3: 34,
  pkcs12: 35,
  rand: 36,
  dso: 37,
  engine: 38,
  ocsp: 39,
  ui: 40,
  comp: 41,
  ecdsa: 42,
  ecdh: 43,
  store: 44,
  fips: 45,
  cms: 46,
  ts: 47,
  hmac: 48,
  ct: 50,
  async: 51,
  kdf: 52,
  sm2: 53,
  ess: 54,
  property: 55,
  crmf: 56,
  provider: 57,
  cmp: 58,
  encoder: 59,
  decoder: 60,
  http: 61,
  user: 128,
  /** Entries that Sluice itself raises. */
  sluice: 255,
} as const;

/** Flags inside the reason of a packed code. */
export const ReasonFlag = {
  /** Nothing can go on after this one. */
  fatal: 0x4_0000,
  /** The reason means the same in every library. */
  common: 0x8_0000,
} as const;

/** Reasons of `Library.sluice`. */
export const SluiceReason = {
  /** The last entry of every report about a channel that has ended. */
  connectionTerminated: 1,
  /** The port (socket) that carries the channel failed, and every channel of it with it. */
  networkError: 2,
} as const;

const SYSTEM_FLAG = 0x8000_0000;
const SYSTEM_MASK = 0x7fff_ffff;
const LIBRARY_SHIFT = 23;
const LIBRARY_MASK = 0xff;
const REASON_MASK = 0x7f_ffff;

/**
 * Packs a library and a reason (with its flags) into one unsigned 32-bit code.
 *
 * @param library 0–255; `Library.system` gives a system code, with `reason` as the errno
 * @param reason the reason, or the positive errno of a system error
 */
export function packCode(library: number, reason: number): number {
  if (library === Library.system) return systemCode(reason);
  return (((library & LIBRARY_MASK) << LIBRARY_SHIFT) | (reason & REASON_MASK)) >>> 0;
}

/** The code of the last entry of every report about a channel that has ended. */
export const CONNECTION_TERMINATED: number = packCode(Library.sluice, SluiceReason.connectionTerminated);

/** The code of a system error; `errno` is the operating system's positive number. */
export function systemCode(errno: number): number {
  return (SYSTEM_FLAG | (errno & SYSTEM_MASK)) >>> 0;
}

/** Whether the code carries an errno. */
export function isSystemCode(code: number): boolean {
  return (code & SYSTEM_FLAG) !== 0;
}

/** The library of a code; `Library.system` when it carries an errno. */
export function libraryOf(code: number): number {
  return isSystemCode(code) ? Library.system : (code >>> LIBRARY_SHIFT) & LIBRARY_MASK;
}

/** The reason of a code, flags included (as OpenSSL's `ERR_GET_REASON` gives it), or the errno. */
export function reasonOf(code: number): number {
  return isSystemCode(code) ? code & SYSTEM_MASK : code & REASON_MASK;
}

/** The errno of a system code; 0 for any other. */
export function errnoOf(code: number): number {
  return isSystemCode(code) ? code & SYSTEM_MASK : 0;
}

/** Whether the code says that nothing can go on. */
export function isFatalCode(code: number): boolean {
  return !isSystemCode(code) && (code & ReasonFlag.fatal) !== 0;
}

/** Whether the reason is one that all libraries share. */
export function isCommonCode(code: number): boolean {
  return !isSystemCode(code) && (code & ReasonFlag.common) !== 0;
}
