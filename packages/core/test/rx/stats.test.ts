import { ApiMisuse } from '@sluice/errors';
import { expect } from 'chai';
import { stats$ } from '../../src/rx/index.ts';
import { TestLoop } from '../../src/testing/index.ts';

describe('stats$', () => {
  it('takes a snapshot at each interval of the loop, until it is unsubscribed from', () => {
    const loop = new TestLoop();
    let count = 0;
    const source = {
      loop,
      get stats() {
        count += 1;
        return { count };
      },
    };
    const seen: unknown[] = [];
    const subscription = stats$(source, 100).subscribe((stats) => seen.push(stats));
    loop.advance(250);
    expect(seen).to.deep.equal([{ count: 1 }, { count: 2 }]);
    expect(loop.alive).to.equal(false);
    subscription.unsubscribe();
    loop.advance(1000);
    expect(count).to.equal(2);
  });

  it('takes those of a loop, which is its own', () => {
    const loop = new TestLoop();
    const turns: number[] = [];
    stats$(loop, 10).subscribe((stats) => turns.push(stats.turns));
    loop.advance(20);
    expect(turns.length).to.equal(2);
    expect(() => stats$({ stats: 1 }, 10)).to.throw(ApiMisuse, 'counts');
  });
});
