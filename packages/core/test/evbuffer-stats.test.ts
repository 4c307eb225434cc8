import { expect } from 'chai';
import { EvBuffer, PairBufferEvent, Slab } from '../src/index.ts';
import { TestLoop } from '../src/testing/index.ts';

describe('the stats of a buffer', () => {
  it('count its bytes by the memory that they lie in, and the memory that they keep', () => {
    const buffer = new EvBuffer();
    expect(buffer.stats).to.deep.equal({ length: 0, chunks: 0, slabBytes: 0, lentBytes: 0, memoryBytes: 0 });
    const lent = Buffer.alloc(10_000);
    buffer.appendRef(lent.subarray(0, 100), () => {});
    buffer.appendRef(lent.subarray(200, 300), () => {});
    expect(buffer.stats).to.deep.equal({ length: 200, chunks: 2, slabBytes: 0, lentBytes: 200, memoryBytes: 10_000 });
    buffer.drain(150);
    expect(buffer.stats, 'little is left of much').to.include({ length: 50, chunks: 1, memoryBytes: 10_000 });
    const slab = new Slab(1000, -1);
    slab.reserve(30);
    buffer.appendSlab(slab, 0, 30);
    expect(buffer.stats).to.include({ length: 80, chunks: 2, slabBytes: 30, lentBytes: 50, memoryBytes: 10_000 });
    slab.settle();
    const { slabBytes, lentBytes, memoryBytes } = buffer.stats;
    expect([slabBytes, lentBytes]).to.deep.equal([0, 50]);
    expect(memoryBytes).to.be.above(10_030);
    const copy = buffer.read();
    expect(buffer.stats.memoryBytes).to.equal(0);
    buffer.append(copy);
    expect(buffer.stats.memoryBytes).to.be.within(80, 70_000);
  });

  it('are there for either end of a connection', () => {
    const [bev] = PairBufferEvent.create(new TestLoop());
    bev.output.append('abc');
    expect([bev.output.stats.length, bev.input.stats.chunks]).to.deep.equal([3, 0]);
  });
});
