import { expect } from 'chai';
import type { TlsVersion } from '../../src/index.ts';
import { type Contexts, contexts, describeStores, PAIRS, sanCountBeyond } from '../support/contexts.ts';
import { TlsEnd, Wire } from '../support/wire.ts';

/** How long the server's first flight is, to within the few bytes by which signatures differ. */
function flightBytes({ client, server }: Contexts): number {
  const wire = new Wire(new TlsEnd(client), new TlsEnd(server, { outboxMax: 100_000 }));
  wire.client.work();
  wire.transfer();
  while (wire.server.work());
  const { length } = wire.server.outbox;
  wire.free();
  return length;
}

describeStores('TLS handshake over a bounded pair', (store) => {
  for (const pairBytes of PAIRS) {
    it(`T01 server corked before its first flight, pair of ${pairBytes}`, async () => {
      const made = await contexts({ sanCount: sanCountBeyond(pairBytes) });
      const wire = new Wire(
        new TlsEnd(made.client, { pairBytes, store }),
        new TlsEnd(made.server, { pairBytes, store, outboxMax: 0 }),
      );
      const { server } = wire;
      const { trace } = server.session;
      wire.settle();
      const hello = wire.client.session.bytesOut;
      expect(wire.client.outcomes.at(-1)).to.deep.equal(['handshake', 'want-input']);
      expect(server.outcomes.at(-1)).to.deep.equal(['handshake', 'want-output']);
      expect(server.session.pendingOut).to.equal(pairBytes);

      // One byte of room is progress, and no room again is none; and as long as one byte is missing, it wants room.
      server.outboxMax = flightBytes(made) - pairBytes - 10;
      while (server.work());
      let missing = 0;
      for (; server.outcomes.at(-1)?.[1] === 'want-output'; missing++) {
        expect(server.session.pendingOut).to.equal(pairBytes);
        const { acceptCalls } = trace;
        for (let round = 0; round < 10; round++) server.work();
        expect(trace.acceptCalls).to.equal(acceptCalls);
        server.outboxMax += 1;
        server.work();
        expect(trace.acceptCalls).to.equal(acceptCalls + 1);
      }
      expect(server.outcomes.at(-1)).to.deep.equal(['handshake', 'want-input']);
      expect(missing, 'bytes of room, one at a time').to.be.within(1, 20);

      server.outboxMax = 100_000;
      for (let round = 0; round < 10; round++) {
        server.work();
        wire.transfer();
      }
      expect(wire.client.inbox.length).to.be.above(10);
      expect(wire.client.session.bytesOut, 'ClientHello sent once').to.equal(hello);
      wire.connect().free();
    });
  }

  // The fourth bit is the store: a pair refuses a write by -1, a borrowing store by 0, both with the flag to try again.
  for (let bits = 0; bits < 8; bits++) {
    const large = (bits & 1) !== 0;
    const verify = (bits & 2) !== 0;
    const version: TlsVersion = (bits & 4) !== 0 ? 'TLSv1.2' : 'TLSv1.3';
    const name = [large && 'large chain', verify && 'client certificate asked for', version];
    it(`T02-T08 handshake retried: ${name.filter(Boolean).join(', ')}`, async () => {
      const { client, server } = await contexts({
        sanCount: large ? 700 : 0,
        chained: large,
        version,
        server: { clientCertificate: verify ? 'request' : 'none' },
      });
      for (const pairBytes of PAIRS.filter((size) => size >= 64 || !large)) {
        for (const trickle of [false, true]) {
          const wire = new Wire(
            new TlsEnd(client, { pairBytes, store }),
            new TlsEnd(server, { pairBytes, store, outboxMax: 0 }),
          );
          wire.settle();
          const calls = wire.server.session.trace.acceptCalls;
          wire.settle();
          expect(wire.server.session.trace.acceptCalls, 'no retry without progress').to.equal(calls);
          for (let byte = 0; byte < 100 && trickle; byte++) {
            wire.server.outboxMax = 1;
            wire.server.work();
            wire.transfer();
          }
          wire.server.outboxMax = 65_536;
          wire.connect().free();
        }
      }
    });
  }

  for (const pairBytes of PAIRS) {
    it(`T15 nothing taken for three turns in mid-flight, then a byte per turn, pair of ${pairBytes}`, async () => {
      const { client, server } = await contexts({ sanCount: sanCountBeyond(pairBytes) });
      const wire = new Wire(
        new TlsEnd(client, { pairBytes, store }),
        new TlsEnd(server, { pairBytes, store, outboxMax: 200 }),
      );
      wire.serverToClient = 100;
      wire.settleUntil(() => wire.client.session.bytesIn > 0);
      wire.serverToClient = 0;
      while (wire.server.work());
      for (let turn = 0; turn < 3; turn++) wire.step();
      expect(wire.server.outcomes.at(-1), 'in mid-flight').to.deep.equal(['handshake', 'want-output']);
      expect(wire.server.session.pendingOut).to.equal(pairBytes);
      wire.server.toSend.push(Buffer.from('in order'));
      wire.serverToClient = 1;
      for (let turn = 0; turn < 500; turn++) {
        const { bytesOut } = wire.server.session;
        wire.step();
        expect(wire.server.session.bytesOut).to.be.at.most(bytesOut + 1);
      }
      // The small flight to its last byte; of the large one, 60,000 more would tell nothing new.
      if (pairBytes >= 512) wire.serverToClient = 1000;
      wire.connect();
      expect(wire.client.received.take().toString()).to.equal('in order');
      wire.free();
    });
  }

  it('T16 a client silent after three bytes costs one call, and nothing to others', async () => {
    const { client, server } = await contexts();
    const silent = new Wire(new TlsEnd(client, { store }), new TlsEnd(server, { store }));
    silent.clientToServer = 3;
    silent.client.work();
    silent.transfer();
    silent.clientToServer = 0;
    const other = new Wire(new TlsEnd(client, { store }), new TlsEnd(server, { store }));
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
      const wire = new Wire(
        new TlsEnd(client, { pairBytes, store }),
        new TlsEnd(server, { pairBytes, store, outboxMax: 300 }),
      );
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

  for (const pairBytes of PAIRS) {
    it(`T18 bytes left while accept waits for input leave as soon as there is room, pair of ${pairBytes}`, async () => {
      const made = await contexts({ sanCount: sanCountBeyond(pairBytes) });
      const wire = new Wire(
        new TlsEnd(made.client, { pairBytes, store }),
        new TlsEnd(made.server, { pairBytes, store, outboxMax: flightBytes(made) - pairBytes - 10 }),
      );
      wire.serverToClient = 0;
      wire.settle();
      for (; wire.server.outcomes.at(-1)?.[1] === 'want-output'; wire.server.work()) wire.server.outboxMax += 1;
      expect(wire.server.outcomes.at(-1)).to.deep.equal(['handshake', 'want-input']);
      const { pendingOut, trace } = wire.server.session;
      const { acceptCalls } = trace;
      expect(pendingOut, 'left in the pair').to.equal(pairBytes);
      // The peer is silent; only room appears.
      wire.server.outboxMax += 100_000;
      const { length } = wire.server.outbox;
      wire.server.work();
      expect(wire.server.session.pendingOut).to.equal(0);
      expect(wire.server.outbox.length).to.equal(length + pendingOut);
      expect(trace.acceptCalls).to.equal(acceptCalls);
      wire.serverToClient = Number.POSITIVE_INFINITY;
      wire.connect().free();
    });
  }
});
