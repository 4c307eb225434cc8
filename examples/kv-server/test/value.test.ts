import { expect } from 'chai';
import { concatValues, leadingText, paddedValue, SHORT_VALUE_BYTES_MAX } from '../value.ts';

describe('kv-server values', () => {
  const bytes = String.fromCharCode(...Array.from({ length: 256 }, (_, code) => code));

  it('joins short values to text, byte by byte', () => {
    expect(concatValues(bytes, 'é')).to.equal(`${bytes}é`);
    expect(concatValues('', '')).to.equal('');
    expect(concatValues(Buffer.from('ab'), 'c')).to.equal('abc');
  });

  it('joins to a buffer of its own from the limit on', () => {
    const limit = 'x'.repeat(SHORT_VALUE_BYTES_MAX);
    expect(concatValues(limit, '')).to.equal(limit);
    const longer = concatValues(bytes, limit) as Buffer;
    expect(longer).to.be.instanceOf(Buffer);
    expect(longer.toString('latin1')).to.equal(bytes + limit);
    expect(longer.buffer.byteLength).to.equal(longer.length);
  });

  it('show how they begin, without cutting a number', () => {
    expect(leadingText('12')).to.equal('12');
    expect(leadingText(Buffer.from('12 '.padEnd(2000, '3')))).to.match(/^12 3{1021}x$/);
    expect(leadingText(Buffer.alloc(2000, '0'))).to.match(/^0{1024}x$/);
  });

  it('are padded with spaces, in memory of their own when long', () => {
    expect(paddedValue('9', 2)).to.equal('9 ');
    expect(paddedValue('100', 2)).to.equal('100');
    const long = paddedValue('100', 3000) as Buffer;
    expect(long.toString()).to.equal('100'.padEnd(3000));
    expect(long.buffer.byteLength).to.equal(3000);
  });
});
