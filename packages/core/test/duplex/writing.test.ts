import { AbortedError, ApiMisuse, LimitError } from '@sluice/errors';
import { expect } from 'chai';
import { type ConnectionOptions, drained, EvBuffer, writeAll } from '../../src/index.ts';
import { link, TestLoop } from '../../src/testing/index.ts';
import { expectReport } from '../support/expect-report.ts';
import { pattern } from '../support/fed.ts';
import { reasonOf, state } from '../support/promises.ts';

const MARKS = { watermarks: { write: { low: 10, high: 100, cap: 100 } } };

function over(options: ConnectionOptions = MARKS) {
  const loop = new TestLoop();
  const wires = link(loop, { first: options, second: {} });
  const [bev, wire] = wires.ends;
  return { loop, wires, bev, wire };
}

/** Turns, and what promises do between them, until the promise is settled. Answers the most that output held. */
async function driven(loop: TestLoop, bev: { output: { length: number } }, promise: Promise<unknown>): Promise<number> {
  let heldMost = 0;
  for (let rounds = 0; (await state(promise)) === 'pending'; rounds += 1) {
    if (rounds > 10_000) throw new Error('it never ends');
    heldMost = Math.max(heldMost, bev.output.length);
    loop.turn();
  }
  return heldMost;
}

describe('drained', () => {
  it('waits while output is at its high mark, and not otherwise', async () => {
    const { loop, wires, bev } = over({ watermarks: { write: { low: 10, high: 100 } } });
    await drained(bev);
    wires.cork(bev);
    bev.write(Buffer.alloc(99));
    await drained(bev);
    bev.write('x');
    const wait = drained(bev);
    loop.settle();
    expect(await state(wait)).to.equal('pending');
    wires.uncork(bev);
    loop.settle();
    await wait;
    expect(bev.output.length).to.equal(0);
  });

  it('has a bound on who waits for a peer that does not read', async () => {
    const { loop, wires, bev } = over({ watermarks: { write: { low: 10, high: 100 } } });
    wires.cork(bev);
    bev.write(Buffer.alloc(100));
    const waiting = Array.from({ length: 1024 }, () => drained(bev));
    expect(await reasonOf(drained(bev)))
      .to.be.instanceOf(LimitError)
      .and.to.include({ code: 'SLUICE_CORE_WAITERS', operation: 'drained' });
    wires.uncork(bev);
    loop.settle();
    await Promise.all(waiting);
    await drained(bev);
    expect(bev.listenerCount('drained')).to.equal(0);
  });

  it('rejects by its signal, and when the connection ends first', async () => {
    const options = { watermarks: { write: { low: 10, high: 100 } } };
    const { loop, wires, bev } = over(options);
    wires.cork(bev);
    bev.write(Buffer.alloc(100));
    const controller = new AbortController();
    const aborted = drained(bev, { signal: controller.signal });
    const cut = drained(bev);
    controller.abort();
    expect(await reasonOf(aborted)).to.be.instanceOf(AbortedError);
    wires.cut('reset');
    loop.settle();
    expectReport(await reasonOf(cut), bev);
    expectReport(await reasonOf(drained(bev)), bev);
  });
});

describe('writeAll', () => {
  const bytes = pattern(0, 1050);

  it("writes bytes of any length, within output's marks, as the peer takes them", async () => {
    const { loop, bev, wire } = over();
    const written = writeAll(bev, bytes);
    expect(await driven(loop, bev, written)).to.equal(100);
    expect(await written).to.equal(1050);
    loop.settle();
    expect(wire.read().equals(bytes)).to.equal(true);
    expect(await writeAll(bev, '')).to.equal(0);
    expect(await writeAll(bev, 'grün')).to.equal(5);
  });

  it('empties an EvBuffer', async () => {
    const { loop, bev, wire } = over();
    const buffer = new EvBuffer();
    buffer.append(bytes.subarray(0, 500));
    buffer.append(bytes.subarray(500));
    const written = writeAll(bev, buffer);
    expect(await driven(loop, bev, written)).to.equal(100);
    expect([await written, buffer.length]).to.deep.equal([1050, 0]);
    loop.settle();
    expect(wire.read().equals(bytes)).to.equal(true);
  });

  it('asks what is iterated for the next piece when the one before is in output', async () => {
    const { loop, wires, bev, wire } = over();
    let asked = 0;
    async function* source(): AsyncGenerator<Uint8Array> {
      for (; asked < 21; asked += 1) yield bytes.subarray(asked * 50, asked * 50 + 50);
    }
    wires.cork(bev);
    const written = writeAll(bev, source());
    for (let turn = 0; turn < 20; turn += 1) {
      expect(await state(written)).to.equal('pending');
      loop.turn();
    }
    expect([asked, bev.output.length]).to.deep.equal([2, 100]);
    wires.uncork(bev);
    await driven(loop, bev, written);
    expect(await written).to.equal(1050);
    loop.settle();
    expect(wire.read().equals(bytes)).to.equal(true);
    expect(await writeAll(bev, ['a', Buffer.from('b'), new Set(['c']).values().next().value as string])).to.equal(3);
    expect(await writeAll(bev, new Set(['de', 'f']))).to.equal(3);
    loop.settle();
    expect(wire.read().toString()).to.equal('abcdef');
  });

  it('ends with what the source throws, and tells a source when nobody wants its pieces any more', async () => {
    const { loop, wires, bev } = over();
    const failure = new Error('the disk is gone');
    async function* failing(): AsyncGenerator<string> {
      yield 'a beginning';
      throw failure;
    }
    expect(await reasonOf(writeAll(bev, failing()))).to.equal(failure);
    expect(bev.closed, 'that is for the program to decide').to.equal(undefined);

    let returned = false;
    async function* endless(): AsyncGenerator<string> {
      try {
        for (;;) yield 'x'.repeat(60);
      } finally {
        returned = true;
      }
    }
    wires.cork(bev);
    const cut = writeAll(bev, endless());
    expect(await state(cut)).to.equal('pending');
    wires.cut('reset');
    loop.settle();
    expectReport(await reasonOf(cut), bev);
    expect(returned).to.equal(true);
  });

  it('gives up a source that yields nothing, when the connection ends or the signal is aborted', async () => {
    const { loop, wires, bev } = over();
    let returns = 0;
    const silent: AsyncIterable<string> = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise(() => {}),
        return: () => {
          returns += 1;
          return Promise.reject(new Error('not heard'));
        },
      }),
    };
    const controller = new AbortController();
    const aborted = writeAll(bev, silent, { signal: controller.signal });
    expect(await state(aborted)).to.equal('pending');
    controller.abort();
    expect(await reasonOf(aborted)).to.be.instanceOf(AbortedError);
    const ended = writeAll(bev, silent);
    expect(await state(ended)).to.equal('pending');
    wires.cut('fin');
    bev.destroy();
    loop.settle();
    expect(await reasonOf(ended)).to.be.instanceOf(AbortedError);
    expect(returns).to.equal(2);
  });

  it('refuses what holds no bytes', async () => {
    const { bev } = over();
    for (const wrong of [5, null, {}, [5], new Map([[1, 2]])]) {
      expect(await reasonOf(writeAll(bev, wrong as never))).to.be.instanceOf(ApiMisuse);
    }
    expect(bev.output.length).to.equal(0);
  });
});
