/** Filters that the tests put over connections. */
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { BufferReader, BufferWriter, Filter, FilterMode, FilterResult } from '../../src/index.ts';

/** An x before each byte of the user's on the wire, as libevent's own tests have it. Honours its limit. */
export function xFilter(): Filter & { readonly calls: { input: number; output: number } } {
  const calls = { input: 0, output: 0 };
  return {
    calls,
    input(source, destination, limit, mode) {
      calls.input += 1;
      const pairs = Math.min(source.length >> 1, limit);
      if (pairs === 0) return mode === 'finished' && source.length === 0 ? 'ok' : 'need-more';
      const bytes = source.read(2 * pairs);
      const plain = Buffer.allocUnsafe(pairs);
      for (let index = 0; index < pairs; index += 1) plain[index] = bytes[2 * index + 1] as number;
      destination.append(plain);
      return 'ok';
    },
    output(source, destination, limit) {
      calls.output += 1;
      const bytes = source.read(Math.max(1, limit >> 1));
      const marked = Buffer.alloc(2 * bytes.length, 'x');
      for (const [index, byte] of bytes.entries()) marked[2 * index + 1] = byte;
      destination.append(marked);
      return 'ok';
    },
  };
}

const PLAIN_BYTES_MAX = 32 * 1024;

/** Deflated pieces, each with its length before it: a codec of whole messages, as permessage-deflate is. */
export class DeflateFilter implements Filter {
  calls = 0;

  input(source: BufferReader, destination: BufferWriter): FilterResult {
    this.calls += 1;
    if (source.length < 4) return 'need-more';
    const length = source.getUInt32BE();
    if (source.length < 4 + length) return 'need-more';
    source.drain(4);
    destination.append(inflateRawSync(source.read(length), { maxOutputLength: PLAIN_BYTES_MAX }));
    return 'ok';
  }

  output(source: BufferReader, destination: BufferWriter): FilterResult {
    this.calls += 1;
    if (source.length === 0) return 'ok';
    const deflated = deflateRawSync(source.read(PLAIN_BYTES_MAX));
    destination.appendUInt32BE(deflated.length);
    destination.append(deflated);
    return 'ok';
  }
}

/** Sends nothing before it has a whole block, is flushed, or is finished; and notes how it was called. */
export class BlockFilter implements Filter {
  readonly modes: FilterMode[] = [];
  readonly #blockBytes: number;

  constructor(blockBytes: number) {
    this.#blockBytes = blockBytes;
  }

  output(source: BufferReader, destination: BufferWriter, _limit: number, mode: FilterMode): FilterResult {
    this.modes.push(mode);
    if (mode === 'normal' && source.length < this.#blockBytes) return 'need-more';
    source.moveTo(destination, mode === 'normal' ? this.#blockBytes : undefined);
    return 'ok';
  }
}

/** `length` bytes that differ from their neighbours. */
export function pattern(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let index = 0; index < length; index += 1) bytes[index] = (index * 7 + (index >> 8)) & 0xff;
  return bytes;
}
