import { expect } from 'chai';
import { Chunk, Reference } from '../src/chunk.ts';

describe('Chunk', () => {
  it('shares its front without giving away room, and is counted by its reference', () => {
    const reference = new Reference(() => {});
    const chunk = new Chunk(Buffer.from('0123456789'), 2, 8, undefined, reference);
    const front = chunk.shareFront(3);
    expect([front.start, front.end, front.low, front.high]).to.deep.equal([2, 5, 2, 5]);
    expect(front.bytes).to.equal(chunk.bytes);
    expect(reference.chunks).to.equal(2);
  });
});

describe('Reference', () => {
  it('is done when the last chunk is dropped', () => {
    const reference = new Reference(() => {});
    reference.retain();
    expect([reference.drop(), reference.drop()]).to.deep.equal([false, true]);
  });

  it('tells the user at once, but not before the append is over', async () => {
    let told = 0;
    const early = new Reference(() => (told += 1));
    early.fire();
    expect(told).to.equal(0);
    await Promise.resolve();
    expect(told).to.equal(1);

    const late = new Reference(() => (told += 1));
    late.appended();
    late.fire();
    expect(told).to.equal(2);
  });
});
