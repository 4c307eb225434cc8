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

  it('does not spin while it is corked, and gives slices of what a turn takes', () => {
    const loop = new TestLoop();
    const wire = link(loop, { perTurnBytes: 2 });
    const [first, second] = wire.ends;
    wire.cork(first);
    first.write('12345');
    expect(loop.settle()).to.be.below(5);
    wire.uncork(first);
    const slices: string[] = [];
    second.on('data', () => slices.push(second.input.readString()));
    loop.settle();
    expect(slices).to.deep.equal(['12', '34', '5']);
  });

  it('fails writes as told, and the first error is the one reported', () => {
    const loop = new TestLoop();
    const wire = link(loop);
    const [first] = wire.ends;
    loop.settle();
    first.pause();
    wire.breakWrites(first, 'ECONNRESET');
    first.write('x');
    loop.settle();
    expect(first.closed).to.include({ end: 'reset', direction: 'write' });
  });

  describe('with a delay', () => {
    function delayed(delayMs: number, capacityBytes = 1000) {
      const loop = new TestLoop();
      const wire = link(loop, { delayMs, capacityBytes });
      const [first, second] = wire.ends;
      const log: string[] = [];
      second.on('data', () => log.push(`${loop.now()} ${second.input.readString()}`));
      second.on('end', () => log.push(`${loop.now()} end`));
      second.on('closed', ({ end }) => log.push(`${loop.now()} closed ${end}`));
      loop.settle();
      return { loop, wire, first, second, log };
    }

    it('bytes and ends take their time, each its own', () => {
      const { loop, first, second, log } = delayed(30);
      first.write('a');
      loop.advance(10);
      first.write('b');
      first.end();
      expect([log, first.wireBytes]).to.deep.equal([[], 1]);
      loop.advance(19);
      expect([log, first.wireBytes]).to.deep.equal([[], 2]);
      loop.advance(1);
      expect(log).to.deep.equal(['30 a']);
      loop.advance(1000);
      expect(log.slice(1)).to.deep.equal(['40 b', '40 end', '40 closed end']);
      // The other end's own end is under way when that has nothing more to do with it.
      expect([first.closed?.end, first.closed?.durationMs, second.closed?.durationMs]).to.deep.equal(['end', 70, 40]);
    });

    it('what is under way is in its capacity', () => {
      const { loop, first, log } = delayed(100, 10);
      first.write('x'.repeat(25));
      loop.settle();
      expect([first.wireBytes, first.output.length]).to.deep.equal([10, 15]);
      loop.advance(1000);
      expect(log.map((line) => line.split(' ')[0])).to.deep.equal(['100', '200', '300']);
    });

    it('nothing overtakes what was sent before, when the delay is changed', () => {
      const { loop, wire, first, log } = delayed(50);
      first.write('slow');
      loop.settle();
      wire.delay(first, 0);
      first.write('quick');
      loop.settle();
      expect(log).to.deep.equal([]);
      loop.advance(50);
      first.write('now');
      loop.settle();
      expect(log).to.deep.equal(['50 slowquick', '50 now']);
    });

    it('waits for an end that does not read, without looking again and again', () => {
      const { loop, first, second, log } = delayed(20);
      second.pause();
      first.write('x');
      loop.advance(20);
      const { turns } = loop;
      loop.advance(80);
      expect([log, loop.turns - turns, first.wireBytes]).to.deep.equal([[], 0, 1]);
      second.resume();
      loop.settle();
      expect(log).to.deep.equal(['100 x']);
    });

    for (const kind of ['fin', 'reset'] as const) {
      it(`cut by ${kind}, what is under way arrives, and then that`, () => {
        const { loop, wire, first, log } = delayed(40);
        first.write('on its way');
        loop.advance(10);
        wire.cut(kind);
        loop.advance(29);
        expect(log).to.deep.equal([]);
        loop.advance(1000);
        expect(log.map((line) => line.slice(3))).to.deep.equal(
          kind === 'fin' ? ['on its way', 'end', 'closed end'] : ['on its way', 'closed reset'],
        );
        expect(log[0]).to.match(/^40 /);
      });
    }

    it('that an end is gone is heard of as late: a reset, and what is written meanwhile fails', () => {
      const { loop, first, second, log } = delayed(25);
      first.write('owed');
      first.destroy();
      loop.advance(24);
      second.write('to nobody');
      loop.settle();
      expect([log, second.closed]).to.deep.equal([[], undefined]);
      loop.advance(1);
      expect(log).to.deep.equal(['25 closed reset']);
    });
  });
});
