import { ApiMisuse } from '@sluice/errors';
import { endedError } from '../bufferevent-errors.ts';
import type { BufferEvent } from '../bufferevent.ts';
import type { AwaitOptions } from '../duplex/reading.ts';
import { abortError } from '../duplex/stream-errors.ts';
import { waitForRoom } from '../duplex/wait-for-room.ts';
import { misuse, requireConnection, requirePositive, requireSignal } from '../arguments.ts';
import { FileSegment, type FileSegmentOptions, type FileSource, requireRange } from './file-segment.ts';

export interface SendFileOptions extends AwaitOptions {
  /** The first byte, of the file or within the segment that is given. Default 0. */
  start?: number;
  /** The byte behind the last. Default the end. */
  end?: number;
  /** Bytes that are read at once, at most; never more than output's high watermark. Default 64 KiB. */
  pieceBytes?: number;
}

/** As much as the default high watermark, so that one read fills what one `drained` has emptied. */
const PIECE_BYTES_MAX = 64 * 1024;

/** Connections that a file is being sent on. */
const sending: WeakSet<BufferEvent> = new WeakSet();

/**
 * Puts a file, or a part of it, into output, and resolves with how many bytes that were when all of them are in it.
 * The file is read by Node's threads, piece by piece, each when the one before has drained: output stays below its high
 * watermark and one piece, and below its cap, whatever the file's size and however slow the peer. It works alike on
 * every transport, under TLS too.
 *
 * What is written meanwhile goes out between two pieces; `end` makes it reject. One file at a time; a second call rejects
 * with ApiMisuse (`SLUICE_CORE_SEND_IN_PROGRESS`).
 *
 * Rejects as `FileSegment.open` does, and then nothing was put; with `SLUICE_CORE_FILE_SHORT` when the file was made
 * shorter meanwhile; with a SystemError when it cannot be read; with a copy of the report's error when the connection ended;
 * with an AbortedError when the signal was aborted. The connection is left as it is, with the pieces that it has: destroy
 * it, unless its protocol can tell the peer that the rest does not come.
 */
export async function sendFile(
  bev: BufferEvent,
  source: FileSource | FileSegment,
  options: SendFileOptions = {},
): Promise<number> {
  const { start, end, pieceBytes = PIECE_BYTES_MAX, signal } = options;
  requireConnection('sendFile', bev);
  requirePositive('sendFile', 'pieceBytes', pieceBytes);
  requireSignal('sendFile', signal);
  if (!bev.writable) throw endedError(bev, 'sendFile');
  if (signal?.aborted === true) throw abortError('sendFile', signal);
  if (sending.has(bev)) throw inProgressError(bev);
  sending.add(bev);
  try {
    if (source instanceof FileSegment) {
      return await source._with('sendFile', () => put(bev, source, rangeIn(source, start, end), pieceBytes, signal));
    }
    return await withSegment(source, { start, end, signal }, (segment) =>
      put(bev, segment, { from: 0, to: segment.length }, pieceBytes, signal),
    );
  } finally {
    sending.delete(bev);
  }
}

/** Opens a segment for one use. When that is over, so is the segment, whichever way it ended. */
async function withSegment(
  source: FileSource,
  options: FileSegmentOptions,
  use: (segment: FileSegment) => Promise<number>,
): Promise<number> {
  const segment = await FileSegment.open(source, options);
  let sent: number;
  try {
    sent = await use(segment);
  } catch (error) {
    await segment.close().catch(() => {});
    throw error;
  }
  await segment.close();
  return sent;
}

interface Range {
  from: number;
  to: number;
}

async function put(
  bev: BufferEvent,
  segment: FileSegment,
  { from, to }: Range,
  pieceBytes: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  for (let at = from; at < to; ) {
    await roomIn(bev, signal);
    const wanted = Math.min(pieceBytes, to - at, Math.ceil(bev.limits.writeHigh));
    let piece = await segment._read('sendFile', at, wanted);
    at += piece.length;
    while (piece.length > 0) {
      // Others may have written while the file was read.
      const taken = Math.min(piece.length, await roomIn(bev, signal));
      bev.output.appendRef(piece.subarray(0, taken));
      piece = piece.subarray(taken);
    }
  }
  return to - from;
}

/** Waits until output is below its high watermark, and answers how many bytes its cap leaves: 1 or more. */
async function roomIn(bev: BufferEvent, signal: AbortSignal | undefined): Promise<number> {
  do await waitForRoom(bev, 'sendFile', signal);
  while (bev.output.length >= bev.limits.writeHigh);
  return Math.ceil(bev.limits.writeCap - bev.output.length);
}

function rangeIn(segment: FileSegment, start = 0, end: number = segment.length): Range {
  requireRange('sendFile', start, end);
  if (end > segment.length) misuse('sendFile', `end is ${end}, and the segment has ${segment.length} bytes`);
  return { from: start, to: end };
}

function inProgressError(bev: BufferEvent): ApiMisuse {
  const message = `sendFile: a file is being sent on ${bev.transport} connection ${bev.id} already; await that first`;
  return new ApiMisuse(message, { code: 'SLUICE_CORE_SEND_IN_PROGRESS', layer: 'core', operation: 'sendFile' });
}
