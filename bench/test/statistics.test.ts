import { expect } from 'chai';
import { median, ratio, spread } from '../src/statistics.ts';

describe('statistics', () => {
  it('takes the middle value, whatever the order', () => {
    expect(median([9, 1, 5])).to.equal(5);
    expect(median([10, 9, 1, 2])).to.equal(5.5);
    expect(median([7])).to.equal(7);
  });

  it('leaves its argument as it was', () => {
    const values = [3, 1, 2];
    median(values);
    expect(values).to.deep.equal([3, 1, 2]);
  });

  it('refuses the median of nothing', () => {
    expect(() => median([])).to.throw(RangeError);
  });

  it('tells how far values spread', () => {
    expect(spread([4, 2, 30])).to.deep.equal({ median: 4, min: 2, max: 30 });
  });

  it('gives no ratio to what is missing or nothing', () => {
    expect(ratio(3, 4)).to.equal(0.75);
    expect(ratio(undefined, 4)).to.equal(undefined);
    expect(ratio(3, undefined)).to.equal(undefined);
    expect(ratio(3, 0)).to.equal(undefined);
  });
});
