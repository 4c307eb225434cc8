import { once } from 'node:events';
import net from 'node:net';
import { ApiMisuse } from '@sluice/errors';
import { expect } from 'chai';
import { DrivenLoop, endOf, iterationsUntil, nextIteration } from './support/driven-loop.ts';
import { fifo, fifos, wordsOf } from './support/fifos.ts';

describe('loop: events, as libevent tests them', () => {
  it('main/event_remove_timeout: ends the timeout and leaves the rest', async () => {
    const loop = new DrivenLoop();
    const pipe = fifo();
    const seen: string[] = [];
    const watcher = loop.watchFd(pipe.reader, 'readable', (ready) => seen.push(wordsOf(ready)), {
      timeoutMs: 20,
      once: true,
    });
    expect(watcher.deadline).to.equal(20);
    watcher.setTimeout(null);
    expect(watcher.deadline).to.equal(undefined);
    await loop.pass(40);
    expect(seen).to.deep.equal([]);
    expect(watcher.pending).to.equal(true);
    pipe.write('x');
    await iterationsUntil(() => seen.length > 0);
    expect(seen).to.deep.equal(['readable']);
  });

  it('main/event_timeout_lost: readiness and timeout of one turn come in one callback', async () => {
    const loop = new DrivenLoop({ schedule: () => {} });
    const pipe = fifo();
    const seen: string[] = [];
    loop.watchFd(pipe.reader, 'readable', (ready) => seen.push(wordsOf(ready)), { timeoutMs: 20, once: true });
    pipe.write('x');
    // The deadline passes before the system is asked.
    loop.virtual.advance(20);
    await iterationsUntil(() => seen.length > 0);
    expect(seen).to.deep.equal(['readable timeout']);
  });

  it('main/nonpersist_readd: a single watcher that starts itself again runs again', async () => {
    const loop = new DrivenLoop();
    const pipe = fifo();
    pipe.write('x');
    let calls = 0;
    loop.watchFd(
      pipe.reader,
      'readable',
      (_ready, watcher) => {
        expect(watcher.pending).to.equal(false);
        calls += 1;
        if (calls === 1) watcher.start();
      },
      { once: true },
    );
    expect(endOf(await loop.until(loop.run()))).to.equal('idle');
    expect(calls).to.equal(2);
  });

  it('main/multiple_events_for_same_fd: each watcher of a descriptor is told, of what it wants', async () => {
    const loop = new DrivenLoop();
    const pipe = fifo();
    const seen: string[] = [];
    const options = { once: true };
    loop.watchFd(pipe.reader, 'readable', (ready) => seen.push(`a ${wordsOf(ready)}`), options);
    loop.watchFd(pipe.reader, ['readable', 'disconnect'], (ready) => seen.push(`b ${wordsOf(ready)}`), options);
    loop.watchFd(pipe.writer, 'writable', (ready) => seen.push(`c ${wordsOf(ready)}`), options);
    pipe.write('x');
    expect(endOf(await loop.until(loop.run()))).to.equal('idle');
    expect(seen).to.have.members(['a readable', 'b readable', 'c writable']);
  });

  it('main/many_events: 70 descriptors are watched at once, and each is told', async () => {
    const loop = new DrivenLoop();
    const told = new Set<number>();
    const pipes = fifos(70);
    for (const [index, { reader }] of pipes.entries()) {
      loop.watchFd(reader, 'readable', () => told.add(index), { once: true });
    }
    for (const pipe of pipes) pipe.write('x');
    expect(endOf(await loop.until(loop.run()))).to.equal('idle');
    expect(told.size).to.equal(70);
  });

  it('main/manipulate_active_events: what is stopped while queued does not run, what is added does', async () => {
    const loop = new DrivenLoop();
    const order: string[] = [];
    const victim = loop.userEvent(() => order.push('victim'));
    const timer = loop.timer(0, () => order.push('timer'));
    const late = loop.userEvent(() => order.push('late'));
    loop.defer(() => {
      expect(victim.pending).to.equal(true);
      victim.stop();
      timer.stop();
      late.trigger();
    });
    victim.trigger();
    await loop.until(loop.run());
    expect(order).to.deep.equal(['late']);
    expect(victim.pending).to.equal(false);
  });

  it('main/event_pending: says what can still come, and when', async () => {
    const loop = new DrivenLoop();
    const timer = loop.timer(30, () => {});
    const watcher = loop.watchFd(fifo().reader, 'readable', () => {}, { timeoutMs: 50 });
    const signal = loop.signal('SIGUSR2');
    await loop.pass(10);
    expect([timer.pending, timer.deadline, timer.remainingMs]).to.deep.equal([true, 30, 20]);
    expect([watcher.pending, watcher.deadline]).to.deep.equal([true, 50]);
    expect(signal.pending).to.equal(true);
    timer.stop();
    watcher.stop();
    signal.stop();
    expect([timer.pending, timer.remainingMs, watcher.pending, watcher.deadline]).to.deep.equal([
      false,
      undefined,
      false,
      undefined,
    ]);
    expect(signal.pending).to.equal(false);
  });

  it('main/event_base_get_num_events, main/event_base_get_max_events: counts, and peaks until they are reset', async () => {
    const loop = new DrivenLoop();
    const timers = [1, 2, 3].map((ms) => loop.timer(ms, () => {}));
    const user = loop.userEvent(() => {});
    user.trigger();
    loop.defer(() => {});
    expect(loop.stats).to.include({ timersPending: 3, callbacksQueued: 2 });
    expect(loop.handles().map(({ kind }) => kind)).to.deep.equal(['timer', 'timer', 'timer', 'user']);
    await loop.pass(3);
    expect(timers.map(({ pending }) => pending)).to.deep.equal([false, false, false]);
    expect(loop.stats).to.include({ timersPending: 0, callbacksQueued: 0, timersPendingMax: 3, callbacksQueuedMax: 2 });
    expect(loop.stats).to.include({ callbacksRun: 5, timersRun: 3 });
    loop.resetPeaks();
    expect(loop.stats).to.include({ timersPendingMax: 0, callbacksQueuedMax: 0 });
    const hold = loop.ref();
    const two = [loop.timer(5, () => {}), loop.timer(5, () => {}).unref()];
    expect(loop.stats).to.include({ eventsOpen: 1, holds: 2, timersPending: 2 });
    void user.close();
    hold.unref();
    for (const timer of two) timer.stop();
    expect(loop.stats).to.include({ eventsOpen: 0, holds: 0, timersPending: 0 });
  });

  it('main/bad_assign: what makes no sense is refused with its reason, and leaves nothing behind', () => {
    const loop = new DrivenLoop();
    const { reader } = fifo();
    expect(() => loop.watchFd(reader, [], () => {})).to.throw(ApiMisuse, /an empty list/);
    expect(() => loop.watchFd(reader, 'signal' as 'readable', () => {})).to.throw(ApiMisuse, /signal is nothing/);
    expect(() => loop.watchFd(-1, 'readable', () => {})).to.throw(ApiMisuse, /-1 is not a file descriptor/);
    expect(() => loop.signal('SIGKILL')).to.throw(ApiMisuse, /SIGKILL/);
    expect(() => loop.userEvent(() => {}, { priority: 1 })).to.throw(ApiMisuse, /0 \(most urgent\) to 0, not 1/);
    expect(() => loop.timer(Number.NaN, () => {})).to.throw(ApiMisuse, /NaN/);
    expect(() => loop.interval(0, () => {})).to.throw(ApiMisuse, /above 0/);
    expect(loop.handles()).to.deep.equal([]);
  });

  it('main/event_foreach, main/get_assignment: the list of what is open is a snapshot of plain values', () => {
    const loop = new DrivenLoop({ priorities: 3 });
    const { reader } = fifo();
    loop.watchFd(reader, ['readable', 'disconnect'], () => {}, { priority: 2, timeoutMs: 40 });
    loop.timer(7, () => {}, { priority: 0 }).unref();
    const user = loop.userEvent(() => {}, { name: 'wake up' });
    const handles = loop.handles();
    void user.close();
    expect(handles).to.deep.equal([
      { kind: 'timer', name: 'timer', hasRef: false, pending: true, priority: 0, deadline: 7 },
      { kind: 'fd', name: `fd ${reader} readable disconnect`, hasRef: true, pending: true, priority: 2, deadline: 40 },
      { kind: 'user', name: 'wake up', hasRef: false, pending: false, priority: 1 },
    ]);
    expect(handles.find(({ kind }) => kind === 'user')?.name).to.equal('wake up');
  });

  it('main/active_by_fd: a descriptor can be declared ready, for the watcher that it concerns', async () => {
    const loop = new DrivenLoop();
    const pipe = fifo();
    const seen: string[] = [];
    const watcher = loop.watchFd(pipe.reader, 'readable', (ready) => seen.push(`one ${wordsOf(ready)}`));
    loop.watchFd(pipe.reader, 'readable', (ready) => seen.push(`other ${wordsOf(ready)}`));
    watcher.trigger(['readable', 'disconnect']);
    watcher.trigger('readable');
    await loop.pass(0);
    expect(seen).to.deep.equal(['one readable disconnect']);
  });

  for (const [how, persist] of [
    ['close', false],
    ['close', true],
    ['shutdown', false],
    ['shutdown', true],
  ] as const) {
    it(`main/simpleclose_${how}${persist ? '_persist' : ''}: the peer's end is seen without reading what it sent`, async () => {
      const loop = new DrivenLoop();
      const server = net.createServer({ pauseOnConnect: true, allowHalfOpen: true }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const client = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1');
      const [socket] = (await once(server, 'connection')) as [net.Socket & { _handle: { fd: number } }];
      const seen: string[] = [];
      loop.watchFd(
        socket._handle.fd,
        'disconnect',
        (ready, watcher) => {
          seen.push(wordsOf(ready));
          if (seen.length === (persist ? 3 : 1)) watcher.stop();
        },
        { once: !persist },
      );
      client.write('never read');
      await nextIteration();
      expect(seen).to.deep.equal([]);
      if (how === 'close') client.destroy();
      else client.end();
      await loop.run();
      expect(seen).to.deep.equal(Array.from({ length: persist ? 3 : 1 }, () => 'disconnect'));
      client.destroy();
      socket.destroy();
      server.close();
    });
  }
});

describe('loop: signals, as libevent tests them', () => {
  it('signal/signal_free_in_callback: two are on their way, the first callback ends the watcher', async () => {
    const loop = new DrivenLoop();
    let calls = 0;
    const watcher = loop.signal('SIGUSR2', () => {
      calls += 1;
      void watcher.close();
      process.emit('SIGUSR2', 'SIGUSR2');
    });
    const other = loop.signal('SIGUSR2');
    process.kill(process.pid, 'SIGUSR2');
    process.kill(process.pid, 'SIGUSR2');
    await iterationsUntil(() => calls > 0);
    for (let iteration = 0; iteration < 5; iteration += 1) await nextIteration();
    expect(calls).to.equal(1);
    await other.close();
  });

  it('signal/immediatesignal: one that is raised in a callback comes to the loop', async () => {
    const loop = new DrivenLoop();
    let inTurn = false;
    const watcher = loop.signal('SIGUSR2', () => {
      inTurn = loop.inTurn;
      loop.exit();
    });
    loop.defer(() => process.kill(process.pid, 'SIGUSR2'));
    expect(endOf(await loop.run({ keepAlive: true }))).to.equal('exit');
    expect(inTurn).to.equal(true);
    await watcher.close();
    expect(process.listenerCount('SIGUSR2')).to.equal(0);
  });

  it('signal/signal_while_processing: one that comes during a callback of its own brings another callback', async () => {
    const loop = new DrivenLoop();
    const times: number[] = [];
    loop.signal('SIGUSR2', (_signal, count) => {
      times.push(count);
      if (times.length === 1) process.kill(process.pid, 'SIGUSR2');
      else loop.exit();
    });
    process.emit('SIGUSR2', 'SIGUSR2');
    process.emit('SIGUSR2', 'SIGUSR2');
    await loop.run({ keepAlive: true });
    expect(times).to.deep.equal([2, 1]);
  });
});
