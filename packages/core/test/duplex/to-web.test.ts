import { AbortedError, LimitError } from '@sluice/errors';
import { expect } from 'chai';
import { type ConnectionOptions, EventLoop, toWeb } from '../../src/index.ts';
import { link, type LinkOptions } from '../../src/testing/index.ts';
import { expectReport } from '../support/expect-report.ts';
import { pattern } from '../support/filters.ts';

const SMALL: ConnectionOptions = {
  watermarks: { read: { high: 1000 }, write: { low: 100, high: 1000, cap: 5000 } },
};

function over(linkOptions: LinkOptions = {}, writableHighWaterMark = 500) {
  const wires = link(new EventLoop(), linkOptions);
  const [bev, wire] = wires.ends;
  return { wires, bev, wire, ...toWeb(bev, { writableHighWaterMark }) };
}

async function settled(): Promise<void> {
  for (let round = 0; round < 50; round += 1) await new Promise(setImmediate);
}

function reasonOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
}

describe('toWeb', () => {
  it('carries bytes both ways, and ends in order', async () => {
    const { bev, wire, readable, writable } = over();
    wire.on('data', () => wire.output.appendFrom(wire.input));
    const bytes = pattern(300_000);
    const writer = writable.getWriter();
    const written = writer.write(new Uint8Array(bytes)).then(() => writer.close());
    const got: Uint8Array[] = [];
    for await (const chunk of readable) got.push(chunk);
    await written;
    expect(Buffer.concat(got).equals(bytes)).to.equal(true);
    await settled();
    expect(bev.closed?.end).to.equal('end');
  });

  it('reads into buffers of the reader', async () => {
    const { wire, readable } = over();
    wire.write('hello world');
    wire.end();
    const reader = readable.getReader({ mode: 'byob' });
    const first = await reader.read(new Uint8Array(5));
    expect(Buffer.from(first.value ?? []).toString()).to.equal('hello');
    const second = await reader.read(new Uint8Array(100));
    expect(Buffer.from(second.value ?? []).toString()).to.equal(' world');
    expect((await reader.read(new Uint8Array(5))).done).to.equal(true);
  });

  it('queues nothing: a consumer that does not read stops the peer', async () => {
    const { bev, wire, readable } = over({
      capacityBytes: 1000,
      first: SMALL,
      second: { watermarks: { write: { cap: Number.POSITIVE_INFINITY } } },
    });
    wire.write(Buffer.alloc(50_000));
    await settled();
    expect([bev.input.length, wire.output.length]).to.deep.equal([1000, 48_000]);
    wire.end();
    let got = 0;
    for await (const chunk of readable) got += chunk.length;
    expect(got).to.equal(50_000);
  });

  it('a producer that waits for ready never makes output grow past its mark', async () => {
    const { bev, wire, writable } = over({ perTurnBytes: 300, first: SMALL });
    let outputMax = 0;
    bev.output.onChange(() => {
      outputMax = Math.max(outputMax, bev.output.length);
    });
    let got = 0;
    wire.on('data', () => {
      got += wire.read().length;
    });
    const writer = writable.getWriter();
    for (let count = 0; count < 100; count += 1) {
      await writer.ready;
      void writer.write(new Uint8Array(300));
    }
    await writer.close();
    await settled();
    expect([got, outputMax]).to.deep.equal([30_000, 1000]);
  });

  it('a producer that never waits meets the hard cap as a LimitError', async () => {
    const { wires, bev, writable } = over({ first: SMALL });
    wires.cork(bev);
    const writer = writable.getWriter();
    const failures = [reasonOf(writer.closed), reasonOf(writer.ready)];
    let taken = 0;
    const writes: Promise<unknown>[] = [];
    for (; writer.desiredSize !== null && taken < 1_000_000; taken += 100) {
      writes.push(reasonOf(writer.write(new Uint8Array(100))));
    }
    expect(taken).to.be.at.most(1000 + 500 + 5000 + 200);
    const reason = await writes.at(-1);
    expect(reason).to.be.instanceOf(LimitError).with.property('code', 'SLUICE_CORE_WRITE_CAP');
    expect(await failures[0]).to.equal(reason);
    await settled();
    expect(bev.closed).to.include({ end: 'failed', code: 'SLUICE_CORE_WRITE_CAP' });
  });

  it('a producer of pieces of a byte, or of none, meets it too: their count has a bound', async () => {
    for (const length of [1, 0]) {
      const { wires, bev, writable } = over({ first: SMALL });
      wires.cork(bev);
      const writer = writable.getWriter();
      const closed = reasonOf(writer.closed);
      const writes = [reasonOf(writer.write(new Uint8Array(1001)))];
      while (writer.desiredSize !== null && writes.length < 100_000) {
        writes.push(reasonOf(writer.write(new Uint8Array(length))));
      }
      expect(writes.length).to.be.below((500 + 5000) / 64 + 3);
      for (const reason of await Promise.all([closed, writes.at(-1)])) {
        expect(reason).to.be.instanceOf(LimitError).with.property('code', 'SLUICE_CORE_WRITE_CAP');
      }
    }
  });

  it('close resolves when all was accepted', async () => {
    const { wires, bev, writable } = over();
    wires.cork(bev);
    const writer = writable.getWriter();
    await writer.write(new Uint8Array(10));
    let closed = false;
    const closing = writer.close().then(() => {
      closed = true;
    });
    await settled();
    expect(closed).to.equal(false);
    wires.uncork(bev);
    await closing;
    bev.destroy();
  });

  it('one write may be of any size', async () => {
    const { wire, writable } = over({ first: SMALL });
    let got = 0;
    wire.on('data', () => {
      got += wire.read().length;
    });
    const writer = writable.getWriter();
    await writer.write(new Uint8Array(100_000));
    await writer.close();
    await settled();
    expect(got).to.equal(100_000);
  });

  it('what is written after the end of the peer goes out', async () => {
    const { bev, wire, readable, writable } = over();
    wire.halfOpen = true;
    wire.end();
    const reader = readable.getReader();
    expect((await reader.read()).done).to.equal(true);
    await settled();
    const writer = writable.getWriter();
    await writer.write(Buffer.from('answer'));
    await writer.close();
    await settled();
    expect([wire.read().toString(), bev.closed?.end]).to.deep.equal(['answer', 'end']);
  });

  it('a reset errors both streams with the report, the readable after the data', async () => {
    const { wires, bev, wire, readable, writable } = over();
    wire.write('last words');
    await settled();
    wires.cut('reset');
    await settled();
    const reader = readable.getReader();
    expect(Buffer.from((await reader.read()).value ?? []).toString()).to.equal('last words');
    expectReport(await reasonOf(reader.read()), bev);
    expectReport(await reasonOf(writable.getWriter().write(new Uint8Array(1))), bev);
    expect(bev.closed?.end).to.equal('reset');
  });

  it('cancel and abort destroy the connection, with the reason as the cause', async () => {
    const cancelled = over();
    const reason = new Error('no longer interested');
    await cancelled.readable.cancel(reason);
    await settled();
    expect(cancelled.bev.closed?.end).to.equal('aborted');
    expect(cancelled.bev.closed?.error?.cause).to.equal(reason);
    const aborted = over();
    await aborted.writable.abort();
    await settled();
    expect(aborted.bev.closed?.end).to.equal('aborted');
    expectReport(await reasonOf(aborted.readable.getReader().read()), aborted.bev);
  });

  it('a connection that somebody destroys is an error of both', async () => {
    const { bev, readable, writable } = over();
    bev.destroy();
    await settled();
    expect(await reasonOf(readable.getReader().read())).to.be.instanceOf(AbortedError);
    expect(await reasonOf(writable.getWriter().ready)).to.be.instanceOf(AbortedError);
  });

  it('takes nothing but bytes', async () => {
    const { writable } = over();
    const writer = writable.getWriter();
    writer.closed.catch(() => {});
    expect(await reasonOf(writer.write('text' as unknown as Uint8Array))).to.be.instanceOf(TypeError);
  });
});
