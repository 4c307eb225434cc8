import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect as nodeConnect, createServer } from 'node:tls';
import { connect, connected, EventLoop, PairBufferEvent, type Server, serve } from '@sluice/core';
import { TestLoop } from '@sluice/core/testing';
import { ApiMisuse } from '@sluice/errors';
import { expect } from 'chai';
import { serverCertificate, type TestCertificate } from '../../../test/support/certificates.ts';
import { connectTls, type TlsBufferEvent, tlsClient, TlsContext, tlsServer } from '../src/index.ts';
import { pattern } from './support/wire.ts';

describe('tlsServer, tlsClient and connectTls', () => {
  let certificate: TestCertificate;
  let server: TlsContext;
  let client: TlsContext;

  before(async () => {
    certificate = await serverCertificate(1200);
    server = TlsContext.server({ cert: certificate.certPem, key: certificate.keyPem });
    client = TlsContext.client({ ca: certificate.caPem });
  });

  it('leave the transport as it was when they refuse an option', () => {
    const loop = new TestLoop();
    const [a, b] = PairBufferEvent.create(loop);
    for (const options of [{ handshakeMs: -1 }, { pairBytes: 0 }, { watermarks: { read: { high: 0 } } }]) {
      expect(() => tlsServer(server, options)(a), JSON.stringify(options)).to.throw(ApiMisuse);
    }
    b.write('plain text, still');
    loop.settle();
    expect(a.read().toString()).to.equal('plain text, still');
    expect([a.suspended, a.halfOpen, a.closed]).to.deep.equal([0, false, undefined]);
  });

  it('refuse contexts of the other role, and a client without a name', () => {
    expect(() => tlsServer(client)).to.throw(ApiMisuse, /make one with TlsContext.server/u);
    expect(() => tlsClient(server, { servername: '' })).to.throw(ApiMisuse, /make one with TlsContext.client/u);
    expect(() => tlsClient(client, {} as { servername: string })).to.throw(ApiMisuse, /servername/u);
    expect(() => connectTls(client, { path: '/nowhere' })).to.throw(ApiMisuse, /a path says no name/u);
  });

  it("take a server's connection options, and their own before them; the socket below gets the limits of time only", async () => {
    const loop = new EventLoop();
    const options = { port: 0, host: '127.0.0.1', loop, watermarks: { read: { low: 24, high: 1000 } } };
    const wrap = tlsServer(server, { timeouts: { idleMs: 7000 } });
    const served = await serve({ ...options, timeouts: { idleMs: 5000, writeMs: 4000 }, wrap }, {});
    const socket = nodeConnect({
      port: [...served.listening][0]?.address.port ?? 0,
      host: '127.0.0.1',
      ca: certificate.caPem,
      servername: 'localhost',
    });
    await once(socket, 'secureConnect');
    const [bev] = [...served.connections] as TlsBufferEvent[];
    expect(bev?.limits).to.include({ readLow: 24, readHigh: 1000, idleMs: 7000 });
    expect(bev?.underlying.limits).to.include({ readLow: 1, readHigh: 65_536, idleMs: 5000, writeMs: 4000 });
    socket.destroy();
    await served.close();
    loop.close();
  });

  it('work over a pair in memory, and over each other', () => {
    const loop = new TestLoop();
    const [first, second] = PairBufferEvent.create(loop);
    const wrapServer = tlsServer(server);
    const wrapClient = tlsClient(client, { servername: 'localhost' });
    const inner = wrapServer(wrapServer(second));
    const outer = wrapClient(wrapClient(first));
    const story: string[] = [];
    inner.setHandlers({
      data: (bev) => void bev.write(bev.read()),
      closed: (_bev, { end }) => story.push(`server ${end}`),
    });
    const received: Buffer[] = [];
    outer.setHandlers({
      data: (bev) => void received.push(bev.read()),
      closed: (_bev, { end }) => story.push(`client ${end}`),
    });
    const sent = pattern(300_000);
    outer.write(sent);
    loop.settle();
    expect(Buffer.concat(received).equals(sent)).to.equal(true);
    expect(outer.underlying.transport).to.equal('tls');
    expect(outer.underlying.underlying).to.equal(first);
    void outer.close();
    loop.settle();
    expect(story.toSorted()).to.deep.equal(['client end', 'server end']);
    expect(loop.uncaughtErrors).to.deep.equal([]);
  });

  it('take over a transport in mid-stream, with bytes already there (STARTTLS)', () => {
    const loop = new TestLoop();
    const [first, second] = PairBufferEvent.create(loop);
    let tls: TlsBufferEvent | undefined;
    let text = '';
    second.setHandlers({
      data: (bev) => {
        if (bev.input.readLine() === undefined) return;
        bev.write('GO\r\n');
        tls = tlsServer(server)(bev);
        tls.setHandlers({ data: (inner) => void (text += inner.input.readString()) });
      },
    });
    first.write('STARTTLS\r\n');
    // Sent in one go with the line, as a hasty client does.
    const hasty = tlsClient(client, { servername: 'localhost' });
    let answer = '';
    first.setHandlers({
      data: (bev) => {
        answer = bev.input.readLine()?.toString() ?? '';
        hasty(bev).write('secret');
      },
    });
    loop.settle();
    expect(answer).to.equal('GO');
    expect(text).to.equal('secret');
    expect(tls?.connected).to.equal(true);
  });

  describe('over sockets', () => {
    let loop: EventLoop;
    let listening: Server | undefined;

    beforeEach(() => {
      loop = new EventLoop();
    });

    afterEach(async () => {
      await listening?.drain({ deadlineMs: 1000 });
      listening = undefined;
      loop.close();
    });

    async function echoServer(pairBytes: number): Promise<number> {
      listening = await serve(
        { loop, port: 0, host: '127.0.0.1', wrap: tlsServer(server, { pairBytes }) },
        { data: (bev) => void bev.write(bev.read()) },
      );
      return [...listening.listening][0]?.address.port ?? 0;
    }

    it('are given up by a signal while they connect or shake hands, and not later', async () => {
      const port = await echoServer(8192);
      const controller = new AbortController();
      const where = { loop, port, host: '127.0.0.1', signal: controller.signal, tls: { servername: 'localhost' } };
      const done = await connected(connectTls(client, where));
      // Somebody who takes connections and says nothing.
      const silent = await serve({ loop, port: 0, host: '127.0.0.1', timeouts: { closeMs: 0 } });
      const [listener] = silent.listening;
      const shaking = connectTls(client, { ...where, port: listener?.address.port ?? 0 });
      await connected(shaking.underlying);
      const connecting = connectTls(client, where);
      const closed = [shaking, connecting].map((bev) => new Promise((resolve) => bev.once('closed', resolve)));
      controller.abort();
      for (const report of await Promise.all(closed)) {
        expect(report).to.include({ end: 'aborted', code: 'SLUICE_CORE_ABORTED', blame: 'local' });
      }
      expect(done.connected).to.equal(true);
      expect((await done.close()).end).to.equal('end');
      await silent.close();
    });

    for (const pairBytes of [1, 64, 8192, 17_408]) {
      for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
        it(`serve node:tls over ${maxVersion} with a pair of ${pairBytes}, and end in order`, async () => {
          const port = await echoServer(pairBytes);
          let bev: TlsBufferEvent | undefined;
          listening?.on('connection', (accepted) => (bev = accepted as TlsBufferEvent));
          const socket = nodeConnect({
            port,
            host: '127.0.0.1',
            servername: 'localhost',
            ca: certificate.caPem,
            maxVersion,
          });
          await once(socket, 'secureConnect');
          expect(socket.authorized).to.equal(true);
          const sent = pattern(pairBytes === 1 ? 2000 : 200_000);
          const received: Buffer[] = [];
          let length = 0;
          const all = new Promise<void>((resolve) => {
            socket.on('data', (bytes) => {
              received.push(bytes);
              length += bytes.length;
              if (length >= sent.length) resolve();
            });
          });
          socket.write(sent);
          await all;
          expect(Buffer.concat(received).equals(sent)).to.equal(true);
          const closed = new Promise((resolve) => bev?.once('closed', resolve));
          socket.end();
          await closed;
          expect(bev?.closed).to.include({ end: 'end', error: undefined });
          expect(bev?.session.spins).to.equal(0);
        });
      }
    }

    it('connect to node:tls by the name of the host', async () => {
      const peer = createServer({ cert: certificate.certPem, key: certificate.keyPem }, (socket) =>
        socket.pipe(socket),
      );
      await once(peer.listen(0, '127.0.0.1'), 'listening');
      const { port } = peer.address() as AddressInfo;
      const bev = connectTls(client, { loop, port, host: '127.0.0.1' });
      const sent = pattern(100_000);
      bev.write(sent);
      const received: Buffer[] = [];
      await new Promise<void>((resolve) => {
        bev.on('data', () => {
          received.push(bev.read());
          if (Buffer.concat(received).length >= sent.length) resolve();
        });
      });
      expect(Buffer.concat(received).equals(sent)).to.equal(true);
      expect(bev.tls).to.include({ verifyResult: 0, version: 0x0304 });
      const report = await bev.close();
      expect(report).to.include({ end: 'end', error: undefined });
      peer.close();
    });

    it('refuse a server of another name, inside the handshake', async () => {
      const port = await echoServer(17_408);
      const bev = tlsClient(client, { servername: 'example.org' })(connect({ loop, port, host: '127.0.0.1' }));
      const report = await new Promise((resolve) => bev.once('closed', resolve));
      expect(report).to.include({ end: 'failed', code: 'SLUICE_TLS_BAD_CERTIFICATE' });
      expect(bev.session.failure?.verifyText).to.match(/hostname mismatch/u);
    });

    it('tell a transport that could not be connected for what it is', async () => {
      const bev = connectTls(client, { loop, port: 1, host: '127.0.0.1' });
      const report = await new Promise((resolve) => bev.once('closed', resolve));
      expect(report).to.include({ code: 'SLUICE_SYSTEM_ECONNREFUSED', layer: 'system' });
      expect(bev.handshake.acceptCalls).to.equal(0);
    });
  });
});
