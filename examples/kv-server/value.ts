/**
 * A stored value: its bytes as a Latin-1 string when it is short, as a Buffer of its own otherwise.
 *
 * A Buffer costs some 300 bytes of bookkeeping beside its contents, a string 16; and a short answer made of strings
 * goes into the output in one piece. Neither is ever changed after it was stored, so that an answer may refer to it.
 */
export type Value = string | Buffer;

/** The longest value that is kept as a string. */
export const SHORT_VALUE_BYTES_MAX = 1024;

/** One value after the other, in memory of its own. */
export function concatValues(first: Value, second: Value): Value {
  const bytes = Buffer.allocUnsafeSlow(first.length + second.length);
  put(first, bytes, 0);
  put(second, bytes, first.length);
  return bytes.length <= SHORT_VALUE_BYTES_MAX ? bytes.toString('latin1') : bytes;
}

/** The begin of a value as text, all of it if it is short. A long one's ends in a letter, so that no number seems whole. */
export function leadingText(value: Value): string {
  return typeof value === 'string' ? value : `${value.toString('latin1', 0, SHORT_VALUE_BYTES_MAX)}x`;
}

/** The text as a value of at least `length` bytes, filled up with spaces. */
export function paddedValue(text: string, length: number): Value {
  return length <= SHORT_VALUE_BYTES_MAX
    ? text.padEnd(length)
    : concatValues(text, Buffer.alloc(length - text.length, ' '));
}

function put(value: Value, target: Buffer, at: number): void {
  if (typeof value === 'string') target.write(value, at, 'latin1');
  else value.copy(target, at);
}
