import { once } from 'node:events';
import { type Readable, Transform, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { AbortedError, LimitError, SluiceError } from '@sluice/errors';
import { expect } from 'chai';
import { type ConnectionOptions, EventLoop, PairBufferEvent, toDuplex } from '../../src/index.ts';
import { link, type LinkOptions, VirtualClock } from '../../src/testing/index.ts';
import { expectReport } from '../support/expect-report.ts';
import { pattern } from '../support/filters.ts';

/** A stream over one end of a link on a loop that runs by itself, as a stream's own turns do; the other end is bare. */
function over(linkOptions: LinkOptions = {}, options = {}) {
  const loop = new EventLoop();
  const wires = link(loop, linkOptions);
  const [bev, wire] = wires.ends;
  return { loop, wires, bev, wire, duplex: toDuplex(bev, options) };
}

const SMALL: ConnectionOptions = {
  watermarks: { read: { high: 1000 }, write: { low: 100, high: 1000, cap: 5000 } },
};

/** Lets streams and loop do all that they can without anybody's help. */
async function settled(): Promise<void> {
  for (let round = 0; round < 50; round += 1) await new Promise(setImmediate);
}

async function everything(readable: Readable): Promise<Buffer> {
  const got: Buffer[] = [];
  for await (const chunk of readable) got.push(chunk as Buffer);
  return Buffer.concat(got);
}

function errorOf(stream: Readable | Writable): Promise<unknown> {
  return once(stream, 'error').then(([error]: unknown[]) => error);
}

describe('toDuplex', () => {
  it('carries bytes both ways, and an end is an end', async () => {
    const { wire, bev, duplex } = over();
    wire.on('data', () => wire.output.appendFrom(wire.input));
    const bytes = pattern(1_000_000);
    duplex.end(bytes);
    expect((await everything(duplex)).equals(bytes)).to.equal(true);
    await once(duplex, 'close');
    expect(bev.closed?.end).to.equal('end');
    expect(duplex.errored).to.equal(null);
  });

  it('takes text in any encoding, and many small writes in few', async () => {
    const { wire, duplex } = over();
    let got = '';
    wire.on('data', () => {
      got += wire.read().toString('latin1');
    });
    duplex.cork();
    duplex.write('grün', 'latin1');
    for (let count = 0; count < 100; count += 1) duplex.write('x');
    process.nextTick(() => duplex.uncork());
    duplex.write('c3a4', 'hex');
    await settled();
    expect(got).to.equal(`grün${'x'.repeat(100)}Ã¤`);
    duplex.destroy();
  });

  describe('bounds', () => {
    it('a consumer that does not read stops the peer', async () => {
      const { wire, bev, duplex } = over(
        { capacityBytes: 1000, first: SMALL, second: { watermarks: { write: { cap: Number.POSITIVE_INFINITY } } } },
        { readableHighWaterMark: 500 },
      );
      wire.write(Buffer.alloc(100_000));
      let inputMax = 0;
      bev.input.onChange(() => {
        inputMax = Math.max(inputMax, bev.input.length);
      });
      duplex.once('readable', () => {});
      await settled();
      expect(bev.input.length).to.equal(1000);
      expect(duplex.readableLength).to.be.at.most(500 + 1000);
      expect(wire.output.length).to.be.at.least(100_000 - 1000 - 1000 - 1500);
      wire.end();
      expect((await everything(duplex)).length).to.equal(100_000);
      expect(inputMax).to.equal(1000);
    });

    it('a producer that waits for drain never makes output grow past its mark, nor waits for ever', async () => {
      const { wire, bev, duplex } = over(
        { capacityBytes: 300, perTurnBytes: 700, first: SMALL },
        { writableHighWaterMark: 500 },
      );
      let outputMax = 0;
      let streamMax = 0;
      bev.output.onChange(() => {
        outputMax = Math.max(outputMax, bev.output.length);
        streamMax = Math.max(streamMax, duplex.writableLength);
      });
      let got = 0;
      wire.on('data', () => {
        got += wire.read().length;
      });
      for (let count = 0; count < 300; count += 1) if (!duplex.write(Buffer.alloc(100))) await once(duplex, 'drain');
      duplex.resume().end();
      await once(duplex, 'close');
      expect([got, outputMax <= 1000, streamMax <= 600], `${outputMax} ${streamMax}`).to.deep.equal([
        30_000,
        true,
        true,
      ]);
    });

    it('a producer that never waits meets the hard cap as a LimitError, and the connection ends by it', async () => {
      const { wires, bev, duplex } = over({ first: SMALL }, { writableHighWaterMark: 500 });
      wires.cork(bev);
      const failed = errorOf(duplex);
      const refused: unknown[] = [];
      let held = 0;
      for (let count = 0; count < 100_000 && !duplex.destroyed; count += 1) {
        duplex.write(Buffer.alloc(100), (error) => {
          if (error instanceof LimitError) refused.push(error);
        });
        held = Math.max(held, duplex.writableLength);
      }
      const error = await failed;
      expect(error).to.be.instanceOf(LimitError).with.property('code', 'SLUICE_CORE_WRITE_CAP');
      expect(held).to.be.at.most(1000 + 500 + 5000 + 100);
      await settled();
      expect(refused.length).to.be.at.least(1);
      expect(bev.closed).to.include({ end: 'failed', code: 'SLUICE_CORE_WRITE_CAP', blame: 'local' });
    });

    it('a producer of pieces of a byte, or of none, meets it too: their count has a bound', async () => {
      for (const length of [1, 0]) {
        const { wires, bev, duplex } = over({ first: SMALL }, { writableHighWaterMark: 500 });
        wires.cork(bev);
        const failed = errorOf(duplex);
        let pieces = 0;
        bev.write(Buffer.alloc(1000));
        duplex.write(Buffer.alloc(10));
        for (; pieces < 100_000 && !duplex.destroyed; pieces += 1) duplex.write(Buffer.alloc(length));
        expect(await failed)
          .to.be.instanceOf(LimitError)
          .with.property('code', 'SLUICE_CORE_WRITE_CAP');
        // While there is room by bytes, and then 64 bytes of the cap each.
        expect(pieces).to.be.below(500 + 5000 / 64 + 2);
      }
    });

    it('forgives who writes too much now and then, and waits', async () => {
      const { wire, bev, duplex } = over({ first: SMALL }, { writableHighWaterMark: 500 });
      let got = 0;
      wire.on('data', () => {
        got += wire.read().length;
      });
      for (let round = 0; round < 10; round += 1) {
        for (let count = 0; count < 40; count += 1) duplex.write(Buffer.alloc(100));
        await once(duplex, 'drain');
      }
      await settled();
      expect([got, bev.closed]).to.deep.equal([40_000, undefined]);
      duplex.destroy();
    });

    it('takes null for no callback, as node:http gives it', async () => {
      const { wires, bev, duplex } = over({ first: SMALL });
      wires.cork(bev);
      const failed = errorOf(duplex);
      while (!duplex.destroyed) duplex.write(Buffer.alloc(1000), null as never, null as never);
      expect(await failed).to.be.instanceOf(LimitError);
    });

    it('one write may be larger than every bound: it goes piece by piece, and small ones may follow it', async () => {
      const { wire, bev, duplex } = over({ first: SMALL });
      let outputMax = 0;
      bev.output.onChange(() => {
        outputMax = Math.max(outputMax, bev.output.length);
      });
      let got = 0;
      wire.on('data', () => {
        got += wire.read().length;
      });
      duplex.cork();
      duplex.write('head');
      duplex.write(Buffer.alloc(100_000));
      duplex.write('tail');
      duplex.uncork();
      duplex.resume().end();
      await once(duplex, 'close');
      expect([got, outputMax]).to.deep.equal([100_008, 1000]);
    });

    it('keeps its bounds in a pipeline with a slow reader at the far end', async () => {
      const { wire, bev, duplex } = over({ capacityBytes: 500, first: SMALL, second: SMALL });
      const far = toDuplex(wire);
      let most = 0;
      for (const buffer of [bev.output, bev.input, wire.output, wire.input]) {
        buffer.onChange(() => {
          most = Math.max(most, buffer.length);
        });
      }
      const echo = pipeline(far, far);
      const slow = new Transform({
        highWaterMark: 10,
        transform(chunk, _encoding, callback) {
          setImmediate(() => callback(null, chunk));
        },
      });
      const bytes = pattern(50_000);
      let sent = 0;
      const feed = async (): Promise<void> => {
        for (; sent < bytes.length; sent += 1000) {
          if (!duplex.write(bytes.subarray(sent, sent + 1000))) await once(duplex, 'drain');
        }
        duplex.end();
      };
      const [got] = await Promise.all([everything(duplex.pipe(slow)), feed(), echo]);
      expect([got.equals(bytes), most <= 1000]).to.deep.equal([true, true]);
    });
  });

  describe('ends', () => {
    it('a reset is an error with the report, after what came before it', async () => {
      const { wires, wire, bev, duplex } = over();
      wire.write('last words');
      await settled();
      wires.cut('reset');
      await settled();
      expect(bev.closed?.end).to.equal('reset');
      const got: Buffer[] = [];
      let error: unknown;
      try {
        for await (const chunk of duplex) got.push(chunk as Buffer);
      } catch (thrown) {
        error = thrown;
      }
      expect(Buffer.concat(got).toString()).to.equal('last words');
      expectReport(error, bev);
      expect(error).to.be.instanceOf(SluiceError).with.property('code', 'SLUICE_SYSTEM_ECONNRESET');
    });

    it('a writer hears of a failure at its next write, though nobody reads', async () => {
      const { wires, wire, bev, duplex } = over();
      wire.write('unread');
      await settled();
      wires.cut('reset');
      await settled();
      const failed = errorOf(duplex);
      const told = new Promise((resolve) => duplex.write('x', resolve));
      expectReport(await told, bev);
      expectReport(await failed, bev);
    });

    it('a limit of time is an error, and a write that waits for room hears of it', async () => {
      const { wires, bev, duplex } = over({
        first: { watermarks: { write: { low: 1, high: 10 } }, timeouts: { writeMs: 20 } },
      });
      wires.cork(bev);
      const failed = errorOf(duplex);
      const told = new Promise((resolve) => duplex.write(Buffer.alloc(100), resolve));
      expect(await failed).to.include({ code: 'SLUICE_CORE_WRITE_TIMEOUT' });
      expect(await told).to.include({ code: 'SLUICE_CORE_WRITE_TIMEOUT' });
    });

    it('the peer that ends is answered, when half open', async () => {
      const { wire, duplex } = over({}, { allowHalfOpen: true });
      wire.halfOpen = true;
      wire.write('question');
      wire.end();
      const got: string[] = [];
      duplex.on('data', (chunk: Buffer) => got.push(chunk.toString()));
      await once(duplex, 'end');
      expect([got, duplex.writable]).to.deep.equal([['question'], true]);
      duplex.end('answer');
      await once(duplex, 'close');
      expect(wire.read().toString()).to.equal('answer');
      expect(wire.closed?.end).to.equal('end');
    });

    it('the peer that ends ends the stream, when not, and what was written before goes out', async () => {
      const { wire, bev, duplex } = over({ perTurnBytes: 100 });
      duplex.write(Buffer.alloc(5000));
      wire.end();
      duplex.resume();
      await once(duplex, 'close');
      expect([wire.input.length, wire.closed?.end, bev.closed?.end]).to.deep.equal([5000, 'end', 'end']);
    });

    it('finish comes when all was accepted', async () => {
      const { wires, bev, duplex } = over();
      wires.cork(bev);
      let finished = false;
      duplex.once('finish', () => {
        finished = true;
      });
      duplex.end('abc');
      await settled();
      expect(finished).to.equal(false);
      wires.uncork(bev);
      await once(duplex, 'finish');
      duplex.destroy();
    });

    it('destroy destroys the connection, with the error as its cause; the peer that was owed bytes sees a reset', async () => {
      const { wires, wire, bev, duplex } = over();
      wires.cork(bev);
      duplex.write('unsent');
      const cause = new Error('changed my mind');
      const failed = errorOf(duplex);
      const closed = new Promise((resolve) => duplex.once('close', resolve));
      duplex.destroy(cause);
      expect(await failed).to.equal(cause);
      await closed;
      expect(bev.closed).to.include({ end: 'aborted', code: 'SLUICE_APPLICATION_STREAM_DESTROYED', blame: 'local' });
      expect(bev.closed?.error?.cause).to.equal(cause);
      await settled();
      expect(wire.closed?.end).to.equal('reset');
    });

    it('destroy without an error is an end for the peer and no error here', async () => {
      const { wire, bev, duplex } = over();
      duplex.destroy();
      await once(duplex, 'close');
      await settled();
      expect([bev.closed?.end, wire.closed?.end, duplex.errored]).to.deep.equal(['aborted', 'end', null]);
    });

    it('a connection that somebody else destroys is an error of the stream', async () => {
      const { bev, duplex } = over();
      const failed = errorOf(duplex);
      bev.destroy();
      expect(await failed)
        .to.be.instanceOf(AbortedError)
        .with.property('code', 'SLUICE_CORE_CLOSED');
    });

    it('end() on a connection that somebody else has ended in order is no error', async () => {
      const { wire, bev, duplex } = over({}, { allowHalfOpen: true });
      duplex.resume();
      wire.end();
      bev.end();
      await settled();
      expect(bev.closed?.end).to.equal('end');
      duplex.end();
      await once(duplex, 'close');
      expect([duplex.writableFinished, duplex.errored]).to.deep.equal([true, null]);
    });

    it('a write that waits for room when somebody else ends our direction is told so', async () => {
      const { wires, wire, bev, duplex } = over({ first: { watermarks: { write: { low: 1, high: 10 } } } });
      wires.cork(bev);
      const failed = errorOf(duplex);
      const told = new Promise((resolve) => duplex.write(Buffer.alloc(100), resolve));
      wire.end();
      bev.end();
      wires.uncork(bev);
      expect(await told).to.include({ code: 'SLUICE_CORE_CLOSED', operation: 'write' });
      expect(await failed).to.equal(await told);
    });

    it('over a connection that has failed already, gives what was left, and the failure', async () => {
      const wires = link(new EventLoop());
      const [bev, wire] = wires.ends;
      wire.write('left');
      await settled();
      wires.cut('reset');
      await settled();
      const late = toDuplex(bev);
      const got: string[] = [];
      late.on('data', (chunk: Buffer) => got.push(chunk.toString()));
      expectReport(await errorOf(late), bev);
      expect(got).to.deep.equal(['left']);
    });

    it('destroySoon sends what was written, then gives the peer closeMs', async () => {
      const { wire, bev, duplex } = over({ perTurnBytes: 100, first: { timeouts: { closeMs: 20 } } });
      wire.halfOpen = true;
      duplex.write(Buffer.alloc(1000));
      duplex.destroySoon();
      await once(duplex, 'close');
      expect([wire.input.length, wire.peerEnded, bev.closed?.code]).to.deep.equal([
        1000,
        true,
        'SLUICE_CORE_CLOSE_TIMEOUT',
      ]);
    });

    it('over a connection that is gone already, gives what was left, and the end', async () => {
      const loop = new EventLoop();
      const [a, b] = PairBufferEvent.create(loop);
      a.write('left');
      a.end();
      await settled();
      expect(b.closed?.end).to.equal('end');
      expect((await everything(toDuplex(b))).toString()).to.equal('left');
    });
  });

  describe('as a net.Socket', () => {
    it('tells connect, addresses and counters', async () => {
      const loop = new EventLoop();
      const [a] = PairBufferEvent.create(loop);
      const duplex = toDuplex(a);
      await once(duplex, 'connect');
      expect([duplex.connecting, duplex.remoteAddress, duplex.bytesRead]).to.deep.equal([false, undefined, 0]);
      expect(duplex.setNoDelay().setKeepAlive().ref().unref()).to.equal(duplex);
      duplex.destroy();
    });

    it('setTimeout tells of idle time and leaves the stream open; bytes begin it anew; 0 ends it', async () => {
      const clock = new VirtualClock();
      const loop = new EventLoop({ clock });
      const [bev, wire] = link(loop).ends;
      const duplex = toDuplex(bev);
      duplex.resume();
      let timeouts = 0;
      duplex.on('timeout', () => {
        timeouts += 1;
      });
      const pass = async (ms: number): Promise<void> => {
        await settled();
        clock.advance(ms);
        await settled();
      };
      await settled();
      duplex.setTimeout(30);
      for (let round = 0; round < 10; round += 1) {
        await pass(29);
        wire.write('x');
      }
      await pass(29);
      expect(timeouts).to.equal(0);
      await pass(1);
      expect(timeouts).to.equal(1);
      expect(duplex.destroyed).to.equal(false);
      duplex.setTimeout(0);
      await pass(1000);
      expect(timeouts).to.equal(1);
      duplex.destroy();
    });
  });
});
