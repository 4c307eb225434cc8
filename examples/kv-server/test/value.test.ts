import { expect } from 'chai';
import { concatValues, SHORT_VALUE_BYTES_MAX } from '../value.ts';

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
});
