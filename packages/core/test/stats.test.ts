import { expect } from 'chai';
import { connect, EventLoop, Reactor, Server } from '../src/index.ts';
import { link, LinkBufferEvent, TestLoop } from '../src/testing/index.ts';

describe('stats', () => {
  it('of a connection are plain values, as they are now', () => {
    const loop = new TestLoop();
    const wires = link(loop, { first: { watermarks: { read: { high: 10 } } }, second: {} });
    const [bev, peer] = wires.ends;
    expect(new LinkBufferEvent(loop, {}).stats).to.include({ state: 'connecting', end: null });
    loop.advance(7);
    peer.write('0123456789 and more');
    wires.cork(bev);
    bev.write('abc');
    loop.settle();
    bev.suspendWrite(4);
    const { stats } = bev;
    expect(stats).to.deep.equal({
      id: bev.id,
      transport: 'link',
      state: 'open',
      end: null,
      ageMs: 7,
      bytesIn: 10,
      bytesOut: 0,
      inputBytes: 10,
      outputBytes: 3,
      peerEnded: false,
      readEnabled: true,
      writeEnabled: true,
      readSuspended: ['watermark'],
      writeSuspended: ['group'],
      underlying: null,
    });
    expect(JSON.parse(JSON.stringify(stats))).to.deep.equal(stats);
    bev.destroy();
    loop.advance(100);
    expect(bev.stats).to.include({ state: 'closed', end: 'aborted', ageMs: 7, outputBytes: 0 });
  });

  it("of a reactor are the native loop's counters", async () => {
    const loop = new EventLoop();
    try {
      const reactor = Reactor.of(loop);
      expect(reactor.stats).to.include({ reads: 0, bytesWritten: 0, handles: 0 });
      const server = new Server({ data: (bev) => void bev.write(bev.read()) }, { loop });
      const listener = await server.listen({ port: 0, host: '127.0.0.1' });
      const client = connect({ loop, port: listener.address.port, host: '127.0.0.1' });
      client.write('hello');
      await new Promise((resolve) => client.once('data', () => resolve(undefined)));
      expect(reactor.stats).to.include({
        reads: 2,
        bytesRead: 10,
        writes: 2,
        bytesWritten: 10,
        writesRefused: 0,
        handles: 3,
      });
      expect(reactor.stats.deliveries).to.be.above(1);
      expect(reactor.stats.records).to.be.at.least(reactor.stats.deliveries);
      expect(reactor.stats.flushes).to.be.above(1);
      await server.close();
    } finally {
      loop.close();
    }
  });
});
