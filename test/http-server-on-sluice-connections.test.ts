import { createHash } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type BufferEvent, type CloseReport, connect, EventLoop, type Server, serve, toDuplex } from '@sluice/core';
import { LimitError } from '@sluice/errors';
import { expect } from 'chai';
import { Bounds } from './support/bounds.ts';
import { untilTestEnds } from './support/until-test-ends.ts';

const MIB = 1024 * 1024;
const BODY_BYTES = 100 * MIB;
const MOVE_MS_MAX = 60_000;

/** `BODY_BYTES` that repeat, and their digest. */
const piece = Buffer.alloc(MIB);
for (let index = 0; index < MIB; index += 1) piece[index] = (index * 31) & 0xff;
function* body(): Generator<Buffer> {
  for (let sent = 0; sent < BODY_BYTES; sent += MIB) yield piece;
}
const digest = ((): string => {
  const hash = createHash('sha1');
  for (const bytes of body()) hash.update(bytes);
  return hash.digest('hex');
})();

async function digestOf(stream: Readable): Promise<string> {
  const hash = createHash('sha1');
  for await (const chunk of stream) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

describe("node:http's server on Sluice's connections", function () {
  this.timeout(MOVE_MS_MAX);
  let loop: EventLoop;
  let app: http.Server;
  let server: Server;
  let port: number;
  let bounds: Bounds;
  let reports: CloseReport[];

  beforeEach(async () => {
    loop = new EventLoop();
    bounds = new Bounds();
    reports = [];
    app = http.createServer();
    server = await serve(
      { host: '127.0.0.1', port: 0, loop },
      {
        connected(bev) {
          bounds.watch(bev);
          app.emit('connection', toDuplex(bev));
        },
        closed: (_bev, report) => void reports.push(report),
      },
    );
    port = [...server.listening][0]?.address.port ?? 0;
    untilTestEnds({
      async [Symbol.asyncDispose]() {
        app.closeAllConnections();
        await server.drain({ deadlineMs: 100 });
        loop.close();
      },
    });
  });

  it('sends 100 MiB to a client, and no more is ever in memory than its marks say', async () => {
    app.on('request', (_request, response) => void pipeline(Readable.from(body()), response));
    const [response] = (await once(http.get({ port, host: '127.0.0.1' }), 'response')) as [http.IncomingMessage];
    expect(await digestOf(response)).to.equal(digest);
    bounds.check();
  });

  it('takes 100 MiB from a client that is on a Sluice connection itself, and answers', async () => {
    app.on('request', (request, response) => void digestOf(request).then((hash) => response.end(hash)));
    const request = http.request({
      method: 'PUT',
      createConnection: () => {
        const bev = connect({ host: '127.0.0.1', port, loop });
        bounds.watch(bev);
        return toDuplex(bev);
      },
    });
    const answered = once(request, 'response') as Promise<[http.IncomingMessage]>;
    await pipeline(Readable.from(body()), request);
    const [response] = await answered;
    expect(Buffer.concat(await response.toArray()).toString()).to.equal(digest);
    bounds.check();
  });

  it('keeps a connection for many requests, and closes it when asked to', async () => {
    app.on('request', (request, response) => response.end(`${request.url} ${request.socket.remoteAddress}`));
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    for (let count = 0; count < 100; count += 1) {
      const [response] = (await once(http.get({ port, host: '127.0.0.1', agent, path: `/${count}` }), 'response')) as [
        http.IncomingMessage,
      ];
      expect(Buffer.concat(await response.toArray()).toString()).to.equal(`/${count} 127.0.0.1`);
    }
    expect(server.acceptedTotal).to.equal(1);
    agent.destroy();
    await until(() => reports.length === 1);
    expect(reports[0]?.end).to.equal('end');
  });

  it('a client that does not read stops a handler that waits, and nothing else', async () => {
    app.on('request', (request, response) => {
      if (request.url === '/big') void pipeline(Readable.from(body()), response).catch(() => {});
      else response.end('small');
    });
    const silent = net.connect(port, '127.0.0.1').pause();
    silent.write('GET /big HTTP/1.1\r\nHost: x\r\n\r\n');
    await until(() => bounds.outputMax > 0);
    for (let count = 0; count < 20; count += 1) {
      const [response] = (await once(http.get({ port, host: '127.0.0.1', agent: false }), 'response')) as [
        http.IncomingMessage,
      ];
      expect(Buffer.concat(await response.toArray()).toString()).to.equal('small');
    }
    bounds.check();
    const [stalled] = server.connections;
    expect((stalled as BufferEvent).bytesOut).to.be.below(BODY_BYTES / 2);
    silent.destroy();
  });

  it('a handler that never waits meets the hard cap: its connection ends by a LimitError', async () => {
    const failed = new Promise<unknown>((resolve) => {
      app.on('request', (request, response) => {
        request.socket.on('error', resolve);
        // It goes on whatever `write` answers, in a turn of its own each time: what it writes in one, node:http may keep.
        const write = (): void => {
          if (request.socket.destroyed) return;
          response.write(piece.subarray(0, 65_536));
          setImmediate(write);
        };
        write();
      });
    });
    const silent = net.connect(port, '127.0.0.1').pause();
    silent.on('error', () => {});
    silent.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(await failed)
      .to.be.instanceOf(LimitError)
      .with.property('code', 'SLUICE_CORE_WRITE_CAP');
    await until(() => reports.length === 1);
    expect(reports[0]).to.include({ end: 'failed', code: 'SLUICE_CORE_WRITE_CAP', blame: 'local' });
    silent.destroy();
  });
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(setImmediate);
}
