import { expect } from 'chai';
import { type Lease, leased$, type Pressure, pressure$ } from '../../src/rx/index.ts';
import { link, TestLoop } from '../../src/testing/index.ts';

function watched() {
  const loop = new TestLoop();
  const watermarks = { read: { high: 100 }, write: { low: 10, high: 100 } };
  const wires = link(loop, { first: { watermarks, pauseReadWhenFull: true }, second: {} });
  const [bev, peer] = wires.ends;
  const log: (Pressure | 'complete')[] = [];
  const subscription = pressure$(bev).subscribe({
    next: (pressure) => void log.push(pressure),
    complete: () => void log.push('complete'),
  });
  return { loop, wires, bev, peer, log, subscription };
}

const none = { read: false, write: false, inputBytes: 0, outputBytes: 0 };

describe('pressure$', () => {
  it('tells of unread input at the high watermark, and of its relief', () => {
    const { loop, bev, peer, log } = watched();
    expect(log).to.deep.equal([none]);
    peer.write(Buffer.alloc(100));
    loop.settle();
    expect(log.slice(1)).to.deep.equal([{ ...none, read: true, inputBytes: 100 }]);
    bev.input.drain();
    loop.settle();
    expect(log.slice(2)).to.deep.equal([none]);
  });

  it('tells of output at the high watermark until it has drained to the low one, and of the reading that it stops', () => {
    const { loop, wires, bev, log } = watched();
    wires.cork(bev);
    bev.write(Buffer.alloc(100));
    expect(log.length).to.equal(1);
    loop.settle();
    expect(log.slice(1)).to.deep.equal([{ read: true, write: true, inputBytes: 0, outputBytes: 100 }]);
    wires.limit(bev, 30);
    wires.uncork(bev);
    loop.settle();
    expect(log.slice(2)).to.deep.equal([{ ...none, outputBytes: 10 }]);
    expect(bev.output.length).to.equal(0);
  });

  it('tells nothing of what comes and goes within one turn', () => {
    const { loop, bev, log } = watched();
    bev.write(Buffer.alloc(200));
    loop.settle();
    expect(bev.bytesOut).to.equal(200);
    expect(log).to.deep.equal([none]);
  });

  it('tells of bytes on loan', () => {
    const { loop, bev, peer, log } = watched();
    const leases: Lease[] = [];
    leased$(bev).subscribe((lease) => leases.push(lease));
    peer.write(Buffer.alloc(100));
    loop.settle();
    expect(bev.input.length).to.equal(0);
    expect(log.slice(1)).to.deep.equal([{ ...none, read: true, inputBytes: 100 }]);
    for (const lease of leases) lease.release();
    expect(log.length).to.equal(2);
    loop.settle();
    expect(log.slice(2)).to.deep.equal([none]);
  });

  it('completes with the connection, for late subscribers at once', () => {
    const { loop, bev, log } = watched();
    bev.destroy();
    loop.settle();
    expect(log).to.deep.equal([none, 'complete']);
    const late: unknown[] = [];
    pressure$(bev).subscribe({ next: (pressure) => late.push(pressure), complete: () => late.push('complete') });
    expect(late).to.deep.equal([none, 'complete']);
  });

  it('looks only while it is subscribed to', () => {
    const { loop, bev, peer, log, subscription } = watched();
    subscription.unsubscribe();
    peer.write(Buffer.alloc(150));
    loop.settle();
    expect(log).to.deep.equal([none]);
    expect(bev.listenerCount('closed')).to.equal(0);
  });
});
