import { expect } from 'chai';
import { EventLoop } from '../src/index.ts';
import { TestLoop } from '../src/testing/index.ts';

describe('EventLoop.metrics', () => {
  it('is nothing until it is asked for', () => {
    const loop = new TestLoop();
    loop.defer(() => {});
    loop.settle();
    expect(loop.metrics()).to.equal(undefined);
    expect(new TestLoop({ measure: true }).metrics()).to.include({ turns: 0, busyMs: 0 });
  });

  it('measures turns, what is between them, and how late timers are', () => {
    const loop = new TestLoop();
    loop.measure();
    loop.measure();
    loop.timer(10, () => loop.virtual.advance(4));
    loop.timer(12, () => loop.virtual.advance(2));
    loop.advance(20);
    const metrics = loop.metrics({ reset: true });
    expect(metrics).to.include({ turns: 2, busyMs: 6, elapsedMs: 20, waitMs: 14, utilization: 0.3 });
    expect(metrics?.turn).to.include({ count: 2 });
    expect(metrics?.turn.max).to.be.closeTo(4, 0.04);
    expect(metrics?.turn.min).to.be.closeTo(2, 0.02);
    // The second was due at 12 and came at 14.
    expect(metrics?.lag.count).to.equal(2);
    expect(metrics?.lag.max).to.be.closeTo(2, 0.02);
    expect(loop.metrics()).to.include({ turns: 0, busyMs: 0, elapsedMs: 0, utilization: 0 });
    expect(loop.metrics()?.turn).to.deep.equal({ count: 0, min: 0, mean: 0, p50: 0, p90: 0, p99: 0, max: 0 });
  });

  it('measures how late a turn comes that was asked for', () => {
    let run = (): void => {};
    let now = 0;
    const clock = { now: () => now, schedule: () => ({ cancel() {}, ref() {}, unref() {} }) };
    const late = new EventLoop({
      clock,
      measure: true,
      schedule: (turn) => {
        run = turn;
      },
    });
    late.defer(() => {});
    now = 25;
    run();
    expect(late.metrics()?.lag.max).to.be.closeTo(25, 0.25);
    late.close();
  });
});
