import { ApiMisuse } from '@sluice/errors';
import { expect } from 'chai';
import { TimerQueue, Timer } from '../src/timer.ts';
import { TestLoop, VirtualClock } from '../src/testing/index.ts';

describe('TimerQueue', () => {
  function queue() {
    const clock = new VirtualClock();
    const ran: string[] = [];
    const timers: TimerQueue = new TimerQueue(clock, () => timers.expire(clock.now()));
    const timer = (name: string, ref = true) => new Timer(timers, () => ran.push(name), ref);
    return { clock, ran, timers, timer };
  }

  it('runs timers by deadline, and equal deadlines in the order of starting', () => {
    const { clock, ran, timer } = queue();
    timer('c').start(30);
    timer('a').start(10);
    timer('b1').start(20);
    timer('b2').start(20);
    clock.advance(25);
    expect(ran).to.deep.equal(['a', 'b1', 'b2']);
    clock.advance(5);
    expect(ran).to.deep.equal(['a', 'b1', 'b2', 'c']);
  });

  it('replaces the deadline on restart, earlier or later', () => {
    const { clock, ran, timer } = queue();
    const a = timer('a').start(10);
    const b = timer('b').start(50);
    a.start(40);
    b.start(5);
    clock.advance(39);
    expect(ran).to.deep.equal(['b']);
    clock.advance(1);
    expect(ran).to.deep.equal(['b', 'a']);
  });

  it('does not run a stopped timer, and one that was stopped by an earlier one of the same expiry', () => {
    const { clock, ran, timers, timer } = queue();
    const victim = timer('victim');
    new Timer(timers, () => victim.stop(), true).start(10);
    victim.start(10);
    const other = timer('other').start(10);
    other.stop();
    clock.advance(100);
    expect(ran).to.deep.equal([]);
    expect(timers.length).to.equal(0);
    expect(clock.pending).to.equal(0);
  });

  it('lets a timer that restarts itself with no delay wait for the next expiry', () => {
    const clock = new VirtualClock();
    let runs = 0;
    const timers: TimerQueue = new TimerQueue(clock, () => {});
    const again: Timer = new Timer(
      timers,
      () => {
        runs += 1;
        again.start(0);
      },
      true,
    );
    again.start(0);
    expect(timers.expire(clock.now())).to.equal(1);
    expect(runs).to.equal(1);
    expect(timers.expire(clock.now())).to.equal(1);
    expect(runs).to.equal(2);
  });

  it('asks the clock for one wake-up only, the earliest', () => {
    const { clock, timer } = queue();
    for (let delay = 1000; delay > 0; delay -= 10) timer(`${delay}`).start(delay);
    expect(clock.pending).to.equal(1);
  });

  it('keeps order and count through 20,000 random starts, restarts and stops (seed 7)', () => {
    const { clock, timers } = queue();
    let seed = 7;
    const random = (n: number) => {
      seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
      return seed % n;
    };
    const due = new Map<Timer, number>();
    let last = 0;
    const all = Array.from({ length: 200 }, () => {
      const timer: Timer = new Timer(
        timers,
        () => {
          expect(clock.now()).to.be.at.least(due.get(timer) as number);
          expect(due.get(timer)).to.be.at.least(last);
          last = due.get(timer) as number;
          due.delete(timer);
        },
        true,
      );
      return timer;
    });
    for (let step = 0; step < 20_000; step += 1) {
      const timer = all[random(all.length)] as Timer;
      if (random(4) === 0) {
        timer.stop();
        due.delete(timer);
      } else {
        const delay = random(500);
        due.set(timer, clock.now() + delay);
        timer.start(delay);
      }
      last = clock.now();
      if (random(10) === 0) clock.advance(random(50));
      expect(timers.length).to.equal(due.size);
    }
    clock.advance(1000);
    expect(due.size).to.equal(0);
  });

  it('repeats without drift: each deadline is the one before it plus the interval', () => {
    const clock = new VirtualClock();
    const at: number[] = [];
    const timers: TimerQueue = new TimerQueue(clock, () => {});
    const timer: Timer = new Timer(timers, () => at.push(timer.deadline), true).repeat(10);
    // Each look comes a little late.
    for (let look = 0; look < 5; look += 1) {
      clock.advance(10 + (look % 3));
      timers.expire(clock.now());
    }
    expect(at).to.deep.equal([20, 30, 40, 50, 60]);
    expect(timer.intervalMs).to.equal(10);
  });

  it('does not make up for what it missed: it goes on an interval from now', () => {
    const clock = new VirtualClock();
    let runs = 0;
    const timers: TimerQueue = new TimerQueue(clock, () => {});
    const timer: Timer = new Timer(timers, () => (runs += 1), true).repeat(10);
    clock.advance(57);
    timers.expire(clock.now());
    expect([runs, timer.deadline]).to.deep.equal([1, 67]);
    clock.advance(20);
    timers.expire(clock.now());
    // The deadline after 67 would be now: that is no time to catch up, either.
    expect([runs, timer.deadline]).to.deep.equal([2, 87]);
  });

  it('begins a new interval or delay by refresh, and a first one that differs by repeat', () => {
    const { clock, ran, timer } = queue();
    const once = timer('once').start(20);
    const every = timer('every').repeat(20, 5);
    clock.advance(5);
    expect([ran, every.remainingMs]).to.deep.equal([['every'], 20]);
    clock.advance(10);
    once.refresh();
    every.refresh();
    expect([once.deadline, every.deadline]).to.deep.equal([35, 35]);
    expect(once.intervalMs).to.equal(undefined);
    every.start(1);
    clock.advance(50);
    expect(ran).to.deep.equal(['every', 'every', 'once']);
  });

  it('refuses delays that are no time', () => {
    const { timer } = queue();
    expect(() => timer('a').start(Number.NaN)).to.throw(ApiMisuse, /NaN/);
    for (const wrong of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => timer('b').repeat(wrong)).to.throw(ApiMisuse, `above 0, not ${wrong}`);
    }
  });

  it('hands what is due to its queue, from which stop and start take it back', () => {
    const clock = new VirtualClock();
    const posted: Timer[] = [];
    const removed: Timer[] = [];
    const list = {} as NonNullable<Timer['_list']>;
    const timers: TimerQueue = new TimerQueue(clock, () => timers.expire(clock.now()), {
      post: (timer) => {
        timer._list = list;
        posted.push(timer);
      },
      remove: (timer) => {
        timer._list = undefined;
        return removed.push(timer) > 0;
      },
      dropped: () => {},
      checkPriority: (priority) => priority,
    });
    let runs = 0;
    const [first, second] = [0, 0].map((priority) => new Timer(timers, () => (runs += 1), true, priority));
    first?.start(1);
    second?.start(1);
    clock.advance(1);
    expect(posted).to.deep.equal([first, second]);
    expect([first?.pending, runs]).to.deep.equal([true, 0]);
    first?.stop();
    second?.start(5);
    expect(removed).to.deep.equal([first, second]);
    expect([first?.pending, second?.pending, second?.deadline]).to.deep.equal([false, true, 6]);
  });

  it('has a priority that can be set while it is not queued, if queues delay it at all', () => {
    const loop = new TestLoop({ priorities: 3 });
    const ran: string[] = [];
    const [first, second] = ['first', 'second'].map((name) => loop.timer(1, () => ran.push(name)));
    expect([first?.priority, loop.timer(9, () => {}, { priority: 2 }).priority]).to.deep.equal([1, 2]);
    (second as Timer).priority = 0;
    for (const wrong of [3, -1, Number.NaN]) {
      expect(() => Object.assign(first as Timer, { priority: wrong })).to.throw(ApiMisuse, `not ${wrong}`);
    }
    loop.defer(() => {
      // Both are due, and the second is urgent: its queue is empty by now.
      expect(() => Object.assign(first as Timer, { priority: 0 })).to.throw(ApiMisuse, 'queued');
    }, 1);
    loop.virtual.advance(1);
    loop.settle();
    expect(ran).to.deep.equal(['second', 'first']);
    expect(loop.uncaughtErrors).to.deep.equal([]);
    const limit = loop.idleTimer(() => {});
    expect(limit.priority).to.equal(undefined);
    expect(() => Object.assign(limit, { priority: 0 })).to.throw(ApiMisuse, 'no priority');
  });

  it('starts nothing once it is closed', () => {
    const { clock, ran, timers, timer } = queue();
    timer('a').start(1);
    timers.close();
    timer('b').start(1);
    clock.advance(5);
    expect([ran, timers.length, clock.pending]).to.deep.equal([[], 0, 0]);
  });
});
