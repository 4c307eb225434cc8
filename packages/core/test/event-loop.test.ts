import { once } from 'node:events';
import net from 'node:net';
import { ApiMisuse } from '@sluice/errors';
import { expect } from 'chai';
import { EventLoop, type LoopMember } from '../src/event-loop.ts';
import { serve } from '../src/index.ts';
import { TestLoop } from '../src/testing/index.ts';
import { DrivenLoop, iterationsUntil, nextIteration } from './support/driven-loop.ts';

class Member implements LoopMember {
  readonly log: string[];
  readonly onDeliver: () => void;
  constructor(log: string[], onDeliver: () => void = () => {}) {
    this.log = log;
    this.onDeliver = onDeliver;
  }
  _deliver(): void {
    this.log.push('deliver');
    this.onDeliver();
  }
  _flush(): void {
    this.log.push('flush');
  }
}

describe('EventLoop', () => {
  it('delivers, then runs deferred tasks, then flushes', () => {
    const loop = new TestLoop();
    const log: string[] = [];
    const member = new Member(log);
    loop.markDirty(member);
    loop.defer(() => log.push('deferred'));
    loop.activate(member);
    loop.turn();
    expect(log).to.deep.equal(['deliver', 'deferred', 'flush']);
    expect(loop.pending).to.equal(false);
  });

  it('asks the scheduler for one turn, however much is queued, and for none inside a turn', () => {
    let asked = 0;
    let run = (): void => {};
    const loop = new EventLoop({
      schedule: (turn) => {
        asked += 1;
        run = turn;
      },
    });
    loop.defer(() => {});
    loop.defer(() => loop.markDirty(new Member([])));
    loop.activate(new Member([]));
    expect(asked).to.equal(1);
    run();
    expect(asked).to.equal(1);
    expect(loop.pending).to.equal(false);
    loop.close();
  });

  it('delivers a member that is activated by a delivery in the same turn, but never without end', () => {
    const loop = new TestLoop();
    const log: string[] = [];
    const upper = new Member(log);
    loop.activate(new Member(log, () => loop.activate(upper)));
    loop.turn();
    expect(log).to.deep.equal(['deliver', 'deliver']);

    let count = 0;
    const endless: Member = new Member([], () => {
      count += 1;
      loop.activate(endless);
    });
    loop.activate(endless);
    loop.turn();
    expect(count).to.be.within(1, 32);
    expect(loop.pending).to.equal(true);
  });

  it('flushes a transport that a flush makes dirty in the same turn, but not without end', () => {
    const loop = new TestLoop();
    const log: string[] = [];
    const dirtying = (name: string, ...others: LoopMember[]): LoopMember => ({
      _deliver() {},
      _flush() {
        log.push(name);
        for (const other of others) loop.markDirty(other);
      },
    });
    const transport = dirtying('transport');
    loop.markDirty(dirtying('layer', dirtying('layer below', transport)));
    loop.turn();
    expect(log).to.deep.equal(['layer', 'layer below', 'transport']);
    expect(loop.pending).to.equal(false);

    log.length = 0;
    const again: LoopMember = {
      ...transport,
      _flush() {
        log.push('again');
        loop.markDirty(again);
      },
    };
    loop.markDirty(again);
    loop.markDirty(transport);
    loop.turn();
    const flushes = log.length;
    expect(flushes).to.be.within(2, 100);
    expect(log.slice(0, 3)).to.deep.equal(['again', 'transport', 'again']);
    expect([loop.pending, loop.stats.flushes]).to.deep.equal([true, 3 + flushes]);
    // Others have their part between.
    loop.defer(() => log.push('deferred'));
    loop.turn();
    expect(log[flushes]).to.equal('deferred');
  });

  it('runs at most callbacksPerTurnMax deferred tasks in a turn, in order', () => {
    const loop = new TestLoop({ callbacksPerTurnMax: 3 });
    const ran: number[] = [];
    for (let task = 0; task < 7; task += 1) loop.defer(() => ran.push(task));
    loop.turn();
    expect(ran).to.deep.equal([0, 1, 2]);
    loop.settle();
    expect(ran).to.deep.equal([0, 1, 2, 3, 4, 5, 6]);
  });

  it('goes on after a deferred task or timer that throws, and reports it', () => {
    const loop = new TestLoop();
    const ran: string[] = [];
    const failure = new Error('of the user');
    loop.defer(() => {
      throw failure;
    });
    loop.defer(() => ran.push('after'));
    loop.timer(5, () => {
      throw failure;
    });
    loop.timer(5, () => ran.push('timer'));
    loop.advance(5);
    expect(ran).to.deep.equal(['after', 'timer']);
    expect(loop.uncaughtErrors).to.deep.equal([failure, failure]);
  });

  it('keeps now() still within a turn', () => {
    const loop = new TestLoop();
    const seen: number[] = [];
    loop.timer(10, () => {
      seen.push(loop.now());
      loop.virtual.advance(5);
      seen.push(loop.now());
    });
    loop.advance(10);
    expect(seen).to.deep.equal([10, 10]);
    expect(loop.now()).to.equal(15);
  });

  it('ignores a turn within a turn', () => {
    const loop = new TestLoop();
    const log: string[] = [];
    loop.defer(() => {
      loop.turn();
      log.push('outer');
    });
    loop.activate(new Member(log));
    loop.turn();
    expect(log).to.deep.equal(['deliver', 'outer']);
    expect(loop.stats.turns).to.equal(1);
  });

  it('runs what is more urgent than the middle before it delivers, the rest after, and delivers in every turn', () => {
    const loop = new TestLoop({ priorities: 3 });
    const log: string[] = [];
    for (const priority of [2, 1, 0]) loop.defer(() => log.push(`${priority}`), priority);
    const member: Member = new Member(log);
    for (let turn = 0; turn < 3; turn += 1) {
      loop.activate(member);
      loop.turn();
      log.push('|');
    }
    expect(log.join(' ')).to.equal('0 deliver | deliver 1 | deliver 2 |');
    expect(loop.defaultPriority).to.equal(1);
    expect(() => loop.defer(() => {}, 3)).to.throw(/0 \(most urgent\) to 2/);
  });

  it('lets input that waited in the kernel come before the deadline that passed meanwhile', async () => {
    // Turns come from the system alone: the deadline passes between the bytes and the poll that finds them.
    const loop = new DrivenLoop({ schedule: () => {} });
    const seen: string[] = [];
    const server = await serve(
      { port: 0, host: '127.0.0.1', loop, timeouts: { idleMs: 30 } },
      { data: (bev) => seen.push(bev.read().toString()), closed: (_bev, report) => seen.push(report.code ?? '') },
    );
    const client = net.connect([...server.listening][0]?.address.port ?? 0, '127.0.0.1');
    await once(server as never, 'connection');
    client.write('in time');
    loop.virtual.advance(30);
    await iterationsUntil(() => seen.length > 0);
    expect(seen).to.deep.equal(['in time']);
    expect([...server.connections].map(({ closed }) => closed)).to.deep.equal([undefined]);
    client.destroy();
  });

  it('queues nothing and starts no timer once it is closed', async () => {
    const loop = new DrivenLoop();
    loop.close();
    let ran = false;
    loop.defer(() => (ran = true));
    loop.deferNext(() => (ran = true));
    expect(() => loop.timer(0, () => (ran = true)))
      .to.throw(ApiMisuse)
      .with.property('code', 'SLUICE_CORE_LOOP_CLOSED');
    expect(() => loop.interval(1, () => (ran = true))).to.throw(ApiMisuse, /closed/);
    expect([loop.pending, loop.alive, loop.closed]).to.deep.equal([false, false, true]);
    await nextIteration();
    expect(ran).to.equal(false);
  });

  it('forgets everything when closed', () => {
    const loop = new TestLoop();
    let ran = false;
    loop.timer(1, () => {
      ran = true;
    });
    loop.defer(() => {
      ran = true;
    });
    loop.close();
    loop.close();
    loop.virtual.advance(10);
    loop.turn();
    expect(ran).to.equal(false);
    expect(loop.virtual.pending).to.equal(0);
  });

  it('has one default loop until that is closed', () => {
    const loop = EventLoop.default;
    expect(EventLoop.default).to.equal(loop);
    loop.close();
    expect(EventLoop.default).not.to.equal(loop);
    EventLoop.default.close();
  });

  it('calls a real timer once its time has come, from a turn', (done) => {
    const loop = new EventLoop();
    const from = performance.now();
    loop.timer(3, () => {
      expect(loop.inTurn).to.equal(true);
      expect(performance.now() - from).to.be.at.least(3);
      loop.close();
      done();
    });
  });
});
