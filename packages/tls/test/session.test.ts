import { ApiMisuse } from '@sluice/errors';
import { expect } from 'chai';
import { TlsSession, turnIo } from '../src/index.ts';
import { contexts, PAIRS } from './support/contexts.ts';
import { pattern, TlsEnd, Wire } from './support/wire.ts';

describe('TlsSession', () => {
  it('sizes its writes by the pair and the context', async () => {
    const { client } = await contexts();
    const sizes = PAIRS.map((pairBytes) => {
      const session = new TlsSession(client, { pairBytes });
      session.free();
      return session.sliceBytesMax;
    });
    expect(sizes).to.deep.equal([512, 512, 512, 512, 4032, 8128, 16_384]);
    const { client: small } = await contexts({ client: { sendFragmentBytesMax: 700 } });
    const session = new TlsSession(small);
    expect(session.sliceBytesMax).to.equal(700);
    session.free();
  });

  it('makes no call without a reason, and says what it waits for', async () => {
    const { server } = await contexts();
    const session = new TlsSession(server);
    for (let turn = 0; turn < 5; turn++) expect(session.turn('handshake', turnIo())).to.equal('want-input');
    expect(session.calls).to.equal(0);
    expect(session.turn('move', turnIo())).to.equal('done');
    session.free();
  });

  it('a client speaks first, once', async () => {
    const { client } = await contexts();
    const end = new TlsEnd(client);
    for (let turn = 0; turn < 5; turn++) end.work();
    expect(end.session.calls).to.equal(1);
    expect(end.outbox.length).to.be.above(200);
    end.session.free();
  });

  it('stops at its limit of calls and says that it could go on', async () => {
    const { client, server } = await contexts();
    const wire = new Wire(new TlsEnd(client, { pairBytes: 1, callsPerTurnMax: 7 }), new TlsEnd(server));
    expect(wire.client.turn('handshake')).to.equal('want-output');
    expect(wire.client.session.retry).to.equal(true);
    expect(wire.client.session.calls).to.equal(7);
    wire.connect().free();
  });

  it('refuses what cannot be meant', async () => {
    const { client, server } = await contexts();
    expect(() => new TlsSession(client, { pairBytes: 0 })).to.throw(
      ApiMisuse,
      /pairBytes must be a whole number from 1 to 1048576, not 0/u,
    );
    expect(() => new TlsSession(client, { pairBytes: 1.5 })).to.throw(ApiMisuse);
    // @ts-expect-error -- there are two
    expect(() => new TlsSession(client, { store: 'Pair' })).to.throw(ApiMisuse, /'borrowed' or 'pair', not Pair/u);
    const early = new TlsEnd(client);
    expect(() => early.turn('read')).to.throw(ApiMisuse, /finish the handshake first/u);
    expect(() => early.turn('write')).to.throw(ApiMisuse);
    early.session.free();
    early.session.free();
    expect(() => early.turn('handshake')).to.throw(ApiMisuse, /freed/u);
    const wire = new Wire(new TlsEnd(client), new TlsEnd(server)).connect();
    wire.client.wantsShutdown = true;
    wire.settle();
    expect(() => wire.client.turn('write')).to.throw(ApiMisuse, /after close_notify/u);
    wire.free();
  });

  it('knows what was negotiated, and counts ciphertext', async () => {
    const { client, server } = await contexts({ version: 'TLSv1.3' });
    const wire = new Wire(new TlsEnd(client, { servername: 'localhost' }), new TlsEnd(server)).connect();
    expect(wire.client.session.info()).to.include({ version: 0x0304, verifyResult: 0, resumed: false });
    expect(wire.server.session.info().servername).to.equal('localhost');
    expect(wire.client.session.bytesOut).to.equal(wire.server.session.bytesIn);
    expect(wire.server.session.bytesOut).to.equal(wire.client.session.bytesIn);
    wire.free();
    expect(wire.client.session.memoryBytes).to.equal(0);
  });

  it('gives data that came with a fault before it tells the fault', async () => {
    const { client, server } = await contexts();
    const wire = new Wire(new TlsEnd(client), new TlsEnd(server)).connect();
    wire.client.toSend.push(Buffer.from('good'));
    wire.client.work();
    wire.transfer();
    wire.server.inbox.push(Buffer.from([23, 3, 3, 0, 30, ...Array<number>(30).fill(7)]));
    expect(wire.server.turn('read')).to.equal('closed');
    expect(wire.server.received.take().toString()).to.equal('good');
    expect(wire.server.session.failure?.kind).to.equal('fault');
    wire.free();
  });

  for (const store of ['borrowed', 'pair'] as const)
    it(`random sizes, corks and pairs: everything arrives, in order, without a spin, store '${store}'`, async () => {
      const { client, server } = await contexts();
      const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
      let state = seed;
      const random = (below: number): number => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        return Math.floor((state / 2 ** 32) * below);
      };
      try {
        for (let run = 0; run < 10; run++) {
          const pair = (): number => PAIRS[1 + random(PAIRS.length - 1)] ?? 64;
          const wire = new Wire(
            new TlsEnd(client, { pairBytes: pair(), store }),
            new TlsEnd(server, { pairBytes: pair(), store }),
          ).connect();
          const sent: Record<'client' | 'server', Buffer[]> = { client: [], server: [] };
          for (let step = 0; step < 100; step++) {
            const name = random(2) === 0 ? 'client' : 'server';
            const end = wire[name];
            const bytes = pattern(random(random(4) === 0 ? 20_000 : 200), step);
            sent[name].push(bytes);
            end.toSend.push(bytes);
            end.outboxMax = end.outbox.length + random(3000);
            wire.clientToServer = random(2000);
            wire.serverToClient = random(2000);
            for (let round = random(4); round > 0; round--) wire.step();
          }
          for (const end of [wire.client, wire.server]) end.outboxMax = 65_536;
          wire.clientToServer = Number.POSITIVE_INFINITY;
          wire.serverToClient = Number.POSITIVE_INFINITY;
          wire.settle();
          expect(wire.server.received.take().equals(Buffer.concat(sent.client)), 'to the server').to.equal(true);
          expect(wire.client.received.take().equals(Buffer.concat(sent.server)), 'to the client').to.equal(true);
          wire.free();
        }
      } catch (error) {
        throw new Error(`with SEED=${seed}`, { cause: error });
      }
    }).timeout(20_000);
});
