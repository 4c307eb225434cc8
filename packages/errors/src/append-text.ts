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
 * split at the separator where there is one in reach, and not otherwise kept whole: a piece without one is cut.
 */
export function appendSplit(stack: TextStack, separator: string, text: string): void {
  if (stack.peekLast() === undefined) stack.raise({ code: packCode(Library.none, 0), line: 0 });
  let rest = text;
  for (let newest = stack.peekLast(); newest !== undefined && rest !== ''; newest = stack.peekLast()) {
    const present = textOf(newest);
    const leading = present === undefined ? '' : separator;
    const room = Math.max(0, ENTRY_TEXT_LENGTH_MAX - (present ?? '').length - separator.length - 1);
    const length = fitting(rest, separator, room);
    if (length === rest.length) {
      const closed = separator !== '' && rest.length > separator.length && rest.endsWith(separator);
      stack.appendData(leading, closed ? rest.slice(0, -separator.length) : rest);
      return;
    }
    const piece = length > 0 || present !== undefined ? length : room;
    if (piece > 0) stack.appendData(leading, rest.slice(0, piece));
    stack.raise({ code: newest.code, func: newest.func, file: newest.file, line: newest.line });
    rest = rest.slice(piece);
  }
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
