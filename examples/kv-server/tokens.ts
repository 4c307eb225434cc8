/**
 * Words and numbers of a command line, read as memcached reads them: with C's `strtoul` family, quirks included, because
 * clients have come to depend on what is refused and what is not.
 */

const SPACE = ' ';

/** memcached looks at no more words than these of any line but a get's. */
const TOKENS_MAX = 23;

/** The words of a line, separated by any number of spaces; at most 23. */
export function tokenize(line: string): string[] {
  const tokens: string[] = [];
  for (let at = wordStart(line, 0); at < line.length && tokens.length < TOKENS_MAX; ) {
    const end = wordEnd(line, at);
    tokens.push(line.slice(at, end));
    at = wordStart(line, end);
  }
  return tokens;
}

/** Where the first word at or after `from` begins; the line's length when only spaces are left. */
export function wordStart(line: string, from: number): number {
  let at = from;
  while (line[at] === SPACE) at += 1;
  return Math.min(at, line.length);
}

/** Where the word that begins at `start` ends. */
export function wordEnd(line: string, start: number): number {
  const end = line.indexOf(SPACE, start);
  return end < 0 ? line.length : end;
}

const UINT64_MAX = 0xffff_ffff_ffff_ffffn;
const INT64_MAX = 0x7fff_ffff_ffff_ffffn;

/** What `strtoull` takes, if a space, a NUL or the end follows: leading white space, a sign, decimal digits. */
const INTEGER = /^[ \t-\r]*([+-]?)(\d+)(?:[ \t-\r\0]|$)/;

/** An unsigned 64-bit number. A minus sign wraps round, and is refused where the result has the highest bit. */
export function parseUint64(text: string): bigint | undefined {
  const match = INTEGER.exec(text);
  if (match === null) return undefined;
  const magnitude = BigInt(match[2] as string);
  if (magnitude > UINT64_MAX) return undefined;
  const value = match[1] === '-' ? BigInt.asUintN(64, -magnitude) : magnitude;
  if (value > INT64_MAX && text.includes('-')) return undefined;
  return value;
}

/** An unsigned 64-bit number cut to its low 32 bits, as memcached does with flags. */
export function parseUint32(text: string): number | undefined {
  const quick = parseShortDigits(text);
  if (quick >= 0) return quick;
  const value = parseUint64(text);
  return value === undefined ? undefined : Number(BigInt.asUintN(32, value));
}

/** A signed 64-bit number cut to its low 32 bits, as memcached does with lengths and expiry times. */
export function parseInt32(text: string): number | undefined {
  const quick = parseShortDigits(text);
  if (quick >= 0) return quick;
  const match = INTEGER.exec(text);
  if (match === null) return undefined;
  const magnitude = BigInt(match[2] as string);
  const value = match[1] === '-' ? -magnitude : magnitude;
  if (value > INT64_MAX || value < -INT64_MAX - 1n) return undefined;
  return Number(BigInt.asIntN(32, value));
}

/** One to nine digits and nothing else, which is nearly every number on the wire; -1 for all other text. */
function parseShortDigits(text: string): number {
  if (text.length === 0 || text.length > 9) return -1;
  let value = 0;
  for (let at = 0; at < text.length; at += 1) {
    const digit = text.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}
