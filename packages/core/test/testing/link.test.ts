import { expect } from 'chai';
import { link, TestLoop } from '@sluice/core/testing';

describe('link', () => {
  for (const kind of ['fin', 'reset'] as const) {
    it(`cut by ${kind}: both ends see it, after the bytes that were on their way`, () => {
      const loop = new TestLoop();
      const wire = link(loop);
      const [first, second] = wire.ends;
      first.write('to second');
      second.write('to first');
      loop.turn();
      wire.cut(kind);
      loop.settle();
      for (const end of [first, second]) {
        expect(end.closed?.end).to.equal(kind === 'fin' ? 'end' : 'reset');
        expect(end.closed?.code).to.equal(kind === 'fin' ? null : 'SLUICE_SYSTEM_ECONNRESET');
      }
      expect(first.input.toString()).to.equal('to first');
      expect(second.input.toString()).to.equal('to second');
    });
  }

  it('takes no more than its capacity while the other end does not read, and the rest when it does', () => {
    const loop = new TestLoop();
    const { ends } = link(loop, { capacityBytes: 1000 });
    const [first, second] = ends;
    second.pause();
    first.write(Buffer.alloc(5000, 'x'));
    loop.settle();
    expect([first.output.length, first.wireBytes, second.input.length]).to.deep.equal([4000, 1000, 0]);
    expect(first.refusedTotal).to.be.greaterThan(0);
    second.resume();
    loop.settle();
    expect([first.output.length, first.wireBytes, second.input.length]).to.deep.equal([0, 0, 5000]);
  });

  it('takes no more than its limit per turn, and nothing while corked', () => {
    const loop = new TestLoop();
    const wire = link(loop, { perTurnBytes: 10 });
    const [first, second] = wire.ends;
    first.write(Buffer.alloc(35, 'x'));
    expect(loop.settle()).to.be.at.least(4);
    expect(second.input.length).to.equal(35);
    wire.cork(first);
    first.write('x');
    loop.settle();
    expect(second.input.length).to.equal(35);
    wire.uncork(first);
    loop.settle();
    expect(second.input.length).to.equal(36);
  });
});
