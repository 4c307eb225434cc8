import { expect } from 'chai';
import { type BufferChange, EvBuffer, PairBufferEvent } from '../src/index.ts';
import { TestLoop } from '../src/testing/index.ts';

function logTo(log: string[]): (change: BufferChange) => void {
  return ({ before, added, removed }) => log.push(`${before} +${added} -${removed}`);
}

describe('EvBuffer.onChange with deferred', () => {
  it('tells once per turn what came to be since, and nothing inside the call that made it', () => {
    const loop = new TestLoop();
    const buffer = new EvBuffer();
    const log: string[] = [];
    buffer.append('ab');
    buffer.onChange(logTo(log), { deferred: loop });
    buffer.append('cdef');
    buffer.drain(3);
    buffer.append('g');
    expect(log).to.deep.equal([]);
    loop.settle();
    expect(log).to.deep.equal(['2 +5 -3']);
    loop.settle();
    buffer.clear();
    loop.settle();
    expect(log).to.deep.equal(['2 +5 -3', '4 +0 -4']);
  });

  it('tells of bytes that came and went as well', () => {
    const loop = new TestLoop();
    const buffer = new EvBuffer();
    const log: string[] = [];
    buffer.onChange(logTo(log), { deferred: loop });
    buffer.append('abc');
    buffer.clear();
    loop.settle();
    expect(log).to.deep.equal(['0 +3 -3']);
  });

  it('sums up what the listener itself changes for its next call', () => {
    const loop = new TestLoop();
    const buffer = new EvBuffer();
    const log: string[] = [];
    buffer.onChange(
      (change) => {
        logTo(log)(change);
        if (buffer.length > 1) buffer.drain(2);
      },
      { deferred: loop },
    );
    buffer.append('abcde');
    loop.settle();
    expect(log).to.deep.equal(['0 +5 -0', '5 +0 -2', '3 +0 -2']);
  });

  it('counts for itself, beside listeners that are told at once', () => {
    const loop = new TestLoop();
    const buffer = new EvBuffer();
    const [now, later]: [string[], string[]] = [[], []];
    buffer.onChange(logTo(now));
    buffer.append('a');
    buffer.onChange(logTo(later), { deferred: loop });
    buffer.append('b');
    buffer.append('c');
    loop.settle();
    expect(now).to.deep.equal(['0 +1 -0', '1 +1 -0', '2 +1 -0']);
    expect(later).to.deep.equal(['1 +2 -0']);
  });

  it('ends at once with its subscription, what was noted included', () => {
    const loop = new TestLoop();
    const buffer = new EvBuffer();
    const log: string[] = [];
    const subscription = buffer.onChange(logTo(log), { deferred: loop });
    buffer.append('a');
    subscription.unsubscribe();
    buffer.append('b');
    loop.settle();
    expect(log).to.deep.equal([]);
  });

  it('leaves what it throws to the loop, and the writer goes on', () => {
    const loop = new TestLoop();
    const buffer = new EvBuffer();
    const thrown = new Error('in a listener');
    buffer.onChange(
      () => {
        throw thrown;
      },
      { deferred: loop },
    );
    buffer.append('a');
    loop.settle();
    expect(loop.uncaughtErrors).to.deep.equal([thrown]);
  });

  it("tells of a connection's output, written and sent, in one sum", () => {
    const loop = new TestLoop();
    const [left, right] = PairBufferEvent.create(loop);
    loop.settle();
    const log: string[] = [];
    right.input.onChange(logTo(log), { deferred: loop });
    for (let count = 0; count < 10; count += 1) left.write('ten bytes!');
    loop.settle();
    expect(log).to.deep.equal(['0 +100 -0']);
    left.destroy();
    right.destroy();
    loop.settle();
  });
});
