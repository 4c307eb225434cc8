import { TransformStream } from 'node:stream/web';
import { ApiMisuse } from '@sluice/errors';
import { expect } from 'chai';
import {
  type BufferEvent,
  type CloseReport,
  type ConnectionOptions,
  EventLoop,
  fromWeb,
  toWeb,
} from '../../src/index.ts';
import { link, LiveTestLoop } from '../../src/testing/index.ts';
import { pattern } from '../support/filters.ts';

const SMALL: ConnectionOptions = {
  watermarks: { read: { high: 1000 }, write: { low: 100, high: 1000, cap: 5000 } },
};

/** A connection over one side of two identity streams; the other side is bare. */
function over(options: ConnectionOptions = {}) {
  const inward = new TransformStream<Uint8Array, Uint8Array>();
  const outward = new TransformStream<Uint8Array, Uint8Array>();
  const bev = fromWeb(new EventLoop(), { readable: inward.readable, writable: outward.writable }, options);
  return { bev, writer: inward.writable.getWriter(), reader: outward.readable.getReader() };
}

function closedOf(bev: BufferEvent): Promise<CloseReport> {
  return new Promise((resolve) => bev.once('closed', resolve));
}

async function settled(): Promise<void> {
  for (let round = 0; round < 50; round += 1) await new Promise(setImmediate);
}

describe('fromWeb', () => {
  it('carries bytes both ways, and ends in order', async () => {
    const { bev, writer, reader } = over();
    bev.on('data', () => bev.output.appendFrom(bev.input));
    const bytes = pattern(300_000);
    const written = writer.write(bytes).then(() => writer.close());
    const got: Uint8Array[] = [];
    for (let part = await reader.read(); !part.done; part = await reader.read()) got.push(part.value);
    await written;
    expect(Buffer.concat(got).equals(bytes)).to.equal(true);
    expect(bev.closed ?? (await closedOf(bev))).to.include({ end: 'end', bytesIn: 300_000, bytesOut: 300_000 });
  });

  it('undoes toWeb: a connection over streams over a connection', async () => {
    const loop = new EventLoop();
    const [below, wire] = link(loop, { first: SMALL }).ends;
    const bev = fromWeb(loop, toWeb(below), SMALL);
    wire.write('ping');
    await new Promise<void>((resolve) => bev.once('data', resolve));
    bev.write(bev.read());
    await bev.flush();
    wire.end();
    await closedOf(bev);
    expect(wire.read().toString()).to.equal('ping');
    expect([bev.closed?.end, wire.closed?.end]).to.deep.equal(['end', 'end']);
  });

  it('stops reading at its mark, in the middle of a chunk', async () => {
    const { bev, writer } = over(SMALL);
    let written = 0;
    void writer.write(new Uint8Array(2500)).then(() => (written += 1));
    void writer.write(new Uint8Array(2500)).then(() => (written += 1));
    void writer
      .write(new Uint8Array(2500))
      .then(() => (written += 1))
      .catch(() => {});
    await settled();
    expect(bev.input.length).to.equal(1000);
    expect(written).to.be.below(3);
    let got = bev.read().length;
    bev.on('data', () => {
      expect(bev.input.length).to.be.at.most(1000);
      got += bev.read().length;
    });
    await settled();
    expect([got, written]).to.deep.equal([7500, 3]);
    bev.destroy();
  });

  it('has one piece under way, and the rest in output, which has its cap', async () => {
    const { bev, reader } = over({
      watermarks: { write: { low: 100_000, high: 150_000, cap: 200_000 } },
    });
    bev.write(Buffer.alloc(200_000));
    await settled();
    expect(bev.output.length).to.be.at.least(200_000 - 2 * 65_536);
    expect(() => bev.write(Buffer.alloc(200_000))).to.throw(/would pass its cap/);
    let flushed = false;
    const flush = bev.flush().then(() => {
      flushed = true;
    });
    await settled();
    expect(flushed).to.equal(false);
    let got = 0;
    while (got < 200_000) got += (await reader.read()).value?.length ?? 0;
    await flush;
    expect(got).to.equal(200_000);
    bev.destroy();
  });

  it('writes the next piece when the stream has taken the last, and flush waits for that', async () => {
    const { bev, reader } = over();
    for (const piece of ['one', 'two', 'three']) {
      bev.write(piece);
      await settled();
    }
    expect(bev.output.length).to.equal('twothree'.length);
    expect(Buffer.from((await reader.read()).value ?? []).toString()).to.equal('one');
    await settled();
    expect(bev.output.length).to.equal(0);
    let flushed = false;
    const flush = bev.flush().then(() => {
      flushed = true;
    });
    await settled();
    expect(flushed).to.equal(false);
    expect(Buffer.from((await reader.read()).value ?? []).toString()).to.equal('twothree');
    await flush;
    bev.destroy();
  });

  it('keeps to its rates, in the middle of a chunk', async () => {
    const loop = new LiveTestLoop();
    const inward = new TransformStream<Uint8Array, Uint8Array>();
    const outward = new TransformStream<Uint8Array, Uint8Array>();
    const bev = fromWeb(loop, { readable: inward.readable, writable: outward.writable });
    bev.setRateLimit({ read: { perSecond: 1000 }, write: { perSecond: 500 }, tickMs: 100 });
    let got = 0;
    void (async () => {
      for await (const part of outward.readable) got += part.length;
    })().catch(() => {});
    void inward.writable
      .getWriter()
      .write(new Uint8Array(500))
      .catch(() => {});
    bev.write(Buffer.alloc(200));
    for (let ticks = 1; ticks <= 4; ticks += 1) {
      await loop.settle();
      expect([bev.bytesIn, got]).to.deep.equal([100 * ticks, 50 * ticks]);
      await loop.advance(100);
    }
    bev.destroy();
  });

  it('refuses what are no streams, and what somebody else uses', () => {
    const loop = new LiveTestLoop();
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const locked = new TransformStream<Uint8Array, Uint8Array>();
    locked.readable.getReader();
    for (const streams of [
      { readable: locked.readable, writable },
      { readable, writable: {} },
      { readable: null, writable },
    ]) {
      expect(() => fromWeb(loop, streams as never)).to.throw(ApiMisuse, 'fromWeb');
    }
    expect(readable.locked).to.equal(false);
  });

  it('an error of a stream is the cause of the failure', async () => {
    const reading = over();
    const cause = new Error('source lost');
    void reading.writer.abort(cause);
    const report = await closedOf(reading.bev);
    expect(report).to.include({ end: 'failed', direction: 'read', code: 'SLUICE_CORE_STREAM_FAILED' });
    expect(report.error?.cause).to.equal(cause);
    const writing = over({ timeouts: { closeMs: 20 } });
    void writing.reader.cancel(cause);
    writing.bev.write('x');
    expect(await closedOf(writing.bev)).to.include({
      end: 'failed',
      direction: 'write',
      code: 'SLUICE_CORE_STREAM_FAILED',
    });
  });

  it('destroy cancels and aborts the streams', async () => {
    const { bev, writer, reader } = over();
    const failures = [
      writer.closed.catch((reason: unknown) => reason),
      reader.closed.catch((reason: unknown) => reason),
    ];
    bev.destroy();
    await Promise.all(failures);
    expect(bev.closed?.end).to.equal('aborted');
  });

  it('chunks that are not bytes are a failure', async () => {
    const { bev, writer } = over();
    void writer.write('text' as unknown as Uint8Array).catch(() => {});
    const report = await closedOf(bev);
    expect(report.error?.cause).to.be.instanceOf(TypeError);
  });
});
