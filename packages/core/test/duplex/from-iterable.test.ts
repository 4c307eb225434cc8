import { ApiMisuse, LimitError } from '@sluice/errors';
import { expect } from 'chai';
import { type BufferEvent, type ConnectionOptions, fromIterable } from '../../src/index.ts';
import { LiveTestLoop } from '../../src/testing/index.ts';
import { pattern } from '../support/fed.ts';

const SMALL: ConnectionOptions = {
  watermarks: { read: { high: 100 }, write: { low: 10, high: 100, cap: 300 } },
};

const never = new Promise<never>(() => {});

/** A source that gives what it is told to, and a sink that keeps what it gets. */
function over(options: ConnectionOptions = SMALL, sink?: (source: AsyncIterable<Uint8Array>) => Promise<void>) {
  const loop = new LiveTestLoop();
  const log: string[] = [];
  const got: Buffer[] = [];
  let give: (result: IteratorResult<unknown>) => void = () => {};
  let fail: (error: unknown) => void = () => {};
  const source = {
    [Symbol.asyncIterator]: () => ({
      next() {
        log.push('next');
        return new Promise<IteratorResult<unknown>>((resolve, reject) => {
          give = resolve;
          fail = reject;
        });
      },
      async return() {
        log.push('return');
        return { done: true as const, value: undefined };
      },
    }),
  };
  const keep = async (bytes: AsyncIterable<Uint8Array>): Promise<void> => {
    for await (const piece of bytes) got.push(Buffer.from(piece));
  };
  const bev = fromIterable(loop, { source: source as never, sink: sink ?? keep }, options);
  return {
    loop,
    bev,
    log,
    got,
    give: (value: unknown) => give({ done: false, value }),
    end: () => give({ done: true, value: undefined }),
    fail: (error: unknown) => fail(error),
  };
}

async function endOf(loop: LiveTestLoop, bev: BufferEvent) {
  await loop.settle();
  return bev.closed ?? expect.fail('it did not end');
}

describe('fromIterable', () => {
  it('carries bytes both ways, and ends in order', async () => {
    const { loop, bev, log, got, give, end } = over();
    await loop.settle();
    give(pattern(0, 50));
    await loop.settle();
    expect(bev.read().equals(pattern(0, 50))).to.equal(true);
    bev.write('hello');
    await loop.settle();
    bev.write(' world');
    end();
    expect(await endOf(loop, bev)).to.include({ end: 'end', bytesIn: 50, bytesOut: 11 });
    expect(Buffer.concat(got).toString()).to.equal('hello world');
    expect(log, 'one that has ended is not left').to.deep.equal(['next', 'next']);
  });

  it('takes a source that is an array, too', async () => {
    const loop = new LiveTestLoop();
    const bev = fromIterable(loop, { source: [pattern(0, 3), new Uint8Array(0), pattern(3, 3)], sink: async () => {} });
    bev.end();
    expect(await endOf(loop, bev)).to.include({ end: 'end', bytesIn: 6 });
    expect(bev.read().equals(pattern(0, 6))).to.equal(true);
  });

  it('asks for the next piece while input has room, and keeps the rest of one that is larger', async () => {
    const { loop, bev, log, give } = over();
    await loop.settle();
    give(pattern(0, 250));
    await loop.settle();
    expect([bev.input.length, log.length]).to.deep.equal([100, 1]);
    let got = bev.read();
    await loop.settle();
    expect([bev.input.length, log.length]).to.deep.equal([100, 1]);
    got = Buffer.concat([got, bev.read()]);
    await loop.settle();
    expect([bev.input.length, log.length]).to.deep.equal([50, 2]);
    expect(Buffer.concat([got, bev.read()]).equals(pattern(0, 250))).to.equal(true);
    bev.destroy();
  });

  it('gives its sink one piece at a time, and flush waits until it has asked for the next', async () => {
    const pieces: (() => void)[] = [];
    const sizes: number[] = [];
    const slow = async (source: AsyncIterable<Uint8Array>): Promise<void> => {
      for await (const piece of source) {
        sizes.push(piece.length);
        await new Promise<void>((resolve) => pieces.push(resolve));
      }
    };
    const { loop, bev } = over(SMALL, slow);
    bev.write(Buffer.alloc(60));
    await loop.settle();
    bev.write(Buffer.alloc(90));
    expect(() => bev.write(Buffer.alloc(300))).to.throw(LimitError);
    let flushed = false;
    void bev.flush().then(() => (flushed = true));
    await loop.settle();
    expect([sizes, bev.output.length, flushed]).to.deep.equal([[60], 90, false]);
    pieces.shift()?.();
    await loop.settle();
    expect([sizes, bev.output.length, flushed]).to.deep.equal([[60, 90], 0, false]);
    pieces.shift()?.();
    await loop.settle();
    expect(flushed).to.equal(true);
    bev.destroy();
  });

  it('keeps to its rates, in the middle of a piece', async () => {
    const { loop, bev, got, give } = over({});
    bev.setRateLimit({ read: { perSecond: 1000 }, write: { perSecond: 500 }, tickMs: 100 });
    await loop.settle();
    give(pattern(0, 500));
    bev.write(pattern(0, 200));
    for (let ticks = 1; ticks <= 4; ticks += 1) {
      await loop.settle();
      expect([bev.bytesIn, Buffer.concat(got).length]).to.deep.equal([100 * ticks, 50 * ticks]);
      await loop.advance(100);
    }
    bev.destroy();
  });

  it('fails with what the source throws, or gives that is no bytes, after what came before it', async () => {
    const failure = new Error('no signal');
    const { loop, bev, log, give, fail } = over();
    await loop.settle();
    give(pattern(0, 10));
    await loop.settle();
    fail(failure);
    const report = await endOf(loop, bev);
    expect(report).to.include({ end: 'failed', code: 'SLUICE_CORE_STREAM_FAILED', direction: 'read' });
    expect(report.error?.cause).to.equal(failure);
    expect([bev.input.length, log.includes('return')]).to.deep.equal([10, false]);

    const wrong = over();
    await wrong.loop.settle();
    wrong.give('text');
    const { error } = await endOf(wrong.loop, wrong.bev);
    expect(error?.message).to.match(/must be Uint8Array, not text/);
    expect(wrong.log).to.deep.equal(['next', 'return']);
  });

  it('has ended when its sink has the last piece, whether that asks for another or not', async () => {
    let size = 0;
    const { loop, bev, end } = over(SMALL, async (source) => {
      for await (const piece of source) {
        size = piece.length;
        await bev.loop.delay(100);
        break;
      }
    });
    bev.write('all');
    bev.end();
    const flushed = bev.flush();
    await loop.settle();
    end();
    await loop.advance(99);
    expect([size, bev.closed, bev.peerEnded]).to.deep.equal([3, undefined, true]);
    await loop.advance(1);
    await flushed;
    expect(await endOf(loop, bev)).to.include({ end: 'end', bytesOut: 3 });
  });

  it('fails when its sink does, or ends before all is written', async () => {
    const failure = new Error('no wire');
    const sinks: [string, (source: AsyncIterable<Uint8Array>) => Promise<void>, RegExp][] = [
      ['rejects', () => Promise.reject(failure), /no wire/],
      [
        'throws',
        () => {
          throw failure;
        },
        /no wire/,
      ],
      ['ends', () => Promise.resolve(), /ended before all was written/],
      [
        'leaves what it is given',
        async (source) => {
          for await (const piece of source) if (piece.length > 0) break;
        },
        /ended before all was written/,
      ],
    ];
    for (const [what, sink, message] of sinks) {
      const { loop, bev, log, end } = over(SMALL, sink);
      bev.write('hello');
      await loop.settle();
      // What the peer sent before a write fails is read to its end.
      end();
      const report = await endOf(loop, bev);
      expect(report, what).to.include({ end: 'failed', code: 'SLUICE_CORE_STREAM_FAILED', direction: 'write' });
      expect(report.error?.message, what).to.match(message);
      expect(log, what).to.deep.equal(['next']);
    }
  });

  it('destroyed, leaves the source, and tells the sink of bytes that were dropped, whether it was called yet or not', async () => {
    for (const begun of [true, false]) {
      let told: unknown;
      const hold = async (source: AsyncIterable<Uint8Array>): Promise<void> => {
        try {
          for await (const piece of source) told = piece;
          told = 'an end in order';
        } catch (error) {
          told = error;
        }
      };
      const { loop, bev, log } = over(SMALL, hold);
      if (begun) await loop.settle();
      bev.write('owed');
      bev.destroy();
      expect(await endOf(loop, bev)).to.include({ end: 'aborted', code: null });
      expect(told).to.include({ name: 'AbortedError', code: 'SLUICE_CORE_CLOSED' });
      expect(log).to.deep.equal(begun ? ['next', 'return'] : ['return']);
    }
    const { loop, bev, got } = over();
    bev.write('paid');
    await loop.settle();
    bev.destroy();
    await loop.settle();
    expect(Buffer.concat(got).toString(), 'nothing is owed').to.equal('paid');
  });

  it('leaves the source of a sink that hangs', async () => {
    const { loop, bev, log } = over(SMALL, () => never);
    await loop.settle();
    bev.write('owed');
    bev.destroy();
    await loop.settle();
    expect(log).to.deep.equal(['next', 'return']);
  });

  it('refuses what is no source and sink', () => {
    const loop = new LiveTestLoop();
    const sink = async (): Promise<void> => {};
    for (const streams of [
      null,
      5,
      { source: [], sink: 5 },
      { source: 5, sink },
      { source: null, sink },
      { source: {}, sink },
    ]) {
      expect(() => fromIterable(loop, streams as never)).to.throw(ApiMisuse, 'fromIterable');
    }
  });
});
