import { errnoOf, isCommonCode, isFatalCode, libraryOf, reasonOf } from './code.ts';

/** What `ErrorEntry.flags` says about `data`; OpenSSL's `ERR_TXT_*`. */
export const DataFlag = {
  /** The entry owns its data. */
  owned: 1,
  /** The data is text, and is printed. */
  text: 2,
} as const;

/**
 * One thing that went wrong, as the code that saw it recorded it. A plain object of plain values: it survives structured
 * clone, and its copies share nothing with it.
 */
export interface ErrorEntry {
  /** The packed code, an unsigned 32-bit number; see `packCode`. */
  readonly code: number;
  /** The library that raised it; `Library.system` for an errno. */
  readonly library: number;
  /** The reason within the library, flags included, or the errno. */
  readonly reason: number;
  /** Nothing can go on after it. */
  readonly fatal: boolean;
  /** The reason means the same in every library. */
  readonly common: boolean;
  /** The operating system's positive error number, 0 when it is not a system error. */
  readonly errno: number;
  /** Where it was raised: function, source file, line; '' and -1 when unknown. */
  readonly func: string;
  readonly file: string;
  readonly line: number;
  /** Details of this one case; '' when there are none. */
  readonly data: string | Uint8Array;
  /** `DataFlag` bits. */
  readonly flags: number;
}

/** What `createEntry` needs; all but the code may be left out. */
export interface ErrorEntryInit {
  code: number;
  func?: string;
  file?: string;
  line?: number;
  data?: string | Uint8Array;
  /** By default what the kind of data says: text 3, bytes 1, none 0. */
  flags?: number;
}

/** An OpenSSL entry as native code hands it over: `[code, file, line, function, data, flags]`. */
export type NativeErrorEntry = readonly [
  code: number,
  file: string,
  line: number,
  func: string,
  data: string | Uint8Array,
  flags: number,
];

/** Makes an entry of its own: bytes in `data` are copied. */
export function createEntry(init: ErrorEntryInit): ErrorEntry {
  const data = init.data ?? '';
  return makeEntry(
    init.code >>> 0,
    init.func ?? '',
    init.file ?? '',
    init.line ?? -1,
    copyData(data),
    init.flags ?? dataFlags(data),
  );
}

/** Takes over an entry from native code. */
export function fromNative(entry: NativeErrorEntry): ErrorEntry {
  const [code, file, line, func, data, flags] = entry;
  return makeEntry(code >>> 0, func, file, line, copyData(data), flags);
}

/** Takes over a list from native code, oldest first; none for `undefined`. */
export function entriesFromNative(entries: readonly NativeErrorEntry[] | undefined): ErrorEntry[] {
  return entries === undefined ? [] : entries.map(fromNative);
}

/** A deep copy that shares nothing with the original. */
export function copyEntry(entry: ErrorEntry): ErrorEntry {
  return { ...entry, data: copyData(entry.data) };
}

/** Deep copies of all, in the same order. */
export function copyEntries(entries: readonly ErrorEntry[]): ErrorEntry[] {
  return entries.map(copyEntry);
}

/** The entry with other data; used where data is appended to what is already recorded. */
export function withData(entry: ErrorEntry, data: string): ErrorEntry {
  return { ...entry, data, flags: DataFlag.owned | DataFlag.text };
}

function makeEntry(
  code: number,
  func: string,
  file: string,
  line: number,
  data: string | Uint8Array,
  flags: number,
): ErrorEntry {
  return {
    code,
    library: libraryOf(code),
    reason: reasonOf(code),
    fatal: isFatalCode(code),
    common: isCommonCode(code),
    errno: errnoOf(code),
    func,
    file,
    line,
    data,
    flags,
  };
}

function dataFlags(data: string | Uint8Array): number {
  if (typeof data !== 'string') return DataFlag.owned;
  return data === '' ? 0 : DataFlag.owned | DataFlag.text;
}

function copyData(data: string | Uint8Array): string | Uint8Array {
  return typeof data === 'string' ? data : new Uint8Array(data);
}
