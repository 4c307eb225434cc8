import type { ChangeListener, ChangeOptions, Subscription } from './change-listeners.ts';
import type { IntegerReader, IntegerWriter } from './evbuffer-integers.ts';
import type { EolStyle } from './evbuffer-search.ts';
import type { EvBufferStats } from './evbuffer-stats.ts';
import type { Reservation } from './reservation.ts';

/** What can be appended by copying. A string is encoded as UTF-8 unless another encoding is named. */
export type Data = string | Uint8Array;

/**
 * Longest line that `readLine` takes by default: what web servers take as a request line. Well below the default high
 * watermark of input (64 KiB), so that a line without end is an error before it is a connection that no longer reads.
 */
export const LINE_BYTES_MAX: number = 8 * 1024;

/**
 * The end of a buffer that bytes are taken from. All counts and positions are bytes from the front, integers of 0 or
 * more; anything else throws `ApiMisuse`. A count larger than `length` means all there is.
 */
export interface BufferReader extends IntegerReader {
  readonly length: number;
  /** Bytes at the front that lie on end in memory, so that `pullup` of as many is free. */
  readonly contiguousLength: number;
  /** Throws away up to `n` bytes, all by default. Returns how many. */
  drain(n?: number): number;
  /** Takes up to `n` bytes, all by default, as memory of the caller's own. */
  read(n?: number): Buffer;
  /** Takes as many bytes as `view` has room for. Returns how many there were. */
  readInto(view: Uint8Array): number;
  /** Takes up to `n` bytes, all by default, as text: 'utf8' by default. A character cut by `n` is the caller's to avoid. */
  readString(n?: number, encoding?: BufferEncoding): string;
  /** Copies bytes from position `from` on (default 0) into `view`, and leaves them. Returns how many there were. */
  copy(view: Uint8Array, from?: number): number;
  /** Moves up to `n` bytes, all by default, to another buffer without copying. Returns how many. */
  moveTo(destination: BufferWriter, n?: number): number;
  /** Puts bytes back at the front. A buffer is emptied, without copying. Returns how many. */
  prepend(data: Data | BufferReader, encoding?: BufferEncoding): number;

  /**
   * Views of up to `n` bytes (all by default) from position `from` on, one per run of memory. Nothing is taken. Views
   * stay what they are for as long as they are held, and must not be written to. Bytes that arrived in this turn are
   * copied to lasting memory first: to look without that, search, or use `copy` and the integers.
   */
  peek(n?: number, from?: number): Buffer[];
  /**
   * One view of the first `n` bytes, all by default, moved together if need be; otherwise as `peek`. Throws `ApiMisuse`
   * (`SLUICE_CORE_BUFFER_UNDERFLOW`) when there are fewer.
   */
  pullup(n?: number): Buffer;
  /**
   * Position of the first match that lies wholly in `[from, to)` (default: everywhere), or -1. A number is one byte, a
   * string its UTF-8 bytes. An empty needle is found at once.
   */
  indexOf(needle: Data | number, from?: number, to?: number): number;
  /** Where the line that begins at `from` (default 0) ends, and how long its end is; undefined when it has none yet. */
  findEol(style?: EolStyle, from?: number): { index: number; length: number } | undefined;
  /**
   * Takes a line and its end, and returns the line; undefined, and nothing taken, while the end has not come. Lines that
   * dribble in are searched once: what was searched is remembered.
   *
   * | style | ends a line |
   * | --- | --- |
   * | `crlf` (default) | LF, with one CR before it or without |
   * | `crlf-strict` | CR LF only |
   * | `lf` | LF only; a CR before it belongs to the line |
   * | `nul` | a zero byte |
   * | `any` | a run of CR and LF of any length, as far as it has come: what of it comes later is an empty line then, so empty lines of this style mean nothing |
   *
   * Throws `LimitError` (`SLUICE_CORE_LINE_TOO_LONG`, blame `remote`) when the line is longer than `maxLength` bytes
   * without its end, as soon as that is certain; the bytes stay. `maxLength` should be below input's high watermark,
   * since reading stops there.
   */
  readLine(style?: EolStyle, maxLength?: number): Buffer | undefined;
  /** `readLine` as text: 'utf8' by default. */
  readLineString(style?: EolStyle, maxLength?: number, encoding?: BufferEncoding): string | undefined;
  /** All bytes as text, 'utf8' by default; they stay. */
  toString(encoding?: BufferEncoding): string;
  readonly stats: EvBufferStats;
  /** See `EvBuffer.onChange`. */
  onChange(listener: ChangeListener, options?: ChangeOptions): Subscription;
}

/** The end of a buffer that bytes are put into. */
export interface BufferWriter extends IntegerWriter {
  readonly length: number;
  /** Appends a copy. Returns how many bytes it was. Throws `ApiMisuse` when `data` is neither text nor bytes. */
  append(data: Data, encoding?: BufferEncoding): number;
  appendString(text: string, encoding?: BufferEncoding): number;
  /** Appends copies of several pieces as one change. Returns how many bytes it was. */
  appendAll(pieces: readonly Data[]): number;
  /**
   * Appends memory itself, which must not change until `onRelease` is called. That happens once, wherever the bytes were
   * moved meanwhile: when the last of them is drained or cleared, never before this call has returned. (A buffer that is
   * merely forgotten calls nothing: `clear` it.) When this call throws (past a cap, after `end`), nothing was taken, and
   * nothing is called.
   */
  appendRef(data: Uint8Array, onRelease?: () => void): void;
  /**
   * Memory for `n` bytes or more behind the end, to be written to and then committed: what a decoder or `fs.read` makes
   * lies in the buffer without having been copied. Nothing is added before `commit`. A buffer has one reservation at a
   * time: another one, or bytes that are added in any other way, make it stale; taking bytes does not. At most 2 GiB - 1.
   * Throws what appending `n` bytes would throw.
   */
  reserve(n: number): Reservation;
  /** Takes up to `n` bytes, all by default, out of another buffer without copying. Returns how many. */
  appendFrom(source: BufferReader, n?: number): number;
  /** As `appendFrom`, but the source keeps its bytes: one message for many receivers. */
  appendShared(source: BufferReader, n?: number): number;
  readonly stats: EvBufferStats;
  /** See `EvBuffer.onChange`. */
  onChange(listener: ChangeListener, options?: ChangeOptions): Subscription;
}
