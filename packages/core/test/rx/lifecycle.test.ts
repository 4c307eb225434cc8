import { errorFromErrno } from '@sluice/errors';
import { expect } from 'chai';
import type { Observable } from 'rxjs';
import type { BufferEvent } from '../../src/index.ts';
import { connected$, drained$, ended$ } from '../../src/rx/index.ts';
import { link, LinkBufferEvent, TestLoop } from '../../src/testing/index.ts';

function noted(stream: Observable<BufferEvent>): string[] {
  const log: string[] = [];
  stream.subscribe({
    next: (bev) => void log.push(bev.transport),
    error: (error: { code: string }) => void log.push(error.code),
    complete: () => void log.push('complete'),
  });
  return log;
}

function listeners(bev: BufferEvent): number {
  return bev.eventNames().reduce((sum, name) => sum + bev.listenerCount(name), 0);
}

describe('connected$', () => {
  it('tells of a connection once it stands, and late subscribers at once', () => {
    const loop = new TestLoop();
    const bev = new LinkBufferEvent(loop, {});
    const log = noted(connected$(bev));
    bev._join(new LinkBufferEvent(loop, {}));
    expect(log).to.deep.equal([]);
    loop.settle();
    expect(log).to.deep.equal(['link', 'complete']);
    expect(noted(connected$(bev))).to.deep.equal(['link', 'complete']);
    expect(listeners(bev)).to.equal(0);
  });

  it('errors when the connection fails before, also for late subscribers, and only completes when it was given up', () => {
    const loop = new TestLoop();
    const failing = new LinkBufferEvent(loop, {});
    const log = noted(connected$(failing));
    failing._fail(errorFromErrno('ECONNREFUSED', { operation: 'connect' }));
    loop.settle();
    expect(log).to.deep.equal(['SLUICE_SYSTEM_ECONNREFUSED']);
    expect(noted(connected$(failing))).to.deep.equal(['SLUICE_SYSTEM_ECONNREFUSED']);

    const given = new LinkBufferEvent(loop, {});
    const givenLog = noted(connected$(given));
    given.destroy();
    loop.settle();
    expect(givenLog).to.deep.equal(['complete']);
  });
});

describe('ended$', () => {
  it("tells of the peer's end, and completes", () => {
    const loop = new TestLoop();
    const { ends } = link(loop, { first: { halfOpen: true } });
    const log = noted(ended$(ends[0]));
    ends[1].end();
    loop.settle();
    expect(log).to.deep.equal(['link', 'complete']);
    expect(listeners(ends[0])).to.equal(0);
  });

  it('only completes when the connection goes without one, or is gone', () => {
    const loop = new TestLoop();
    const { ends } = link(loop);
    const log = noted(ended$(ends[0]));
    ends[0].destroy();
    loop.settle();
    expect(log).to.deep.equal(['complete']);
    const late = noted(ended$(ends[0]));
    loop.settle();
    expect(late).to.deep.equal(['complete']);
  });
});

describe('drained$', () => {
  it('tells of each time, and completes with the connection', () => {
    const loop = new TestLoop();
    const wires = link(loop, { second: {} });
    const [bev, peer] = wires.ends;
    peer.on('data', () => void peer.input.drain());
    const log = noted(drained$(bev));
    for (let round = 0; round < 2; round += 1) {
      bev.write(Buffer.alloc(100_000));
      loop.settle();
    }
    expect(log).to.deep.equal(['link', 'link']);
    bev.destroy();
    loop.settle();
    expect(log).to.deep.equal(['link', 'link', 'complete']);
  });

  it('listens only while it is subscribed to', () => {
    const { ends } = link(new TestLoop());
    const subscription = drained$(ends[0]).subscribe();
    expect(listeners(ends[0])).to.equal(2);
    subscription.unsubscribe();
    expect(listeners(ends[0])).to.equal(0);
  });
});
