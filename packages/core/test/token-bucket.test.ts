import { ApiMisuse } from '@sluice/errors';
import { expect } from 'chai';
import { TokenBucket, tickRate, unlimitedRate } from '../src/token-bucket.ts';

describe('TokenBucket', () => {
  const hundredPerTick = tickRate({ perSecond: 1000, burst: 300 }, 100);

  it('starts with one tick, fills to its burst, and pays for what was used too much', () => {
    const bucket = new TokenBucket(hundredPerTick, 5000);
    expect(bucket.level).to.equal(100);
    bucket.take(100);
    expect(bucket.level).to.equal(0);
    expect(bucket.refill(5099)).to.equal(0);
    expect(bucket.refill(5100)).to.equal(1);
    expect(bucket.level).to.equal(100);
    expect(bucket.refill(5600)).to.equal(5);
    expect(bucket.level).to.equal(300);
    bucket.take(420);
    bucket.refill(5700);
    expect(bucket.level).to.equal(-20);
  });

  it('keeps the phase of its ticks, and takes a clock that goes backwards for one that stands', () => {
    const bucket = new TokenBucket(hundredPerTick, 0);
    bucket.take(100);
    bucket.refill(150);
    bucket.take(100);
    expect(bucket.refill(149)).to.equal(0);
    expect(bucket.refill(-1000)).to.equal(0);
    expect(bucket.refill(200)).to.equal(1);
    expect(bucket.level).to.equal(100);
  });

  it('adds up fractions', () => {
    const bucket = new TokenBucket(tickRate({ perSecond: 5, burst: 2 }, 100), 0);
    expect(bucket.level).to.equal(0.5);
    bucket.refill(100);
    expect(bucket.level).to.equal(1);
    expect(bucket.msUntil(2, 150)).to.equal(150);
  });

  it('knows when it will hold so much, at most its burst', () => {
    const bucket = new TokenBucket(hundredPerTick, 0);
    expect(bucket.msUntil(100, 0)).to.equal(0);
    bucket.take(350);
    expect(bucket.msUntil(1, 30)).to.equal(270);
    expect(bucket.msUntil(10_000, 0)).to.equal(600);
    expect(bucket.msUntilTick(30)).to.equal(70);
  });

  it('gives back no more than its burst holds', () => {
    const bucket = new TokenBucket(hundredPerTick, 0);
    bucket.take(-1000);
    expect(bucket.level).to.equal(300);
  });

  it('keeps what it holds when its rate changes, cut to the new burst', () => {
    const bucket = new TokenBucket(hundredPerTick, 0);
    bucket.refill(1000);
    bucket.change(tickRate({ perSecond: 1000, burst: 150 }, 100), 1000);
    expect(bucket.level).to.equal(150);
    bucket.take(160);
    bucket.change(hundredPerTick, 1000);
    expect(bucket.level).to.equal(-10);
    bucket.change(unlimitedRate, 1000);
    expect(bucket.level).to.equal(Number.POSITIVE_INFINITY);
    bucket.change(hundredPerTick, 1000);
    expect(bucket.level).to.equal(100);
  });

  it('has a burst of a second when none is given, or of a tick when that is longer', () => {
    expect(tickRate({ perSecond: 1000 }, 100)).to.deep.equal({ perTick: 100, burst: 1000, tickMs: 100 });
    expect(tickRate({ perSecond: 1000 }, 5000).burst).to.equal(5000);
    expect(tickRate({ perSecond: 0.1 }).burst).to.equal(1);
  });

  it('bufferevent/bufferevent_ratelimit_div_by_zero: a tick of no time is refused', () => {
    for (const tickMs of [0, 0.5, -1, Number.NaN]) {
      expect(() => tickRate({ perSecond: 1 }, tickMs)).to.throw(ApiMisuse, /tickMs/);
    }
  });

  it('bufferevent/bufferevent_ratelimit_overflow: a tick that no counter of milliseconds holds is refused', () => {
    const secondsMax = Math.floor(0x7fffffff / 1000);
    for (const seconds of [Number.MAX_SAFE_INTEGER, 0xffffffff - 1, 0x7fffffff, secondsMax + 1]) {
      expect(() => tickRate({ perSecond: 1 }, seconds * 1000)).to.throw(ApiMisuse, /tickMs/);
    }
    for (const seconds of [secondsMax, secondsMax - 1]) {
      expect(tickRate({ perSecond: 1 }, seconds * 1000).perTick).to.equal(seconds);
    }
  });

  it('refuses rates and bursts that make no sense, by name', () => {
    for (const perSecond of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => tickRate({ perSecond }, 100, 'read')).to.throw(ApiMisuse, /read\.perSecond/);
    }
    for (const burst of [99, 0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => tickRate({ perSecond: 1000, burst }, 100, 'write')).to.throw(ApiMisuse, /write\.burst/);
    }
  });
});
