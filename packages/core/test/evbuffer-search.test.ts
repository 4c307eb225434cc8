import { expect } from 'chai';
import { byteAt, type EolStyle, findByte, findBytes, findTerminator, lineBreakRun } from '../src/evbuffer-search.ts';
import { EvBuffer } from '../src/evbuffer.ts';
import { Slab } from '../src/slab.ts';
import { chunked, receive, sliced } from './support/evbuffer-fixture.ts';
import { Random } from './support/random.ts';

const STYLES: readonly EolStyle[] = ['any', 'crlf', 'crlf-strict', 'lf', 'nul'];

describe('findByte', () => {
  it('finds the first one in the range, wherever chunks begin', () => {
    const text = 'abcabcabc';
    for (let size = 1; size <= text.length; size += 1) {
      const head = sliced(text, size)._head;
      for (let from = 0; from <= text.length; from += 1) {
        for (let to = from; to <= text.length; to += 1) {
          const found = text.slice(0, to).indexOf('b', from);
          expect(findByte(head, 98, from, to), `${size} ${from} ${to}`).to.equal(found);
        }
      }
    }
    expect(findByte(undefined, 98, 0, 0)).to.equal(-1);
  });

  it('searches long chunks natively, and never the memory behind them', () => {
    const slab = new Slab(4096, -1);
    slab.bytes.fill('x');
    const buffer = new EvBuffer();
    for (const size of [63, 64, 65, 66, 300]) {
      buffer.clear();
      receive(buffer, slab, 'a'.repeat(size));
      expect(findByte(buffer._head, 120, 0, size), `${size}`).to.equal(-1);
      expect(findByte(buffer._head, 97, size - 1, size), `${size}`).to.equal(size - 1);
      expect(findByte(buffer._head, 97, 0, size), `${size}`).to.equal(0);
      slab.settle();
      slab.bytes.fill('x');
    }
  });
});

describe('findBytes', () => {
  it('finds what Buffer.indexOf finds, across any chunk borders', () => {
    const random = new Random();
    for (let round = 0; round < 3000; round += 1) {
      const text = Array.from({ length: random.below(20) }, () => random.pick(['a', 'b'])).join('');
      const needle = Array.from({ length: 2 + random.below(4) }, () => random.pick(['a', 'b'])).join('');
      const from = random.below(text.length + 2);
      const to = random.below(text.length + 1);
      const found = text.slice(0, to).indexOf(needle, from);
      const head = sliced(text, 1 + random.below(5))._head;
      const what = `${needle} in ${text} from ${from} to ${to}, SEED=${random.seed}`;
      expect(findBytes(head, Buffer.from(needle), from, to), what).to.equal(found);
    }
  });
});

describe('findTerminator', () => {
  it('finds the byte that ends a line, for each style', () => {
    const { _head: head } = chunked('a\r', 'b\nc\r', '\nd\0');
    const found = STYLES.map((style) => findTerminator(head, style, 0, 0, 9));
    expect(found).to.deep.equal([1, 3, 6, 3, 8]);
  });

  it('looks for no CR before the line', () => {
    const { _head: head } = chunked('a\r\nb\r\n');
    expect(findTerminator(head, 'crlf-strict', 2, 2, 6)).to.equal(5);
    expect(findTerminator(head, 'crlf-strict', 1, 1, 6)).to.equal(2);
  });
});

describe('byteAt and lineBreakRun', () => {
  it('look through chunks', () => {
    const { _head: head } = chunked('a\r', '\n\n', '\rb');
    expect([0, 1, 3, 5, 6].map((at) => byteAt(head, at))).to.deep.equal([97, 13, 10, 98, -1]);
    expect([0, 1, 2, 4].map((at) => lineBreakRun(head, at, 6))).to.deep.equal([0, 4, 3, 1]);
    expect(lineBreakRun(head, 1, 3)).to.equal(2);
  });
});
