import { expect } from 'chai';
import { rsa16384, serverCertificate } from '../../../../test/support/certificates.ts';
import { TlsContext, type TlsVersion } from '../../src/index.ts';
import { contexts, NO_CERTIFICATE_COMPRESSION, PAIRS, sanCountBeyond } from '../support/contexts.ts';
import { TlsEnd, Wire } from '../support/wire.ts';

describe('TLS handshake over a bounded pair', () => {
  for (const pairBytes of PAIRS) {
    it(`T01 server corked before its first flight, pair of ${pairBytes}`, async () => {
      const { client, server } = await contexts({ sanCount: sanCountBeyond(pairBytes) });
      const wire = new Wire(new TlsEnd(client, { pairBytes }), new TlsEnd(server, { pairBytes, outboxMax: 0 }));
      wire.settle();
      const hello = wire.client.session.bytesOut;
      expect(wire.client.outcomes.at(-1)).to.deep.equal(['handshake', 'want-input']);
      expect(wire.server.outcomes.at(-1)).to.deep.equal(['handshake', 'want-output']);
      expect(wire.server.session.pendingOut).to.equal(pairBytes);
      const calls = wire.server.session.trace.acceptCalls;

      // One byte of room is progress, and no room again is none.
      wire.server.outboxMax = 1;
      wire.server.work();
      expect(wire.server.session.trace.acceptCalls).to.equal(calls + 1);
      for (let round = 0; round < 10; round++) wire.server.work();
      expect(wire.server.session.trace.acceptCalls).to.equal(calls + 1);

      wire.server.outboxMax = 65_536;
      for (let round = 0; round < 10; round++) {
        wire.server.work();
        wire.transfer();
      }
      expect(wire.client.inbox.length).to.be.above(10);
      expect(wire.client.session.bytesOut, 'ClientHello sent once').to.equal(hello);
      wire.connect().free();
    });
  }

  for (let bits = 0; bits < 16; bits++) {
    const large = (bits & 1) !== 0;
    const verify = (bits & 2) !== 0;
    const trickle = (bits & 4) !== 0;
    const version: TlsVersion = (bits & 8) !== 0 ? 'TLSv1.2' : 'TLSv1.3';
    const name = [
      large && 'large chain',
      verify && 'client certificate asked for',
      trickle && 'a byte of room at a time',
      version,
    ];
    it(`T02-T08 handshake retried: ${name.filter(Boolean).join(', ')}`, async () => {
      const { client, server } = await contexts({
        sanCount: large ? 700 : 0,
        chained: large,
        version,
        server: { clientCertificate: verify ? 'request' : 'none' },
      });
      for (const pairBytes of PAIRS.filter((size) => size >= 64 || !large)) {
        const wire = new Wire(new TlsEnd(client, { pairBytes }), new TlsEnd(server, { pairBytes, outboxMax: 0 }));
        wire.settle();
        const calls = wire.server.session.trace.acceptCalls;
        wire.settle();
        expect(wire.server.session.trace.acceptCalls, 'no retry without progress').to.equal(calls);
        if (!trickle) wire.server.outboxMax = 65_536;
        for (let byte = 0; byte < 100 && trickle; byte++) {
          wire.server.outboxMax = 1;
          wire.server.work();
          wire.transfer();
        }
        wire.server.outboxMax = 65_536;
        wire.connect().free();
      }
    });
  }

  it('T09 flight of 13 kB over a pair of 8192, TLS 1.3: drained without any input', async () => {
    const { client, server } = await contexts({ sanCount: 400, version: 'TLSv1.3' });
    const wire = new Wire(new TlsEnd(client), new TlsEnd(server, { pairBytes: 8192 })).connect();
    const [first, second, third, ...rest] = wire.server.session.trace.calls;
    expect(first).to.include({ result: 'want-write', pending: 8192, bytesOut: 8192 });
    expect(second).to.include({ result: 'want-read', bytesIn: 0 });
    expect(second?.pending).to.be.within(5000, 7500);
    expect(third).to.include({ result: 'done', bytesOut: 510, pending: 510 });
    expect(rest).to.deep.equal([]);
    expect(wire.server.session.trace).to.include({ acceptCalls: 3, wantWrite: 1, wantRead: 1, spins: 0, flights: 2 });
    wire.free();
  });

  it('T10 the same, TLS 1.2: the last flight leaves although accept has returned 1', async () => {
    const { client, server } = await contexts({ sanCount: 400, version: 'TLSv1.2' });
    const wire = new Wire(new TlsEnd(client), new TlsEnd(server, { pairBytes: 8192 }));
    const accepting = wire.server;
    wire.client.work();
    wire.transfer();
    accepting.work();
    expect(accepting.session.trace.acceptCalls).to.equal(2);
    wire.transfer();
    // Room for nothing at the moment when accept returns 1.
    accepting.outboxMax = 0;
    wire.settle();
    expect(accepting.session.handshakeDone).to.equal(true);
    expect(wire.client.session.handshakeDone).to.equal(false);
    const lastFlight = accepting.session.pendingOut;
    expect(lastFlight).to.be.within(200, 260);
    accepting.outboxMax = 65_536;
    wire.connect();
    const results = accepting.session.trace.calls.map(({ result, pending }) => [result, pending]);
    expect(results[0]).to.deep.equal(['want-write', 8192]);
    expect(results[1]?.[0]).to.equal('want-read');
    expect(results.slice(2)).to.deep.equal([['done', lastFlight]]);
    wire.free();
  });

  it('T11 flight of 64 kB over a pair of 8192: eight times WANT_WRITE, ten calls', async () => {
    const { client, server } = await contexts({ sanCount: 2000, version: 'TLSv1.3' });
    const wire = new Wire(new TlsEnd(client), new TlsEnd(server, { pairBytes: 8192, outboxMax: 100_000 })).connect();
    const { trace } = wire.server.session;
    const expected = [...Array<string>(8).fill('want-write'), 'want-read', 'done'];
    expect(trace.calls.map((call) => call.result)).to.deep.equal(expected);
    expect(trace.calls.slice(0, 8).every((call) => call.pending === 8192 && call.bytesOut === 8192)).to.equal(true);
    expect(trace.calls.slice(1, 9).every((call) => call.bytesIn === 0)).to.equal(true);
    expect(trace).to.include({ acceptCalls: 10, wantWrite: 8, wantRead: 1, spins: 0 });
    wire.free();
  });

  const variants: [name: string, server: object, client: object][] = [
    ['both versions', {}, {}],
    ['server from TLS 1.3', { minVersion: 'TLSv1.3' }, {}],
    ['server up to TLS 1.2', { maxVersion: 'TLSv1.2' }, {}],
    ['client up to TLS 1.2', {}, { maxVersion: 'TLSv1.2' }],
    ['client from TLS 1.3', {}, { minVersion: 'TLSv1.3' }],
    ['one TLS 1.2 cipher', { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' }, {}],
    ['ChaCha20 in TLS 1.2', { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-CHACHA20-POLY1305' }, {}],
    ['CBC in TLS 1.2', { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA256' }, {}],
    ['one TLS 1.3 suite', { minVersion: 'TLSv1.3', ciphersuites: 'TLS_AES_128_GCM_SHA256' }, {}],
    ['ChaCha20 in TLS 1.3', { minVersion: 'TLSv1.3', ciphersuites: 'TLS_CHACHA20_POLY1305_SHA256' }, {}],
    ['another group, retried hello', { minVersion: 'TLSv1.3', groups: 'P-384' }, {}],
  ];
  for (const [name, serverOptions, clientOptions] of variants) {
    it(`T12 pair of 64: ${name}`, async () => {
      const { client, server } = await contexts({ server: serverOptions, client: clientOptions });
      const wire = new Wire(new TlsEnd(client, { pairBytes: 64 }), new TlsEnd(server, { pairBytes: 64 })).connect();
      expect(wire.server.session.info().cipher).to.equal(wire.client.session.info().cipher).and.not.equal('');
      expect(wire.server.session.info().version).to.equal(wire.client.session.info().version);
      wire.free();
    });
  }

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    it(`T13 pair of one byte, ${version}: calls are linear in bytes`, async () => {
      const { client, server } = await contexts({ version });
      const wire = new Wire(new TlsEnd(client, { pairBytes: 1 }), new TlsEnd(server, { pairBytes: 1 })).connect();
      for (const { session } of [wire.client, wire.server]) {
        expect(session.trace.acceptCalls).to.be.above(100);
        expect(session.trace.acceptCalls).to.be.at.most(session.trace.bytesIn + session.trace.bytesOut + 3);
      }
      wire.free();
    });
  }

  it('T14 RSA key of 16,384 bits: the time inside accept is reported', async function () {
    this.timeout(60_000);
    const { certPem, keyPem, caPem } = rsa16384();
    const server = TlsContext.server({ cert: certPem, key: keyPem });
    const client = TlsContext.client({ ca: caPem });
    const wire = new Wire(new TlsEnd(client, { servername: 'localhost' }), new TlsEnd(server, { pairBytes: 17_408 }));
    wire.connect();
    const { trace } = wire.server.session;
    expect(trace.acceptMs).to.be.above(20);
    expect(trace.acceptMsMax).to.be.within(20, trace.acceptMs);
    expect(trace.durationMs).to.be.at.least(trace.acceptMsMax);
    wire.free();
  });

  for (const pairBytes of PAIRS) {
    it(`T15 nothing taken for three turns in mid-flight, then a byte per turn, pair of ${pairBytes}`, async () => {
      const { client, server } = await contexts({ sanCount: pairBytes < 600 ? 0 : 100 });
      const wire = new Wire(new TlsEnd(client, { pairBytes }), new TlsEnd(server, { pairBytes }));
      wire.serverToClient = 100;
      for (let round = 0; round < 2000 && wire.client.session.bytesIn === 0; round++) wire.step();
      wire.serverToClient = 0;
      wire.server.outboxMax = wire.server.outbox.length;
      for (let turn = 0; turn < 3; turn++) {
        wire.server.work();
        wire.client.work();
        wire.transfer();
      }
      wire.serverToClient = 1;
      wire.server.outboxMax = 65_536;
      wire.server.toSend.push(Buffer.from('in order'));
      wire.connect();
      expect(wire.client.received.take().toString()).to.equal('in order');
      wire.free();
    });
  }

  it('T16 a client silent after three bytes costs one call, and nothing to others', async () => {
    const { client, server } = await contexts();
    const silent = new Wire(new TlsEnd(client), new TlsEnd(server));
    silent.clientToServer = 3;
    silent.client.work();
    silent.transfer();
    silent.clientToServer = 0;
    const other = new Wire(new TlsEnd(client), new TlsEnd(server));
    for (let turn = 0; turn < 1000; turn++) {
      silent.server.work();
      if (turn === 500) other.connect().free();
    }
    expect(silent.server.session.trace.acceptCalls).to.equal(1);
    expect(silent.server.session.calls).to.equal(1);
    silent.free();
  });

  for (const pairBytes of PAIRS) {
    it(`T17 network and pair full: no call until there is room, pair of ${pairBytes}`, async () => {
      const { client, server } = await contexts({ sanCount: sanCountBeyond(pairBytes) });
      const wire = new Wire(new TlsEnd(client, { pairBytes }), new TlsEnd(server, { pairBytes, outboxMax: 300 }));
      wire.serverToClient = 0;
      wire.settle();
      const { calls } = wire.server.session;
      for (let turn = 0; turn < 1000; turn++) wire.server.work();
      expect(wire.server.session.calls).to.equal(calls);
      expect(wire.server.session.pendingOut).to.equal(pairBytes);
      wire.serverToClient = 300;
      wire.connect().free();
    });
  }

  it('T18 bytes left while accept waits for input leave as soon as there is room', async () => {
    const { client, server } = await contexts({ sanCount: 200 });
    const wire = new Wire(new TlsEnd(client), new TlsEnd(server, { outboxMax: 1000 }));
    wire.serverToClient = 0;
    wire.settle();
    expect(wire.server.outcomes.at(-1)).to.deep.equal(['handshake', 'want-input']);
    expect(wire.server.session.pendingOut).to.be.above(5000);
    // The peer is silent; only room appears.
    wire.server.outbox.take();
    wire.server.outboxMax = 65_536;
    const { acceptCalls } = wire.server.session.trace;
    wire.server.work();
    expect(wire.server.session.pendingOut).to.equal(0);
    expect(wire.server.outbox.length).to.be.above(5000);
    expect(wire.server.session.trace.acceptCalls).to.equal(acceptCalls);
    wire.free();
  });

  it('T19 client certificate of 13 kB over a pair of 8192: SSL_connect wants to write', async () => {
    const { client, server } = await contexts({
      clientSanCount: 400,
      version: 'TLSv1.3',
      client: { opensslOptions: NO_CERTIFICATE_COMPRESSION },
    });
    const wire = new Wire(new TlsEnd(client, { pairBytes: 8192 }), new TlsEnd(server)).connect();
    const results = wire.client.session.trace.calls.map(({ result, pending }) => [result, pending] as const);
    expect(results.map(([result]) => result)).to.deep.equal(['want-read', 'want-write', 'done']);
    expect(results[1]?.[1]).to.equal(8192);
    expect(results[2]?.[1]).to.be.within(4500, 7500);
    wire.free();
  });

  for (const tickets of [2, 0]) {
    it(`T20 ${tickets} tickets with a client certificate of 13 kB inside`, async () => {
      const { client, server } = await contexts({
        clientSanCount: 400,
        version: 'TLSv1.3',
        server: { tickets, opensslOptions: NO_CERTIFICATE_COMPRESSION },
        client: { opensslOptions: NO_CERTIFICATE_COMPRESSION },
      });
      const wire = new Wire(new TlsEnd(client), new TlsEnd(server, { pairBytes: 8192, outboxMax: 4096 }));
      for (let round = 0; round < 100 && !wire.client.session.handshakeDone; round++) wire.step();
      // The client is done; the server is not until its tickets have been taken.
      wire.serverToClient = 0;
      wire.settle();
      expect(wire.server.session.handshakeDone).to.equal(tickets === 0);
      wire.serverToClient = 4096;
      wire.connect();
      if (tickets === 0) expect(wire.server.session.trace.wantWrite).to.equal(0);
      else expect(wire.server.session.trace.wantWrite).to.be.at.least(3);
      wire.free();
    });
  }

  it('the certificate does not change what a connection may hold', async () => {
    const sizes = await Promise.all(
      [0, 2000].map(async (sanCount) => (await serverCertificate(sanCount)).certPem.length),
    );
    expect(Math.max(...sizes)).to.be.above(20 * Math.min(...sizes));
    for (const sanCount of [0, 2000]) {
      const { client, server } = await contexts({ sanCount });
      const wire = new Wire(
        new TlsEnd(client, { pairBytes: 512 }),
        new TlsEnd(server, { pairBytes: 512, outboxMax: 512 }),
      );
      let most = 0;
      for (let round = 0; round < 5000 && !wire.client.session.handshakeDone; round++) {
        wire.server.work();
        wire.client.work();
        most = Math.max(most, wire.server.session.memoryBytes + wire.server.outbox.length);
        wire.transfer();
      }
      wire.connect();
      expect(most).to.be.at.most(3 * 512);
      wire.free();
    }
  });
});
