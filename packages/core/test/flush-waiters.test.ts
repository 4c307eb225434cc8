import { AbortedError, type SluiceError } from '@sluice/errors';
import { expect } from 'chai';
import { FilterBufferEvent } from '../src/index.ts';
import { link, TestLoop } from '../src/testing/index.ts';
import { FlushWaiters } from '../src/flush-waiters.ts';
import { reasonOf, state } from './support/promises.ts';

describe('FlushWaiters', () => {
  it('tells each of them once, and no one who waits no longer', () => {
    const waiters = new FlushWaiters();
    const log: string[] = [];
    const add = (name: string) =>
      waiters.add(
        () => log.push(`${name} flushed`),
        (error) => log.push(`${name} ${error.message}`),
      );
    add('a');
    add('b')();
    waiters.resolve();
    waiters.resolve();
    add('c');
    add('d');
    let made = 0;
    const failure = (): SluiceError => {
      made += 1;
      return new AbortedError(`failed ${made}`, {
        code: 'SLUICE_X',
        layer: 'core',
        operation: 'x',
        blame: 'local',
        remedy: 'fix',
      });
    };
    waiters.reject(failure);
    waiters.reject(failure);
    expect(log).to.deep.equal(['a flushed', 'c failed 1', 'd failed 2']);
  });

  it('may be joined by whoever is told', () => {
    const waiters = new FlushWaiters();
    let told = 0;
    const again = (): void => {
      told += 1;
      waiters.add(again, () => {});
    };
    waiters.add(again, () => {});
    waiters.resolve();
    expect(told).to.equal(1);
  });
});

describe('flush', () => {
  for (const layer of ['a transport', 'a filter']) {
    it(`is given up by its signal, and the connection goes on: ${layer}`, async () => {
      const loop = new TestLoop();
      const wires = link(loop);
      const [below] = wires.ends;
      const bev = layer === 'a filter' ? new FilterBufferEvent(below, {}) : below;
      wires.cork(below);
      bev.write('x');
      const controller = new AbortController();
      const aborted = bev.flush({ signal: controller.signal });
      const others = [bev.flush(), bev.flush({ signal: new AbortController().signal })];
      loop.settle();
      expect(await state(aborted)).to.equal('pending');
      controller.abort();
      expect(await reasonOf(aborted))
        .to.be.instanceOf(AbortedError)
        .and.include({ operation: 'flush' });
      expect(await reasonOf(bev.flush({ signal: controller.signal }))).to.be.instanceOf(AbortedError);
      wires.uncork(below);
      loop.settle();
      await Promise.all(others);
      const nothing = bev.flush({ signal: new AbortController().signal });
      loop.settle();
      await nothing;
      expect(bev.closed).to.equal(undefined);
    });
  }
});
