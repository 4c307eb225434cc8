import { expect } from 'chai';
import { TlsContext } from '../../src/index.ts';
import { type ContextChoice, contexts, describeStores, PAIRS } from '../support/contexts.ts';
import { Duo } from '../support/duo.ts';
import { fillPair, pattern, TlsEnd, Wire } from '../support/wire.ts';

const UNEXPECTED_EOF = 0x0a000126;
/** SSL_OP_IGNORE_UNEXPECTED_EOF. */
const IGNORE_UNEXPECTED_EOF = 1n << 7n;
/** A pair must hold an alert at once: OpenSSL tries a failed connection's only once. */
const ALERT_BYTES = 24;

describeStores('TLS close', (store) => {
  const connected = async (pairBytes: number, choice: ContextChoice = {}): Promise<Wire> => {
    const { client, server } = await contexts(choice);
    return new Wire(new TlsEnd(client, { pairBytes, store }), new TlsEnd(server, { pairBytes, store })).connect();
  };

  for (const pairBytes of PAIRS) {
    it(`T62 close_notify into a full pair waits for room, without calls, pair of ${pairBytes}`, async () => {
      const wire = await connected(pairBytes, { version: 'TLSv1.3' });
      const { client, server } = wire;
      client.outboxMax = 0;
      const sent = Buffer.concat(fillPair(client));
      client.wantsShutdown = true;
      wire.settle();
      expect(client.outcomes.at(-1)).to.deep.equal(['shutdown', 'want-output']);
      expect(client.session.pendingWriteBytes, 'no write waits').to.equal(0);
      const { calls } = client.session;
      for (let turn = 0; turn < 5; turn++) expect(client.turn('shutdown')).to.equal('want-output');
      expect(client.session.calls).to.equal(calls);
      expect(client.session.closeNotifySent).to.equal(false);
      client.outboxMax = 65_536;
      wire.settle();
      expect(client.session.closeNotifySent).to.equal(true);
      expect(server.session.closeNotifyReceived).to.equal(true);
      expect(server.received.take().equals(sent)).to.equal(true);
      server.wantsShutdown = true;
      wire.settle();
      for (const end of [client, server]) expect(end.turn('read')).to.equal('closed');
      wire.free();
    });

    it(`T62 and behind a write that waits, pair of ${pairBytes}`, async () => {
      const wire = await connected(pairBytes);
      const { client, server } = wire;
      client.outboxMax = 0;
      client.toSend.push(pattern(pairBytes + 20_000));
      client.wantsShutdown = true;
      wire.settle();
      expect(client.outcomes.at(-1)).to.deep.equal(['shutdown', 'want-output']);
      const { calls } = client.session;
      for (let turn = 0; turn < 5; turn++) expect(client.turn('shutdown')).to.equal('want-output');
      expect(client.session.calls).to.equal(calls);
      expect(client.session.closeNotifySent).to.equal(false);
      client.outboxMax = 65_536;
      wire.settle();
      expect(client.session.closeNotifySent).to.equal(true);
      expect(server.session.closeNotifyReceived).to.equal(true);
      expect(server.received.length).to.equal(pairBytes + 20_000);
      expect(client.session.closeNotifyReceived).to.equal(false);
      server.wantsShutdown = true;
      wire.settle();
      expect(client.session.closeNotifyReceived).to.equal(true);
      for (const end of [client, server]) {
        expect(end.turn('read')).to.equal('closed');
        expect(end.turn('shutdown')).to.equal('done');
        expect(end.session.failure).to.equal(undefined);
      }
      wire.free();
    });
  }

  for (const pairBytes of PAIRS) {
    it(`T63 and T64 an end without close_notify is truncated, as often as it is asked, pair of ${pairBytes}`, async () => {
      const wire = await connected(pairBytes);
      const { client, server } = wire;
      client.toSend.push(Buffer.from('all of it'));
      wire.settle();
      server.inputEof = true;
      server.work();
      expect(server.received.take().toString()).to.equal('all of it');
      const { failure } = server.session;
      expect(failure).to.include({ kind: 'truncated', operation: 'SSL_read', phase: 'data' });
      expect(failure?.entries.map((entry) => entry.code)).to.deep.equal([UNEXPECTED_EOF]);
      const { calls } = server.session;
      for (let again = 0; again < 3; again++) {
        expect(server.turn('read')).to.equal('closed');
        expect(server.session.failure).to.equal(failure);
      }
      expect(server.session.calls).to.equal(calls);
      wire.free();
    });
  }

  it('T63 the end of a transport that OpenSSL is told to ignore is an end', async () => {
    const wire = await connected(17_408, { server: { opensslOptions: IGNORE_UNEXPECTED_EOF } });
    wire.server.inputEof = true;
    wire.server.work();
    expect(wire.server.session.failure).to.equal(undefined);
    expect(wire.server.session.closeNotifyReceived).to.equal(true);
    for (let again = 0; again < 3; again++) expect(wire.server.turn('read')).to.equal('closed');
    wire.free();
  });

  it('T63 and T64 a connection tells truncated, after the data, and every operation tells it again', async () => {
    const duo = new Duo(await contexts(), { store }).connect();
    duo.client.tls.write('cut short');
    duo.settle();
    duo.link.cut('fin');
    duo.settle();
    expect(duo.server.story).to.deep.equal(['connected', 'data', 'closed']);
    const { report, tls } = duo.server;
    expect(report).to.include({
      end: 'truncated',
      direction: 'read',
      layer: 'tls',
      code: 'SLUICE_TLS_TRUNCATED',
      blame: 'remote',
    });
    expect(report?.entries.map((entry) => entry.code)).to.deep.equal([UNEXPECTED_EOF]);
    for (let again = 0; again < 3; again++) {
      expect(() => tls.write('x'))
        .to.throw()
        .with.property('code', 'SLUICE_TLS_TRUNCATED');
      expect((await rejection(tls.flush())).code).to.equal('SLUICE_TLS_TRUNCATED');
    }
  });

  for (const pairBytes of PAIRS) {
    it(`T65 half close: after the peer's close_notify 1 MB is still written, pair of ${pairBytes}`, async () => {
      const length = pairBytes < 64 ? 50_000 : 1_000_000;
      const duo = new Duo(await contexts(), {
        store,
        server: { pairBytes, halfOpen: true, watermarks: { write: { cap: 2_000_000 } } },
        client: { pairBytes },
      }).connect();
      duo.client.tls.end();
      duo.settle();
      expect(duo.server.story).to.deep.equal(['connected', 'end']);
      const sent = pattern(length);
      duo.server.tls.write(sent);
      duo.server.tls.end();
      duo.settle();
      expect(Buffer.concat(duo.client.received).equals(sent)).to.equal(true);
      for (const side of duo.sides) expect(side.report?.end).to.equal('end');
    });
  }

  for (const pairBytes of PAIRS) {
    it(`T66 an end while a write waits: all bytes, then close_notify, pair of ${pairBytes}`, async () => {
      const duo = new Duo(await contexts(), {
        store,
        client: { pairBytes },
        transport: { watermarks: { write: { low: 100, high: 1000 } } },
      }).connect();
      duo.link.cork(duo.client.below);
      const sent = pattern(30_000);
      duo.client.tls.write(sent);
      duo.client.tls.end();
      duo.settle();
      expect(duo.client.tls.session.closeNotifySent).to.equal(false);
      duo.link.uncork(duo.client.below);
      duo.settle();
      expect(Buffer.concat(duo.server.received).equals(sent)).to.equal(true);
      expect(duo.server.story).to.deep.equal(['connected', 'data', 'end', 'closed']);
      for (const side of duo.sides) expect(side.report?.end).to.equal('end');
    });
  }

  it('T67 no SSL_shutdown in a handshake nor after a failure', async () => {
    const { client, server } = await contexts();
    const wire = new Wire(new TlsEnd(client, { store }), new TlsEnd(server, { store }));
    wire.client.work();
    wire.transfer();
    wire.server.work();
    for (const end of [wire.client, wire.server]) {
      const { calls } = end.session;
      expect(end.turn('shutdown')).to.equal('closed');
      expect(end.session.calls).to.equal(calls);
    }
    wire.connect();
    wire.server.inbox.push(Buffer.from([23, 3, 3, 0, 30, ...Array<number>(30).fill(7)]));
    wire.server.work();
    expect(wire.server.session.failure?.kind).to.equal('fault');
    const { calls } = wire.server.session;
    expect(wire.server.turn('shutdown')).to.equal('closed');
    expect(wire.server.session.calls).to.equal(calls);
    expect(wire.server.session.closeNotifySent).to.equal(false);
    expect(wire.server.session.alerts.map((alert) => alert.name)).to.deep.equal(['bad_record_mac']);
    wire.free();
  });

  for (const pairBytes of PAIRS)
    it(`T68 a peer that never answers close_notify: closed after the limit, everything sent, pair of ${pairBytes}`, async () => {
      const duo = new Duo(await contexts(), {
        store,
        client: { pairBytes, timeouts: { closeMs: 3000 } },
        server: { halfOpen: true },
      }).connect();
      duo.client.tls.write('the last words');
      void duo.client.tls.close();
      duo.settle();
      expect(duo.server.story).to.deep.equal(['connected', 'data', 'end']);
      expect(duo.server.text).to.equal('the last words');
      duo.advance(2990);
      expect(duo.client.report).to.equal(undefined);
      duo.advance(20);
      expect(duo.client.report).to.include({ end: 'timeout', direction: 'read', code: 'SLUICE_CORE_CLOSE_TIMEOUT' });
    });

  it('T68 a peer that does not read: close gives up when nothing has moved for the limit', async () => {
    const duo = new Duo(await contexts(), {
      store,
      client: { timeouts: { closeMs: 3000 } },
      capacityBytes: 1000,
    }).connect();
    duo.link.cork(duo.client.below);
    duo.client.tls.write(pattern(10_000));
    duo.client.tls.end();
    void duo.client.tls.close();
    duo.settle();
    duo.advance(2000);
    duo.link.limit(duo.client.below, 1000);
    duo.link.uncork(duo.client.below);
    duo.turns(2);
    duo.link.cork(duo.client.below);
    expect(duo.client.below.output.length).to.be.within(1, 9500);
    duo.advance(2000);
    expect(duo.client.report, 'something had moved').to.equal(undefined);
    duo.advance(5000);
    expect(duo.client.report).to.include({ end: 'timeout', direction: 'write', code: 'SLUICE_TLS_CLOSE_TIMEOUT' });
  });

  for (const pairBytes of PAIRS) {
    it(`T69 destroy: nothing more is written, waiters get one cause, pair of ${pairBytes}`, async () => {
      const duo = new Duo(await contexts(), {
        store,
        client: { pairBytes },
        transport: { watermarks: { write: { low: 100, high: 2000 } } },
      }).connect();
      duo.link.cork(duo.client.below);
      duo.client.tls.write(pattern(100_000));
      const waiters = [duo.client.tls.flush(), duo.client.tls.flush()].map(rejection);
      duo.settle();
      expect(duo.client.tls.session.pendingOut).to.be.above(0);
      const { bytesIn } = duo.server.below;
      duo.client.tls.destroy();
      duo.link.uncork(duo.client.below);
      duo.settle();
      expect(duo.server.below.bytesIn).to.equal(bytesIn);
      const codes = (await Promise.all(waiters)).map((error) => error.code);
      expect(new Set(codes).size).to.equal(1);
      expect(duo.client.report).to.include({ end: 'aborted', blame: 'local' });
      expect(duo.client.story).to.deep.equal(['connected', 'closed']);
      expect(duo.client.tls.session.memoryBytes).to.equal(0);
      expect(duo.server.report?.end).to.be.oneOf(['reset', 'truncated']);
    });
  }

  for (const pairBytes of PAIRS) {
    it(`T70 the end arrives behind 20 kB of ciphertext: all data, then the end, pair of ${pairBytes}`, async () => {
      for (const orderly of [true, false]) {
        const duo = new Duo(await contexts(), { store, server: { pairBytes } }).connect();
        const sent = pattern(20_000);
        duo.server.below.pause();
        duo.client.tls.write(sent);
        if (orderly) duo.client.tls.end();
        duo.settle();
        if (!orderly) duo.client.below.end();
        expect(duo.client.below.wireBytes).to.be.above(20_000);
        duo.server.below.resume();
        duo.settle();
        expect(Buffer.concat(duo.server.received).equals(sent)).to.equal(true);
        const story = orderly ? ['connected', 'data', 'end', 'closed'] : ['connected', 'data', 'closed'];
        expect(duo.server.story).to.deep.equal(story);
        expect(duo.server.report?.end).to.equal(orderly ? 'end' : 'truncated');
      }
    });
  }

  for (const pairBytes of PAIRS)
    it(`T71 a write fails while an alert waits to be read: the alert is reported, pair of ${pairBytes}`, async () => {
      const duo = new Duo(await contexts(), { store, server: { pairBytes } }).connect();
      duo.server.below.pause();
      // What the client cannot decrypt makes it send an alert and leave.
      duo.client.below.input.prepend(Buffer.from([23, 3, 3, 0, 30, ...Array<number>(30).fill(7)]));
      duo.client.tls._belowMoved();
      duo.settle();
      duo.link.breakWrites(duo.server.below, 'EPIPE');
      duo.server.below.resume();
      duo.server.tls.write('into a dead connection');
      duo.settle();
      expect(duo.server.report?.alerts.map(({ sent, name }) => [sent, name])).to.deep.equal([
        [false, 'bad_record_mac'],
      ]);
      expect(duo.server.report).to.include({ end: 'failed', layer: 'tls', code: 'SLUICE_TLS_ALERT', blame: 'remote' });
    });

  for (const pairBytes of PAIRS)
    it(`T71 without an alert the errno of the failed write is reported, after the data, pair of ${pairBytes}`, async () => {
      const duo = new Duo(await contexts(), { store, server: { pairBytes } }).connect();
      duo.server.below.pause();
      duo.client.tls.write('unread');
      duo.settle();
      duo.link.breakWrites(duo.server.below, 'ECONNRESET');
      duo.link.cut('fin');
      duo.server.tls.write('into a dead connection');
      duo.server.below.resume();
      duo.settle();
      expect(duo.server.text).to.equal('unread');
      expect(duo.server.story).to.deep.equal(['connected', 'data', 'closed']);
      expect(duo.server.report).to.include({ end: 'reset', layer: 'system', code: 'SLUICE_SYSTEM_ECONNRESET' });
    });

  it('a failed write after the close_notify of the peer is no clean end', async () => {
    const duo = new Duo(await contexts(), { store, server: { halfOpen: true } }).connect();
    duo.client.tls.end();
    duo.settle();
    duo.link.breakWrites(duo.server.below, 'EPIPE');
    duo.server.tls.write('owed');
    duo.settle();
    expect(duo.server.story).to.deep.equal(['connected', 'end', 'closed']);
    expect(duo.server.report?.end).to.not.equal('end');
    expect(duo.server.report?.layer).to.equal('system');
  });

  for (const pairBytes of PAIRS) {
    it(`T72 closed is not reported before close_notify has left the pair, and the transport, pair of ${pairBytes}`, async () => {
      const duo = new Duo(await contexts({ version: 'TLSv1.3' }), {
        store,
        client: { pairBytes },
        transport: { watermarks: { write: { low: 1, high: 50 } } },
      }).connect();
      const { session } = duo.client.tls;
      duo.link.cork(duo.client.below);
      // The transport is full: what comes next stays in the pair.
      duo.client.tls.write(pattern(60));
      duo.settle();
      duo.server.tls.end();
      duo.settle();
      expect(duo.client.story).to.deep.equal(['connected', 'end']);
      expect(session.closeNotifyReceived).to.equal(true);
      expect(session.closeNotifySent, 'OpenSSL calls it sent').to.equal(pairBytes >= 64);
      expect(session.pendingOut).to.be.within(1, pairBytes);
      duo.advance(1000);
      expect(duo.client.report, 'it is in the pair').to.equal(undefined);
      duo.link.limit(duo.client.below, 10);
      duo.link.uncork(duo.client.below);
      for (let turn = 0; turn < 10_000 && duo.client.report === undefined; turn++) duo.turns(1);
      expect(session.pendingOut).to.equal(0);
      expect(duo.client.below.output.length).to.equal(0);
      duo.settle();
      for (const side of duo.sides) expect(side.report?.end).to.equal('end');
    });
  }

  for (const pairBytes of PAIRS.filter((size) => size >= ALERT_BYTES)) {
    it(`a fatal error's alert leaves before the connection closes, corked or not, pair of ${pairBytes}`, async () => {
      for (const corked of [false, true]) {
        const duo = new Duo(await contexts(), { store, client: { pairBytes } }).connect();
        if (corked) duo.link.cork(duo.client.below);
        duo.client.below.input.prepend(Buffer.from([23, 3, 3, 0, 30, ...Array<number>(30).fill(7)]));
        duo.client.tls._belowMoved();
        duo.settle();
        for (let turn = 0; turn < 5; turn++) duo.turns(1);
        duo.link.uncork(duo.client.below);
        duo.settle();
        expect(duo.client.report).to.include({ end: 'failed', code: 'SLUICE_TLS_BAD_RECORD', blame: 'remote' });
        expect(duo.server.report?.alerts.map(({ sent, name }) => [sent, name])).to.deep.equal([
          [false, 'bad_record_mac'],
        ]);
      }
    });
  }

  it('an alert that cannot leave delays the end by no more than the limit', async () => {
    const duo = new Duo(await contexts(), { store, client: { timeouts: { closeMs: 1500 } } }).connect();
    duo.link.cork(duo.client.below);
    duo.client.below.input.prepend(Buffer.from([23, 3, 3, 0, 30, ...Array<number>(30).fill(7)]));
    duo.client.tls._belowMoved();
    duo.advance(1490);
    expect(duo.client.report).to.equal(undefined);
    duo.advance(20);
    expect(duo.client.report).to.include({ end: 'failed', code: 'SLUICE_TLS_BAD_RECORD' });
  });

  it('contexts outlive nothing: a closed connection holds no engine memory', async () => {
    const made = await contexts();
    expect(made.server).to.be.instanceOf(TlsContext);
    const duo = new Duo(made, { store }).connect();
    duo.closeInOrder();
    for (const side of duo.sides) expect(side.tls.session.memoryBytes).to.equal(0);
  });
});

async function rejection(promise: Promise<unknown>): Promise<{ code: string }> {
  try {
    await promise;
  } catch (error) {
    return error as { code: string };
  }
  throw new Error('it was not rejected');
}
