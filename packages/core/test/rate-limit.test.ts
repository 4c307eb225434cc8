import net from 'node:net';
import { once } from 'node:events';
import { ApiMisuse } from '@sluice/errors';
import { Counter } from '@sluice/native';
import { expect } from 'chai';
import {
  type BufferEvent,
  FilterBufferEvent,
  PairBufferEvent,
  RateLimitGroup,
  Reactor,
  serve,
  Suspend,
} from '../src/index.ts';
import { link, TestLoop } from '../src/testing/index.ts';
import { DrivenLoop, iterationsUntil } from './support/driven-loop.ts';

const TEN_A_MS = { perSecond: 1000, burst: 300 };

describe('setRateLimit', () => {
  let loop: TestLoop;

  beforeEach(() => {
    loop = new TestLoop();
  });

  function pair(): [PairBufferEvent, PairBufferEvent] {
    return PairBufferEvent.create(loop);
  }

  it('limits what is read: one tick at first, a burst after a rest, and never more', () => {
    const [writer, reader] = pair();
    reader.setRateLimit({ read: TEN_A_MS, tickMs: 100 });
    writer.write(Buffer.alloc(1000));
    loop.settle();
    expect(reader.bytesIn).to.equal(100);
    expect(reader.suspended).to.equal(Suspend.rate);
    loop.advance(99);
    expect(reader.bytesIn).to.equal(100);
    loop.advance(1);
    expect(reader.bytesIn).to.equal(200);
    loop.advance(800);
    expect(reader.bytesIn).to.equal(1000);
    loop.advance(10_000);
    expect(reader.suspended).to.equal(0);
    expect(reader.rateLimit?.readLevel).to.equal(300);
    writer.write(Buffer.alloc(1000));
    loop.settle();
    expect(reader.bytesIn).to.equal(1300);
  });

  it('limits what is written, on a pair as anywhere, and reading at that end goes on', () => {
    const [writer, reader] = pair();
    writer.setRateLimit({ write: TEN_A_MS, tickMs: 100 });
    writer.write(Buffer.alloc(1000));
    reader.write('not limited');
    loop.settle();
    expect(writer.bytesOut).to.equal(100);
    expect(writer.writeSuspended).to.equal(Suspend.rate);
    expect(writer.bytesIn).to.equal(11);
    // What another asks for does not get past it.
    reader.read();
    reader.pause();
    reader.resume();
    writer.write('more');
    loop.settle();
    expect(writer.bytesOut).to.equal(100);
    loop.advance(1000);
    expect(writer.bytesOut).to.equal(1004);
  });

  it('keeps one timer, and none while nothing is held', () => {
    const [writer, reader] = pair();
    reader.setRateLimit({ read: TEN_A_MS, write: TEN_A_MS, tickMs: 100 });
    const before = loop.stats.timersPending;
    writer.write(Buffer.alloc(150));
    reader.write(Buffer.alloc(150));
    loop.settle();
    expect(reader.suspended | reader.writeSuspended).to.equal(Suspend.rate);
    expect(loop.stats.timersPending).to.equal(before + 1);
    loop.advance(100);
    expect(loop.stats.timersPending).to.equal(before);
  });

  it('is taken away with null: what was held goes on at once', () => {
    const [writer, reader] = pair();
    reader.setRateLimit({ read: TEN_A_MS });
    writer.write(Buffer.alloc(5000));
    loop.settle();
    reader.setRateLimit(null);
    loop.settle();
    expect(reader.bytesIn).to.equal(5000);
    expect(reader.rateLimit).to.equal(undefined);
    expect(loop.virtual.pending).to.equal(1);
  });

  it('keeps what the buckets hold when it is changed: nobody gets more by asking again', () => {
    const [writer, reader] = pair();
    for (let round = 0; round < 5; round += 1) {
      reader.setRateLimit({ read: TEN_A_MS, tickMs: 100 });
      writer.write(Buffer.alloc(100));
      loop.settle();
    }
    expect(reader.bytesIn).to.equal(100);
    reader.setRateLimit({ read: { perSecond: 10_000 }, tickMs: 100 });
    loop.advance(100);
    expect(reader.bytesIn).to.equal(500);
  });

  it('does not look at its options again: what becomes of them is all the same', () => {
    const options = { read: { perSecond: 1000, burst: 300 }, tickMs: 100 };
    const [writer, reader] = pair();
    const [other, member] = pair();
    const group = new RateLimitGroup(loop, options);
    reader.setRateLimit(options);
    group.add(member);
    Object.assign(options.read, { perSecond: 1, burst: 1 });
    Object.assign(options, { tickMs: 60_000, read: undefined });
    for (const end of [writer, other]) end.write(Buffer.alloc(1000));
    loop.advance(900);
    expect([reader.bytesIn, member.bytesIn]).to.deep.equal([1000, 1000]);
    loop.advance(10_000);
    expect([reader.rateLimit?.readLevel, group.available('read')]).to.deep.equal([300, 300]);
  });

  it('counts at the lowest layer: a filter that doubles its bytes gets half as far', () => {
    const [below, peer] = pair();
    const doubled = new FilterBufferEvent(below, {
      output: (source, destination) => {
        for (const byte of source.read()) destination.append(Buffer.from([byte, byte]));
        return 'ok';
      },
    });
    doubled.setRateLimit({ write: TEN_A_MS, tickMs: 100 });
    expect(below.rateLimit?.writeAllowance).to.equal(100);
    doubled.write(Buffer.alloc(500));
    loop.settle();
    expect(peer.bytesIn).to.equal(100);
    loop.advance(400);
    expect(peer.bytesIn).to.equal(500);
  });

  it('does not blame a peer for the time in which we hold back', () => {
    const { ends } = link(loop, { first: { timeouts: { writeMs: 150, readMs: 150 } }, second: {} });
    const [slow, peer] = ends;
    slow.setRateLimit({ read: { perSecond: 1, burst: 10 }, write: { perSecond: 1, burst: 10 }, tickMs: 1000 });
    const timeouts: string[] = [];
    slow.on('timeout', (direction) => timeouts.push(direction));
    peer.write('xxxx');
    slow.write('yyyy');
    loop.advance(2500);
    expect([slow.bytesIn, slow.bytesOut]).to.deep.equal([3, 3]);
    expect(timeouts).to.deep.equal([]);
    loop.advance(1000);
    expect([slow.bytesIn, slow.bytesOut]).to.deep.equal([4, 4]);
    // From the next tick on it may read, and the peer is silent.
    loop.advance(649);
    expect(timeouts).to.deep.equal([]);
    loop.advance(1);
    expect(timeouts).to.deep.equal(['read']);
  });

  it('gives a peer its whole limit of time once we go on', () => {
    const corked = link(loop, { first: { timeouts: { writeMs: 150 } } });
    const [slow] = corked.ends;
    slow.setRateLimit({ write: { perSecond: 1, burst: 10 }, tickMs: 1000 });
    const timeouts: number[] = [];
    slow.on('timeout', () => timeouts.push(loop.now()));
    slow.write('yyyy');
    loop.settle();
    corked.cork(slow);
    loop.advance(1149);
    expect(timeouts).to.deep.equal([]);
    loop.advance(1);
    expect(timeouts).to.deep.equal([1150]);
  });

  it('goes with the connection, timer included', () => {
    const [writer, reader] = pair();
    reader.setRateLimit({ read: TEN_A_MS });
    writer.write(Buffer.alloc(5000));
    loop.settle();
    reader.destroy();
    writer.destroy();
    loop.settle();
    expect(reader.rateLimit).to.equal(undefined);
    expect(loop.stats.timersPending).to.equal(0);
    reader.setRateLimit({ read: TEN_A_MS });
    expect(reader.rateLimit).to.equal(undefined);
  });

  it('refuses what makes no sense, and changes nothing', () => {
    const [, reader] = pair();
    reader.setRateLimit({ read: TEN_A_MS });
    expect(() => reader.setRateLimit({ read: { perSecond: 0 } })).to.throw(ApiMisuse, /read\.perSecond/);
    expect(() => reader.setRateLimit({ write: TEN_A_MS, tickMs: 0 })).to.throw(ApiMisuse, /tickMs/);
    expect(reader.rateLimit?.readLevel).to.equal(100);
  });

  describe('on sockets', () => {
    it('reads no more than it may, although megabytes wait in the kernel', async () => {
      const driven = new DrivenLoop();
      const server = await serve({ port: 0, host: '127.0.0.1', loop: driven }, { data: (bev) => bev.input.drain() });
      server.on('connection', (bev) => bev.setRateLimit({ read: { perSecond: 10_000, burst: 5000 }, tickMs: 100 }));
      const accepted = new Promise<BufferEvent>((resolve) => server.once('connection', resolve));
      const client = net.connect([...server.listening][0]?.address.port ?? 0, '127.0.0.1');
      client.on('error', () => {});
      client.write(Buffer.alloc(4 * 1024 * 1024));
      const bev = await accepted;
      await driven.pass(95);
      expect(bev.bytesIn).to.equal(1000);
      await driven.pass(1000);
      expect(bev.bytesIn).to.equal(11_000);
      client.destroy();
      bev.destroy();
      await driven.until(server.close());
    });

    it('writes no more than it may, and all of it, in order', async () => {
      const driven = new DrivenLoop();
      const server = await serve({ port: 0, host: '127.0.0.1', loop: driven, sendBufferBytes: 4096 }, {});
      const accepted = new Promise<BufferEvent>((resolve) => server.once('connection', resolve));
      const client = net.connect([...server.listening][0]?.address.port ?? 0, '127.0.0.1');
      const got: Buffer[] = [];
      client.on('data', (chunk: Buffer) => got.push(chunk));
      const bev = await accepted;
      bev.setRateLimit({ write: { perSecond: 1_000_000, burst: 100_000 }, tickMs: 1 });
      const sent = Buffer.from(Uint8Array.from({ length: 300_000 }, (_, index) => index * 31));
      for (let at = 0; at < sent.length; at += 7000) bev.write(sent.subarray(at, at + 7000));
      await driven.pass(0);
      expect(bev.bytesOut).to.equal(1000);
      await driven.pass(99);
      expect(bev.bytesOut).to.be.within(50_000, 100_000);
      bev.end();
      const ended = once(client, 'end');
      await driven.until(ended);
      expect(Buffer.concat(got).equals(sent)).to.equal(true);
      client.destroy();
      await driven.until(server.close());
    });
  });
});

describe('setTurnLimit', () => {
  it('moves no more than that in a turn, in either direction, and needs no time for the rest', () => {
    const loop = new TestLoop();
    const [a, b] = PairBufferEvent.create(loop);
    a.setTurnLimit({ writeBytes: 100 });
    b.setTurnLimit({ readBytes: 70, writeBytes: 50 });
    a.write(Buffer.alloc(700));
    b.write(Buffer.alloc(500));
    for (let turn = 1; turn <= 10; turn += 1) {
      loop.turn();
      expect([b.bytesIn, a.bytesIn]).to.deep.equal([70 * turn, 50 * turn]);
    }
    loop.settle();
    expect(loop.virtual.now()).to.equal(0);
  });

  it('holds under a rate limit too', () => {
    const loop = new TestLoop();
    const [writer, reader] = PairBufferEvent.create(loop);
    reader.setTurnLimit({ readBytes: 10 });
    reader.setRateLimit({ read: TEN_A_MS, tickMs: 100 });
    writer.write(Buffer.alloc(1000));
    loop.turn();
    expect(reader.bytesIn).to.equal(10);
    expect(reader.suspended).to.equal(Suspend.turn);
    loop.settle();
    expect(reader.bytesIn).to.equal(100);
    reader.setRateLimit(null);
    loop.turn();
    expect(reader.bytesIn).to.be.at.most(110);
    reader.setTurnLimit(null);
    loop.settle();
    expect(reader.bytesIn).to.equal(1000);
  });

  it('holds on a socket with megabytes waiting', async () => {
    const driven = new DrivenLoop();
    const perTurn = new Map<number, number>();
    const server = await serve(
      { port: 0, host: '127.0.0.1', loop: driven },
      {
        open: (bev) => bev.setTurnLimit({ readBytes: 3000 }),
        data: (bev) => {
          perTurn.set(driven.turns, (perTurn.get(driven.turns) ?? 0) + bev.input.length);
          bev.input.drain();
        },
      },
    );
    const client = net.connect([...server.listening][0]?.address.port ?? 0, '127.0.0.1');
    const closed = new Promise((resolve) => server.once('connection', (bev) => bev.once('closed', resolve)));
    client.end(Buffer.alloc(200_000));
    await driven.until(closed);
    expect([...perTurn.values()].reduce((sum, bytes) => sum + bytes)).to.equal(200_000);
    expect(Math.max(...perTurn.values())).to.equal(3000);
    client.destroy();
    await driven.until(server.close());
  });

  it('holds for what waits in a socket that was full', async () => {
    const driven = new DrivenLoop();
    const server = await serve({ port: 0, host: '127.0.0.1', loop: driven, sendBufferBytes: 4096 }, {});
    const accepted = new Promise<BufferEvent>((resolve) => server.once('connection', resolve));
    const client = net.connect([...server.listening][0]?.address.port ?? 0, '127.0.0.1').pause();
    const bev = await accepted;
    bev.setTurnLimit({ writeBytes: 10_000 });
    let [before, most] = [0, 0];
    driven.onPrepare(() => {
      most = Math.max(most, bev.bytesOut - before);
      before = bev.bytesOut;
    });
    bev.write(Buffer.alloc(1_000_000));
    const refused = (): number => Reactor.of(driven).counters[Counter.writesRefused] ?? 0;
    await iterationsUntil(() => refused() > 0);
    client.resume();
    bev.end();
    await driven.until(once(client, 'end'));
    expect(client.bytesRead).to.equal(1_000_000);
    expect(most).to.equal(10_000);
    client.destroy();
    await driven.until(server.close());
  });

  it('refuses what is no count of bytes', () => {
    const [bev] = PairBufferEvent.create(new TestLoop());
    for (const readBytes of [0, -1, 1.5, Number.NaN]) {
      expect(() => bev.setTurnLimit({ readBytes })).to.throw(ApiMisuse, /readBytes/);
    }
  });
});
