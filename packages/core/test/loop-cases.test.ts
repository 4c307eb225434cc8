import { ApiMisuse } from '@sluice/errors';
import { expect } from 'chai';
import { Worker } from 'node:worker_threads';
import { EventLoop, type Timer, type UserEvent } from '../src/index.ts';
import { DrivenLoop, endOf, nextIteration } from './support/driven-loop.ts';
import { fifo, wordsOf } from './support/fifos.ts';

/** Cases of libevent's own tests, by their names there, with exact virtual time in place of tolerances. */
describe('loop: timers, as libevent tests them', () => {
  it('main/persistent_timeout: an interval fires until the loop exits', async () => {
    const loop = new DrivenLoop();
    const at: number[] = [];
    loop.interval(10, () => {
      at.push(loop.now());
      if (at.length === 6) loop.exit();
    });
    expect(endOf(await loop.until(loop.run()))).to.equal('exit');
    expect(at).to.deep.equal([10, 20, 30, 40, 50, 60]);
  });

  it('main/persistent_timeout_jump: periods that were missed are not made up for', async () => {
    const loop = new DrivenLoop();
    const at: number[] = [];
    loop.interval(100, () => at.push(loop.now()));
    loop.defer(() => {
      loop.virtual.advance(300);
      loop.exit({ afterMs: 50 });
    });
    await loop.until(loop.run());
    expect(at).to.deep.equal([300]);
  });

  it('main/persistent_active_timeout: activity begins a new period, timeouts follow each other', async () => {
    const loop = new DrivenLoop();
    const seen: string[] = [];
    const watcher = loop.watchFd(
      fifo().reader,
      'readable',
      (ready) => {
        seen.push(`${wordsOf(ready)} at ${loop.now()}`);
        if (seen.length === 3) loop.exit();
      },
      { timeoutMs: 200 },
    );
    loop.timer(100, () => watcher.trigger('readable'));
    await loop.until(loop.run());
    expect(seen).to.deep.equal(['readable at 100', 'timeout at 300', 'timeout at 500']);
  });

  it('main/common_timeout: many timers of few durations keep order and period, and are counted', async () => {
    const loop = new DrivenLoop();
    const fired: string[] = [];
    const timers: Timer[] = [];
    for (let index = 0; index < 100; index += 1) {
      const ms = index % 2 === 0 ? 10 : 25;
      timers.push(loop.interval(ms, () => fired.push(`${index}@${loop.now()}`)));
    }
    expect(loop.stats.timersPending).to.equal(100);
    await loop.pass(25);
    const of = (ms: number, first: number): string[] =>
      Array.from({ length: 50 }, (_, index) => `${2 * index + first}@${ms}`);
    expect(fired).to.deep.equal([...of(10, 0), ...of(20, 0), ...of(25, 1)]);
    for (const timer of timers) timer.stop();
    expect(loop.stats.timersPending).to.equal(0);
  });

  it('main/event_once, main/event_once_never: each fires once; one whose time never came does not', async () => {
    const loop = new DrivenLoop();
    const pipe = fifo();
    let called = 0;
    loop.watchFd(pipe.reader, 'readable', () => (called += 1), { once: true });
    pipe.write('x');
    for (let index = 0; index < 1000; index += 1) loop.timer(0, () => (called += 1));
    for (let index = 0; index < 1000; index += 1) loop.defer(() => (called += 1));
    loop.timer(50, () => (called += 100));
    loop.timer(10_000, () => (called = -1));
    loop.exit({ afterMs: 75 });
    await loop.until(loop.run());
    expect(called).to.equal(2101);
    loop.close();
    loop.virtual.advance(20_000);
    await nextIteration();
    expect(called).to.equal(2101);
  });

  for (const [name, sleepMs, resets] of [
    ['main/gettimeofday_cached', 0, false],
    ['main/gettimeofday_cached_sleep', 30, false],
    ['main/gettimeofday_cached_reset', 30, true],
  ] as const) {
    it(`${name}: the time stands still in a turn${resets ? ' until it is asked to move' : ''}`, () => {
      const loop = new DrivenLoop();
      loop.virtual.advance(5);
      expect(loop.now(), 'outside it is the clock').to.equal(5);
      const seen: number[] = [];
      for (let callback = 0; callback < 3; callback += 1) {
        loop.defer(() => {
          seen.push(loop.now());
          loop.virtual.advance(sleepMs);
          seen.push(resets ? loop.updateNow() : loop.now());
        });
      }
      loop.turn();
      expect(seen).to.deep.equal(resets ? [5, 35, 35, 65, 65, 95] : [5, 5, 5, 5, 5, 5]);
      expect(loop.now()).to.equal(5 + 3 * sleepMs);
    });
  }
});

describe('loop: priorities, as libevent tests them', () => {
  for (const [priorities, one, two] of [
    [1, 3, 3],
    [2, 3, 1],
    [3, 3, 0],
  ] as const) {
    it(`main/priorities: with ${priorities}, the urgent one runs ${one} times and the other ${two} times`, async () => {
      const loop = new DrivenLoop({ priorities });
      const counts = { one: 0, two: 0 };
      const start = (name: 'one' | 'two', priority: number): void => {
        const timer = loop.timer(
          0,
          () => {
            counts[name] += 1;
            if (counts[name] === 3) loop.exit();
            else timer.start(0);
          },
          { priority },
        );
      };
      start('one', 0);
      start('two', priorities - 1);
      expect(endOf(await loop.until(loop.run()))).to.equal('exit');
      expect(counts).to.deep.equal({ one, two });
    });
  }

  it('main/priority_active_inversion: what becomes urgent in a callback comes before the rest of the queue', async () => {
    const loop = new DrivenLoop({ priorities: 8 });
    const order: string[] = [];
    const urgent = loop.userEvent(() => order.push('e2'), { priority: 0 });
    const second = loop.userEvent(() => order.push('e1'), { priority: 4 });
    const third = loop.userEvent(() => order.push('e3'), { priority: 4 });
    const first = loop.userEvent(
      () => {
        order.push('e0');
        second.trigger();
        urgent.trigger();
      },
      { priority: 4 },
    );
    first.trigger();
    third.trigger();
    await loop.until(loop.run());
    expect(order).to.deep.equal(['e0', 'e2', 'e3', 'e1']);
  });

  it('main/active_later: what activates itself for later runs once a turn and starves no timer', async () => {
    const loop = new DrivenLoop();
    let runs = 0;
    const again: UserEvent = loop.userEvent(() => {
      runs += 1;
      again.triggerLater();
    });
    again.trigger();
    let firedAfter = -1;
    loop.timer(3, () => {
      firedAfter = runs;
      loop.exit();
    });
    const before = loop.turns;
    const run = loop.run();
    for (let ms = 0; ms < 3; ms += 1) {
      loop.virtual.advance(1);
      await nextIteration();
    }
    const { turns } = await run;
    expect(firedAfter).to.be.above(0);
    expect(runs).to.be.at.most(turns);
    expect(loop.turns - before).to.be.at.least(runs);
  });

  it('thread/deferred_cb_skew: 128 tasks that queue themselves again do not keep a timer from its time', async () => {
    const loop = new DrivenLoop({ callbacksPerTurnMax: 16 });
    let ran = 0;
    for (let index = 0; index < 128; index += 1) {
      const again = (): void => {
        ran += 1;
        loop.defer(again);
      };
      loop.defer(again);
    }
    let firedAt = -1;
    loop.timer(1000, () => (firedAt = loop.now()));
    for (let turn = 0; firedAt < 0 && turn < 2000; turn += 1) {
      const before = ran;
      loop.virtual.advance(1);
      loop.turn();
      expect(ran - before).to.be.at.most(16);
    }
    // The timer waits its turn among the 128, sixteen a turn.
    expect(firedAt).to.be.within(1000, 1009);
  });
});

describe('loop: runs, as libevent tests them', () => {
  it('main/loopexit: ends the run when its time has come', async () => {
    const loop = new DrivenLoop();
    loop.timer(10_000, () => {});
    loop.exit({ afterMs: 300 });
    const result = await loop.until(loop.run());
    expect(result.reason).to.equal('exit');
    expect(loop.now()).to.equal(300);
    expect(loop.lastExit).to.equal('exit');
  });

  it('main/loopexit_multiple: the earliest counts, and the next run is not concerned', async () => {
    const loop = new DrivenLoop();
    const timer = loop.timer(1000, () => {});
    loop.exit({ afterMs: 300 });
    loop.exit({ afterMs: 200 });
    loop.exit({ afterMs: 250 });
    await loop.until(loop.run());
    expect(loop.now()).to.equal(200);
    expect(endOf(await loop.until(loop.run()))).to.equal('idle');
    expect(loop.now()).to.equal(1000);
    expect(timer.pending).to.equal(false);
  });

  it('main/loopbreak: ends the run after the callback that runs now, and the rest stays queued', async () => {
    const loop = new DrivenLoop();
    const order: string[] = [];
    loop.defer(() => {
      order.push('breaks');
      expect(loop.break()).to.equal(true);
    });
    loop.defer(() => order.push('rest'));
    expect(endOf(await loop.run())).to.equal('break');
    expect(order).to.deep.equal(['breaks']);
    expect(loop.lastExit).to.equal('break');
    expect(endOf(await loop.run())).to.equal('idle');
    expect(order).to.deep.equal(['breaks', 'rest']);
    expect(loop.break()).to.equal(false);
  });

  it('main/bad_reentrant: a run inside a run is refused, and the outer one goes on', async () => {
    const loop = new DrivenLoop();
    let inner: Promise<unknown> | undefined;
    loop.defer(() => {
      inner = loop.run().catch((error: unknown) => error);
    });
    expect(endOf(await loop.run())).to.equal('idle');
    const error = await inner;
    expect(error).to.be.instanceOf(ApiMisuse);
    expect((error as ApiMisuse).code).to.equal('SLUICE_CORE_LOOP_REENTRY');
  });

  it('main/want_only_once: a run of one turn leaves the rest of the time alone', async () => {
    const loop = new DrivenLoop();
    const order: string[] = [];
    loop.timer(1, () => order.push('first'));
    loop.timer(5, () => order.push('second'));
    expect(endOf(await loop.until(loop.run({ once: true })))).to.equal('turn');
    expect(order).to.deep.equal(['first']);
    expect(loop.now()).to.equal(1);
  });

  it('thread/no_events: a run that is kept alive waits with nothing to do, and is woken by another thread', async () => {
    const loop = new EventLoop();
    const woken = loop.userEvent(() => loop.exit());
    const run = loop.run({ keepAlive: true });
    const worker = new Worker('require("node:worker_threads").parentPort.postMessage(1)', { eval: true });
    worker.once('message', () => woken.trigger());
    expect(endOf(await run)).to.equal('exit');
    await worker.terminate();
    loop.close();
  });

  it('main/free_active_base: a loop with callbacks queued can be closed, and none of them runs', async () => {
    const loop = new DrivenLoop();
    let ran = 0;
    const event = loop.userEvent(() => (ran += 1));
    event.trigger();
    loop.timer(0, () => (ran += 1));
    loop.watchFd(fifo().writer, 'writable', () => (ran += 1)).trigger('writable');
    const run = loop.run();
    expect(loop.close().map(({ kind }) => kind)).to.have.members(['timer', 'user', 'fd']);
    expect(endOf(await run)).to.equal('closed');
    for (let iteration = 0; iteration < 3; iteration += 1) await nextIteration();
    expect(ran).to.equal(0);
  });
});

describe('loop: watchers and ends, as libevent tests them', () => {
  it('watch/callback_ordering: prepare after all work, check before it, each in order of registration', async () => {
    const loop = new DrivenLoop();
    const order: string[] = [];
    loop.onPrepare(({ timeoutMs }) => order.push(`prepare 1 (${timeoutMs})`));
    const once = loop.onPrepare(() => {
      order.push('prepare 2');
      once.unsubscribe();
    });
    loop.onCheck(() => order.push('check 1'));
    loop.onCheck(() => order.push('check 2'));
    loop.timer(1000, () => order.push('timer'));
    loop.defer(() => order.push('deferred'));
    const run = loop.run();
    await nextIteration();
    expect(order).to.deep.equal(['check 1', 'check 2', 'deferred', 'prepare 1 (1000)', 'prepare 2']);
    order.length = 0;
    await loop.until(run);
    expect(order).to.deep.equal(['check 1', 'check 2', 'timer', 'prepare 1 (undefined)']);
  });

  it('watch/timeout_unavailable: without a timer there is no time to tell', async () => {
    const loop = new DrivenLoop();
    const seen: (number | undefined)[] = [];
    loop.onPrepare(({ timeoutMs }) => seen.push(timeoutMs));
    loop.defer(() => {});
    await loop.pass(0);
    expect(seen).to.deep.equal([undefined]);
  });

  it('a watcher that ends itself or another one in its callback does not disturb the round', async () => {
    const loop = new DrivenLoop();
    const order: string[] = [];
    const first = loop.onCheck(() => {
      order.push('first');
      first.unsubscribe();
      third.unsubscribe();
      loop.onCheck(() => order.push('added'));
    });
    loop.onCheck(() => order.push('second'));
    const third = loop.onCheck(() => order.push('third'));
    for (let turn = 0; turn < 2; turn += 1) {
      loop.defer(() => {});
      await loop.pass(0);
    }
    expect(order).to.deep.equal(['first', 'second', 'second', 'added']);
  });

  it('finalize/cb_invoked, finalize/free_finalize: closing drops the callback that is queued, and tells from the loop', async () => {
    const loop = new DrivenLoop();
    let ran = 0;
    for (const close of [
      () => {
        const event = loop.userEvent(() => (ran += 1));
        event.trigger();
        return event;
      },
      () => {
        const watcher = loop.watchFd(fifo().writer, 'writable', () => (ran += 1));
        watcher.trigger('writable');
        return watcher;
      },
      () => {
        const signal = loop.signal('SIGUSR2', () => (ran += 1));
        process.emit('SIGUSR2', 'SIGUSR2');
        return signal;
      },
    ]) {
      const event = close();
      expect(event.pending).to.equal(true);
      const done = event.close();
      expect(event.close()).to.equal(done);
      expect(event.pending).to.equal(false);
      let told = false;
      void done.then(() => (told = true));
      await Promise.resolve();
      expect(told).to.equal(false);
      await done;
    }
    expect(ran).to.equal(0);
    expect(loop.handles()).to.deep.equal([]);
  });

  it('finalize/within_cb: closed in its own callback, it is told after that, and nothing follows', async () => {
    const loop = new DrivenLoop();
    const order: string[] = [];
    const event = loop.userEvent(() => {
      order.push('callback');
      void event.close().then(() => order.push('closed'));
      order.push('callback ends');
    });
    event.trigger();
    await loop.pass(1);
    expect(order).to.deep.equal(['callback', 'callback ends', 'closed']);
  });

  it('finalize/debug_use_after_free: what is closed says so when it is used', async () => {
    const loop = new DrivenLoop();
    const event = loop.userEvent(() => {}, { name: 'flusher' });
    const watcher = loop.watchFd(fifo().reader, 'readable', () => {});
    const signal = loop.signal('SIGUSR2');
    await Promise.all([event.close(), watcher.close(), signal.close()]);
    expect(() => event.trigger()).to.throw(ApiMisuse, /trigger: flusher is closed/);
    expect(() => watcher.start()).to.throw(ApiMisuse, /start: fd \d+ is closed/);
    expect(() => signal.start()).to.throw(ApiMisuse, /start: SIGUSR2 is closed/);
    expect(process.listenerCount('SIGUSR2')).to.equal(0);
  });

  for (const kind of ['timer', 'user', 'fd', 'signal', 'deferred', 'prepare', 'check'] as const) {
    it(`a loop that is closed in the callback of a ${kind} ends there, with everything on it`, async () => {
      const loop = new DrivenLoop();
      let calls = 0;
      let later = 0;
      const close = (): void => {
        calls += 1;
        loop.close();
        loop.defer(() => (later += 1));
      };
      if (kind === 'timer') loop.interval(1, close);
      else if (kind === 'user') loop.userEvent(close).trigger();
      else if (kind === 'fd') loop.watchFd(fifo().writer, 'writable', close);
      else if (kind === 'signal') loop.signal('SIGUSR2', close);
      else if (kind === 'deferred') loop.defer(close);
      else if (kind === 'prepare') loop.onPrepare(close);
      else loop.onCheck(close);
      if (kind === 'signal') process.emit('SIGUSR2', 'SIGUSR2');
      loop.timer(1, () => {});
      const run = loop.run();
      expect(endOf(await loop.until(run))).to.equal('closed');
      await loop.pass(5);
      expect([calls, later]).to.deep.equal([1, 0]);
      expect(loop.uncaughtErrors).to.deep.equal([]);
      expect(process.listenerCount('SIGUSR2')).to.equal(0);
    });
  }
});
