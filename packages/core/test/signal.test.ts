import { ApiMisuse, UnsupportedError } from '@sluice/errors';
import { expect } from 'chai';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { TestLoop } from '../src/testing/index.ts';

describe('SignalWatcher', () => {
  it('tells in a turn, and how often it was seen since', () => {
    const loop = new TestLoop();
    const seen: [string, number][] = [];
    const watcher = loop.signal('SIGHUP', (signal, times) => seen.push([signal, times]));
    process.emit('SIGHUP', 'SIGHUP');
    process.emit('SIGHUP', 'SIGHUP');
    expect(seen).to.deep.equal([]);
    loop.settle();
    expect(seen).to.deep.equal([['SIGHUP', 2]]);
    void watcher.close();
    loop.close();
  });

  it('is heard by every watcher on every loop, until it is stopped', () => {
    const loops = [new TestLoop(), new TestLoop()];
    const seen: number[] = [];
    const watchers = loops.map((loop, index) => loop.signal('SIGHUP', () => seen.push(index)));
    process.emit('SIGHUP', 'SIGHUP');
    for (const loop of loops) loop.settle();
    watchers[0]?.stop();
    process.emit('SIGHUP', 'SIGHUP');
    for (const loop of loops) loop.settle();
    watchers[0]?.start().start();
    process.emit('SIGHUP', 'SIGHUP');
    for (const loop of loops) loop.settle();
    expect(seen).to.deep.equal([0, 1, 1, 0, 1]);
    for (const loop of loops) loop.close();
    expect(process.listenerCount('SIGHUP')).to.equal(0);
  });

  it('keeps the loop alive only when asked to, and while it watches', () => {
    const loop = new TestLoop();
    const watcher = loop.signal('SIGHUP');
    expect(loop.alive).to.equal(false);
    watcher.ref();
    expect(loop.alive).to.equal(true);
    expect(loop.handles()).to.deep.equal([
      { kind: 'signal', name: 'SIGHUP', hasRef: true, pending: true, priority: 0 },
    ]);
    watcher.stop();
    expect(loop.alive).to.equal(false);
    loop.close();
  });

  it('is an observable that completes with it', async () => {
    const loop = new TestLoop();
    const watcher = loop.signal('SIGHUP');
    const seen: (number | string)[] = [];
    watcher.raised$.subscribe({ next: (times) => seen.push(times), complete: () => seen.push('complete') });
    const left = watcher.raised$.subscribe(() => seen.push('left'));
    left.unsubscribe();
    process.emit('SIGHUP', 'SIGHUP');
    loop.settle();
    const done = watcher.close();
    loop.settle();
    await done;
    await Promise.resolve();
    watcher.raised$.subscribe({ complete: () => seen.push('late') });
    expect(seen).to.deep.equal([1, 'complete', 'late']);
    loop.close();
  });

  it('refuses what no process can watch', () => {
    const loop = new TestLoop();
    for (const signal of ['SIGKILL', 'SIGSTOP', 'SIGNAL', 'toString']) {
      expect(() => loop.signal(signal as 'SIGHUP')).to.throw(ApiMisuse, `${signal} is not a signal`);
    }
    expect(loop.handles()).to.deep.equal([]);
    loop.close();
  });

  it('says in a worker that signals do not come there', async () => {
    const source = new URL('../src/index.ts', import.meta.url).href;
    const program = `
      import { EventLoop } from ${JSON.stringify(source)};
      import { parentPort } from 'node:worker_threads';
      try { new EventLoop().signal('SIGTERM'); } catch (error) { parentPort.postMessage(error.toJSON()); }`;
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(program)}`), {
      execArgv: ['--conditions=@sluice/source'],
    });
    const [error] = await once(worker, 'message');
    expect(error).to.include({ name: UnsupportedError.prototype.name, code: 'SLUICE_CORE_SIGNAL_IN_WORKER' });
    await worker.terminate();
  });
});
