import { expect } from 'chai';
import { parseInt32, parseUint32, parseUint64, tokenize, wordEnd, wordStart } from '../tokens.ts';

describe('kv-server tokens', () => {
  it('separates words by any number of spaces, and by nothing else', () => {
    expect(tokenize('get a b')).to.deep.equal(['get', 'a', 'b']);
    expect(tokenize('  get   a  ')).to.deep.equal(['get', 'a']);
    expect(tokenize('a\tb \r')).to.deep.equal(['a\tb', '\r']);
    expect(tokenize('   ')).to.deep.equal([]);
    expect(tokenize('')).to.deep.equal([]);
  });

  it('looks at no more than 23 words', () => {
    expect(tokenize('w '.repeat(1000))).to.have.length(23);
  });

  it('finds one word at a time', () => {
    const line = 'get  key1 k  ';
    expect([wordStart(line, 3), wordEnd(line, 5)]).to.deep.equal([5, 9]);
    expect([wordStart(line, 9), wordEnd(line, 10)]).to.deep.equal([10, 11]);
    expect(wordStart(line, 11)).to.equal(line.length);
    expect(wordStart('', 0)).to.equal(0);
  });

  it('reads unsigned 64-bit numbers as strtoull does', () => {
    const cases: [string, bigint | undefined][] = [
      ['0', 0n],
      ['18446744073709551615', 0xffff_ffff_ffff_ffffn],
      ['18446744073709551616', undefined],
      ['+7', 7n],
      ['  12', 12n],
      ['12 ab', 12n],
      ['12ab', undefined],
      ['12\t', 12n],
      ['-1', undefined],
      ['-18446744073709551615', 1n],
      ['-0', 0n],
      ['', undefined],
      [' ', undefined],
      ['x', undefined],
      ['1.5', undefined],
      ['0x10', undefined],
      ['007', 7n],
    ];
    for (const [text, value] of cases) expect(parseUint64(text), JSON.stringify(text)).to.equal(value);
  });

  it('cuts unsigned numbers to 32 bits, and refuses negative ones', () => {
    const cases: [string, number | undefined][] = [
      ['0', 0],
      ['999999999', 999_999_999],
      ['4294967295', 0xffff_ffff],
      ['4294967296', 0],
      ['-1', undefined],
      ['1x', undefined],
    ];
    for (const [text, value] of cases) expect(parseUint32(text), text).to.equal(value);
  });

  it('cuts signed numbers to 32 bits, and refuses those beyond 64', () => {
    const cases: [string, number | undefined][] = [
      ['-1', -1],
      ['2147483648', -2_147_483_648],
      ['4294967297', 1],
      ['9223372036854775807', -1],
      ['9223372036854775808', undefined],
      ['-9223372036854775808', 0],
      ['-9223372036854775809', undefined],
      ['', undefined],
      ['-', undefined],
    ];
    for (const [text, value] of cases) expect(parseInt32(text), text).to.equal(value);
  });
});
