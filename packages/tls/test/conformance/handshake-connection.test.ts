import { link } from '@sluice/core/testing';
import { expect } from 'chai';
import {
  clientCertificate,
  serverCertificate,
  wrongAuthorityCertificate,
} from '../../../../test/support/certificates.ts';
import { TlsBufferEvent, TlsContext } from '../../src/index.ts';
import { contexts, describeStores, NO_CERTIFICATE_COMPRESSION, PAIRS, sanCountBeyond } from '../support/contexts.ts';
import { Duo } from '../support/duo.ts';

const ALERT_PAIRS = PAIRS.filter((pairBytes) => pairBytes >= 7);

describeStores('TLS handshake of a connection', (store) => {
  it('T09-T11 the traces are the same over a transport', async () => {
    const expected: [sanCount: number, version: 'TLSv1.2' | 'TLSv1.3', wantWrite: number][] = [
      [400, 'TLSv1.3', 1],
      [400, 'TLSv1.2', 1],
      [2000, 'TLSv1.3', 8],
    ];
    for (const [sanCount, version, wantWrite] of expected) {
      const duo = new Duo(await contexts({ sanCount, version }), { store, server: { pairBytes: 8192 } }).connect();
      const { handshake } = duo.server.tls;
      expect(handshake).to.include({ acceptCalls: wantWrite + 2, wantWrite, wantRead: 1, spins: 0, done: true });
      expect(handshake.calls.slice(0, wantWrite).every((call) => call.pending === 8192)).to.equal(true);
      duo.closeInOrder();
    }
  });

  for (const pairBytes of PAIRS) {
    it(`T15 a transport that takes nothing for three turns, then a byte per turn, pair of ${pairBytes}`, async () => {
      const made = await contexts({ sanCount: pairBytes < 600 ? 0 : 100 });
      const duo = new Duo(made, { store, client: { pairBytes }, server: { pairBytes } });
      duo.server.tls.write('in order');
      duo.turns(2);
      duo.link.cork(duo.server.below);
      duo.turns(3);
      duo.link.limit(duo.server.below, 1);
      duo.link.uncork(duo.server.below);
      duo.settle();
      expect(duo.client.text).to.equal('in order');
      expect(duo.server.below.refusedTotal).to.be.above(100);
      duo.link.limit(duo.server.below, Number.POSITIVE_INFINITY);
      duo.closeInOrder();
    });
  }

  it('T16 a client silent after three bytes: no calls, no turns, others served', async () => {
    const made = await contexts();
    const duo = new Duo(made, { store });
    const [client, below] = link(duo.loop).ends;
    const silent = new TlsBufferEvent(below, made.server, { store });
    client.write(Buffer.from([22, 3, 1]));
    duo.connect();
    expect(silent.handshake.acceptCalls).to.equal(1);
    expect(duo.settle(), 'nothing keeps the loop busy').to.equal(0);
    for (let message = 0; message < 10; message++) {
      duo.client.tls.write('ping');
      duo.settle();
    }
    expect(duo.server.receivedBytes).to.equal(40);
    expect(silent.session.calls).to.equal(1);
  });

  for (const pairBytes of PAIRS) {
    it(`T17 network and pair full in the flight: no turn until there is room, pair of ${pairBytes}`, async () => {
      const duo = new Duo(await contexts({ sanCount: sanCountBeyond(pairBytes) }), {
        store,
        server: { pairBytes },
        transport: { watermarks: { write: { low: 100, high: 1000 } } },
      });
      duo.link.cork(duo.server.below);
      duo.settle();
      const { calls, trace } = duo.server.tls.session;
      if (trace.bytesOut < 1000) expect.fail('the flight was too small for the case');
      for (let again = 0; again < 1000; again++) duo.turns(1);
      expect(duo.server.tls.session.calls).to.equal(calls);
      expect(duo.server.memoryMost).to.be.at.most(2 * pairBytes + 1000 + 64 * 1024);
      duo.link.uncork(duo.server.below);
      duo.connect().closeInOrder();
    });
  }

  it('T18 bytes left while accept waits for the client leave when the socket has room', async () => {
    const duo = new Duo(await contexts({ sanCount: 300 }), {
      store,
      transport: { watermarks: { write: { low: 100, high: 2000 } } },
    });
    duo.link.cork(duo.server.below);
    duo.settle();
    expect(duo.server.tls.session.pendingOut).to.be.above(0);
    expect(duo.server.tls.handshake.wantRead).to.equal(1);
    duo.link.uncork(duo.server.below);
    duo.connect().closeInOrder();
  });

  for (const tickets of [2, 0]) {
    it(`T20 ${tickets} tickets of 13 kB: a client that does not read still takes them`, async () => {
      const compression = { opensslOptions: NO_CERTIFICATE_COMPRESSION };
      const duo = new Duo(
        await contexts({
          clientSanCount: 400,
          version: 'TLSv1.3',
          server: { tickets, ...compression },
          client: compression,
        }),
        {
          store,
          server: { pairBytes: 8192 },
          transport: { watermarks: { write: { low: 100, high: 4096 } } },
          capacityBytes: 4096,
        },
      );
      duo.client.tls.pause();
      duo.settle();
      expect(duo.server.story).to.deep.equal(['connected']);
      expect(duo.client.story).to.deep.equal(['connected']);
      duo.client.tls.resume();
      duo.closeInOrder();
    });
  }

  for (const pairBytes of PAIRS) {
    it(`T21 the client leaves in mid-flight: truncated, with the phase, pair of ${pairBytes}`, async () => {
      for (const kind of ['fin', 'reset'] as const) {
        const duo = new Duo(await contexts({ sanCount: sanCountBeyond(pairBytes) }), {
          store,
          server: { pairBytes },
          capacityBytes: 200,
        });
        for (let turn = 0; turn < 1000 && duo.client.below.bytesIn < 100; turn++) duo.turns(1);
        if (kind === 'fin') duo.client.below.end();
        else duo.link.cut('reset');
        duo.settle();
        duo.advance(10_000);
        expect(duo.server.story).to.deep.equal(['closed']);
        const { report } = duo.server;
        expect(report?.end).to.equal(kind === 'fin' ? 'truncated' : 'reset');
        expect(report?.error?.operation).to.equal('tls handshake/flight 1');
        expect(report?.layer).to.equal(kind === 'fin' ? 'tls' : 'system');
        expect(report?.handshake.acceptCalls).to.be.above(0);
      }
    });
  }

  for (const pairBytes of ALERT_PAIRS) {
    it(`T22 unknown authority: the alert leaves a corked link, then the connection closes, pair of ${pairBytes}`, async () => {
      const stranger = await wrongAuthorityCertificate();
      const made = {
        server: TlsContext.server({ cert: stranger.certPem, key: stranger.keyPem }),
        client: TlsContext.client({ ca: stranger.caPem }),
        certificate: stranger,
      };
      const duo = new Duo(made, { store, client: { pairBytes }, server: { pairBytes } });
      while (duo.loop.pending && duo.client.tls.session.failure === undefined) {
        duo.turns(1);
        const { wantRead } = duo.client.tls.handshake;
        if (wantRead > 0 && duo.client.below.output.length === 0) duo.link.cork(duo.client.below);
      }
      for (let turn = 0; turn < 5; turn++) duo.turns(1);
      expect(duo.server.report).to.equal(undefined);
      duo.link.uncork(duo.client.below);
      duo.settle();
      expect(duo.client.report).to.include({ end: 'failed', code: 'SLUICE_TLS_BAD_CERTIFICATE', blame: 'remote' });
      expect(duo.client.report?.entries.map((entry) => entry.data).join()).to.match(/verify result 20: unable to get/u);
      expect(duo.server.report).to.include({ end: 'failed', code: 'SLUICE_TLS_ALERT_CERTIFICATE', blame: 'remote' });
      expect(duo.server.report?.alerts.map(({ sent, name }) => [sent, name])).to.deep.equal([[false, 'unknown_ca']]);
      for (const side of duo.sides) expect(side.story).to.deep.equal(['closed']);
    });
  }

  it('T23 no shared version: both ends are told once, and blame is a field', async () => {
    const duo = new Duo(await contexts({ server: { minVersion: 'TLSv1.3' }, client: { maxVersion: 'TLSv1.2' } }), {
      store,
    });
    const failures: unknown[] = [];
    for (const side of duo.sides) side.tls.handshake$.subscribe({ error: (error) => failures.push(error) });
    duo.settle();
    expect(duo.server.report).to.include({
      end: 'failed',
      code: 'SLUICE_TLS_NO_AGREEMENT',
      blame: 'remote',
      remedy: 'close',
    });
    expect(duo.client.report).to.include({ end: 'failed', code: 'SLUICE_TLS_ALERT_NO_AGREEMENT', remedy: 'fix' });
    for (const side of duo.sides) {
      expect(side.story).to.deep.equal(['closed']);
      expect(side.report?.entries).to.have.length.above(0);
    }
    expect(failures).to.have.length(2);
  });

  it('T24 plain HTTP fails in the turn that reads it, and keeps nobody busy', async () => {
    const { server } = await contexts();
    const duo = new Duo(await contexts(), { store });
    const [client, below] = link(duo.loop).ends;
    const bev = new TlsBufferEvent(below, server, { store });
    const story: string[] = [];
    client.on('end', () => story.push('end of the transport'));
    bev.on('closed', () => story.push('closed'));
    client.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    let callsBefore = 0;
    for (; bev.closed === undefined && duo.loop.pending; duo.loop.turn()) callsBefore = bev.session.calls;
    expect(callsBefore, 'calls before the turn in which it failed').to.equal(0);
    expect(bev.closed).to.include({ end: 'failed', code: 'SLUICE_TLS_NOT_TLS', blame: 'remote' });
    duo.settle();
    expect(story).to.deep.equal(['end of the transport', 'closed']);
    // OpenSSL has no alert for it: who speaks HTTP would not understand one.
    expect(below.bytesOut).to.equal(0);
    expect(bev.session.calls).to.equal(1);
  });

  it('T25 the limit is absolute: a byte a second does not extend it', async () => {
    const { server } = await contexts();
    const duo = new Duo(await contexts(), { store });
    const [client, below] = link(duo.loop).ends;
    const bev = new TlsBufferEvent(below, server, { store, handshakeMs: 5000 });
    const hello = [22, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3];
    for (const byte of hello) {
      client.write(Buffer.of(byte));
      duo.settle();
      duo.loop.advance(1000);
      if (bev.closed !== undefined) break;
    }
    expect(bev.closed).to.include({ end: 'timeout', code: 'SLUICE_TLS_HANDSHAKE_TIMEOUT', blame: 'remote' });
    expect(bev.closed?.durationMs).to.equal(5000);
  });

  for (const pairBytes of PAIRS) {
    it(`T25 a client that stops reading in the flight ends by the limit and costs nothing, pair of ${pairBytes}`, async () => {
      const duo = new Duo(await contexts({ sanCount: sanCountBeyond(pairBytes) }), {
        store,
        server: { pairBytes, handshakeMs: 5000 },
        client: { handshakeMs: 60_000 },
        capacityBytes: 500,
      });
      duo.client.below.pause();
      duo.settle();
      const { turns } = duo.loop.stats;
      duo.advance(4999);
      expect(duo.loop.stats.turns - turns, 'turns while waiting').to.be.at.most(2);
      expect(duo.server.report).to.equal(undefined);
      duo.advance(2);
      expect(duo.server.report).to.include({ end: 'timeout', code: 'SLUICE_TLS_HANDSHAKE_TIMEOUT' });
      expect(duo.server.report?.handshake.durationMs).to.equal(5000);
    });

    it(`a client that stops reading in the flight and goes on completes, pair of ${pairBytes}`, async () => {
      const duo = new Duo(await contexts({ sanCount: sanCountBeyond(pairBytes) }), {
        store,
        server: { pairBytes },
        capacityBytes: 500,
      });
      duo.client.below.pause();
      duo.advance(3000);
      duo.client.below.resume();
      duo.connect().closeInOrder();
    });
  }

  for (const pairBytes of [17, 17_408]) {
    it(`a client killed at any byte of its handshake: one closed, and the truth, pair of ${pairBytes}`, async () => {
      // Few choices make a short ClientHello, so that every byte has its turn.
      const made = await contexts({
        version: 'TLSv1.3',
        client: { groups: 'X25519', ciphersuites: 'TLS_AES_128_GCM_SHA256' },
      });
      const options = { store, server: { pairBytes } };
      const total = new Duo(made, options).connect().client.below.bytesOut;
      expect(total).to.be.within(200, 600);
      for (let bytes = 0; bytes < total; bytes++) {
        for (const kind of ['fin', 'reset'] as const) {
          const duo = new Duo(made, options);
          const { below } = duo.client;
          duo.link.cork(below);
          duo.settle();
          while (below.bytesOut < bytes) {
            duo.link.limit(below, bytes - below.bytesOut);
            duo.link.uncork(below);
            duo.turns(1);
            duo.link.cork(below);
            duo.settle();
          }
          expect(duo.server.below.bytesIn).to.equal(bytes);
          duo.link.cut(kind);
          duo.settle();
          const place = `${kind} after ${bytes} bytes`;
          expect(duo.server.events, place).to.deep.equal(['closed']);
          const [end, layer] = kind === 'fin' ? ['truncated', 'tls'] : ['reset', 'system'];
          expect(duo.server.report, place).to.include({ end, layer, blame: 'remote' });
          expect(duo.server.report?.entries, place).to.have.length(1);
          expect(duo.server.tls.session.memoryBytes, place).to.equal(0);
        }
      }
    }).timeout(60_000);
  }

  it('a tiny pair does not keep the loop from others: calls per turn are bounded', async () => {
    const duo = new Duo(await contexts({ sanCount: 100 }), { store, server: { pairBytes: 1, callsPerTurnMax: 10 } });
    let most = 0;
    for (let turn = 0; turn < 20_000 && duo.loop.pending; turn++) {
      const { calls } = duo.server.tls.session;
      duo.turns(1);
      most = Math.max(most, duo.server.tls.session.calls - calls);
    }
    expect(duo.server.story).to.deep.equal(['connected']);
    expect(duo.server.tls.handshake.acceptCalls).to.be.above(1000);
    // A turn has two places to go on: what arrived, and what was put off.
    expect(most).to.be.at.most(20 + 10);
    duo.closeInOrder();
  });

  it('memory does not depend on the certificate', async () => {
    const most: number[] = [];
    for (const sanCount of [0, 2000]) {
      const duo = new Duo(await contexts({ sanCount }), {
        store,
        server: { pairBytes: 8192 },
        transport: { watermarks: { write: { low: 1000, high: 8192 } } },
        capacityBytes: 1000,
      }).connect();
      most.push(duo.server.memoryMost);
      duo.closeInOrder();
    }
    expect(Math.max(...most)).to.be.at.most(3 * 8192 + 8192);
  });

  it('mutual TLS: the certificate and the name are there when connected', async () => {
    const certificate = await serverCertificate();
    const shown = await clientCertificate(0, 'Somebody in particular');
    const made = await contexts({
      server: { clientCertificate: 'require', ca: certificate.caPem, alpn: ['sluice', 'other'] },
      client: { cert: shown.certPem, key: shown.keyPem, alpn: ['other', 'sluice'] },
    });
    const duo = new Duo(made).connect();
    expect(duo.server.tls.tls).to.include({
      servername: 'localhost',
      alpn: 'sluice',
      verifyResult: 0,
      version: 0x0304,
    });
    expect(duo.server.tls.tls?.peerCertificate?.length).to.be.above(300);
    expect(duo.client.tls.tls).to.include({ alpn: 'sluice', verifyResult: 0 });
    duo.closeInOrder();
  });
});
