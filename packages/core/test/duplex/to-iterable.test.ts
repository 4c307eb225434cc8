import { ApiMisuse } from '@sluice/errors';
import { expect } from 'chai';
import { type ConnectionOptions, toIterable } from '../../src/index.ts';
import { link } from '../../src/testing/index.ts';
import { LiveTestLoop } from '../../src/testing/live-test-loop.ts';
import { pattern } from '../support/fed.ts';
import { reasonOf, state } from '../support/promises.ts';

const SMALL: ConnectionOptions = {
  watermarks: { read: { high: 100 }, write: { low: 10, high: 100, cap: 100 } },
};

function over(options: ConnectionOptions = SMALL) {
  const loop = new LiveTestLoop();
  const wires = link(loop, { first: options, second: {} });
  const [bev, wire] = wires.ends;
  return { loop, wires, bev, wire, ...toIterable(bev) };
}

async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

describe('toIterable', () => {
  const bytes = pattern(0, 5000);

  it('carries bytes both ways, and ends in order', async () => {
    const { loop, bev, wire, source, sink } = over();
    wire.on('data', () => void wire.output.appendFrom(wire.input));
    const sent = sink(pieces(bytes, 333));
    const got: Uint8Array[] = [];
    for await (const piece of source) got.push(piece);
    expect(Buffer.concat(got).equals(bytes)).to.equal(true);
    await sent;
    await loop.settle();
    expect([bev.closed?.end, wire.closed?.end]).to.deep.equal(['end', 'end']);
  });

  it('reads nothing ahead, and asks for nothing that has no room', async () => {
    const { loop, wires, bev, wire, source, sink } = over();
    wires.cork(bev);
    wire.write(bytes);
    let asked = 0;
    async function* counted(): AsyncGenerator<Uint8Array> {
      for (; asked < 10; asked += 1) yield bytes.subarray(0, 60);
    }
    const sent = sink(counted());
    await loop.settle();
    expect([bev.bytesIn, bev.output.length, asked]).to.deep.equal([100, 100, 1]);
    const first = await (source as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]().next();
    expect(first.value?.length).to.equal(100);
    await loop.settle();
    expect(bev.bytesIn).to.equal(200);
    expect(await state(sent)).to.equal('pending');
    wires.uncork(bev);
    wire.on('data', () => void wire.input.drain());
    await sent;
    expect([asked, wire.bytesIn]).to.deep.equal([10, 600]);
    bev.destroy();
  });

  it('gives pieces as small as it is told', async () => {
    const { loop, bev, wire } = over();
    const { source } = toIterable(bev, { bytesMax: 7 });
    wire.write(bytes.subarray(0, 20));
    wire.end();
    const sizes: number[] = [];
    for await (const piece of source) sizes.push(piece.length);
    expect(sizes).to.deep.equal([7, 7, 6]);
    await loop.settle();
    expect(bev.closed, "our direction is the sink's").to.equal(undefined);
    bev.destroy();
  });

  it('ends the source with what the connection ends by, after what came before it', async () => {
    const { loop, wires, bev, wire, source } = over();
    wire.write('last');
    await loop.settle();
    wires.cut('reset');
    await loop.settle();
    const iterator = (source as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
    expect(Buffer.from((await iterator.next()).value as Uint8Array).toString()).to.equal('last');
    expect(await reasonOf(iterator.next())).to.include({ code: 'SLUICE_SYSTEM_ECONNRESET', operation: 'source' });
    expect(bev.closed?.end).to.equal('reset');
  });

  it('whose source is left before its end destroys the connection, also while it waits', async () => {
    const { loop, bev, wire, source } = over();
    wire.write('x');
    for await (const piece of source) if (piece.length > 0) break;
    await loop.settle();
    expect([bev.closed?.end, wire.closed?.end]).to.deep.equal(['aborted', 'end']);
    const waiting = over();
    const iterator = (waiting.source as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
    const next = iterator.next();
    expect(await state(next)).to.equal('pending');
    expect(await iterator.return?.()).to.deep.equal({ done: true, value: undefined });
    expect(await next).to.deep.equal({ done: true, value: undefined });
    expect(await iterator.next()).to.deep.equal({ done: true, value: undefined });
    expect(waiting.bev.closed?.end).to.equal('aborted');
  });

  it('resets the connection when the source of its sink throws, and rejects with that', async () => {
    const failure = new Error('no more disk');
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield bytes.subarray(0, 10);
      throw failure;
    }
    const { loop, bev, wire, sink } = over();
    expect(await sink(failing()).catch((error: unknown) => error)).to.equal(failure);
    await loop.settle();
    expect(bev.closed).to.include({ end: 'aborted', blame: 'local' });
    expect(bev.closed?.error?.cause).to.equal(failure);
    expect(wire.closed?.end).to.equal('reset');
  });

  it('rejects the sink when the connection ends under it', async () => {
    const { loop, wires, bev, sink } = over();
    wires.cork(bev);
    const sent = sink(pieces(bytes, 60)).catch((error: unknown) => error);
    await loop.settle();
    wires.cut('reset');
    await loop.settle();
    expect(await sent).to.include({ code: 'SLUICE_SYSTEM_ECONNRESET', operation: 'writeAll' });
  });

  it('has one sink, and takes no nonsense', async () => {
    const { bev, sink } = over();
    await sink(pieces(bytes.subarray(0, 0), 1));
    expect(await reasonOf(sink(pieces(bytes, 1)))).to.be.instanceOf(ApiMisuse);
    expect(() => toIterable(bev, { bytesMax: 0 })).to.throw(ApiMisuse, 'bytesMax');
    expect(() => toIterable({} as never)).to.throw(ApiMisuse, 'toIterable');
    bev.destroy();
  });
});
