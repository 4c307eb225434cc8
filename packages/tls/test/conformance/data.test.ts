import type { EvBuffer } from '@sluice/core';
import { TLS_RESULT_LENGTH, TlsOp, TlsResult } from '@sluice/native';
import { expect } from 'chai';
import type { TlsContext } from '../../src/index.ts';
import { contexts, PAIRS } from '../support/contexts.ts';
import { Duo } from '../support/duo.ts';
import { pattern, recordsIn, TlsEnd, Wire } from '../support/wire.ts';

const BAD_LENGTH = 0x0a00010f;
/** Header, content type and tag of a TLS 1.3 record with AES-GCM. */
const RECORD_OVERHEAD = 22;

async function connected(choice: Parameters<typeof contexts>[0], pairBytes: number, outboxMax = 65_536): Promise<Wire> {
  const { client, server } = await contexts(choice);
  return new Wire(new TlsEnd(client, { pairBytes, outboxMax }), new TlsEnd(server, { pairBytes })).connect();
}

describe('TLS data', () => {
  for (const pairBytes of [1, 17, 64, 300, 512]) {
    it(`T31 a write retried record by record keeps its bytes and length, pair of ${pairBytes}`, async () => {
      const wire = await connected({ version: 'TLSv1.3', client: { sendFragmentBytesMax: 512 } }, pairBytes);
      const { client, server } = wire;
      const sent = pattern(1200);
      client.toSend.push(sent);
      const ciphertext: Buffer[] = [];
      const pendings = new Set<number>();
      for (let turn = 0; turn < 3000 && client.toSend.length + client.session.pendingWriteBytes > 0; turn++) {
        // The network takes half a pair or so, then nothing for a while.
        client.outboxMax = Math.ceil(pairBytes / 2);
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
      expect(lengths).to.deep.equal([512, 512, 176]);
      for (const part of ciphertext) server.inbox.push(part);
      wire.settle();
      expect(server.received.take()).to.deep.equal(sent);
      wire.free();
    });
  }

  it('T32 other bytes or another length in a retry kill a raw connection; the session makes it impossible', async () => {
    const { client, server } = await contexts();
    expect(retryRaw(client, server)).to.deep.equal([BAD_LENGTH]);

    const wire = new Wire(new TlsEnd(client, { pairBytes: 512 }), new TlsEnd(server)).connect();
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

  it('T33 what is written while a write is pending goes into the next one', async () => {
    const duo = new Duo(await contexts(), {
      client: { pairBytes: 64 },
      transport: { watermarks: { write: { low: 100, high: 1000 } } },
    }).connect();
    duo.link.cork(duo.client.below);
    const first = pattern(20_000);
    duo.client.tls.write(first);
    duo.settle();
    const pending = duo.client.tls.session.pendingWriteBytes;
    expect(pending).to.be.within(1, 512);
    duo.client.tls.write('appended');
    (duo.client.tls.output as EvBuffer).prepend('never before what is pending: ');
    duo.settle();
    expect(duo.client.tls.session.pendingWriteBytes).to.equal(pending);
    duo.link.uncork(duo.client.below);
    duo.settle();
    expect(duo.server.text.startsWith(first.toString('latin1', 0, pending))).to.equal(true);
    expect(duo.server.text.endsWith('appended')).to.equal(true);
    expect(duo.server.text.length).to.equal(first.length + 8 + 30);
    duo.closeInOrder();
  });

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
    const duo = new Duo(await contexts(), { server: { watermarks: { read: { low: 1, high: 100 } } } }).connect();
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

  it('T37 three records in one segment are delivered in one turn', async () => {
    const wire = await connected({}, 17_408);
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

  for (const pairBytes of PAIRS) {
    it(`T38 read high watermark: plaintext stays below it and a record, pair of ${pairBytes}`, async () => {
      const high = 10_240;
      const duo = new Duo(await contexts(), {
        server: { pairBytes, watermarks: { read: { low: 1, high } } },
        capacityBytes: 4096,
        transport: { watermarks: { read: { high: 8192 }, write: { low: 1000, high: 4096 } } },
      }).connect();
      duo.server.reads = false;
      const sent = pattern(65_536);
      duo.client.tls.write(sent);
      duo.settle();
      const { tls, below } = duo.server;
      expect(tls.input.length).to.be.within(high, high + 16_384);
      expect(below.input.length).to.be.at.most(8192);
      expect(below._mayRead).to.equal(false);
      expect(duo.client.tls.session.bytesOut).to.be.below(60_000);

      const full = tls.input.length;
      duo.server.take(full - high);
      duo.settle();
      expect(tls.input.length, 'still at the mark').to.equal(high);
      duo.server.take(1);
      duo.settle();
      expect(tls.input.length, 'a byte below it').to.be.above(high - 1);
      duo.server.reads = true;
      duo.server.take();
      duo.settle();
      expect(Buffer.concat(duo.server.received)).to.deep.equal(sent);
      duo.closeInOrder();
    });
  }

  it('T39 read low watermark: data at a whole frame, or when no more can come', async () => {
    const duo = new Duo(await contexts(), { server: { watermarks: { read: { low: 24 } } } }).connect();
    duo.server.reads = false;
    const count = (): number => duo.server.events.filter((event) => event === 'data').length;
    duo.client.tls.write(pattern(23));
    duo.settle();
    expect(count()).to.equal(0);
    duo.client.tls.write(pattern(1));
    duo.settle();
    expect(count()).to.equal(1);
    duo.server.tls.setWatermarks({ read: { low: 100 } });
    duo.client.tls.write(pattern(75));
    duo.settle();
    expect(count()).to.equal(1);
    duo.client.tls.end();
    duo.settle();
    expect(duo.server.events).to.deep.equal(['connected', 'data', 'data', 'end', 'closed']);
    expect(duo.server.tls.input.length).to.equal(99);
  });

  it('T40 drained at the low mark, and flushed when pair and transport are empty', async () => {
    const duo = new Duo(await contexts(), {
      client: { watermarks: { write: { low: 5000, high: 20_000 } } },
      transport: { watermarks: { write: { low: 1000, high: 4000 } } },
      capacityBytes: 2000,
    }).connect();
    const { client, server } = duo;
    server.tls.pause();
    server.below.pause();
    expect(client.tls.write(pattern(60_000))).to.equal(false);
    let flushed = false;
    void client.tls.flush().then(() => (flushed = true));
    duo.settle();
    expect(client.events).to.not.include('drained');
    const marks: number[] = [];
    client.tls.on('drained', () => marks.push(client.tls.output.length));
    server.below.resume();
    server.tls.resume();
    for (let turn = 0; turn < 10_000 && duo.loop.pending; turn++) {
      duo.loop.turn();
      await Promise.resolve();
      const held = client.tls.session.pendingOut + client.below.output.length + client.tls.output.length;
      if (flushed) expect(held, 'flushed with bytes left').to.equal(0);
    }
    await Promise.resolve();
    expect(flushed).to.equal(true);
    expect(marks).to.have.length(1);
    expect(marks[0]).to.be.at.most(5000);
    expect(server.receivedBytes).to.equal(60_000);
    duo.closeInOrder();
  });

  it('T41 ten thousand small writes in a turn become whole records', async () => {
    const duo = new Duo(await contexts({ version: 'TLSv1.3' }), {
      transport: { watermarks: { write: { high: 500_000 } } },
    });
    duo.connect();
    const before = duo.client.tls.session.bytesOut;
    for (let index = 0; index < 10_000; index++) duo.client.tls.write(`${index}`.padStart(10, ' '));
    duo.settle();
    expect(duo.server.receivedBytes).to.equal(100_000);
    expect(duo.server.text.slice(-10)).to.equal('      9999');
    const records = (duo.client.tls.session.bytesOut - before - 100_000) / RECORD_OVERHEAD;
    expect(records).to.equal(Math.round(records));
    expect(records).to.be.at.most(Math.ceil(100_000 / 16_384) + 1);
    duo.closeInOrder();
  });

  it('T41 pieces of any size and kind of memory become whole records', async () => {
    const duo = new Duo(await contexts({ version: 'TLSv1.3' }), {
      transport: { watermarks: { write: { high: 500_000 } } },
    }).connect();
    const before = duo.client.tls.session.bytesOut;
    const sent: Buffer[] = [];
    for (let index = 0; index < 40; index++) {
      const piece = pattern(5000 + index, index);
      sent.push(piece);
      duo.client.tls.output.appendRef(piece);
    }
    const { length } = Buffer.concat(sent);
    duo.settle();
    expect(Buffer.concat(duo.server.received)).to.deep.equal(Buffer.concat(sent));
    const records = (duo.client.tls.session.bytesOut - before - length) / RECORD_OVERHEAD;
    expect(records).to.be.at.most(Math.ceil(length / 16_384) + 1);
    duo.closeInOrder();
  });

  for (const pairBytes of PAIRS) {
    it(`T44 both sides write before either reads, pair of ${pairBytes}`, async () => {
      const length = pairBytes === 8192 ? 10_000_000 : pairBytes >= 512 ? 1_000_000 : 10_000 + pairBytes * 4000;
      const options = { pairBytes, watermarks: { write: { cap: Number.POSITIVE_INFINITY } } };
      const duo = new Duo(await contexts(), { capacityBytes: 4096, client: options, server: options }).connect();
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
    const duo = new Duo(made).connect();
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

/** What OpenSSL itself says to a retry of another length: a raw engine over a pair that is full. */
function retryRaw(client: TlsContext, server: TlsContext): number[] {
  const results = new Int32Array(TLS_RESULT_LENGTH);
  const engine = client._createEngine(512, 'localhost', results, true);
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
  expect(step(TlsOp.write, pattern(2000), 0)).to.deep.equal([]);
  const codes = step(TlsOp.write, pattern(1000), 0);
  engine.free();
  end.session.free();
  return codes;
}
