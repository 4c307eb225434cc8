/** libevent's cases about pairs and filters by their names, and what its own suite leaves out. */
import { expect } from 'chai';
import type { BufferEvent, ConnectionOptions, Filter, Server } from '../src/index.ts';
import { connect, EventLoop, FilterBufferEvent, PairBufferEvent, serve, Suspend } from '../src/index.ts';
import { carriers, type ComplianceConnection, TestLoop } from '../src/testing/index.ts';
import { iterationsUntil } from './support/driven-loop.ts';
import { DeflateFilter, pattern, xFilter } from './support/filters.ts';

/** What libevent's own fixture sends. */
const BYTES = pattern(8333);
const NEVER = Number.POSITIVE_INFINITY;

function pair(first: ConnectionOptions = {}, second: ConnectionOptions = first) {
  const loop = new TestLoop();
  const [a, b] = PairBufferEvent.create(loop, first, second);
  return { loop, a, b };
}

/** Counts callbacks. */
function counts(bev: BufferEvent): { data: number; drained: number; end: number; closed: number; timeout: string[] } {
  const seen = { data: 0, drained: 0, end: 0, closed: 0, timeout: [] as string[] };
  bev.on('data', () => {
    seen.data += 1;
  });
  bev.on('drained', () => {
    seen.drained += 1;
  });
  bev.on('end', () => {
    seen.end += 1;
  });
  bev.on('closed', () => {
    seen.closed += 1;
  });
  return seen;
}

describe("libevent's cases of pairs and filters", () => {
  it('bufferevent/bufferevent_pair', () => {
    const { loop, a, b } = pair();
    expect([a.underlying, a.partner, b.partner]).to.deep.equal([undefined, b, a]);
    const seen = { a: counts(a), b: counts(b) };
    a.pause();
    let got: Buffer = Buffer.alloc(0);
    b.on('data', () => {
      if (b.input.length === BYTES.length) got = b.read();
    });
    a.write(BYTES);
    loop.settle();
    expect(got.equals(BYTES)).to.equal(true);
    expect([a.output.length, seen.a.data, seen.a.end, seen.b.end]).to.deep.equal([0, 0, 0, 0]);
    b.destroy();
    loop.settle();
    expect(a.partner).to.equal(undefined);
    a.destroy();
    loop.settle();
    expect([seen.a.closed, seen.b.closed]).to.deep.equal([1, 1]);
  });

  for (const mode of ['normal', 'flush', 'finished'] as const) {
    it(`bufferevent/bufferevent_pair_flush_${mode}`, async () => {
      const { loop, a, b } = pair();
      const seen = counts(b);
      a.write(BYTES);
      if (mode !== 'normal') {
        const flush = a.flush();
        if (mode === 'finished') a.end();
        loop.settle();
        await flush;
      } else loop.settle();
      expect(b.read().equals(BYTES)).to.equal(true);
      expect([seen.data, seen.end]).to.deep.equal([1, mode === 'finished' ? 1 : 0]);
    });
  }

  it('bufferevent/bufferevent_pair_flush: an end without data is an end, and no empty data', () => {
    const { loop, a, b } = pair();
    const seen = counts(b);
    a.end();
    loop.settle();
    expect([seen.data, seen.end]).to.deep.equal([0, 1]);
  });

  it('bufferevent/bufferevent_pair_release_lock: both ends let go of once, used or not, in any order', () => {
    for (const used of [true, false]) {
      for (const firstToGo of [0, 1]) {
        const { loop, a, b } = pair();
        const seen = [counts(a), counts(b)];
        if (used) {
          a.write('x');
          b.write('y');
          loop.settle();
        }
        for (const end of firstToGo === 0 ? [a, b] : [b, a]) {
          end.destroy();
          end.destroy();
        }
        loop.settle();
        loop.advance(3_600_000);
        expect([seen[0]?.closed, seen[1]?.closed, a.partner, b.partner]).to.deep.equal([1, 1, undefined, undefined]);
        expect([loop.pending, loop.uncaughtErrors]).to.deep.equal([false, []]);
      }
    }
  });

  it('bufferevent/bufferevent_pair_watermarks', () => {
    const { loop, a, b } = pair(
      { watermarks: { write: { low: 100, high: 2000 } } },
      { watermarks: { read: { low: 10, high: 20 } } },
    );
    expect([a.limits.writeLow, a.limits.writeHigh, b.limits.readLow, b.limits.readHigh]).to.deep.equal([
      100, 2000, 10, 20,
    ]);
    let total = 0;
    const lengths = new Set<number>();
    b.on('data', () => {
      lengths.add(b.input.length);
      total += b.read().length;
    });
    let drains = 0;
    a.on('drained', () => {
      drains += 1;
      expect(a.output.length).to.be.at.most(100);
    });
    // More than the high mark, and taken: only the cap refuses.
    expect(a.write(Buffer.alloc(65_000))).to.equal(false);
    loop.settle();
    expect([total, a.output.length, drains]).to.deep.equal([65_000, 0, 1]);
    for (const length of lengths) expect(length).to.be.within(10, 20);
  });

  it('bufferevent/bufferevent_pair_filters', () => {
    const { loop, a, b } = pair();
    const [out, inward] = [xFilter(), xFilter()];
    const [writer, reader] = [new FilterBufferEvent(a, out), new FilterBufferEvent(b, inward)];
    expect([writer.underlying, reader.underlying]).to.deep.equal([a, b]);
    const seen = counts(reader);
    const drained: number[] = [];
    writer.setWatermarks({ write: { low: 0 } });
    writer.on('drained', () => drained.push(writer.output.length));
    let got: Buffer = Buffer.alloc(0);
    reader.on('data', () => {
      got = reader.read();
    });
    writer.write(BYTES);
    loop.settle();
    expect(got.equals(BYTES)).to.equal(true);
    expect(drained).to.deep.equal([0]);
    expect([a.bytesOut, seen.data, seen.end, seen.closed]).to.deep.equal([2 * BYTES.length, 1, 0, 0]);
    expect([out.calls, inward.calls]).to.deep.equal([
      { input: 0, output: 1 },
      { input: 1, output: 0 },
    ]);
  });

  it('bufferevent/bufferevent_pair_filters_disable: what the filter writes to its own connection comes in a later call', () => {
    const { loop, a, b } = pair();
    const { bev, sources } = selfWriting(a);
    bev.write(BYTES);
    loop.settle();
    expectSecondCallFailed(bev, sources);
    expect(b.closed).not.to.equal(undefined);
  });

  it('bufferevent/bufferevent_timeout_pair', () => {
    const { loop, a, b } = pair(
      { timeouts: { readMs: 150, writeMs: 100, idleMs: NEVER } },
      { timeouts: { writeMs: 200 } },
    );
    const at: [number, string][] = [];
    for (const bev of [a, b])
      bev.on('timeout', (direction) => at.push([loop.now(), `${bev === a ? 'a' : 'b'} ${direction}`]));
    b.pause();
    a.write('seven b');
    loop.advance(350);
    expect(at).to.deep.equal([
      [100, 'a write'],
      [150, 'a read'],
    ]);
  });

  it('bufferevent/bufferevent_timeout_filter_pair', () => {
    const { loop, a, b } = pair(LOW_BELOW);
    const told = filtersWithTimeouts(a, b);
    b.pause();
    told.a.write('seven b');
    loop.advance(350);
    expect(told.at).to.deep.equal(WRITE_THEN_READ);
  });

  it('bufferevent/bufferevent_zlib', async () => {
    const { loop, a, b } = pair();
    const [deflate, inflate] = [new DeflateFilter(), new DeflateFilter()];
    const writer = new FilterBufferEvent(a, { output: (from, to) => deflate.output(from, to) });
    const reader = new FilterBufferEvent(b, { input: (from, to) => inflate.input(from, to) });
    const got: Buffer[] = [];
    reader.on('data', () => got.push(reader.read()));
    const seen = counts(reader);
    let drained = 0;
    writer.setWatermarks({ write: { low: 0 } });
    writer.on('drained', () => {
      drained += 1;
    });
    writer.write(BYTES.subarray(0, 1800));
    writer.write(BYTES.subarray(1800));
    const flush = writer.flush();
    loop.settle();
    await flush;
    expect(Buffer.concat(got).equals(BYTES)).to.equal(true);
    expect([deflate.calls > 0, inflate.calls > 0, drained > 0]).to.deep.equal([true, true, true]);
    expect([a.bytesOut < BYTES.length, seen.end, seen.closed]).to.deep.equal([true, 0, 0]);
    writer.end();
    loop.settle();
    expect([seen.end, reader.closed?.end]).to.deep.equal([1, 'end']);
  });

  it('bufferevent/bufferevent_filter_data_stuck: an input filter that adds bytes at a full mark leaves none below', () => {
    const marks: ConnectionOptions = { watermarks: { read: { high: 4096 } } };
    const { loop, a, b } = pair(marks);
    let headed = false;
    const bev = new FilterBufferEvent(
      b,
      {
        input(source, destination, limit) {
          let room = limit;
          if (!headed) {
            headed = true;
            destination.append(Buffer.alloc(20, 'h'));
            room -= 20;
          }
          source.moveTo(destination, room);
          return 'ok';
        },
      },
      marks,
    );
    let got = 0;
    bev.on('data', () => {
      got += bev.read().length;
    });
    a.write(Buffer.alloc(4096));
    loop.settle();
    expect([got, b.input.length]).to.deep.equal([4116, 0]);
  });
});

/** An output filter that writes to its own connection in its first call, and throws in its second. */
function selfWriting(below: BufferEvent): { bev: FilterBufferEvent; sources: number[] } {
  const sources: number[] = [];
  let depth = 0;
  const filter: Filter = {
    output(source, destination) {
      expect(depth).to.equal(0);
      depth += 1;
      sources.push(source.length);
      if (sources.length > 1) throw new Error('the extra byte');
      source.moveTo(destination);
      bev.write('-');
      depth -= 1;
      return 'ok';
    },
  };
  const bev: FilterBufferEvent = new FilterBufferEvent(below, filter);
  return { bev, sources };
}

function expectSecondCallFailed(bev: BufferEvent, sources: number[]): void {
  expect(sources).to.deep.equal([BYTES.length, 1]);
  // libevent forgets that the filter failed.
  expect(bev.closed).to.include({ end: 'failed', direction: 'write', code: 'SLUICE_CORE_FILTER_FAILED' });
}

/** A layer below that keeps to itself what the peer does not take: its marks are low, its own limits off. */
const LOW_BELOW: ConnectionOptions = { watermarks: { write: { low: 1, high: 2 } }, timeouts: { idleMs: NEVER } };

/** What the end with both limits tells; the other has nothing to write, and its limit does not run. */
const WRITE_THEN_READ = [
  [100, 'a write'],
  [150, 'a read'],
];

function filtersWithTimeouts(belowA: BufferEvent, belowB: BufferEvent) {
  const a = new FilterBufferEvent(belowA, {}, { timeouts: { readMs: 150, writeMs: 100, idleMs: NEVER } });
  const b = new FilterBufferEvent(belowB, {}, { timeouts: { writeMs: 200, idleMs: NEVER } });
  const at: [number, string][] = [];
  for (const bev of [a, b]) {
    bev.on('timeout', (direction) => at.push([bev.loop.now(), `${bev === a ? 'a' : 'b'} ${direction}`]));
    bev.on('data', () => expect.fail('nothing moves'));
  }
  return { a, b, at };
}

describe("libevent's cases of filters over sockets", () => {
  let open: ComplianceConnection;

  afterEach(async () => {
    for (const end of open.ends) end.destroy();
    await open.settle();
    await open.dispose();
  });

  it('bufferevent/bufferevent_filters', async () => {
    open = await carriers.tcp({});
    const [a, b] = open.ends;
    const [out, inward] = [xFilter(), xFilter()];
    const [writer, reader] = [new FilterBufferEvent(a, out), new FilterBufferEvent(b, inward)];
    expect([writer.underlying, reader.underlying]).to.deep.equal([a, b]);
    const drained: number[] = [];
    writer.setWatermarks({ write: { low: 0 } });
    writer.on('drained', () => drained.push(writer.output.length));
    const seen = counts(reader);
    let got: Buffer = Buffer.alloc(0);
    reader.on('data', () => {
      if (reader.input.length === BYTES.length) got = reader.read();
    });
    writer.write(BYTES);
    await iterationsUntil(() => got.length > 0);
    await open.settle();
    expect(got.equals(BYTES)).to.equal(true);
    expect(drained).to.deep.equal([0]);
    expect([out.calls, inward.calls.output]).to.deep.equal([{ input: 0, output: 1 }, 0]);
    expect(inward.calls.input).to.be.within(1, seen.data);
    expect([a.bytesOut, b.bytesIn, reader.bytesIn]).to.deep.equal([2 * BYTES.length, 2 * BYTES.length, BYTES.length]);
    expect([seen.end, seen.closed]).to.deep.equal([0, 0]);
    // The addresses are those of the socket at the bottom.
    expect(writer.remoteAddress).to.deep.equal(reader.localAddress);
    expect(writer.remoteAddress?.port).to.be.above(0);
  });

  it('bufferevent/bufferevent_filters_disable: what the filter writes to its own connection comes in a later call', async () => {
    open = await carriers.unix({});
    const [a, b] = open.ends;
    const { bev, sources } = selfWriting(a);
    bev.write(BYTES);
    await iterationsUntil(() => b.closed !== undefined);
    expectSecondCallFailed(bev, sources);
  });

  it('bufferevent/bufferevent_timeout_filter', async () => {
    // More than the kernel takes, for a peer that does not read.
    const bytes = 8_000_000;
    open = await carriers.unix({ first: { timeouts: { idleMs: NEVER } }, second: { timeouts: { idleMs: NEVER } } });
    const [a, b] = open.ends;
    const told = filtersWithTimeouts(a, b);
    told.b.pause();
    b.pause();
    told.a.setWatermarks({ write: { cap: bytes } });
    told.a.write(Buffer.alloc(bytes));
    await open.advance?.(350);
    expect(told.at).to.deep.equal(WRITE_THEN_READ);
  });
});

describe('a filter over a socket', () => {
  let loop: EventLoop;
  let server: Server;

  beforeEach(() => {
    loop = new EventLoop();
  });

  afterEach(async () => {
    await server.drain({ deadlineMs: 0 });
    loop.close();
  });

  it('bufferevent/bufferevent_socket_filter_inactive: a filter over a socket that never was connected', async () => {
    server = await serve({ host: '127.0.0.1', port: 0, loop }, {});
    const { port } = [...server.listening][0]?.address ?? { port: 0 };
    await server.drain();
    const socket = connect({ host: '127.0.0.1', port, loop });
    const bev = new FilterBufferEvent(socket, xFilter());
    expect(socket.suspended & Suspend.filter).to.equal(Suspend.filter);
    const [above, below] = [counts(bev), counts(socket)];
    bev.destroy();
    socket.destroy();
    await bev.close();
    await socket.close();
    expect([above.closed, below.closed, bev.closed?.end]).to.deep.equal([1, 1, 'aborted']);

    // And the error of one that cannot be connected is the connection's own.
    const refused = new FilterBufferEvent(connect({ host: '127.0.0.1', port, loop }), xFilter());
    const report = await new Promise((resolve) => refused.once('closed', resolve));
    expect(report).to.include({ end: 'failed', code: 'SLUICE_SYSTEM_ECONNREFUSED' });
  });
});

describe('what libevent gets wrong with pairs and filters', () => {
  it('EOF reaches the input filter as finished, exactly once, before the user hears of the end', () => {
    const { loop, a, b } = pair();
    const log: string[] = [];
    const bev = new FilterBufferEvent(b, {
      input(source, destination, _limit, mode) {
        log.push(mode);
        source.moveTo(destination);
        return 'ok';
      },
    });
    for (const event of ['data', 'end', 'closed'] as const) bev.on(event, () => log.push(event));
    a.write('abc');
    loop.settle();
    a.end();
    loop.settle();
    bev.resume();
    loop.settle();
    expect([bev.input.length, log]).to.deep.equal([3, ['normal', 'data', 'finished', 'end', 'closed']]);
  });

  it('a filter that fails is not called again, and the connection says so once', () => {
    const { loop, a, b } = pair();
    let calls = 0;
    const bev = new FilterBufferEvent(b, {
      input() {
        calls += 1;
        throw new Error('bad');
      },
    });
    const seen = counts(bev);
    a.write('abc');
    bev.resume();
    loop.settle();
    bev.resume();
    loop.settle();
    expect([calls, seen.closed, seen.data]).to.deep.equal([1, 1, 0]);
  });

  it('a filter that answers ok without progress does not loop: it fails', () => {
    for (const direction of ['input', 'output'] as const) {
      const { loop, a, b } = pair();
      const bev = new FilterBufferEvent(b, { [direction]: () => 'ok' });
      if (direction === 'input') a.write('abc');
      else bev.write('abc');
      loop.settle();
      expect(bev.closed).to.include({ end: 'failed', code: 'SLUICE_CORE_FILTER_NO_PROGRESS', blame: 'local' });
    }
  });

  it("a pair's transfer begins the write limit of the end that wrote anew, and not that of the other", () => {
    const limits: ConnectionOptions = { timeouts: { writeMs: 100, idleMs: NEVER } };
    const { loop, a, b } = pair(limits, { ...limits, watermarks: { read: { high: 10 } } });
    const at: [number, string][] = [];
    for (const bev of [a, b])
      bev.on('timeout', (direction) => at.push([loop.now(), `${bev === a ? 'a' : 'b'} ${direction}`]));
    a.pause();
    a.write(Buffer.alloc(30));
    b.write('stuck');
    loop.advance(60);
    b.read(5);
    loop.advance(60);
    expect(at).to.deep.equal([[100, 'b write']]);
    loop.advance(60);
    expect(at).to.deep.equal([
      [100, 'b write'],
      [160, 'a write'],
    ]);
  });

  it('a pair whose writer is suspended writes nothing, whatever the reader does', () => {
    const { loop, a, b } = pair();
    a.suspendWrite(Suspend.rate);
    a.write('abc');
    b.pause();
    b.resume();
    loop.settle();
    expect(b.input.length).to.equal(0);
    a.unsuspendWrite(Suspend.rate);
    loop.settle();
    expect(b.input.length).to.equal(3);
  });

  it('freeing one end of a pair tells the other', () => {
    const { loop, a, b } = pair();
    const seen = counts(b);
    a.write('last');
    loop.settle();
    a.destroy();
    loop.settle();
    expect([b.read().toString(), seen.end, b.closed?.end]).to.deep.equal(['last', 1, 'end']);
  });

  it('a callback that is pending is not delivered after pause', () => {
    const { loop, a, b } = pair();
    const bev = new FilterBufferEvent(b, {});
    const seen = counts(bev);
    bev.on('connected', () => {
      bev.pause();
    });
    a.write('abc');
    loop.settle();
    expect(seen.data).to.equal(0);
    bev.resume();
    loop.settle();
    expect([seen.data, bev.input.length]).to.deep.equal([1, 3]);
  });

  it('destroying the connection in any of its callbacks, the transforms included, is the end of it, once', () => {
    for (const where of ['connected', 'data', 'drained', 'end', 'input', 'output', 'finished', 'change'] as const) {
      const { loop, a, b } = pair();
      const destroyIn = (here: string): void => {
        if (here === where) bev.destroy();
      };
      const bev: FilterBufferEvent = new FilterBufferEvent(b, {
        input(source, destination, _limit, mode) {
          destroyIn(mode === 'finished' ? 'finished' : 'input');
          source.moveTo(destination);
          return 'ok';
        },
        output(source, destination) {
          destroyIn('output');
          source.moveTo(destination);
          return 'ok';
        },
      });
      const seen = counts(bev);
      for (const event of ['connected', 'data', 'drained', 'end'] as const) bev.on(event, () => destroyIn(event));
      bev.input.onChange(() => destroyIn('change'));
      bev.write(Buffer.alloc(60_000));
      a.write('abc');
      a.end();
      loop.settle();
      expect([bev.closed?.end, seen.closed, loop.uncaughtErrors], where).to.deep.equal(['aborted', 1, []]);
      expect(b.closed, where).not.to.equal(undefined);
    }
  });
});
