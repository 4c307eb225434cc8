import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { duplexPair } from 'node:stream';
import {
  type BufferEvent,
  type CloseReport,
  EventLoop,
  FilterBufferEvent,
  frameFilter,
  fromDuplex,
  serve,
  toDuplex,
  toWeb,
  fromWeb,
} from '@sluice/core';
import { link, TestLoop } from '@sluice/core/testing';
import { TlsContext, tlsClient, tlsServer } from '@sluice/tls';
import { expect } from 'chai';
import { serverCertificate, type TestCertificate } from './support/certificates.ts';
import { untilTestEnds } from './support/until-test-ends.ts';

/** Puts a layer over one end of a connection. */
type Wrap = (below: BufferEvent, side: 'client' | 'server') => BufferEvent;

const PLAIN_BYTES = 500_000;

describe('layers in any order', () => {
  let certificate: TestCertificate;
  let tls: Wrap;
  const framed: Wrap = (below) => new FilterBufferEvent(below, frameFilter());
  const streamed: Wrap = (below) => fromDuplex(below.loop, toDuplex(below));
  const webbed: Wrap = (below) => fromWeb(below.loop, toWeb(below));

  before(async () => {
    certificate = await serverCertificate();
    const server = TlsContext.server({ cert: certificate.certPem, key: certificate.keyPem });
    const client = TlsContext.client({ ca: certificate.caPem });
    tls = (below, side) =>
      side === 'server' ? tlsServer(server)(below) : tlsClient(client, { servername: 'localhost' })(below);
  });

  /** Echoes through both stacks, ends, and checks bytes, bounds and reports. */
  function echoes(name: string, wraps: () => Wrap[]): void {
    it(`echoes half a megabyte and ends in order: ${name}`, async () => {
      const loop = new EventLoop();
      const { ends } = link(loop, { capacityBytes: 10_000 });
      const [client, server] = (['client', 'server'] as const).map((side, index) =>
        wraps().reduce((below, wrap) => wrap(below, side), ends[index] as BufferEvent),
      ) as [BufferEvent, BufferEvent];
      let most = 0;
      for (const bev of [client, server]) {
        bev.output.onChange(() => {
          most = Math.max(most, bev.output.length);
        });
      }
      const closed = [client, server].map((bev) => new Promise<CloseReport>((resolve) => bev.once('closed', resolve)));
      server.on('data', () => server.output.appendFrom(server.input));
      const sent = Buffer.alloc(PLAIN_BYTES);
      for (let index = 0; index < sent.length; index += 1) sent[index] = (index * 13 + (index >> 9)) & 0xff;
      const got: Buffer[] = [];
      let bytes = 0;
      client.on('data', () => {
        const chunk = client.read();
        got.push(chunk);
        bytes += chunk.length;
        if (bytes === PLAIN_BYTES) client.end();
      });
      let offset = 0;
      const send = (): void => {
        while (offset < sent.length && client.write(sent.subarray(offset, (offset += 8192))));
      };
      client.on('drained', send);
      send();
      const reports = await Promise.all(closed);
      expect(Buffer.concat(got).equals(sent)).to.equal(true);
      expect(reports.map(({ end }) => end)).to.deep.equal(['end', 'end']);
      expect(most).to.be.at.most(64 * 1024 + 64 * 1024);
      loop.close();
    });
  }

  echoes('frames over TLS', () => [tls, framed]);
  echoes('TLS over frames', () => [framed, tls]);
  echoes('frames over TLS over frames', () => [framed, tls, framed]);
  echoes('TLS over a stream', () => [streamed, tls]);
  echoes('a stream over TLS, and frames over that', () => [tls, streamed, framed]);
  echoes('Web Streams over TLS', () => [tls, webbed]);
  echoes('TLS over Web Streams over frames', () => [framed, webbed, tls]);

  it('a reset below comes through frames, TLS and frames as a reset, after the data', () => {
    const loop = new TestLoop();
    const wires = link(loop);
    const stack = [framed, tls, framed];
    const [client, server] = (['client', 'server'] as const).map((side, index) =>
      stack.reduce((below, wrap) => wrap(below, side), wires.ends[index] as BufferEvent),
    ) as [BufferEvent, BufferEvent];
    client.write('last words');
    loop.settle();
    wires.cut('reset');
    loop.settle();
    expect(server.read().toString()).to.equal('last words');
    for (const bev of [client, server]) {
      expect(bev.closed).to.include({ end: 'reset', code: 'SLUICE_SYSTEM_ECONNRESET', layer: 'system' });
    }
    expect(loop.uncaughtErrors).to.deep.equal([]);
  });

  it("node:https's client meets node:http's server, over TLS and a stream of Sluice's", async () => {
    const loop = new EventLoop();
    const app = http.createServer((request, response) => request.pipe(response));
    const context = TlsContext.server({ cert: certificate.certPem, key: certificate.keyPem });
    const server = await serve(
      { host: '127.0.0.1', port: 0, loop, wrap: tlsServer(context) },
      { connected: (bev) => void app.emit('connection', toDuplex(bev)) },
    );
    untilTestEnds({
      async [Symbol.asyncDispose]() {
        await server.drain({ deadlineMs: 100 });
        loop.close();
      },
    });
    const request = https.request({
      host: '127.0.0.1',
      port: [...server.listening][0]?.address.port,
      servername: 'localhost',
      ca: certificate.caPem,
      method: 'POST',
      agent: false,
    });
    const body = Buffer.alloc(3_000_000, 'sluice ');
    request.end(body);
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    expect(Buffer.concat(await response.toArray()).equals(body)).to.equal(true);
  });

  it('a stream that is no socket carries a connection as well: duplexPair, and back', async () => {
    const loop = new EventLoop();
    const [near, far] = duplexPair();
    const [client, server] = [fromDuplex(loop, near), toDuplex(fromDuplex(loop, far))];
    server.pipe(server);
    client.write('there and back');
    client.end();
    await new Promise((resolve) => client.once('closed', resolve));
    expect(client.read().toString()).to.equal('there and back');
    expect(client.closed?.end).to.equal('end');
    loop.close();
  });
});
