import { AbortedError, ApiMisuse, LimitError, type SluiceError } from '@sluice/errors';
import { expect } from 'chai';
import { chunks, type ConnectionOptions, readExactly, readLine, readUntil } from '../../src/index.ts';
import { link, TestLoop } from '../../src/testing/index.ts';
import { expectReport } from '../support/expect-report.ts';
import { reasonOf, state } from '../support/promises.ts';

function over(options: ConnectionOptions = {}) {
  const loop = new TestLoop();
  const wires = link(loop, { first: options, second: {} });
  const [bev, wire] = wires.ends;
  return { loop, wires, bev, wire };
}

describe('readExactly', () => {
  it('takes so many bytes, those there are already or those to come, and no more', async () => {
    const { loop, bev, wire } = over();
    wire.write('abc');
    loop.settle();
    expect((await readExactly(bev, 2))?.toString()).to.equal('ab');
    const next = readExactly(bev, 3);
    expect(await state(next)).to.equal('pending');
    wire.write('defg');
    loop.settle();
    expect((await next)?.toString()).to.equal('cde');
    expect(bev.input.toString()).to.equal('fg');
    expect((await readExactly(bev, 0))?.length).to.equal(0);
  });

  it('is undefined at the end, and rejects in the middle, leaving what there is', async () => {
    const { loop, bev, wire } = over();
    wire.write('abc');
    wire.end();
    const first = readExactly(bev, 3);
    loop.settle();
    expect((await first)?.toString()).to.equal('abc');
    expect(await readExactly(bev, 1)).to.equal(undefined);

    const cut = over();
    cut.wire.write('abc');
    const partial = readExactly(cut.bev, 4);
    cut.wire.end();
    cut.loop.settle();
    expect(await reasonOf(partial)).to.include({ code: 'SLUICE_CORE_READ_ENDED', blame: 'remote' });
    expect(cut.bev.input.toString()).to.equal('abc');
  });

  it("rejects with the report's error, after what came before it", async () => {
    const { loop, wires, bev, wire } = over();
    wire.write('abcd');
    loop.settle();
    wires.cut('reset');
    loop.settle();
    expect((await readExactly(bev, 3))?.toString()).to.equal('abc');
    expectReport(await reasonOf(readExactly(bev, 3)), bev);
    const waiting = over();
    const read = readExactly(waiting.bev, 1);
    waiting.bev.destroy();
    waiting.loop.settle();
    expect(await reasonOf(read))
      .to.be.instanceOf(AbortedError)
      .with.property('code', 'SLUICE_CORE_CLOSED');
  });

  it('ends by its signal, takes nothing then, and another read may follow', async () => {
    const { loop, bev, wire } = over();
    const controller = new AbortController();
    const read = readExactly(bev, 4, { signal: controller.signal });
    wire.write('abc');
    loop.settle();
    const cause = new Error('too late');
    controller.abort(cause);
    const reason = await reasonOf(read);
    expect(reason).to.be.instanceOf(AbortedError).with.property('code', 'SLUICE_CORE_ABORTED');
    expect((reason as SluiceError).cause).to.equal(cause);
    expect(await reasonOf(readExactly(bev, 1, { signal: controller.signal }))).to.be.instanceOf(AbortedError);
    expect((await readExactly(bev, 3))?.toString()).to.equal('abc');
  });

  it('refuses what can never be: more than input holds, a second reader, no number', async () => {
    const { bev } = over({ watermarks: { read: { high: 100 } } });
    expect(await reasonOf(readExactly(bev, 101)))
      .to.be.instanceOf(ApiMisuse)
      .with.property('message')
      .match(/watermarks.read.high/);
    expect(await reasonOf(readExactly(bev, -1))).to.be.instanceOf(ApiMisuse);
    void readExactly(bev, 100);
    expect(await reasonOf(readLine(bev, { maxLength: 50 }))).to.include({ code: 'SLUICE_CORE_READ_IN_PROGRESS' });
  });

  it('does not depend on the low watermark, and lets input fill to its mark', async () => {
    const { loop, bev, wire } = over({ watermarks: { read: { low: 50, high: 100 } } });
    const read = readExactly(bev, 3);
    wire.write('abc');
    loop.settle();
    expect((await read)?.toString()).to.equal('abc');
    const all = readExactly(bev, 100);
    wire.write(Buffer.alloc(300));
    loop.settle();
    expect((await all)?.length).to.equal(100);
    loop.settle();
    expect(bev.input.length).to.equal(100);
  });
});

describe('readUntil', () => {
  it('takes the bytes before the delimiter, which may come in pieces', async () => {
    const { loop, bev, wire } = over();
    const first = readUntil(bev, '\r\n\r\n');
    for (const piece of ['head\r', '\n', '\r', '\nbody|', 'more']) {
      wire.write(piece);
      loop.settle();
    }
    expect((await first)?.toString()).to.equal('head');
    expect((await readUntil(bev, Buffer.from('|')))?.toString()).to.equal('body');
    expect(bev.input.toString()).to.equal('more');
  });

  it('rejects when the delimiter does not come within maxLength, and not before', async () => {
    const { loop, bev, wire } = over();
    const exact = readUntil(bev, '--', { maxLength: 5 });
    wire.write('12345--');
    loop.settle();
    expect((await exact)?.toString()).to.equal('12345');
    const long = readUntil(bev, '--', { maxLength: 5 });
    wire.write('123456');
    loop.settle();
    expect(await state(long)).to.equal('pending');
    wire.write('-');
    loop.settle();
    const reason = await reasonOf(long);
    expect(reason).to.be.instanceOf(LimitError).with.property('code', 'SLUICE_CORE_DELIMITER_MISSING');
    expect(bev.input.length).to.equal(7);
    expect(await reasonOf(readUntil(bev, ''))).to.be.instanceOf(ApiMisuse);
    expect(await reasonOf(readUntil(bev, 'x', { maxLength: 1_000_000 }))).to.be.instanceOf(ApiMisuse);
  });
});

describe('readLine', () => {
  it('takes lines of the style asked for, and undefined at the end', async () => {
    const { loop, bev, wire } = over();
    wire.write('one\r\ntwo\nthr');
    loop.settle();
    expect([await readLine(bev), await readLine(bev)]).to.deep.equal(['one', 'two']);
    const third = readLine(bev, { style: 'nul', encoding: 'hex' });
    wire.write('ee\0');
    wire.end();
    loop.settle();
    expect(await third).to.equal(Buffer.from('three').toString('hex'));
    expect(await readLine(bev)).to.equal(undefined);
  });

  it('rejects a line that is too long, and a last line without its end', async () => {
    const { loop, bev, wire } = over();
    const line = readLine(bev, { maxLength: 10 });
    wire.write('x'.repeat(13));
    wire.end();
    loop.settle();
    expect(await reasonOf(line))
      .to.be.instanceOf(LimitError)
      .with.property('blame', 'remote');
    expect(await reasonOf(readLine(bev))).to.include({ code: 'SLUICE_CORE_READ_ENDED' });
  });
});

describe('chunks', () => {
  it('gives everything as it comes, no more than asked for, and ends with the peer', async () => {
    const { loop, bev, wire } = over();
    wire.write('abcde');
    loop.settle();
    const got: string[] = [];
    const done = (async () => {
      for await (const chunk of chunks(bev, { bytesMax: 2 })) got.push(chunk.toString());
    })();
    expect(await state(done)).to.equal('pending');
    expect(got).to.deep.equal(['ab', 'cd', 'e']);
    wire.write('f');
    wire.end();
    loop.settle();
    await done;
    expect(got).to.deep.equal(['ab', 'cd', 'e', 'f']);
    expect(bev.closed?.end).to.equal('end');
  });

  it('reads nothing ahead: a consumer that is busy stops the peer', async () => {
    const { loop, bev, wire } = over({ watermarks: { read: { high: 100 } } });
    wire.write(Buffer.alloc(500));
    loop.settle();
    const iterator = chunks(bev)[Symbol.asyncIterator]();
    expect((await iterator.next()).value?.length).to.equal(100);
    loop.settle();
    expect([bev.input.length, bev.bytesIn]).to.deep.equal([100, 200]);
    await iterator.return?.();
    expect(bev.closed).to.equal(undefined);
    expect((await readExactly(bev, 100))?.length).to.equal(100);
  });

  it('throws what the connection ends by, and what the signal says', async () => {
    const { loop, wires, bev } = over();
    const reset = chunks(bev).next();
    wires.cut('reset');
    loop.settle();
    expectReport(await reasonOf(reset), bev);
    expect(bev.closed?.error?.end).to.equal('reset');
    const signal = AbortSignal.abort();
    expect(await reasonOf(chunks(over().bev, { signal }).next())).to.be.instanceOf(AbortedError);
  });
});
