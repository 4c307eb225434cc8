import { expect } from 'chai';
import { TimerQueue, Timer } from '../src/timer.ts';
import { VirtualClock } from '../src/testing/index.ts';

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
});
