import { ApiMisuse } from '@sluice/errors';
import { expect } from 'chai';
import { type BufferEvent, type ConnectionOptions, FilterBufferEvent, PairBufferEvent } from '../src/index.ts';
import { link, TestLoop } from '../src/testing/index.ts';

describe('the priority of a connection', () => {
  function pairs(loop: TestLoop, log: string[], options: Record<string, ConnectionOptions>): PairBufferEvent[] {
    return Object.entries(options).map(([name, option]) => {
      const [near, far] = PairBufferEvent.create(loop, {}, option);
      far.on('data', () => log.push(`${name} ${far.read().toString()}`));
      return near;
    });
  }

  it('orders callbacks among those of a turn, and others of the loop', () => {
    const loop = new TestLoop({ priorities: 5 });
    const log: string[] = [];
    const all = pairs(loop, log, {
      idle: { priority: 4 },
      plain: {},
      middle: { priority: 2 },
      urgent: { priority: 0 },
    });
    loop.settle();
    for (const near of all) near.write('x');
    // The pair moves bytes at the end of this turn, and the ends tell in the next ones.
    loop.turn();
    loop.defer(() => log.push('deferred'), 1);
    loop.turn();
    expect(log).to.deep.equal(['urgent x', 'plain x']);
    loop.settle();
    expect(log.slice(2)).to.deep.equal(['deferred', 'middle x', 'idle x']);
  });

  it('lets what is urgent starve what is not, and nothing starve a connection without one', () => {
    const loop = new TestLoop({ priorities: 3 });
    const log: string[] = [];
    const all = pairs(loop, log, { plain: {}, idle: { priority: 2 } });
    loop.settle();
    for (const near of all) near.write('x');
    let rounds = 0;
    const busy = (): void => {
      rounds += 1;
      if (rounds < 100) loop.deferNext(busy, 0);
    };
    loop.defer(busy, 0);
    while (rounds < 100) loop.turn();
    expect(log).to.deep.equal(['plain x']);
    loop.settle();
    expect(log).to.deep.equal(['plain x', 'idle x']);
  });

  it('can be set at any time, and moves what waits', () => {
    const loop = new TestLoop({ priorities: 3 });
    const log: string[] = [];
    const [near] = pairs(loop, log, { it: { priority: 2 } });
    const far = near?.partner as BufferEvent;
    loop.settle();
    expect(far.priority).to.equal(2);
    near?.write('a');
    loop.turn();
    for (const priority of [0, undefined, 2, 1]) far.priority = priority;
    loop.defer(() => log.push('deferred'), 1);
    loop.settle();
    expect(log).to.deep.equal(['it a', 'deferred']);
    expect(far.priority).to.equal(1);
    far.priority = undefined;
    near?.write('b');
    loop.settle();
    near?.end();
    loop.settle();
    expect(log.slice(2)).to.deep.equal(['it b']);
    expect([far.closed?.end, loop.uncaughtErrors]).to.deep.equal(['end', []]);
  });

  it('is that of its layer: a filter over a connection tells by its own', () => {
    const loop = new TestLoop({ priorities: 3 });
    const log: string[] = [];
    const [below, peer] = link(loop).ends;
    const bev = new FilterBufferEvent(below, {}, { priority: 2 });
    bev.on('data', () => log.push(`data ${bev.read().toString()}`));
    bev.on('closed', ({ end }) => log.push(end));
    loop.settle();
    peer.write('x');
    peer.end();
    for (let turn = 0; turn < 20; turn += 1) {
      loop.defer(() => {}, 0);
      loop.turn();
    }
    expect([log, below.bytesIn]).to.deep.equal([[], 1]);
    loop.settle();
    expect(log).to.deep.equal(['data x', 'end']);
  });

  it('has to be one of the loop', () => {
    const loop = new TestLoop({ priorities: 2 });
    for (const priority of [2, -1, 0.5, Number.NaN]) {
      expect(() => PairBufferEvent.create(loop, { priority })).to.throw(ApiMisuse, 'priorities are 0');
      const [bev] = PairBufferEvent.create(loop);
      expect(() => {
        bev.priority = priority;
      }).to.throw(ApiMisuse, `not ${priority}`);
      expect(bev.priority).to.equal(undefined);
    }
  });
});
