import { getEventListeners } from 'node:events';
import { expect } from 'chai';
import { type RunResult } from '../src/index.ts';
import { DrivenLoop, nextIteration } from './support/driven-loop.ts';

describe('EventLoop.run', () => {
  it('is idle when no timer, handle, reference or queued work is left, and counts its turns', async () => {
    const loop = new DrivenLoop();
    expect(await loop.run()).to.deep.equal({ reason: 'idle', turns: 1 });
    loop.timer(5, () => {});
    loop.timer(50, () => {}).unref();
    const { reason } = await loop.until(loop.run());
    expect([reason, loop.now(), loop.lastExit]).to.deep.equal(['idle', 5, 'idle']);
  });

  it('notices that the last thing went away outside of any turn, whichever it is', async () => {
    const holds: ((loop: DrivenLoop) => () => void)[] = [
      (loop) => {
        const timer = loop.timer(1000, () => {});
        return () => timer.stop();
      },
      (loop) => {
        const timer = loop.timer(1000, () => {});
        return () => timer.unref();
      },
      (loop) => {
        const ref = loop.ref('mine');
        return () => ref.unref();
      },
      (loop) => {
        const signal = loop.signal('SIGHUP').ref();
        return () => signal.stop();
      },
    ];
    for (const hold of holds) {
      const loop = new DrivenLoop();
      const letGo = hold(loop);
      const run = loop.run();
      for (let iteration = 0; iteration < 3; iteration += 1) await nextIteration();
      expect(loop.lastExit).to.equal(undefined);
      letGo();
      letGo();
      expect((await run).reason).to.equal('idle');
    }
  });

  it('goes on with nothing to do when it is kept alive, until it is aborted', async () => {
    const loop = new DrivenLoop();
    const controller = new AbortController();
    let result: RunResult | undefined;
    const run = loop.run({ keepAlive: true, signal: controller.signal }).then((ended) => (result = ended));
    expect(loop.handles()).to.deep.equal([{ kind: 'ref', name: 'run', hasRef: true, pending: false }]);
    for (let iteration = 0; iteration < 5; iteration += 1) await nextIteration();
    expect(result).to.equal(undefined);
    controller.abort();
    expect((await run).reason).to.equal('exit');
    expect(loop.handles()).to.deep.equal([]);
    expect((await loop.run({ signal: controller.signal })).reason).to.equal('exit');
    const { signal } = new AbortController();
    await loop.run({ signal });
    expect(getEventListeners(signal, 'abort')).to.deep.equal([]);
  });

  it('does what is ready and waits for nothing when it must not block', async () => {
    const loop = new DrivenLoop();
    const order: string[] = [];
    loop.defer(() => order.push('ready'));
    loop.timer(5, () => order.push('later'));
    expect(await loop.run({ nonBlocking: true })).to.deep.equal({ reason: 'turn', turns: 1 });
    expect(order).to.deep.equal(['ready']);
  });

  it('once, runs until the queues are empty', async () => {
    const loop = new DrivenLoop({ callbacksPerTurnMax: 2 });
    let ran = 0;
    loop.timer(3, () => {
      for (let index = 0; index < 5; index += 1) loop.defer(() => (ran += 1));
    });
    loop.timer(10, () => (ran = -1));
    expect((await loop.until(loop.run({ once: true }))).reason).to.equal('turn');
    expect([ran, loop.now()]).to.deep.equal([5, 3]);
  });

  it('exits after what is queued already; asked before it began, it exits with its first turn', async () => {
    const loop = new DrivenLoop();
    const order: string[] = [];
    loop.timer(100, () => {});
    loop.defer(() => {
      loop.exit();
      loop.exit();
      loop.defer(() => order.push('after'));
      order.push('before');
    });
    expect((await loop.run()).reason).to.equal('exit');
    expect(order).to.deep.equal(['before', 'after']);
    loop.exit();
    await loop.pass(0);
    expect(await loop.run()).to.deep.equal({ reason: 'exit', turns: 1 });
    loop.exit({ afterMs: 5 });
    await loop.pass(10);
    expect(await loop.run()).to.deep.equal({ reason: 'exit', turns: 1 });
  });

  it('breaks before the objects that wait to be delivered, which come in the next run', async () => {
    const loop = new DrivenLoop();
    const order: string[] = [];
    for (const name of ['first', 'second']) {
      loop.activate({
        _deliver: () => {
          order.push(name);
          if (name === 'first') loop.break();
        },
        _flush: () => {},
      });
    }
    loop.defer(() => order.push('deferred'));
    expect((await loop.run()).reason).to.equal('break');
    expect(order).to.deep.equal(['first']);
    expect((await loop.run()).reason).to.equal('idle');
    expect(order).to.deep.equal(['first', 'second', 'deferred']);
  });

  it('forgets what was to end a run when something else has ended it', async () => {
    const loop = new DrivenLoop();
    loop.defer(() => {
      loop.exit();
      loop.exit({ afterMs: 5 });
      loop.break();
    });
    expect((await loop.run()).reason).to.equal('break');
    loop.timer(10, () => {});
    expect((await loop.until(loop.run())).reason).to.equal('idle');
    expect(loop.now()).to.equal(10);
  });

  it('breaks at once outside of a turn', async () => {
    const loop = new DrivenLoop();
    const run = loop.run({ keepAlive: true });
    await nextIteration();
    expect(loop.break()).to.equal(true);
    expect((await run).reason).to.equal('break');
  });

  it('of a closed loop is over', async () => {
    const loop = new DrivenLoop();
    loop.close();
    expect(await loop.run()).to.deep.equal({ reason: 'closed', turns: 0 });
  });
});
