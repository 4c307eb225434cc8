import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readlinkSync } from 'node:fs';
import net from 'node:net';
import { Counter } from '@sluice/native';
import { expect } from 'chai';
import type { BufferEvent, CloseReport, Server } from '../src/index.ts';
import {
  connect,
  connected,
  EventLoop,
  FilterBufferEvent,
  PairBufferEvent,
  Reactor,
  readLine,
  Suspend,
  serve,
} from '../src/index.ts';
import { iterationsUntil } from './support/driven-loop.ts';

describe('SocketBufferEvent', () => {
  let loop: EventLoop;
  let server: Server;

  beforeEach(() => {
    loop = new EventLoop();
  });

  afterEach(async () => {
    for (const bev of server.connections) bev.destroy();
    await server.drain({ deadlineMs: 0 });
    loop.close();
  });

  function portOf(of: Server): number {
    return [...of.listening][0]?.address.port ?? 0;
  }

  function closedOf(bev: BufferEvent): Promise<CloseReport> {
    return new Promise((resolve) => bev.once('closed', resolve));
  }

  it('echoes over TCP with node:net at the other end, and ends in order', async () => {
    let report = (_: CloseReport): void => {};
    const reported = new Promise<CloseReport>((resolve) => {
      report = resolve;
    });
    server = await serve(
      { port: 0, host: '127.0.0.1', loop },
      { data: (bev) => void bev.output.appendFrom(bev.input), closed: (_bev, how) => report(how) },
    );
    const socket = net.connect(portOf(server), '127.0.0.1');
    const sent = pattern(300_000);
    const got: Buffer[] = [];
    socket.on('data', (chunk) => got.push(chunk));
    socket.end(sent);
    await once(socket, 'close');
    expect(Buffer.concat(got).equals(sent)).to.equal(true);
    expect(await reported).to.include({ end: 'end', bytesIn: 300_000, bytesOut: 300_000, error: undefined });
  });

  it('sends what the peer is owed after it has half-closed', async () => {
    server = await serve(
      { port: 0, host: '127.0.0.1', loop },
      { end: (bev) => void bev.write(Buffer.alloc(500_000, 1)) },
    );
    const socket = net.connect({ port: portOf(server), host: '127.0.0.1', allowHalfOpen: true });
    let got = 0;
    socket.on('data', (chunk) => {
      got += chunk.length;
    });
    socket.end('question');
    await once(socket, 'end');
    expect(got).to.equal(500_000);
  });

  it('reports a reset as one, after the data that came before it', async () => {
    const log: string[] = [];
    const report = new Promise<CloseReport>((resolve) => {
      void serve(
        { port: 0, host: '127.0.0.1', loop },
        { data: (bev) => log.push(bev.read().toString()), closed: (_bev, how) => resolve(how) },
      ).then((made) => {
        server = made;
        const socket = net.connect(portOf(made), '127.0.0.1', () =>
          socket.write('before', () => socket.resetAndDestroy()),
        );
      });
    });
    const { end, direction, layer, blame, error } = await report;
    expect({ end, direction, layer, blame }).to.deep.equal({
      end: 'reset',
      direction: 'read',
      layer: 'system',
      blame: 'remote',
    });
    expect(error?.message).to.match(/ECONNRESET/);
    expect(log).to.deep.equal(['before']);
  });

  it('keeps what a full socket refused, writes it when there is room, and met EAGAIN doing so', async () => {
    const size = 1_000_000;
    server = await serve(
      {
        port: 0,
        host: '127.0.0.1',
        loop,
        sendBufferBytes: 16 * 1024,
      },
      {
        connected: (bev) => {
          bev.write(pattern(size));
          bev.end();
        },
      },
    );
    const socket = net.connect(portOf(server), '127.0.0.1');
    socket.pause();
    await once(socket, 'connect');
    const [bev] = server.connections.size > 0 ? server.connections : [await nextConnection(server)];
    await untilRefused(loop);
    const held = bev?.output.length ?? 0;
    expect(held).to.be.above(0).and.below(size);
    const got: Buffer[] = [];
    socket.on('data', (chunk) => got.push(chunk));
    socket.resume();
    await once(socket, 'close');
    expect(Buffer.concat(got).equals(pattern(size))).to.equal(true);
    expect(Reactor.of(loop).counters[Counter.writesRefused]).to.be.above(0);
  });

  it('stops reading from a peer that never reads its echoes, and holds no more than its marks', async () => {
    server = await serve(
      {
        port: 0,
        host: '127.0.0.1',
        loop,
        sendBufferBytes: 8192,
        pauseReadWhenFull: true,
      },
      { data: (bev) => void bev.output.appendFrom(bev.input) },
    );
    const socket = net.connect(portOf(server), '127.0.0.1');
    socket.pause();
    await once(socket, 'connect');
    const bev = [...server.connections][0] ?? (await nextConnection(server));
    socket.write(Buffer.alloc(32 * 1024 * 1024));
    let heldMax = 0;
    for (let still = 0, last = -1; still < 100; last = bev.bytesIn) {
      await new Promise((resolve) => setImmediate(resolve));
      heldMax = Math.max(heldMax, bev.output.length + bev.input.length);
      still = bev.bytesIn === last && (bev.suspended & Suspend.output) !== 0 ? still + 1 : 0;
    }
    expect(bev.bytesIn).to.be.below(16 * 1024 * 1024);
    expect(heldMax).to.be.within(64 * 1024, 192 * 1024);
    expect(Reactor.of(loop).counters[Counter.writesRefused]).to.be.above(0);
    socket.destroy();
    expect((await closedOf(bev)).end).to.equal('reset');
  });

  it('knows its addresses while it lives and afterwards', async () => {
    server = await serve({ port: 0, host: '127.0.0.1', loop }, {});
    const client = connect({ port: portOf(server), host: '127.0.0.1', loop });
    await once2(client, 'connected');
    expect(client.remoteAddress).to.deep.include({ address: '127.0.0.1', port: portOf(server), family: 'IPv4' });
    const closed = closedOf(client);
    client.destroy();
    await closed;
    expect(client.remoteAddress?.port).to.equal(portOf(server));
  });

  it('reports a refused connection as the remedy retry, after the call', async () => {
    server = await serve({ port: 0, host: '127.0.0.1', loop }, {});
    const port = portOf(server);
    await [...server.listening][0]?.close();
    const client = connect({ port, host: '127.0.0.1', loop });
    expect(client.closed).to.equal(undefined);
    const report = await closedOf(client);
    expect(report.error?.message).to.match(/ECONNREFUSED/);
    expect(report).to.include({ layer: 'system', remedy: 'retry', bytesIn: 0 });
  });

  it('ends a connection attempt at its limit, once', async () => {
    server = await serve({ port: 0, host: '127.0.0.1', loop }, {});
    // A listener of backlog 0 whose queue is full drops further SYNs: the attempt stays undecided.
    const full = net.createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 });
    await once(full, 'listening');
    const { port } = full.address() as net.AddressInfo;
    const client = connect({ port, host: '127.0.0.1', loop, timeouts: { connectMs: 5 } });
    client.destroy();
    const report = await closedOf(client);
    expect(report).to.include({ end: 'aborted' });
    full.close();
  });

  it('shows its descriptor, through every layer, while it has one: a child process may write to it', async () => {
    server = await serve({ port: 0, host: '127.0.0.1', loop, wrap: (below) => new FilterBufferEvent(below, {}) });
    const accepted = new Promise<BufferEvent>((resolve) => server.once('connection', resolve));
    const client = await connected(connect({ port: portOf(server), host: '127.0.0.1', loop }));
    const { fd } = await accepted;
    expect(readlinkSync(`/proc/self/fd/${fd}`)).to.match(/^socket:/);
    execFileSync('sh', ['-c', 'echo from a child >&3'], { stdio: ['ignore', 'ignore', 'inherit', fd] });
    expect(await readLine(client)).to.equal('from a child');
    const [listener] = server.listening;
    expect(readlinkSync(`/proc/self/fd/${listener?.fd}`)).to.match(/^socket:/);
    await listener?.close();
    await client.close();
    expect([client.fd, listener?.fd, PairBufferEvent.create(loop)[0].fd]).to.deep.equal([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('has the kernel ask a silent peer whether it is there, if told to', async () => {
    server = await serve({ port: 0, host: '127.0.0.1', loop, keepAliveMs: 5000 }, {});
    const where = { port: portOf(server), host: '127.0.0.1', loop };
    const clients = [connect({ ...where, keepAliveMs: 7400 }), connect(where)];
    await Promise.all(clients.map((client) => connected(client)));
    await iterationsUntil(() => server.connections.size === 2);
    const accepted = [...server.connections];
    const timers = [...accepted, ...clients].map(({ localAddress, remoteAddress }) =>
      keepAliveTimer(localAddress?.port ?? 0, remoteAddress?.port ?? 0),
    );
    const [first, second, third, fourth] = timers;
    for (const seconds of [first, second]) expect(seconds).to.be.within(0.1, 5);
    expect(third).to.be.within(0.1, 7);
    expect(fourth).to.equal(undefined);
  });

  it('gathers many small writes of one turn into one system call', async () => {
    server = await serve({ port: 0, host: '127.0.0.1', loop }, {});
    const client = connect({ port: portOf(server), host: '127.0.0.1', loop });
    await once2(client, 'connected');
    const counters = Reactor.of(loop).counters;
    const before = counters[Counter.writes] as number;
    for (let count = 0; count < 1000; count += 1) client.write('0123456789');
    await client.flush();
    expect((counters[Counter.writes] as number) - before).to.equal(1);
    const [bev] = server.connections;
    while ((bev?.bytesIn ?? 0) < 10_000) await once2(bev as BufferEvent, 'data');
    expect(bev?.input.length).to.equal(10_000);
  });
});

function pattern(size: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let at = 0; at < size; at += 1) bytes[at] = (at * 31 + (at >> 8)) & 0xff;
  return bytes;
}

function once2(bev: BufferEvent, event: 'connected' | 'data'): Promise<void> {
  return new Promise((resolve, reject) => {
    bev.once(event, () => resolve());
    bev.once('closed', (report) => reject(report.error ?? new Error(`closed: ${report.end}`)));
  });
}

function nextConnection(server: Server): Promise<BufferEvent> {
  return new Promise((resolve) => server.once('connection', resolve));
}

/** Resolves when the system has refused a write of the loop's. */
async function untilRefused(loop: EventLoop): Promise<void> {
  const { counters } = Reactor.of(loop);
  while (counters[Counter.writesRefused] === 0) await new Promise((resolve) => setImmediate(resolve));
}

/** Seconds until Linux asks the peer of a connection, as it counts them itself; undefined when it does not. */
function keepAliveTimer(localPort: number, remotePort: number): number | undefined {
  const hex = (port: number): string => port.toString(16).toUpperCase().padStart(4, '0');
  const line = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .find(
      (each) =>
        each.includes(`:${hex(localPort)} `) && each.includes(`:${hex(remotePort)} `) && isFrom(each, hex(localPort)),
    );
  const [kind, when] = (line?.trim().split(/\s+/)[5] ?? '').split(':');
  // In hundredths of a second.
  return kind === '02' ? Number.parseInt(when ?? '', 16) / 100 : undefined;
}

function isFrom(line: string, port: string): boolean {
  return line.trim().split(/\s+/)[1]?.endsWith(`:${port}`) === true;
}
