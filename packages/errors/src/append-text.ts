import { Library, packCode } from './code.ts';
import { DataFlag, type ErrorEntry, type ErrorEntryInit } from './error-entry.ts';

/** Text that one entry holds at most, in UTF-16 units, before it goes on in the next; OpenSSL's number. */
export const ENTRY_TEXT_LENGTH_MAX = 3996;

/** What appending needs of a stack. */
interface TextStack {
  peekLast(): ErrorEntry | undefined;
  raise(entry: ErrorEntryInit): void;
  appendData(...parts: readonly string[]): boolean;
}

/**
 * Appends a text to the newest entry, or, when it is too long for one, to several of the same code and place. It is
 * split at the separator where there is one in reach; a piece without one is cut. Entry by entry what OpenSSL's
 * `ERR_add_error_txt` makes of it, but for such a piece: that function never comes back from one.
 */
export function appendSplit(stack: TextStack, separator: string, text: string): void {
  if (stack.peekLast() === undefined) stack.raise({ code: packCode(Library.none, 0), line: 0 });
  let rest = text;
  do {
    const newest = stack.peekLast();
    if (newest === undefined) return;
    const present = textOf(newest);
    const room = Math.max(0, ENTRY_TEXT_LENGTH_MAX - (present ?? '').length - separator.length - 1);
    const length = fitting(rest, separator, room);
    if (length === rest.length) {
      const whole = separator !== '' && rest.endsWith(separator) ? rest.slice(0, -separator.length) : rest;
      stack.appendData(present === undefined ? '' : separator, whole);
      return;
    }
    const piece = length > 0 || present !== undefined ? length : room;
    if (piece > 0) stack.appendData(separator, rest.slice(0, piece));
    stack.raise({ code: newest.code, func: newest.func, file: newest.file, line: newest.line });
    rest = rest.slice(piece);
  } while (rest !== '');
}

function textOf(entry: ErrorEntry): string | undefined {
  return (entry.flags & DataFlag.text) !== 0 && typeof entry.data === 'string' ? entry.data : undefined;
}

/** How much of the text fits into `room`: all of it, or up to and with the last separator in reach; 0 when none is. */
function fitting(text: string, separator: string, room: number): number {
  if (text.length <= room) return text.length;
  if (separator === '') return room;
  const last = text.lastIndexOf(separator, room - separator.length);
  return last < 0 || room < separator.length ? 0 : last + separator.length;
}
