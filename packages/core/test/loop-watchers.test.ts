import { expect } from 'chai';
import { WatcherList } from '../src/loop-watchers.ts';
import { TestLoop } from '../src/testing/index.ts';

describe('WatcherList', () => {
  const uncaught = (error: unknown): void => {
    throw error;
  };

  it('goes on after one that throws, and reports it', () => {
    const list = new WatcherList<[number]>();
    const seen: unknown[] = [];
    const failure = new Error('of a watcher');
    list.add(() => {
      throw failure;
    });
    list.add((value) => seen.push(value));
    list.call((error) => seen.push(error), 7);
    expect(seen).to.deep.equal([failure, 7]);
  });

  it('calls the same function as often as it was added, and each end concerns one', () => {
    const list = new WatcherList<[]>();
    let calls = 0;
    const count = (): void => void (calls += 1);
    const first = list.add(count);
    list.add(count);
    first.unsubscribe();
    first[Symbol.dispose]();
    list.call(uncaught);
    expect([calls, list.size]).to.deep.equal([1, 1]);
  });
});

describe('prepare and check watchers', () => {
  it('see fresh time, and whether another turn follows', () => {
    const loop = new TestLoop();
    const seen: unknown[] = [];
    loop.onCheck(() => seen.push(loop.now()));
    loop.onPrepare(({ timeoutMs, turnPending }) => seen.push([timeoutMs, turnPending]));
    loop.timer(10, () => loop.defer(() => loop.timer(30, () => {}).unref()));
    loop.advance(10);
    expect(seen).to.deep.equal([10, [undefined, true], 10, [30, false]]);
  });

  it('report what they throw, and the turn goes on', () => {
    const loop = new TestLoop();
    const failure = new Error('of a watcher');
    let ran = false;
    loop.onCheck(() => {
      throw failure;
    });
    loop.defer(() => {
      ran = true;
    });
    loop.settle();
    expect([ran, loop.uncaughtErrors]).to.deep.equal([true, [failure]]);
  });
});
