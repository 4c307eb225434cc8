import { ApiMisuse } from '@sluice/errors';
import { expect } from 'chai';
import { TestLoop } from '../src/testing/index.ts';

describe('UserEvent', () => {
  it('runs once for all triggers since, with the flags of each', () => {
    const loop = new TestLoop();
    const seen: number[] = [];
    const event = loop.userEvent((flags) => seen.push(flags));
    event.trigger(1);
    event.trigger();
    event.trigger(4);
    expect(event.pending).to.equal(true);
    expect(seen).to.deep.equal([]);
    loop.settle();
    event.trigger(2);
    loop.settle();
    expect(seen).to.deep.equal([5, 2]);
  });

  it('forgets its flags when it is stopped', () => {
    const loop = new TestLoop();
    const seen: number[] = [];
    const event = loop.userEvent((flags) => seen.push(flags));
    event.trigger(1);
    event.stop();
    loop.settle();
    event.trigger(2);
    loop.settle();
    expect(seen).to.deep.equal([2]);
  });

  it('runs in the next turn when it is triggered for later, in this one when triggered as well', () => {
    const loop = new TestLoop();
    const at: number[] = [];
    const event = loop.userEvent(() => at.push(loop.turns));
    loop.defer(() => event.triggerLater());
    loop.turn();
    loop.turn();
    event.triggerLater();
    event.trigger();
    loop.turn();
    expect(at).to.deep.equal([2, 3]);
  });

  it('changes its priority while it is idle only', () => {
    const loop = new TestLoop({ priorities: 5 });
    const event = loop.userEvent(() => {});
    expect(event.priority).to.equal(2);
    event.priority = 4;
    event.trigger();
    expect(() => {
      event.priority = 0;
    }).to.throw(ApiMisuse, /is queued/);
    loop.settle();
    expect(() => {
      event.priority = 5;
    }).to.throw(ApiMisuse, /not 5/);
    expect(event.priority).to.equal(4);
  });

  it('keeps the loop alive when asked to, until it is closed', async () => {
    const loop = new TestLoop();
    const event = loop.userEvent(() => {});
    expect(loop.alive).to.equal(false);
    event.ref();
    expect(loop.alive).to.equal(true);
    event.unref();
    expect(loop.alive).to.equal(false);
    const done = event.ref().close();
    loop.settle();
    await done;
    expect(loop.alive).to.equal(false);
  });
});
