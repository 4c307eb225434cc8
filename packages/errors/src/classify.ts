import { Library, ReasonFlag, SluiceReason } from './code.ts';
import type { ErrorEntry } from './error-entry.ts';
import { sslReasonNames } from './ssl-reasons.ts';
import { sslVerdicts } from './ssl-verdicts.ts';
import { systemErrorName } from './system-errors.ts';
import { systemVerdict } from './system-verdicts.ts';
import { type Verdict, verdicts } from './verdicts.ts';

/** The verdict on one entry, by its library and reason. Always one: an unknown reason gets that of its library. */
export function classify(entry: ErrorEntry): Verdict {
  if (entry.library === Library.system) return systemVerdict(systemErrorName(entry.errno));
  if (entry.library === Library.sluice) {
    return entry.reason === SluiceReason.networkError ? verdicts.network : verdicts.terminated;
  }
  if (entry.common) return isLibraryName(entry) ? { ...verdicts.internal, cover: true } : verdicts.internal;
  if (entry.library === Library.ssl) return sslVerdict(entry.reason);
  if (entry.library >= Library.user) return OWN;
  return CONFIG_LIBRARIES.has(entry.library) ? verdicts.noCertificate : verdicts.internal;
}

/**
 * The entry of a queue that says best why: the SSL library's first own word, then the system's, then what else is there.
 * Never simply the oldest: below the SSL library stands what a cipher or a parser said on the way, above it what covers it.
 *
 * @param entries oldest first
 * @returns `undefined` for an empty list
 */
export function causeOf(entries: readonly ErrorEntry[]): ErrorEntry | undefined {
  const telling = entries.filter((entry) => classify(entry).cover !== true);
  return (
    telling.find((entry) => entry.library === Library.ssl && !entry.common) ??
    telling.find((entry) => entry.library === Library.system) ??
    telling.find((entry) => !entry.common) ??
    telling[0] ??
    entries.find((entry) => classify(entry) !== verdicts.terminated) ??
    entries[0]
  );
}

/** Libraries whose errors, where the SSL library adds nothing, come of what this side was configured with. */
const CONFIG_LIBRARIES: ReadonlySet<number> = new Set([
  Library.pem,
  Library.x509,
  Library.x509v3,
  Library.asn1,
  Library.pkcs12,
  Library.decoder,
  Library.evp,
  Library.provider,
  Library.rsa,
  Library.ec,
  Library.conf,
  Library.bio,
  Library.store,
]);

const UNKNOWN: Verdict = {
  what: 'UNKNOWN',
  blame: 'remote',
  remedy: 'close',
  logLevel: 'warn',
  end: 'failed',
  says: 'the connection failed for a reason that is not known here',
  advice: 'The entries have it whole.',
};

/** A reason of a protocol above, which its maker knows more of than any table here: see `ErrorContext`. */
const OWN: Verdict = { ...UNKNOWN, what: 'FAILED', says: 'the protocol failed', advice: '' };

function sslVerdict(reason: number): Verdict {
  const name = sslReasonNames.get(reason);
  return (name === undefined ? undefined : sslVerdicts.get(name)) ?? UNKNOWN;
}

/** Whether a common reason says no more than which library failed; then that library's own entry is the one to read. */
function isLibraryName(entry: ErrorEntry): boolean {
  return (entry.reason & ~ReasonFlag.common) < Library.user;
}
