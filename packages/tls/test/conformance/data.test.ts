import type { EvBuffer } from '@sluice/core';
import { TLS_RESULT_LENGTH, TlsOp, TlsResult } from '@sluice/native';
import { expect } from 'chai';
import type { CipherStore, TlsContext } from '../../src/index.ts';
import { type ContextChoice, contexts, describeStores, PAIRS } from '../support/contexts.ts';
import { Duo } from '../support/duo.ts';
import { fillPair, pattern, RECORD_OVERHEAD, recordsIn, TlsEnd, Wire } from '../support/wire.ts';

const BAD_LENGTH = 0x0a00010f;
const BAD_WRITE_RETRY = 0x0a00007f;

describeStores('TLS data', (store) => {
  const connected = async (choice: ContextChoice, pairBytes: number, outboxMax = 65_536): Promise<Wire> => {
    const { client, server } = await contexts(choice);
    return new Wire(
      new TlsEnd(client, { pairBytes, store, outboxMax }),
      new TlsEnd(server, { pairBytes, store }),
    ).connect();
  };

  for (const pairBytes of PAIRS) {
    it(`T31 a write retried record by record keeps its bytes and length, pair of ${pairBytes}`, async () => {
      const wire = await connected({ version: 'TLSv1.3', client: { sendFragmentBytesMax: 512 } }, pairBytes);
      const { client, server } = wire;
      client.outboxMax = 0;
      const before = fillPair(client);
      const sent = pattern(1200);
      client.toSend.push(sent);
      const ciphertext: Buffer[] = [];
      const pendings = new Set<number>();
      for (let turn = 0; turn < 3000 && client.toSend.length + client.session.pendingWriteBytes > 0; turn++) {
        // The network takes less than a record, then nothing for a while.
        client.outboxMax = Math.min(300, Math.ceil(pairBytes / 2));
        client.turn('write');
        ciphertext.push(client.outbox.take());
        client.outboxMax = 0;
        const { calls, pendingWriteBytes } = client.session;
        for (let again = 0; again < 5; again++) client.turn('write');
        expect(client.session.calls).to.equal(calls);
        expect(client.session.pendingWriteBytes).to.equal(pendingWriteBytes);
        pendings.add(pendingWriteBytes);
      }
      client.outboxMax = 65_536;
      client.turn('move');
      ciphertext.push(client.outbox.take());
      expect([...pendings]).to.include.members([0, 512]);
      expect([0, 176, 512]).to.include.members([...pendings]);
      const lengths = recordsIn(Buffer.concat(ciphertext)).map(({ bytes }) => bytes - RECORD_OVERHEAD);
      expect(lengths.slice(before.length)).to.deep.equal([512, 512, 176]);
      for (const part of ciphertext) server.inbox.push(part);
      wire.settle();
      expect(server.received.take()).to.deep.equal(Buffer.concat([...before, sent]));
      wire.free();
    });
  }

  it('T32 other bytes or another length in a retry kill a raw connection; the session makes it impossible', async () => {
    const { client, server } = await contexts();
    for (const [retry, codes] of [
      ['shorter', [BAD_LENGTH]],
      ['of another type', [BAD_WRITE_RETRY]],
      // OpenSSL cannot know: it has the record made already, and sends that.
      ['of other bytes', []],
    ] as const) {
      expect(retryRaw(client, server, store, retry), retry).to.deep.equal({
        codes,
        received: codes.length > 0 ? '' : 'a',
      });
    }

    const wire = new Wire(new TlsEnd(client, { pairBytes: 512, store }), new TlsEnd(server, { store })).connect();
    const io = pattern(5000);
    wire.client.toSend.push(io);
    wire.client.outboxMax = 0;
    expect(wire.client.turn('write')).to.equal('want-output');
    // What was handed over is out of the caller's reach; what was not may change in any way.
    const rest = wire.client.toSend.take();
    wire.client.toSend.push(Buffer.from('something else'));
    wire.client.outboxMax = 65_536;
    wire.settle();
    expect(wire.client.session.failure).to.equal(undefined);
    expect(wire.server.received.take().toString('latin1')).to.equal(
      `${io.subarray(0, io.length - rest.length).toString('latin1')}something else`,
    );
    wire.free();
  });

  for (const pairBytes of PAIRS) {
    it(`T33 what is written while a write is pending goes into the next one, pair of ${pairBytes}`, async () => {
      const duo = new Duo(await contexts(), {
        store,
        client: { pairBytes },
        transport: { watermarks: { write: { low: 100, high: 1000 } } },
      }).connect();
      const { tls, below } = duo.client;
      const { session } = tls;
      let all = '';
      const write = (text: string): void => {
        tls.write(Buffer.from(text, 'latin1'));
        all += text;
        duo.settle();
      };
      duo.link.cork(below);
      write(pattern(50_000).toString('latin1'));
      // A little at a time, until a record is begun that fits neither the transport nor the pair.
      duo.link.limit(below, 300);
      for (let turn = 0; turn < 200 && session.pendingWriteBytes === 0; turn++) {
        duo.link.uncork(below);
        duo.turns(1);
        duo.link.cork(below);
        write('.');
      }
      write('.');
      const { pendingWriteBytes, bytesOut, pendingOut } = session;
      expect(pendingWriteBytes).to.be.within(1, session.sliceBytesMax);
      const taken = all.length - tls.output.length;
      const before = 'never before what is pending: ';
      (tls.output as EvBuffer).prepend(before);
      write('appended');
      expect(session).to.include({ pendingWriteBytes, bytesOut, pendingOut });
      duo.link.limit(below, Number.POSITIVE_INFINITY);
      duo.link.uncork(below);
      duo.settle();
      expect(duo.server.text === `${all.slice(0, taken)}${before}${all.slice(taken)}`).to.equal(true);
      duo.closeInOrder();
    });
  }

  for (const pairBytes of PAIRS) {
    it(`T34 100,000 bytes: progress in records, pair of ${pairBytes}`, async () => {
      const wire = await connected({}, pairBytes, 6000);
      const { client, server } = wire;
      const sent = pattern(100_000);
      client.toSend.push(sent);
      const progress: number[] = [];
      for (
        let round = 0;
        round < 50_000 && (client.toSend.length > 0 || client.session.pendingWriteBytes > 0);
        round++
      ) {
        client.turn('write');
        progress.push(sent.length - client.toSend.length);
        wire.transfer();
        server.work();
      }
      wire.settle();
      expect(server.received.take()).to.deep.equal(sent);
      const steps = progress.map((at, index) => at - (progress[index - 1] ?? 0));
      const most = Math.max(client.session.sliceBytesMax, 6000 + pairBytes);
      expect(steps.every((step) => step >= 0 && step <= most + client.session.sliceBytesMax)).to.equal(true);
      expect(new Set(progress).size).to.be.above(5);
      expect(client.session.sliceBytesMax).to.be.at.most(16_384);
      wire.free();
    });
  }

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    it(`T35 data of every size around a record, both ways, ${version}`, async () => {
      const sizes = [
        1, 2, 15, 16, 17, 255, 256, 511, 512, 513, 4096, 8191, 8192, 16_383, 16_384, 16_385, 16_400, 33_000,
      ];
      for (const pairBytes of PAIRS) {
        const wire = await connected({ version }, pairBytes);
        for (const size of pairBytes < 64 ? sizes.filter((one) => one <= 8192) : sizes) {
          wire.client.toSend.push(pattern(size, size));
          wire.server.toSend.push(pattern(size, size + 1));
          wire.settle();
          expect(wire.server.received.take().equals(pattern(size, size)), `${size} to the server`).to.equal(true);
          expect(wire.client.received.take().equals(pattern(size, size + 1)), `${size} to the client`).to.equal(true);
        }
        wire.free();
      }
    });
  }

  for (const pairBytes of PAIRS) {
    it(`T36 the rest of a record is given without further input, pair of ${pairBytes}`, async () => {
      const wire = await connected({}, pairBytes);
      const sent = pattern(500);
      wire.client.toSend.push(sent);
      wire.server.readBytes = 0;
      wire.settle();
      wire.server.readBytes = 100;
      const given: number[] = [];
      for (let turn = 0; turn < 5; turn++) {
        for (let feed = 0; feed < 100 && wire.server.turn('read') !== 'done'; feed++) expect(turn).to.equal(0);
        given.push(wire.server.received.length);
        if (turn === 0) wire.server.inbox.take();
        expect(wire.server.session.readable).to.equal(turn < 4);
      }
      expect(given).to.deep.equal([100, 200, 300, 400, 500]);
      expect(wire.server.turn('read')).to.equal('want-input');
      expect(wire.server.received.take()).to.deep.equal(sent);
      wire.free();
    });
  }

  it('T36 and a connection goes on with it without the transport', async () => {
    const duo = new Duo(await contexts(), { store, server: { watermarks: { read: { low: 1, high: 100 } } } }).connect();
    duo.server.reads = false;
    const sent = pattern(40_000);
    duo.client.tls.write(sent);
    duo.settle();
    expect(duo.server.tls.input.length).to.be.within(100, 100 + 16_384);
    duo.link.cork(duo.client.below);
    for (let turn = 0; turn < 10 && duo.server.receivedBytes < sent.length; turn++) {
      duo.server.take();
      duo.settle();
    }
    expect(Buffer.concat(duo.server.received)).to.deep.equal(sent);
  });

  for (const pairBytes of PAIRS) {
    it(`T37 three records in one segment are delivered in one turn, pair of ${pairBytes}`, async () => {
      const { client, server } = await contexts();
      // A tiny pair takes a call for each time that it is filled.
      const options = { pairBytes, store, callsPerTurnMax: 1000 };
      const wire = new Wire(new TlsEnd(client, { store }), new TlsEnd(server, options)).connect();
      for (const text of ['one ', 'two ', 'three']) {
        wire.client.toSend.push(Buffer.from(text));
        wire.client.work();
      }
      wire.transfer();
      expect(recordsIn(wire.server.inbox.peek())).to.have.length(3);
      expect(wire.server.turn('read')).to.equal('want-input');
      expect(wire.server.received.take().toString()).to.equal('one two three');
      expect(wire.server.inbox.length).to.equal(0);
      wire.free();
    });
  }

  for (const pairBytes of PAIRS) {
    it(`T44 both sides write before either reads, pair of ${pairBytes}`, async () => {
      const length = pairBytes === 8192 ? 10_000_000 : pairBytes >= 512 ? 1_000_000 : 10_000 + pairBytes * 4000;
      const options = { pairBytes, watermarks: { write: { cap: Number.POSITIVE_INFINITY } } };
      const duo = new Duo(await contexts(), { store, capacityBytes: 4096, client: options, server: options }).connect();
      const sent = pattern(length);
      duo.client.tls.write(sent);
      duo.server.tls.write(sent);
      duo.settle();
      for (const side of duo.sides) expect(Buffer.concat(side.received).equals(sent)).to.equal(true);
      // A tiny pair gives the link less in a turn than it takes.
      if (pairBytes >= 512) expect(duo.client.below.refusedTotal).to.be.above(10);
      duo.closeInOrder();
    }).timeout(30_000);
  }

  it('a message costs two crossings: one to read it, one to answer', async () => {
    const made = await contexts();
    let crossings = 0;
    const create = made.server._createEngine.bind(made.server);
    made.server._createEngine = (...args) => {
      const engine = create(...args);
      const step = engine.step.bind(engine);
      Object.defineProperty(engine, 'step', {
        value: (...stepArgs: Parameters<typeof step>) => {
          crossings++;
          return step(...stepArgs);
        },
      });
      return engine;
    };
    const duo = new Duo(made, { store }).connect();
    duo.server.tls.setHandlers({ data: (bev) => void bev.write(bev.read()) });
    for (let message = 0; message < 100; message++) {
      crossings = 0;
      duo.client.tls.write('x'.repeat(64));
      duo.settle();
      expect(crossings).to.equal(2);
    }
    expect(duo.client.receivedBytes).to.equal(6400);
  });
});

/** What comes of a retry that is not the same write again: a raw engine over a store that is full. */
function retryRaw(
  client: TlsContext,
  server: TlsContext,
  store: CipherStore,
  retry: 'shorter' | 'of another type' | 'of other bytes',
): { codes: number[]; received: string } {
  const results = new Int32Array(TLS_RESULT_LENGTH);
  const engine = client._createEngine(512, 'localhost', results, store === 'pair');
  const end = new TlsEnd(server);
  const out = Buffer.alloc(20_000);
  const step = (op: number, data?: Uint8Array, room = out.length): number[] => {
    const input = end.outbox.peek();
    const entries = engine.step(op, input, 0, input.length, data, 0, data?.length ?? 0, out, 0, room);
    end.outbox.take(results[TlsResult.consumed]);
    end.inbox.push(out.subarray(0, results[TlsResult.produced]));
    return (entries ?? []).map(([code]) => code);
  };
  for (let round = 0; round < 100 && !end.session.handshakeDone; round++) {
    step(TlsOp.handshake);
    end.work();
  }
  expect(step(TlsOp.write, Buffer.alloc(2000, 'a'), 0)).to.deep.equal([]);
  let codes: number[] = [];
  if (retry === 'shorter') codes = step(TlsOp.write, Buffer.alloc(1000, 'a'), 0);
  else if (retry === 'of another type') codes = step(TlsOp.keyUpdate, undefined, 0);
  else {
    const other = Buffer.alloc(2000, 'b');
    for (let again = 0; again < 10 && results[TlsResult.transferred] === 0; again++)
      codes.push(...step(TlsOp.write, other));
    end.work();
  }
  const received = end.received.take().toString();
  engine.free();
  end.session.free();
  return { codes, received: received.slice(0, 1) };
}
