import { expect } from 'chai';
import { storeCounters } from '../store-counters.ts';

describe('kv-server store counters', () => {
  it('begin at 0, each set for itself', () => {
    const counters = storeCounters();
    expect(new Set(Object.values(counters))).to.deep.equal(new Set([0]));
    counters.cmdGet += 1;
    expect(storeCounters().cmdGet).to.equal(0);
  });
});
