import { ApiMisuse } from '@sluice/errors';
import { expect } from 'chai';
import { PairBufferEvent, RateLimitGroup, type RateLimitOptions, Suspend } from '../src/index.ts';
import { link, TestLoop } from '../src/testing/index.ts';

/** 30 clients that keep 8192 bytes queued, and a server that echoes under limits; bytes per client and second. */
class EchoScene {
  readonly loop: TestLoop = new TestLoop();
  readonly group: RateLimitGroup | undefined;
  readonly clients: PairBufferEvent[] = [];

  constructor(options: { connection?: number; group?: number }) {
    const { connection, group } = options;
    if (group !== undefined) this.group = new RateLimitGroup(this.loop, scaled(group));
    for (let count = 0; count < 30; count += 1) {
      const [client, server] = PairBufferEvent.create(this.loop);
      server.setHandlers({ data: (bev) => void bev.output.appendFrom(bev.input) });
      if (connection !== undefined) server.setRateLimit(scaled(connection));
      this.group?.add(server);
      const refill = (): void => void (client.output.length < 8192 && client.write(Buffer.alloc(32 * 1024)));
      client.on('drained', refill);
      client.on('data', () => {
        client.input.drain();
        refill();
      });
      refill();
      this.clients.push(client);
    }
  }

  /** The first second is left out: in it the buckets' bursts are used. */
  run(seconds: number): { total: number; perClient: number[]; deviation: number } {
    this.loop.advance(1000);
    const before = this.clients.map((client) => client.bytesIn);
    for (let tick = 0; tick < seconds * 10; tick += 1) this.loop.advance(100);
    const perClient = this.clients.map((client, index) => (client.bytesIn - (before[index] ?? 0)) / seconds);
    const total = perClient.reduce((sum, bytes) => sum + bytes);
    const mean = total / perClient.length;
    const deviation = Math.sqrt(perClient.reduce((sum, bytes) => sum + (bytes - mean) ** 2, 0) / perClient.length);
    return { total, perClient, deviation };
  }
}

/** So much per second in each direction, with a burst of four ticks. */
function scaled(perSecond: number): RateLimitOptions {
  const rate = { perSecond, burst: (perSecond / 10) * 4 };
  return { read: rate, write: rate, tickMs: 100 };
}

const TEN_A_MS = { perSecond: 1000, burst: 300 };

describe('RateLimitGroup', () => {
  describe("libevent's scenarios", () => {
    it('test-ratelim: group_lim', () => {
      const { total, deviation } = new EchoScene({ group: 30_000 }).run(5);
      expect(total).to.be.closeTo(30_000, 1000);
      expect(deviation).to.be.at.most(100);
    });

    it('test-ratelim: con_lim', () => {
      const { perClient, deviation } = new EchoScene({ connection: 1000 }).run(5);
      for (const bytes of perClient) expect(bytes).to.be.closeTo(1000, 50);
      expect(deviation).to.be.at.most(50);
    });

    it('test-ratelim: group_con_lim', () => {
      const { total, perClient, deviation } = new EchoScene({ connection: 1000, group: 30_000 }).run(5);
      expect(total).to.be.closeTo(30_000, 1000);
      for (const bytes of perClient) expect(bytes).to.be.closeTo(1000, 50);
      expect(deviation).to.be.at.most(50);
    });

    it('test-ratelim: group_con_lim_drain', () => {
      const scene = new EchoScene({ connection: 1000, group: 35_000 });
      const { group, loop } = scene;
      const drain = loop.interval(100, () => {
        group?.charge('read', 500);
        group?.charge('write', 500);
      });
      const { perClient } = scene.run(5);
      for (const bytes of perClient) expect(bytes).to.be.closeTo(1000, 50);
      drain.stop();
    });

    it('test-ratelim: the totals are the bytes that were counted', () => {
      const scene = new EchoScene({ group: 30_000 });
      scene.loop.advance(1000);
      const servers = scene.clients.map((client) => client.partner as PairBufferEvent);
      const sum = (key: 'bytesIn' | 'bytesOut') => servers.reduce((total, server) => total + server[key], 0);
      expect(scene.group?.totals).to.deep.equal({ read: sum('bytesIn'), write: sum('bytesOut') });
      for (const server of servers) {
        expect(server.rateLimit?.readAllowance).to.be.at.most(scene.group?.available('read') ?? 0);
      }
      scene.group?.resetTotals();
      expect(scene.group?.totals).to.deep.equal({ read: 0, write: 0 });
    });
  });

  let loop: TestLoop;
  let group: RateLimitGroup;

  beforeEach(() => {
    loop = new TestLoop();
    group = new RateLimitGroup(loop, { read: TEN_A_MS, write: TEN_A_MS, tickMs: 100 });
  });

  it('holds together what its members hold: reading and writing for the reason of the group', () => {
    const [a, b] = PairBufferEvent.create(loop);
    group.add(a);
    a.write(Buffer.alloc(500));
    b.write(Buffer.alloc(500));
    loop.settle();
    expect([a.bytesIn, a.bytesOut]).to.deep.equal([100, 100]);
    expect([a.suspended, a.writeSuspended]).to.deep.equal([Suspend.group, Suspend.group]);
    loop.advance(400);
    expect([a.bytesIn, a.bytesOut]).to.deep.equal([500, 500]);
  });

  it('lets a member that joins while it is dry stand still at once', () => {
    const [a, b] = PairBufferEvent.create(loop);
    group.charge('read', 150);
    group.add(a);
    expect(a.suspended).to.equal(Suspend.group);
    expect(a.writeSuspended).to.equal(0);
    b.write('xyz');
    loop.settle();
    expect(a.bytesIn).to.equal(0);
    loop.advance(200);
    expect(a.bytesIn).to.equal(3);
  });

  it('takes a member from the group that it was in, and lets it go on when it leaves', () => {
    const other = new RateLimitGroup(loop, { read: TEN_A_MS });
    const [a, b] = PairBufferEvent.create(loop);
    group.add(a).add(a);
    expect(group.size).to.equal(1);
    other.add(a);
    expect([group.has(a), other.has(a), group.size]).to.deep.equal([false, true, 0]);
    expect(group.delete(a)).to.equal(false);
    b.write(Buffer.alloc(500));
    loop.settle();
    expect(a.bytesIn).to.equal(100);
    expect(a.rateLimit?.group).to.equal(other);
    // A member, in a dry group, that leaves it: libevent looks at no group then, and falls.
    expect(other.delete(a)).to.equal(true);
    loop.settle();
    expect(a.bytesIn).to.equal(500);
    expect(a.rateLimit).to.equal(undefined);
  });

  it('lets all members go when it is closed, and again when it is closed again', () => {
    const pairs = [PairBufferEvent.create(loop), PairBufferEvent.create(loop)];
    for (const [a, b] of pairs) {
      group.add(a);
      b.write(Buffer.alloc(500));
    }
    loop.settle();
    const timers = loop.stats.timersPending;
    group.close();
    group.close();
    expect(group.size).to.equal(0);
    expect(loop.stats.timersPending).to.equal(timers - 1);
    loop.settle();
    for (const [a] of pairs) expect(a.bytesIn).to.equal(500);
  });

  it('forgets a member that ends', () => {
    const [a] = PairBufferEvent.create(loop);
    group.add(a);
    a.destroy();
    expect(group.size).to.equal(0);
    group.add(a);
    expect(group.size).to.equal(0);
  });

  it("keeps a member's own limit beside the group's", () => {
    const [a, b] = PairBufferEvent.create(loop);
    a.setRateLimit({ read: { perSecond: 500, burst: 50 }, tickMs: 100 });
    group.add(a);
    b.write(Buffer.alloc(1000));
    loop.settle();
    expect(a.bytesIn).to.equal(50);
    expect(a.suspended).to.equal(Suspend.rate);
    a.setRateLimit(null);
    loop.settle();
    expect(a.bytesIn).to.equal(100);
    expect(a.suspended).to.equal(Suspend.group);
  });

  it('goes on when what was taken is given back', () => {
    const [a, b] = PairBufferEvent.create(loop);
    group.add(a);
    b.write(Buffer.alloc(1000));
    loop.settle();
    group.charge('read', -150);
    loop.settle();
    expect(a.bytesIn).to.equal(250);
    expect(group.totals.read).to.equal(100);
  });

  it('limits one direction only, when only one is named, and counts the other', () => {
    group.setLimit({ write: TEN_A_MS });
    const [a, b] = PairBufferEvent.create(loop);
    group.add(a);
    b.write(Buffer.alloc(50_000));
    loop.settle();
    expect(a.bytesIn).to.equal(50_000);
    expect(group.available('read')).to.equal(Number.POSITIVE_INFINITY);
    expect(group.totals.read).to.equal(50_000);
  });

  it('keeps what it holds when its limit is changed', () => {
    const [a, b] = PairBufferEvent.create(loop);
    group.add(a);
    group.charge('read', 100);
    group.setLimit({ read: { perSecond: 10_000 }, tickMs: 100 });
    b.write(Buffer.alloc(5000));
    loop.settle();
    expect(a.bytesIn).to.equal(0);
    loop.advance(100);
    expect(a.bytesIn).to.equal(1000);
  });

  it('tells what it is about in plain values', () => {
    const [a, b] = PairBufferEvent.create(loop);
    const [idle] = PairBufferEvent.create(loop);
    group.setLimit({ read: { perSecond: 1000 }, tickMs: 100 });
    group.add(a).add(idle);
    b.write(Buffer.alloc(5000));
    loop.settle();
    expect(group.stats).to.deep.equal({
      members: 2,
      readHeld: 2,
      writeHeld: 0,
      readAvailable: 0,
      writeAvailable: Number.POSITIVE_INFINITY,
      readTotal: 100,
      writeTotal: 0,
    });
    group.delete(idle);
    expect(group.stats).to.include({ members: 1, readHeld: 1 });
    group.close();
    expect(group.stats).to.include({ members: 0, readHeld: 0 });
  });

  it('keeps no timer while nobody waits', () => {
    const [a, b] = PairBufferEvent.create(loop);
    const before = loop.stats.timersPending;
    group.add(a);
    expect(loop.stats.timersPending).to.equal(before);
    b.write(Buffer.alloc(150));
    loop.settle();
    loop.advance(200);
    expect(a.bytesIn).to.equal(150);
    expect(loop.stats.timersPending).to.equal(before);
  });

  it('divides over links of any speed: one whose peer does not read leaves its part to the others', () => {
    const stuck = link(loop);
    const quick = link(loop);
    for (const { ends } of [stuck, quick]) {
      group.add(ends[0]);
      ends[0].write(Buffer.alloc(50_000));
    }
    stuck.cork(stuck.ends[0]);
    loop.advance(10_000);
    // The member that wants to write and cannot holds half of the bucket's burst, and half of it is enough for the rate.
    expect(quick.ends[0].bytesOut).to.be.closeTo(10_000, 300);
    expect(stuck.ends[0].bytesOut).to.equal(0);
  });

  it('refuses what makes no sense', () => {
    const [a] = PairBufferEvent.create(new TestLoop());
    expect(() => group.add(a)).to.throw(ApiMisuse, /one loop/);
    for (const weight of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => group.add(PairBufferEvent.create(loop)[0], { weight })).to.throw(ApiMisuse, /weight/);
    }
    expect(() => group.charge('read', Number.NaN)).to.throw(ApiMisuse, /charge/);
    expect(() => group.setLimit({ read: { perSecond: -1 } })).to.throw(ApiMisuse, /read\.perSecond/);
    expect(() => new RateLimitGroup(loop, { minShareBytes: 0 })).to.throw(ApiMisuse, /minShareBytes/);
  });
});
