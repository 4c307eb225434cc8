import { CR, type EolStyle, LF } from '../../src/evbuffer-search.ts';

/** Shows which piece of referenced memory a byte came from; 0 for bytes that were copied. */
const TAG_SHIFT = 8;

export function cell(byte: number, reference = 0): number {
  return byte | (reference << TAG_SHIFT);
}

/** A plain array of bytes that does what an EvBuffer should, the slow and obvious way. */
export class Model {
  cells: number[] = [];

  get bytes(): Buffer {
    return Buffer.from(this.cells.map((each) => each & 0xff));
  }

  take(n: number): number[] {
    return this.cells.splice(0, n);
  }

  references(): Set<number> {
    return new Set(this.cells.map((each) => each >> TAG_SHIFT));
  }

  findEol(style: EolStyle, from = 0): { index: number; length: number } | undefined {
    const { bytes } = this;
    for (let at = from; at < bytes.length; at += 1) {
      const length = eolAt(bytes, at, style);
      if (length > 0) return { index: at, length };
    }
    return undefined;
  }

  /** The line, undefined while it has no end, or 'too long'. */
  readLine(style: EolStyle, maxLength: number): Buffer | undefined | 'too long' {
    const eol = this.findEol(style);
    if (eol === undefined) {
      const { bytes } = this;
      const half = style.startsWith('crlf') && bytes.at(-1) === CR ? 1 : 0;
      return bytes.length - half > maxLength ? 'too long' : undefined;
    }
    if (eol.index > maxLength) return 'too long';
    const line = this.bytes.subarray(0, eol.index);
    this.take(eol.index + eol.length);
    return line;
  }
}

/** Length of the end of line that begins at `at`, 0 when none does. */
function eolAt(bytes: Buffer, at: number, style: EolStyle): number {
  const [first, second] = [bytes[at], bytes[at + 1]];
  switch (style) {
    case 'lf':
      return first === LF ? 1 : 0;
    case 'nul':
      return first === 0 ? 1 : 0;
    case 'crlf-strict':
      return first === CR && second === LF ? 2 : 0;
    case 'crlf':
      if (first === CR && second === LF) return 2;
      return first === LF ? 1 : 0;
    case 'any': {
      let end = at;
      while (bytes[end] === LF || bytes[end] === CR) end += 1;
      return end - at;
    }
  }
}
