import { expect } from 'chai';
import { link, TestLoop } from '../src/testing/index.ts';

describe('testing: link', () => {
  it('holds its capacity between the ends, and refuses more', () => {
    const loop = new TestLoop();
    const wire = link(loop, { capacityBytes: 1000 });
    const [a, b] = wire.ends;
    b.pause();
    a.write(Buffer.alloc(5000));
    loop.settle();
    expect([a.wireBytes, a.output.length, b.input.length]).to.deep.equal([1000, 4000, 0]);
    expect(a.refusedTotal).to.be.above(0);
    b.resume();
    loop.settle();
    expect(b.input.length).to.equal(5000);
  });

  it('takes no more per turn than its limit', () => {
    const loop = new TestLoop();
    const [a, b] = link(loop, { perTurnBytes: 1 }).ends;
    a.write('12345');
    const turns = loop.settle();
    expect(b.input.toString()).to.equal('12345');
    expect(turns).to.be.within(5, 12);
  });

  it('takes nothing while corked, without spinning', () => {
    const loop = new TestLoop();
    const wire = link(loop);
    const [a, b] = wire.ends;
    wire.cork(a);
    a.write('x');
    expect(loop.settle()).to.be.below(5);
    expect(b.input.length).to.equal(0);
    wire.uncork(a);
    loop.settle();
    expect(b.input.length).to.equal(1);
  });

  it('is cut: what was on its way arrives, then the end or the reset', () => {
    for (const kind of ['fin', 'reset'] as const) {
      const loop = new TestLoop();
      const wire = link(loop);
      const [a, b] = wire.ends;
      b.pause();
      a.write('on its way');
      loop.settle();
      wire.cut(kind);
      b.resume();
      loop.settle();
      expect(b.input.toString()).to.equal('on its way');
      expect(b.closed?.end).to.equal(kind === 'fin' ? 'end' : 'reset');
    }
  });

  it('fails writes as told, and the first error is the one reported', () => {
    const loop = new TestLoop();
    const wire = link(loop);
    const [a] = wire.ends;
    loop.settle();
    a.pause();
    wire.breakWrites(a, 'ECONNRESET');
    a.write('x');
    loop.settle();
    expect(a.closed).to.include({ end: 'reset', direction: 'write' });
  });
});
