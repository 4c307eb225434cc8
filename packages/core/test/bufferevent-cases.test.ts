/** libevent's cases about connections in general and sockets by their names, and what its own suite leaves out. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { LookupFunction } from 'node:net';
import { fileURLToPath } from 'node:url';
import { ApiMisuse } from '@sluice/errors';
import { expect } from 'chai';
import type { BufferEvent, CloseReport, ConnectionOptions, Server } from '../src/index.ts';
import { connect, EventLoop, EvBuffer, FilterBufferEvent, PairBufferEvent, serve, Suspend } from '../src/index.ts';
import { carriers, type ComplianceConnection, link, TestLoop } from '../src/testing/index.ts';
import { iterationsUntil } from './support/driven-loop.ts';
import { UNKNOWN_HOST } from './support/unknown-host.ts';
import { pattern } from './support/filters.ts';

/** What libevent's own fixture sends. */
const BYTES = pattern(8333);
const TEXT = 'Now is the time for all good events to signal for the good of their protocol\0';
const NEVER = Number.POSITIVE_INFINITY;
/** What is read of a socket at once, at most. */
const READ_BYTES_MAX = 64 * 1024;
/** What libuv calls it when a name is not known. */
const EAI_NONAME = -3008;

describe("libevent's cases of sockets", () => {
  let open: ComplianceConnection | undefined;

  async function socketPair(first: ConnectionOptions = {}, second: ConnectionOptions = {}) {
    const connection = await carriers.unix({ first, second });
    open = connection;
    const [a, b] = connection.ends;
    return { a, b, connection };
  }

  afterEach(async () => {
    for (const end of open?.ends ?? []) end.destroy();
    await open?.settle();
    await open?.dispose();
    open = undefined;
  });

  for (const mode of [undefined, 'normal', 'flush', 'finished'] as const) {
    it(`bufferevent/bufferevent${mode === undefined ? '' : `_flush_${mode}`}`, async () => {
      const { a, b, connection } = await socketPair();
      expect([a.underlying, b.underlying]).to.deep.equal([undefined, undefined]);
      a.pause();
      expect([a, b].map((bev) => [bev.readEnabled, bev.writeEnabled])).to.deep.equal([
        [false, true],
        [true, true],
      ]);
      const heldWhenDrained: number[] = [];
      a.setWatermarks({ write: { low: 0 } });
      a.on('drained', () => heldWhenDrained.push(a.output.length));
      let got: Buffer = Buffer.alloc(0);
      b.on('data', () => {
        if (b.input.length !== BYTES.length) return;
        got = b.read();
        b.pause();
      });
      const [told, ended] = [eventsOf(a), eventsOf(b)];
      a.write(BYTES);
      if (mode === 'flush' || mode === 'normal') await a.flush();
      if (mode === 'finished') a.end();
      await iterationsUntil(() => got.length > 0);
      await connection.settle();
      expect(got.equals(BYTES)).to.equal(true);
      // What is ending has nobody to tell that there is room.
      expect(heldWhenDrained).to.deep.equal(mode === 'finished' ? [] : [0]);
      // Paused with nothing unread, the reader is not read for; the end waits in the kernel.
      expect([told, ended]).to.deep.equal([[], []]);
      b.resume();
      if (mode === 'finished') await iterationsUntil(() => ended.length > 1);
      await connection.settle();
      // Without halfOpen the end is answered by one, of which the writer, which is paused, does not hear.
      expect([told, ended]).to.deep.equal([[], mode === 'finished' ? ['end', 'closed'] : []]);
    });
  }

  it('bufferevent/bufferevent_watermarks', async () => {
    const { a, b, connection } = await socketPair({
      watermarks: { write: { low: 100, high: 2000, cap: 65_000 } },
    });
    expect([b.limits.readLow, b.limits.readHigh]).to.deep.equal([1, 65_536]);
    b.setWatermarks({ read: { low: 10, high: 20 } });
    expect([b.limits.readLow, b.limits.readHigh]).to.deep.equal([10, 20]);
    expect([a.limits.writeLow, a.limits.writeHigh]).to.deep.equal([100, 2000]);
    const told: number[] = [];
    const drained: number[] = [];
    a.on('drained', () => drained.push(a.output.length));
    let got = 0;
    b.on('data', () => {
      told.push(b.input.length);
      got += b.read().length;
    });
    const bytes = pattern(65_000);
    expect(a.write(bytes)).to.equal(false);
    await iterationsUntil(() => got === bytes.length);
    await connection.settle();
    expect(Math.min(...told)).to.be.at.least(10);
    // Unlike libevent, it does not ask how many bytes there are before it reads: the read that passes the mark is the last.
    expect(Math.max(...told)).to.be.below(20 + READ_BYTES_MAX);
    expect(drained.length).to.equal(1);
    expect(drained[0]).to.be.at.most(100);
    expect(a.output.length).to.equal(0);
    // Unlike libevent's, a tail below the low mark does not hang: it is told with the end.
    a.write('tail');
    await connection.settle();
    expect(b.input.length).to.equal(4);
    a.end();
    await iterationsUntil(() => b.closed !== undefined);
    expect([got, told.at(-1)]).to.deep.equal([bytes.length + 4, 4]);
  });

  it('bufferevent/bufferevent_timeout', async () => {
    const { a, b, connection } = await socketPair(
      { timeouts: { readMs: 150, writeMs: 100, idleMs: NEVER } },
      { timeouts: { writeMs: 200, idleMs: NEVER } },
    );
    const at: [number, string][] = [];
    for (const bev of [a, b]) {
      bev.on('timeout', (direction) => at.push([a.loop.now(), `${bev === a ? 'a' : 'b'} ${direction}`]));
      bev.on('data', () => expect.fail('nothing moves'));
    }
    // More than the kernel takes, for a peer that does not read.
    b.pause();
    a.setWatermarks({ write: { cap: 8_000_000 } });
    a.write(Buffer.alloc(8_000_000));
    await connection.advance?.(350);
    // b has nothing to write: unlike libevent's, its limit does not run.
    expect(at).to.deep.equal([
      [100, 'a write'],
      [150, 'a read'],
    ]);
  });

  it('bufferevent/bufferevent_read_failed: there is what there is, and then nothing', async () => {
    const { a, b } = await socketPair();
    a.write('test data');
    await iterationsUntil(() => b.input.length === 9);
    expect([b.read(8).toString(), b.read(8).toString(), b.read(1).length]).to.deep.equal(['test dat', 'a', 0]);
    expect(() => b.read(-1)).to.throw(ApiMisuse);
  });
});

/** Here every callback is deferred, and a loop and its connections belong to one thread: the variants are one. */
describe("libevent's cases of connecting", () => {
  let loop: EventLoop;
  let server: Server;

  beforeEach(async () => {
    loop = new EventLoop();
    server = await serve({ port: 0, host: '127.0.0.1', loop }, { connected: greet });
  });

  afterEach(async () => {
    await server.drain({ deadlineMs: 0 });
    loop.close();
  });

  const port = (): number => [...server.listening][0]?.address.port ?? 0;

  for (const variant of ['', '_defer', '_lock', '_lock_defer', '_unlocked_cbs']) {
    it(`bufferevent/bufferevent_connect${variant}`, async () => {
      const clients = [1, 2].map(() => connect({ port: port(), host: '127.0.0.1', loop }));
      const stories = clients.map((client) => storyOf(client, variant.includes('lock')));
      const reports = await Promise.all(clients.map(closedOf));
      for (const [index, client] of clients.entries()) {
        const story = stories[index] as string[];
        expect(story[0]).to.equal('connected');
        expect(new Set(story.slice(1, -2))).to.deep.equal(new Set(['data']));
        expect(story.slice(-2)).to.deep.equal(['end', 'closed']);
        expect(client.read().toString(), 'all of it is still there').to.equal(TEXT);
        expect(reports[index]?.end).to.equal('end');
      }
    });
  }

  for (const variant of ['', '_eventcb', '_eventcb_defer']) {
    it(`bufferevent/bufferevent_connect_fail${variant}`, async () => {
      const gone = port();
      await server.close();
      const client = connect({ port: gone, host: '127.0.0.1', loop });
      const story = storyOf(client, variant === '_eventcb_defer');
      client.enable('both');
      expect(story).to.deep.equal([]);
      const report = await closedOf(client);
      expect(story).to.deep.equal(['closed']);
      expect(report).to.include({ end: 'failed', code: 'SLUICE_SYSTEM_ECONNREFUSED', remedy: 'retry' });
    });
  }

  /** A resolver that knows one name, of IPv4 only, and notes what it is asked. */
  function resolver(): { asked: string[]; lookup: LookupFunction } {
    const asked: string[] = [];
    const lookup: LookupFunction = (host, { family }, done) => {
      asked.push(`${host} ${String(family)}`);
      setImmediate(() => {
        if (host === 'known.test') done(null, family === 4 ? [{ address: '127.0.0.1', family }] : []);
        else done(Object.assign(new Error(`${host} is not known`), { code: 'ENOTFOUND', errno: EAI_NONAME }), []);
      });
    };
    return { asked, lookup };
  }

  it('dns/bufferevent_connect_hostname', async () => {
    const { asked, lookup } = resolver();
    const clients = [
      connect({ port: port(), host: 'nosuch.test', loop, lookup }),
      connect({ port: port(), host: '127.0.0.1', loop, lookup }),
      connect({ port: port(), host: 'known.test', loop, lookup }),
      // And by the system's own.
      connect({ port: port(), host: 'localhost', loop }),
      connect({ port: port(), host: UNKNOWN_HOST, loop }),
    ];
    const stories = clients.map((client) => storyOf(client));
    expect(stories).to.deep.equal([[], [], [], [], []]);
    const reports = await Promise.all(clients.map(closedOf));
    for (const [index, found] of [false, true, true, true, false].entries()) {
      const [first, ...rest] = stories[index] as string[];
      expect(first).to.equal(found ? 'connected' : 'closed');
      expect(rest.filter((event) => event === 'closed').length).to.equal(found ? 1 : 0);
      expect(reports[index]?.error?.operation).to.equal(found ? undefined : 'lookup');
    }
    expect(reports[0]).to.include({ end: 'failed', code: 'SLUICE_SYSTEM_EAI_NONAME', remedy: 'fix' });
    expect(reports[4]?.code).to.equal('SLUICE_SYSTEM_EAI_NONAME');
    expect(server.acceptedTotal).to.equal(3);
    expect(asked).to.deep.equal(['nosuch.test 6', 'nosuch.test 4', 'known.test 6', 'known.test 4']);
  });

  it('dns/bufferevent_connect_hostname_hints: who wants one family is looked up in that one', async () => {
    const { asked, lookup } = resolver();
    const inFamily = (family: 4 | 6): BufferEvent =>
      connect({ port: port(), host: 'known.test', family, loop, lookup });
    const [four, six] = [inFamily(4), inFamily(6)];
    let address: string | undefined;
    four.once('connected', () => {
      address = four.remoteAddress?.address;
    });
    const reports = await Promise.all([closedOf(four), closedOf(six)]);
    expect(asked).to.deep.equal(['known.test 4', 'known.test 6']);
    expect([address, reports[0].end]).to.deep.equal(['127.0.0.1', 'end']);
    expect([reports[1].end, reports[1].error?.operation]).to.deep.equal(['failed', 'lookup']);
  });

  it('destroying in the lookup, before and after it has answered', async () => {
    for (const first of ['destroy', 'answer'] as const) {
      let client: BufferEvent | undefined;
      const stories: string[][] = [];
      const looked = new Promise<void>((resolve) => {
        const lookup: LookupFunction = (_host, { family }, done) => {
          setImmediate(() => {
            if (first === 'destroy') client?.destroy();
            done(null, [{ address: '127.0.0.1', family: family as number }]);
            if (first === 'answer') client?.destroy();
            resolve();
          });
        };
        client = connect({ port: port(), host: 'known.test', family: 4, loop, lookup });
        stories.push(storyOf(client));
      });
      await looked;
      await iterationsUntil(() => stories[0]?.includes('closed') === true);
      expect([stories, client?.closed?.end]).to.deep.equal([[['closed']], 'aborted']);
      await iterationsUntil(() => !loop.handles().some(({ name }) => name === `tcp ${client?.id}`));
    }
  });

  it('dns/bufferevent_connect_hostname_emfile: without a descriptor the connection fails, and nothing else', async () => {
    const program = fileURLToPath(new URL('support/connect-without-descriptors.ts', import.meta.url));
    const node = [process.execPath, '--conditions=@sluice/source', program].map((word) => `'${word}'`).join(' ');
    const child = spawn('sh', ['-c', `ulimit -n 64; exec ${node}`], { stdio: ['ignore', 'pipe', 'inherit'] });
    const output: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    const [code] = (await once(child, 'close')) as [number];
    expect([code, Buffer.concat(output).toString()]).to.deep.equal([
      0,
      'failed SLUICE_SYSTEM_EMFILE system connect\nthen end\n',
    ]);
  }).timeout(20_000);
});

describe("libevent's cases of triggering a callback", () => {
  // No callback runs inside the call, whether libevent's would or not; the cases differ in when the call is made.
  for (const variant of ['', '_defer', '_postpone', '_defer_postpone']) {
    it(`bufferevent/bufferevent_trigger${variant}`, () => {
      const loop = new TestLoop();
      const [a, b] = PairBufferEvent.create(loop);
      const told: number[] = [];
      let inside = false;
      const trigger = (options: { ignoreWatermarks?: boolean }): void => {
        inside = true;
        b.trigger('read', options);
        inside = false;
      };
      b.on('data', () => {
        expect(inside).to.equal(false);
        told.push(b.input.length);
        if (told.length > 1) return;
        b.setWatermarks({ read: { low: b.input.length + 1 } });
        const both = (): void => {
          trigger({});
          trigger({ ignoreWatermarks: true });
        };
        if (variant.includes('defer')) loop.defer(both);
        if (variant.includes('postpone')) loop.deferNext(both);
        if (variant === '') both();
      });
      a.write('data');
      loop.settle();
      expect(told.slice(0, 2)).to.deep.equal([4, 4]);
      expect(told.length).to.equal(variant === '_defer_postpone' ? 3 : 2);
      trigger({});
      loop.settle();
      expect(told.length, 'below the low mark nothing is told unasked').to.equal(variant === '_defer_postpone' ? 3 : 2);
    });
  }
});

describe('what libevent does not test of connections, or gets wrong', () => {
  function pair(first: ConnectionOptions = {}, second: ConnectionOptions = first) {
    const loop = new TestLoop();
    const [a, b] = PairBufferEvent.create(loop, first, second);
    return { loop, a, b };
  }

  it('destroying in a listener of a buffer: of input as it comes, of output as it goes', () => {
    for (const which of ['input', 'output'] as const) {
      const { loop, a, b } = pair();
      const subject = which === 'input' ? b : a;
      const heard = storyOf(subject);
      let changes = 0;
      subject[which].onChange(() => {
        changes += 1;
        if (which === 'input' || changes > 1) subject.destroy();
      });
      a.write(BYTES);
      loop.settle();
      expect(heard, which).to.deep.equal(['connected', 'closed']);
      expect(subject.closed?.end).to.equal('aborted');
      expect(loop.uncaughtErrors).to.deep.equal([]);
    }
  });

  it('destroying in a deferred callback, and as it is accepted', async () => {
    const loop = new EventLoop();
    const heard: string[] = [];
    const server = await serve(
      { port: 0, host: '127.0.0.1', loop },
      {
        open: (bev) => bev.destroy(),
        connected: () => heard.push('connected'),
        closed: (_bev, report) => heard.push(report.end),
      },
    );
    const client = connect({ port: [...server.listening][0]?.address.port ?? 0, host: '127.0.0.1', loop });
    const story = storyOf(client);
    client.on('connected', () => loop.defer(() => client.destroy()));
    await closedOf(client);
    await iterationsUntil(() => heard.length > 0);
    expect([story.at(-1), heard]).to.deep.equal(['closed', ['aborted']]);
    await server.close();
    loop.close();
  });

  it('a callback that was due when its connection was destroyed is not told', () => {
    const { loop, a, b } = pair();
    const heard = storyOf(b);
    loop.settle();
    a.write('x');
    // In the same turn, after the bytes have moved and before they are told.
    b.input.onChange(() => b.destroy());
    loop.settle();
    expect(heard).to.deep.equal(['connected', 'closed']);
  });

  it('destroying with an error in one callback drops those that were due after it', () => {
    const { loop, a, b } = pair({ halfOpen: true });
    const heard = storyOf(b);
    loop.settle();
    b.on('data', () => b.destroy(errorOfApplication()));
    b.write(Buffer.alloc(20_000));
    a.write('x');
    a.end();
    loop.settle();
    expect(heard).to.deep.equal(['connected', 'data', 'closed']);
    expect(b.closed?.code).to.equal('SLUICE_CORE_LIMITS');
  });

  it('errors of one connection are not seen on another that fails in the same turn', () => {
    const loop = new TestLoop();
    const wires = [link(loop), link(loop)] as const;
    wires[0].breakWrites(wires[0].ends[0], 'EPIPE');
    for (const { ends } of wires) {
      ends[0].pause();
      ends[0].write('x');
    }
    wires[1].cut('reset');
    loop.settle();
    const reports = wires.map(({ ends }) => ends[0].closed);
    expect(reports.map((report) => report?.code)).to.deep.equal(['SLUICE_SYSTEM_EPIPE', 'SLUICE_SYSTEM_ECONNRESET']);
    expect(reports.map((report) => report?.entries.length)).to.deep.equal([1, 1]);
  });

  it('a layer that cannot be made leaves the connection below as it was', () => {
    const { loop, a, b } = pair();
    expect(() => new FilterBufferEvent(a, {}, { watermarks: { read: { high: 0 } } })).to.throw(ApiMisuse);
    expect(() => new FilterBufferEvent(a, {}, { overrunBytesMax: -1 })).to.throw(ApiMisuse);
    expect(a.suspended).to.equal(0);
    b.write('still here');
    loop.settle();
    expect(a.read().toString()).to.equal('still here');
    expect(a.halfOpen).to.equal(false);
  });

  it('a layer stops and starts what it stands on by its own reason alone, and only for reading', () => {
    const { loop, a, b } = pair();
    a.suspendRead(Suspend.rate);
    a.suspendWrite(Suspend.rate);
    const layer = new FilterBufferEvent(a, {});
    layer.suspendRead(Suspend.group);
    loop.settle();
    expect([a.suspended, a.writeSuspended]).to.deep.equal([Suspend.rate | Suspend.filter, Suspend.rate]);
    layer.unsuspendRead(Suspend.group);
    layer.write('x');
    b.write('x');
    loop.settle();
    expect([a.suspended, a.writeSuspended]).to.deep.equal([Suspend.rate, Suspend.rate]);
    expect([layer.input.length, b.input.length]).to.deep.equal([0, 0]);
  });

  it('nothing is told of an empty flush, nor of an empty write', async () => {
    const { loop, a, b } = pair();
    const heard = storyOf(b);
    a.write(new EvBuffer());
    a.write('');
    const flushed = a.flush();
    loop.settle();
    await flushed;
    expect(heard).to.deep.equal(['connected']);
  });
});

function greet(bev: BufferEvent): void {
  bev.write(TEXT);
  bev.end();
}

function closedOf(bev: BufferEvent): Promise<CloseReport> {
  return new Promise((resolve) => bev.once('closed', resolve));
}

/** What it tells that is neither of bytes nor of room. */
function eventsOf(bev: BufferEvent): string[] {
  const events: string[] = [];
  for (const event of ['connected', 'end', 'timeout', 'closed'] as const) bev.on(event, () => void events.push(event));
  return events;
}

/** What it tells, in order; through handlers or listeners. */
function storyOf(bev: BufferEvent, byHandlers = false): string[] {
  const story: string[] = [];
  for (const event of ['connected', 'data', 'drained', 'end', 'closed'] as const) {
    if (!byHandlers) bev.on(event, () => void story.push(event));
  }
  if (byHandlers) {
    bev.setHandlers({
      connected: () => story.push('connected'),
      data: () => story.push('data'),
      drained: () => story.push('drained'),
      end: () => story.push('end'),
      closed: () => story.push('closed'),
    });
  }
  return story;
}

function errorOfApplication(): ApiMisuse {
  return new ApiMisuse('enough', { code: 'SLUICE_CORE_LIMITS', layer: 'core', operation: 'test' });
}
