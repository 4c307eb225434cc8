import { ApiMisuse, LimitError, SluiceError } from '@sluice/errors';
import type { BufferReader, BufferWriter } from '../evbuffer.ts';
import type { Filter, FilterMode, FilterResult } from '../filter.ts';

export interface FrameFilterOptions {
  /** Longest frame that is sent or taken, without its length. Default 16 KiB: small beside the watermarks of 64 KiB. */
  frameBytesMax?: number;
}

const FRAME_BYTES_MAX = 16 * 1024;
const LENGTH_BYTES = 4;
const LENGTH_MAX = 0xffff_ffff;

/**
 * Frames with their length before them (four bytes, big-endian), and one of length 0 at the end. A stream that says when
 * it is complete: over a transport whose end may be a crash (a TCP connection's FIN comes for both), an end without the
 * last frame is `truncated`. Frames are for the wire only; above, bytes are a stream.
 *
 * @throws ApiMisuse for a length that four bytes do not hold
 */
export function frameFilter(options: FrameFilterOptions = {}): Filter {
  const { frameBytesMax = FRAME_BYTES_MAX } = options;
  if (!Number.isInteger(frameBytesMax) || frameBytesMax < 1 || frameBytesMax > LENGTH_MAX) {
    throw new ApiMisuse(`frameFilter: frameBytesMax must be an integer from 1 to ${LENGTH_MAX}, not ${frameBytesMax}`, {
      layer: 'core',
      operation: 'frameFilter',
    });
  }
  return new FrameFilter(frameBytesMax);
}

class FrameFilter implements Filter {
  readonly #frameBytesMax: number;
  /** Bytes of the frame that is arriving. */
  #left = 0;

  constructor(frameBytesMax: number) {
    this.#frameBytesMax = frameBytesMax;
  }

  input(source: BufferReader, destination: BufferWriter, limit: number, mode: FilterMode): FilterResult {
    if (this.#left === 0) {
      if (source.length < LENGTH_BYTES) return this.#more(mode, source.length);
      const length = source.readUInt32BE();
      if (length === 0) return 'finished';
      if (length > this.#frameBytesMax) throw tooLong(length, this.#frameBytesMax);
      this.#left = length;
    }
    this.#left -= source.moveTo(destination, Math.min(this.#left, limit));
    return source.length > 0 ? 'ok' : this.#more(mode, 0);
  }

  output(source: BufferReader, destination: BufferWriter, limit: number, mode: FilterMode): FilterResult {
    const length = Math.min(source.length, this.#frameBytesMax, Math.max(1, limit - LENGTH_BYTES));
    if (length > 0) {
      destination.appendUInt32BE(length);
      source.moveTo(destination, length);
      return 'ok';
    }
    if (mode !== 'finished') return 'need-more';
    destination.appendUInt32BE(0);
    return 'finished';
  }

  #more(mode: FilterMode, bytes: number): FilterResult {
    if (mode !== 'finished') return 'need-more';
    throw truncated(
      this.#left > 0 ? `${this.#left} bytes before the end of a frame` : `after ${bytes} bytes of a length`,
    );
  }
}

function tooLong(length: number, max: number): LimitError {
  return new LimitError(`a frame of ${length} bytes is longer than frameBytesMax, ${max}`, {
    code: 'SLUICE_CORE_FRAME_TOO_LONG',
    layer: 'core',
    operation: 'read frame',
    blame: 'remote',
    remedy: 'close',
    end: 'failed',
    direction: 'read',
  });
}

function truncated(where: string): SluiceError {
  return new SluiceError(`the peer's bytes ended without the last frame, ${where}`, {
    code: 'SLUICE_CORE_FRAME_TRUNCATED',
    layer: 'core',
    operation: 'read frame',
    blame: 'remote',
    remedy: 'close',
    end: 'truncated',
    direction: 'read',
  });
}
