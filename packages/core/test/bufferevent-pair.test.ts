import { expect } from 'chai';
import { PairBufferEvent } from '../src/index.ts';
import { link, TestLoop } from '../src/testing/index.ts';

describe('PairBufferEvent', () => {
  it('moves chunks to the partner without copying them', () => {
    const loop = new TestLoop();
    const [a, b] = PairBufferEvent.create(loop);
    const bytes = Buffer.alloc(10_000, 7);
    a.output.appendRef(bytes);
    loop.settle();
    expect(b.input.peek()[0]?.buffer).to.equal(bytes.buffer);
  });

  it('never gives the partner more than its high watermark', () => {
    const loop = new TestLoop();
    const [a, b] = PairBufferEvent.create(loop, {}, { watermarks: { read: { high: 100 } } });
    a.write(Buffer.alloc(1000));
    loop.settle();
    expect([a.output.length, b.input.length]).to.deep.equal([900, 100]);
    let got = 0;
    while (b.input.length > 0) {
      got += b.read(30).length;
      loop.settle();
      expect(b.input.length).to.be.at.most(100);
    }
    expect(got).to.equal(1000);
  });

  it('takes all that the partner still sends while it closes, and drops it', async () => {
    const loop = new TestLoop();
    const [a, b] = PairBufferEvent.create(loop, {}, { watermarks: { read: { high: 100 } } });
    a.write(Buffer.alloc(10_000));
    const closing = b.close();
    loop.settle();
    expect((await closing).end).to.equal('end');
    expect([a.bytesOut, a.closed?.end]).to.deep.equal([10_000, 'end']);
  });

  it('lets the partner see an end, and a reset when bytes were dropped', () => {
    const loop = new TestLoop();
    const [a, b] = PairBufferEvent.create(loop);
    a.destroy();
    loop.settle();
    expect(b.closed?.end).to.equal('end');
    expect(b.partner).to.equal(undefined);

    const [c, d] = PairBufferEvent.create(loop);
    d.pause();
    c.write('lost');
    loop.settle();
    c.destroy();
    loop.settle();
    expect(d.closed?.end).to.equal('reset');
  });

  it('plays ping-pong without recursion or spinning', () => {
    const loop = new TestLoop();
    const [a, b] = PairBufferEvent.create(loop);
    let rounds = 0;
    for (const end of [a, b]) {
      end.on('data', () => {
        rounds += 1;
        if (rounds < 10_000) end.output.appendFrom(end.input);
        else end.input.drain();
      });
    }
    a.write('ball');
    const turns = loop.settle(20_000);
    expect(rounds).to.equal(10_000);
    expect(turns).to.be.at.most(10_010);
  });

  it('does not leave an end waiting whose output found no room before the partner was destroyed', () => {
    const loop = new TestLoop();
    const ends = [PairBufferEvent.create(loop), link(loop, { capacityBytes: 1000 }).ends] as const;
    for (const [a, b] of ends) {
      b.pause();
      a.write(Buffer.alloc(200_000));
      loop.settle();
      b.destroy();
      loop.settle();
      expect(a.closed?.error?.message, a.transport).to.match(/EPIPE|ECONNRESET/u);
    }
  });
});
