import { expect } from 'chai';
import { expiredCertificate, wrongAuthorityCertificate } from '../../../../test/support/certificates.ts';
import { nativeQueue } from '../../../native/test/support/native-queue.ts';
import { TlsContext } from '../../src/index.ts';
import { contexts, describeStores, PAIRS, sanCountBeyond } from '../support/contexts.ts';
import { TlsEnd, Wire } from '../support/wire.ts';

const UNKNOWN_CA = 0x0a000418;
const HTTP_REQUEST = 0x0a00009c;

// OpenSSL tries once to write a failed connection's alert, so a pair must hold it: 7 bytes in the clear.
const ALERT_PAIRS = PAIRS.filter((pairBytes) => pairBytes >= 7);

describeStores('TLS handshake that fails', (store) => {
  for (const pairBytes of PAIRS) {
    it(`T21 the client leaves between WANT_WRITE and the next turn, pair of ${pairBytes}`, async () => {
      const { client, server } = await contexts({ sanCount: sanCountBeyond(pairBytes) });
      const wire = new Wire(
        new TlsEnd(client, { pairBytes, store }),
        new TlsEnd(server, { pairBytes, store, outboxMax: 100 }),
      );
      wire.serverToClient = 0;
      wire.settle();
      expect(wire.server.outcomes.at(-1)).to.deep.equal(['handshake', 'want-output']);
      wire.server.inputEof = true;
      // The end is found when the flight has gone out and input is wanted, not before.
      wire.serverToClient = Number.POSITIVE_INFINITY;
      for (let round = 0; round < 40_000 && wire.server.session.failure === undefined; round++) {
        wire.server.work();
        wire.server.outbox.take();
      }
      const { failure } = wire.server.session;
      expect(failure).to.include({ kind: 'truncated', operation: 'SSL_accept', phase: 'handshake/flight 1' });
      expect(wire.server.session.trace.done).to.equal(false);
      for (let round = 0; round < 3; round++) {
        expect(wire.server.turn('handshake')).to.equal('closed');
        expect(wire.server.session.failure).to.equal(failure);
      }
      wire.free();
    });
  }

  for (const pairBytes of ALERT_PAIRS) {
    it(`T22 unknown authority: alert 48 leaves although corked for five turns, pair of ${pairBytes}`, async () => {
      const stranger = await wrongAuthorityCertificate();
      const server = TlsContext.server({ cert: stranger.certPem, key: stranger.keyPem });
      const client = TlsContext.client({ ca: stranger.caPem });
      const wire = new Wire(new TlsEnd(client, { pairBytes, store }), new TlsEnd(server, { pairBytes, store }));
      for (let round = 0; round < 20_000 && wire.client.session.bytesOut === 0; round++) wire.step();
      wire.settleUntil(
        () =>
          wire.client.session.trace.wantRead > 0 && wire.client.outbox.length === 0 && wire.server.session.bytesIn > 0,
      );
      wire.client.outboxMax = 0;
      wire.settleUntil(() => wire.client.session.failure !== undefined);
      for (let turn = 0; turn < 5; turn++) {
        expect(wire.client.turn('move')).to.equal('want-output');
        expect(wire.client.turn('handshake')).to.equal('closed');
      }
      expect(wire.server.session.failure).to.equal(undefined);
      wire.client.outboxMax = 65_536;
      wire.settle();
      const { failure } = wire.client.session;
      expect(failure?.kind).to.equal('fault');
      expect(failure?.verifyText).to.match(/unable to get local issuer/u);
      expect(wire.client.session.alerts).to.deep.equal([{ sent: true, level: 2, description: 48, name: 'unknown_ca' }]);
      expect(wire.server.session.failure?.kind).to.equal('alert');
      expect(wire.server.session.failure?.entries.map((entry) => entry.code)).to.include(UNKNOWN_CA);
      expect(wire.server.session.alerts.map(({ sent, name }) => [sent, name])).to.deep.equal([[false, 'unknown_ca']]);
      wire.free();
    });
  }

  const refusals: [name: string, server: object, client: object, alert: string][] = [
    [
      'no shared cipher',
      { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' },
      { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' },
      'handshake_failure',
    ],
    ['no shared version', { minVersion: 'TLSv1.3' }, { maxVersion: 'TLSv1.2' }, 'protocol_version'],
    ['no shared group', { minVersion: 'TLSv1.3', groups: 'P-384' }, { groups: 'P-256' }, 'handshake_failure'],
    ['no shared protocol', { alpn: ['h2'] }, { alpn: ['http/1.1'] }, 'no_application_protocol'],
    ['no client certificate', { clientCertificate: 'require' }, { maxVersion: 'TLSv1.2' }, 'handshake_failure'],
  ];
  for (const [name, serverOptions, clientOptions, alert] of refusals) {
    it(`T23 ${name}: the server's alert leaves, and both sides know why`, async () => {
      const { client, server } = await contexts({ server: serverOptions, client: clientOptions });
      for (const pairBytes of ALERT_PAIRS) {
        const wire = new Wire(new TlsEnd(client, { pairBytes, store }), new TlsEnd(server, { pairBytes, store }));
        wire.settle();
        expect(wire.server.session.failure).to.include({ kind: 'fault', operation: 'SSL_accept' });
        expect(wire.client.session.failure).to.include({ kind: 'alert', operation: 'SSL_connect' });
        for (const { session } of [wire.server, wire.client]) {
          expect(session.failure?.entries).to.have.length.above(0);
          expect(session.alerts.map((one) => one.name)).to.deep.equal([alert]);
        }
        wire.free();
      }
    });
  }

  it('T23 an expired certificate is refused inside the handshake, with its alert', async () => {
    const expired = await expiredCertificate();
    const { certificate } = await contexts();
    const server = TlsContext.server({
      cert: certificate.certPem,
      key: certificate.keyPem,
      ca: certificate.caPem,
      clientCertificate: 'require',
    });
    const client = TlsContext.client({ ca: certificate.caPem, cert: expired.certPem, key: expired.keyPem });
    const wire = new Wire(new TlsEnd(client, { store }), new TlsEnd(server, { store }));
    wire.settle();
    expect(wire.server.session.failure).to.include({ kind: 'fault', verifyText: 'certificate has expired' });
    expect(wire.client.session.alerts.map(({ sent, name }) => [sent, name])).to.deep.equal([
      [false, 'certificate_expired'],
    ]);
    wire.free();
  });

  for (const pairBytes of PAIRS) {
    it(`T24 plain HTTP ends in the turn that reads it, pair of ${pairBytes}`, async () => {
      const { server } = await contexts();
      const end = new TlsEnd(server, { pairBytes, store });
      end.inbox.push(Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'));
      end.work();
      expect(end.outcomes).to.deep.equal([['handshake', 'closed']]);
      expect(end.session.failure?.kind).to.equal('fault');
      expect(end.session.failure?.entries.map((entry) => entry.code)).to.deep.equal([HTTP_REQUEST]);
      const { calls } = end.session;
      for (let turn = 0; turn < 1000; turn++) end.work();
      expect(end.session.calls).to.equal(calls);
      end.session.free();
    });
  }

  for (const pairBytes of PAIRS)
    it(`T28 entries left in the queue by others change nothing, pair of ${pairBytes}`, async () => {
      const { client, server } = await contexts();
      const end = new TlsEnd(server, { pairBytes, store, callsPerTurnMax: 1000 });
      end.staleAllowed = true;
      const wire = new Wire(new TlsEnd(client, { store }), end);
      wire.client.work();
      wire.clientToServer = 200;
      wire.transfer();
      nativeQueue.raise(0x0a0000c1, 'somebody.c', 1, 'else');
      expect(end.turn('handshake')).to.equal('want-input');
      expect(end.session.staleEntries).to.equal(1);
      expect(nativeQueue.peek()).to.equal(undefined);
      wire.clientToServer = Number.POSITIVE_INFINITY;
      wire.connect();

      wire.clientToServer = 10;
      wire.client.toSend.push(Buffer.from('data'));
      wire.client.work();
      wire.transfer();
      nativeQueue.raise(0x80000068, 'somebody.c', 2, 'else');
      expect(end.turn('read')).to.equal('want-input');
      expect(end.session.failure).to.equal(undefined);
      expect(end.session.staleEntries).to.equal(2);
      wire.settle();
      expect(end.received.take().toString()).to.equal('data');
      wire.free();
    });

  it('a peer that cancels in order is told apart from one that leaves', async () => {
    const { client, server } = await contexts({ version: 'TLSv1.2' });
    const wire = new Wire(new TlsEnd(client, { store }), new TlsEnd(server, { store }));
    wire.client.work();
    wire.transfer();
    wire.server.work();
    // In the clear, as there are no keys yet: user_canceled (90), then close_notify.
    wire.server.inbox.push(Buffer.from([0x15, 3, 3, 0, 2, 1, 90, 0x15, 3, 3, 0, 2, 1, 0]));
    wire.server.work();
    expect(wire.server.session.failure).to.include({ kind: 'canceled', phase: 'handshake/flight 1' });
    expect(wire.server.session.alerts.map(({ sent, name }) => [sent, name])).to.deep.equal([
      [false, 'user_canceled'],
      [false, 'close_notify'],
    ]);
    wire.free();
  });

  it('a handshake longer than its limit is cut', async () => {
    const { client, server } = await contexts({ sanCount: 400 });
    const end = new TlsEnd(client, { store, handshakeBytesMax: 4096 });
    const wire = new Wire(end, new TlsEnd(server, { store }));
    wire.serverToClient = 1000;
    wire.settle();
    expect(end.session.failure).to.include({ kind: 'limit', operation: 'SSL_connect' });
    expect(end.session.bytesIn).to.be.at.most(4096 + 1000);
    wire.free();
  });
});
