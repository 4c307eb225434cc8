import { LimitError } from '@sluice/errors';
import { misuse, requireConnection, requireCount, requirePositive } from '../arguments.ts';
import type { BufferEvent } from '../bufferevent.ts';
import { type Data, type EolStyle, LINE_BYTES_MAX } from '../evbuffer.ts';
import { requireBytes, requireEncoding, requireStyle } from '../evbuffer-arguments.ts';
import { waitFor } from './wait-for.ts';

/**
 * Reading in sequence, for code that awaits (`writing.ts` is the other direction): the bytes stay in `input` until they are asked for, so all of its
 * bounds hold. One read at a time; a second one rejects with `ApiMisuse`. Leave `data` to these functions: a handler that
 * takes bytes takes them from here. To answer after the peer's end, make the connection with `halfOpen`.
 *
 * Each resolves with undefined when the peer has ended in order and nothing is left. When it ended in the middle of what
 * is awaited, it rejects with `SLUICE_CORE_READ_ENDED`; when the connection ended otherwise, with a copy of the report's
 * error. An aborted signal rejects with an `AbortedError`. After every rejection the bytes that had come are still in
 * `input`.
 */
export interface AwaitOptions {
  signal?: AbortSignal;
}

export interface ReadUntilOptions extends AwaitOptions {
  /** Bytes before the delimiter at most; rejects with a `LimitError` past it. Default 8 KiB. */
  maxLength?: number;
}

export interface ReadLineOptions extends ReadUntilOptions {
  /** See `BufferReader.readLine`. Default 'crlf'. */
  style?: EolStyle;
  /** Default 'utf8'. */
  encoding?: BufferEncoding;
}

export interface ChunksOptions extends AwaitOptions {
  /** Largest chunk. Default 64 KiB. */
  bytesMax?: number;
}

const CHUNK_BYTES_MAX = 64 * 1024;

/** Takes `n` bytes. @throws ApiMisuse when input never holds as many: read what there is, or raise its high watermark */
export async function readExactly(
  bev: BufferEvent,
  n: number,
  options: AwaitOptions = {},
): Promise<Buffer | undefined> {
  requireCount('readExactly', 'n', n);
  requireRoom(bev, 'readExactly', 'n', n);
  return waitFor(bev, 'readExactly', options.signal, () => (bev.input.length >= n ? bev.input.read(n) : undefined));
}

/** Takes the bytes before the first `delimiter`, and the delimiter, which is not in the answer. */
export async function readUntil(
  bev: BufferEvent,
  delimiter: Data,
  options: ReadUntilOptions = {},
): Promise<Buffer | undefined> {
  const needle = typeof delimiter === 'string' ? Buffer.from(delimiter) : delimiter;
  const { maxLength = LINE_BYTES_MAX, signal } = options;
  requireBytes('readUntil', needle);
  requireCount('readUntil', 'maxLength', maxLength);
  if (needle.length === 0) misuse('readUntil', 'the delimiter must not be empty');
  requireRoom(bev, 'readUntil', 'maxLength and the delimiter', maxLength + needle.length);
  const { input } = bev;
  let searched = 0;
  return waitFor(bev, 'readUntil', signal, () => {
    const at = input.indexOf(needle, searched, maxLength + needle.length);
    if (at >= 0) {
      const bytes = input.read(at);
      input.drain(needle.length);
      return bytes;
    }
    if (input.length >= maxLength + needle.length) throw tooLong(maxLength);
    searched = Math.max(0, input.length - needle.length + 1);
    return undefined;
  });
}

/** Takes a line and its end, and answers the line as text. */
export async function readLine(bev: BufferEvent, options: ReadLineOptions = {}): Promise<string | undefined> {
  const { style = 'crlf', maxLength = LINE_BYTES_MAX, encoding = 'utf8', signal } = options;
  requireStyle('readLine', style);
  requireCount('readLine', 'maxLength', maxLength);
  requireEncoding('readLine', encoding);
  requireRoom(bev, 'readLine', 'maxLength and an end of line', maxLength + 2);
  return waitFor(bev, 'readLine', signal, () => bev.input.readLineString(style, maxLength, encoding));
}

/**
 * Everything that comes, in pieces as it comes, for `for await`. Ends when the peer ends in order, throws when the
 * connection ends otherwise. Nothing is read ahead. Leaving the loop leaves the connection, and what was not taken, as
 * they are.
 */
export async function* chunks(bev: BufferEvent, options: ChunksOptions = {}): AsyncGenerator<Buffer, void, undefined> {
  const { bytesMax = CHUNK_BYTES_MAX, signal } = options;
  requirePositive('chunks', 'bytesMax', bytesMax);
  for (;;) {
    const take = (): Buffer | undefined => (bev.input.length > 0 ? bev.input.read(bytesMax) : undefined);
    const chunk = await waitFor(bev, 'chunks', signal, take);
    if (chunk === undefined) return;
    yield chunk;
  }
}

function requireRoom(bev: BufferEvent, operation: string, name: string, bytes: number): void {
  requireConnection(operation, bev);
  const { readHigh } = bev.limits;
  if (bytes <= readHigh) return;
  misuse(operation, `${name} come to ${bytes} bytes, and input stops at ${readHigh}; raise watermarks.read.high`);
}

function tooLong(maxLength: number): LimitError {
  return new LimitError(
    `readUntil: the delimiter did not come within maxLength, ${maxLength} bytes; close the connection, or allow more`,
    {
      code: 'SLUICE_CORE_DELIMITER_MISSING',
      layer: 'core',
      operation: 'readUntil',
      blame: 'remote',
      remedy: 'close',
    },
  );
}
