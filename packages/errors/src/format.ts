import type { CloseInfo } from './close-info.ts';
import { describeClose } from './close-verdict.ts';
import { libraryOf, reasonOf } from './code.ts';
import { DataFlag, type ErrorEntry } from './error-entry.ts';
import { defaultNames, type NameSource } from './names.ts';
import { cutUtf8 } from './utf8.ts';

/** Room that OpenSSL's `ERR_print_errors_cb` has for a line, its final newline and NUL included. */
export const PRINT_BYTES_MAX = 4096;

/**
 * The text of a code as OpenSSL's `ERR_error_string_n` gives it: `error:0A000126:SSL routines::unexpected eof while reading`.
 *
 * @param code packed code
 * @param names where library and reason get their names
 * @param bytesMax size of OpenSSL's buffer, NUL included. A text that does not fit, or fits exactly, is replaced by one of
 *   numbers alone, itself cut: that is what OpenSSL does. 0 gives ''.
 */
export function errorString(code: number, names: NameSource = defaultNames, bytesMax = 256): string {
  return fit(codeText(code, '', names), code, bytesMax);
}

/** The code as eight upper-case hexadecimal digits. */
export function codeHex(code: number): string {
  return (code >>> 0).toString(16).toUpperCase().padStart(8, '0');
}

/** The data as text: bytes in hexadecimal. */
export function dataText(entry: ErrorEntry): string {
  return typeof entry.data === 'string' ? entry.data : Buffer.from(entry.data).toString('hex');
}

/** One entry for people: its text, its data in braces, and where it was raised, as far as known. */
export function formatEntry(entry: ErrorEntry, names: NameSource = defaultNames): string {
  const data = dataText(entry);
  const place = [entry.func, entry.file === '' ? '' : `${entry.file}:${entry.line}`].filter((part) => part !== '');
  return (
    codeText(entry.code, '', names) +
    (data === '' ? '' : ` {${data}}`) +
    (place.length === 0 ? '' : ` at ${place.join(' ')}`)
  );
}

export interface FormatOptions {
  names?: NameSource;
  /** Which entry comes first; by default the oldest. */
  order?: 'oldest-first' | 'newest-first';
}

/** All entries in one line, for a log: `[{text},{text}]`. */
export function formatLine(entries: readonly ErrorEntry[], options: FormatOptions = {}): string {
  return `[${inOrder(entries, options)
    .map((text) => `{${text}}`)
    .join(',')}]`;
}

/** One line for each entry. */
export function formatLines(entries: readonly ErrorEntry[], options: FormatOptions = {}): string {
  return inOrder(entries, options).join('\n');
}

/**
 * The line that OpenSSL's `ERR_print_errors_cb` makes of an entry, newline included:
 * `<thread>:error:CODE:library:function:reason:file:line:data`. Data that is not text is left out.
 *
 * @param thread the thread's name, in OpenSSL the bytes of its id in hexadecimal
 */
export function printEntry(entry: ErrorEntry, thread: string, names: NameSource = defaultNames): string {
  const head = `${thread}:`;
  const room = PRINT_BYTES_MAX - head.length;
  const text = fit(codeText(entry.code, entry.func, names), entry.code, room);
  const data = (entry.flags & DataFlag.text) === 0 || typeof entry.data !== 'string' ? '' : entry.data;
  const line = `${head}${text}:${entry.file}:${entry.line}:${data}\n`;
  return cutUtf8(line, PRINT_BYTES_MAX - 1);
}

/** What `printErrors` needs of a stack. */
interface PrintableStack {
  get(): ErrorEntry | undefined;
}

/**
 * Takes the entries off the stack, oldest first, and shows each as a line (`printEntry`) until none is left or `show`
 * answers false. What was shown is gone from the stack, what was not stays.
 */
export function printErrors(
  stack: PrintableStack,
  thread: string,
  show: (line: string) => boolean,
  names: NameSource = defaultNames,
): void {
  for (let entry = stack.get(); entry !== undefined; entry = stack.get()) {
    if (!show(printEntry(entry, thread, names))) return;
  }
}

/** An entry as plain values for JSON. */
export function jsonOfEntry(
  entry: ErrorEntry,
  names: NameSource = defaultNames,
): { code: string; text: string; func: string; file: string; line: number; data: string } {
  return {
    code: codeHex(entry.code),
    text: codeText(entry.code, '', names),
    func: entry.func,
    file: entry.file,
    line: entry.line,
    data: dataText(entry),
  };
}

/** What `inspectError` shows of an error. */
export interface InspectableError {
  name: string;
  message: string;
  code: string;
  layer: string;
  operation: string;
  blame: string;
  remedy: string;
  end?: string;
  direction?: string;
  closeInfo?: CloseInfo;
  stack?: string | undefined;
}

/** The many-line form of an error. */
export function inspectError(error: InspectableError, entries: readonly string[], cause: string | undefined): string {
  const lines = [
    `${error.name} [${error.code}]: ${error.message}`,
    `  layer: ${error.layer}, operation: ${error.operation}, blame: ${error.blame}, remedy: ${error.remedy}`,
  ];
  if (error.end !== undefined) lines.push(`  end: ${error.end} (${error.direction ?? 'both'})`);
  if (error.closeInfo !== undefined) lines.push(`  closed ${closer(error.closeInfo)}`);
  if (entries.length > 0) lines.push('  entries, oldest first:', ...entries.map((entry) => `    ${entry}`));
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  lines.push(...frames);
  if (cause !== undefined) lines.push(`  cause: ${cause.replaceAll('\n', '\n  ')}`);
  return lines.join('\n');
}

function closer(info: CloseInfo): string {
  const figures = describeClose(info);
  const who = info.remote ? "by the peer's" : "by this side's";
  return `${who} ${info.transport ? 'transport' : 'application'}${figures === '' ? '' : `: ${figures}`}`;
}

function inOrder(entries: readonly ErrorEntry[], options: FormatOptions): string[] {
  const texts = entries.map((entry) => formatEntry(entry, options.names));
  return options.order === 'newest-first' ? texts.toReversed() : texts;
}

function codeText(code: number, func: string, names: NameSource): string {
  const library = names.library(code) || `lib(${libraryOf(code)})`;
  const reason = names.reason(code) || `reason(${reasonOf(code)})`;
  return `error:${codeHex(code)}:${library}:${func}:${reason}`;
}

/** What OpenSSL's buffer of `bytesMax` would hold of the text of a code. */
function fit(text: string, code: number, bytesMax: number): string {
  if (bytesMax <= 0) return '';
  if (Buffer.byteLength(text) < bytesMax - 1) return text;
  const hex = (value: number): string => value.toString(16);
  return cutUtf8(`err:${hex(code)}:${hex(libraryOf(code))}:0:${hex(reasonOf(code))}`, bytesMax - 1);
}
