import { AbortedError, ApiMisuse, LimitError, SluiceError, TimeoutError } from '@sluice/errors';
import { expect } from 'chai';
import { firstValueFrom } from 'rxjs';
import type { BufferEvent, CloseReport, ConnectionOptions } from '../src/index.ts';
import { PairBufferEvent, Suspend, suspendReasons } from '../src/index.ts';
import { link, TestLoop } from '../src/testing/index.ts';

const NO_TIMEOUTS = { idleMs: Number.POSITIVE_INFINITY, writeMs: Number.POSITIVE_INFINITY };

function pair(options: ConnectionOptions = {}, second: ConnectionOptions = options) {
  const loop = new TestLoop();
  const [a, b] = PairBufferEvent.create(loop, options, second);
  return { loop, a, b };
}

/** Notes every event of a BufferEvent by name, with what tells it apart. */
function record(bev: BufferEvent, log: string[] = [], take = true): string[] {
  bev.on('connected', () => log.push('connected'));
  bev.on('data', () => log.push(take ? `data ${bev.read().toString()}` : `data ${bev.input.length}`));
  bev.on('drained', () => log.push('drained'));
  bev.on('end', () => log.push('end'));
  bev.on('closed', (report) => log.push(`closed ${report.end} ${report.direction}`));
  return log;
}

describe('BufferEvent', () => {
  it('delivers connected, data, end and closed in this order, each once, from the loop only', () => {
    const { loop, a, b } = pair();
    const log = record(b);
    a.write('one ');
    a.write('two');
    a.end();
    expect(log).to.deep.equal([]);
    loop.settle();
    expect(log).to.deep.equal(['connected', 'data one two', 'end', 'closed end both']);
  });

  it('calls shared handlers as well as listeners, handlers first', () => {
    const { loop, a, b } = pair();
    const log: string[] = [];
    b.setHandlers({
      connected: () => log.push('handler connected'),
      data: (bev) => log.push(`handler ${bev.input.length}`),
      end: () => log.push('handler end'),
      closed: (_bev, report) => log.push(`handler closed ${report.end}`),
    });
    record(b, log);
    a.write('abc');
    a.end();
    loop.settle();
    expect(log).to.deep.equal([
      'handler connected',
      'connected',
      'handler 3',
      'data abc',
      'handler end',
      'end',
      'handler closed end',
      'closed end both',
    ]);
  });

  it('runs no callback inside a call of the user, whatever the user calls in a callback', () => {
    const { loop, a, b } = pair();
    let depth = 0;
    let deepest = 0;
    for (const bev of [a, b]) {
      for (const event of ['connected', 'data', 'drained', 'end', 'closed'] as const) {
        bev.on(event, () => {
          depth += 1;
          deepest = Math.max(deepest, depth);
          if (bev.writable) bev.write('x');
          bev.pause();
          bev.resume();
          if (event === 'data' && bev.bytesIn > 10) void bev.close();
          bev.read();
          depth -= 1;
        });
      }
    }
    a.write('go');
    loop.settle();
    expect(deepest).to.equal(1);
    expect(a.closed?.end).to.equal('end');
  });

  it('answers write by the high watermark, and tells once output has drained to the low one', () => {
    const { loop, a, b } = pair({ watermarks: { read: { high: 10 }, write: { low: 5, high: 20, cap: 40 } } });
    const log: string[] = [];
    a.on('drained', () => log.push(`drained ${a.output.length}`));
    b.pause();
    expect(a.write('x'.repeat(19))).to.equal(true);
    expect(a.write('x')).to.equal(false);
    loop.settle();
    expect(log).to.deep.equal([]);
    b.resume();
    loop.settle();
    expect(a.output.length).to.equal(10);
    expect(log).to.deep.equal([]);
    b.read(5);
    loop.settle();
    expect(log).to.deep.equal(['drained 5']);
    b.read();
    loop.settle();
    expect(log).to.deep.equal(['drained 5']);
  });

  it('takes nothing past the hard cap and throws a LimitError that says what to do; the connection lives', () => {
    const { loop, a, b } = pair({ watermarks: { write: { low: 1, high: 10, cap: 16 } } });
    b.pause();
    a.write('0123456789');
    expect(() => a.write('0123456'))
      .to.throw(LimitError, /cap of 16/)
      .with.property('code', 'SLUICE_CORE_WRITE_CAP');
    expect(() => a.output.append('0123456')).to.throw(LimitError);
    expect(a.output.length).to.equal(10);
    expect(a.write('012345')).to.equal(false);
    b.resume();
    loop.settle();
    expect(b.input.length).to.equal(16);
    expect(a.closed).to.equal(undefined);
  });

  it('stops reading at the read high watermark and goes on below it, without loss', () => {
    const { loop, a, b } = pair({ watermarks: { read: { high: 8 } } });
    a.write('0123456789abcdef');
    loop.settle();
    expect(b.input.length).to.equal(8);
    expect(suspendReasons(b.suspended)).to.deep.equal(['watermark']);
    expect(b.read(1).toString()).to.equal('0');
    loop.settle();
    expect(b.input.length).to.equal(8);
    let got = '0';
    while (b.input.length > 0) {
      got += b.read(3).toString();
      loop.settle();
    }
    expect(got).to.equal('0123456789abcdef');
    expect(b.suspended).to.equal(0);
  });

  it('delivers data at the read low watermark, at the end even below it, and not again for what was left', () => {
    const { loop, a, b } = pair({ watermarks: { read: { low: 4 } } });
    const log = record(b, [], false);
    a.write('123');
    loop.settle();
    expect(log).to.deep.equal(['connected']);
    a.write('4');
    loop.settle();
    expect(log).to.deep.equal(['connected', 'data 4']);
    loop.settle();
    b.read(2);
    a.end();
    loop.settle();
    expect(log).to.deep.equal(['connected', 'data 4', 'data 2', 'end', 'closed end both']);
    expect(b.read().toString()).to.equal('34');
  });

  it('tells of what is there when it is triggered, from the loop, by the marks unless told otherwise', () => {
    const { loop, a, b } = pair({ watermarks: { read: { low: 4 }, write: { low: 10, high: 100 } } });
    const log = record(b, [], false);
    record(a, log, false);
    loop.settle();
    log.length = 0;
    b.trigger('both');
    loop.settle();
    expect(log.splice(0), 'there is no input to tell of').to.deep.equal(['drained']);
    b.trigger('read', { ignoreWatermarks: true });
    loop.settle();
    expect(log.splice(0)).to.deep.equal([]);
    a.write('abc');
    loop.settle();
    b.trigger('read');
    loop.settle();
    expect(log).to.deep.equal([]);
    b.trigger('read', { ignoreWatermarks: true });
    b.trigger('read', { ignoreWatermarks: true });
    expect(log, 'not inside the call').to.deep.equal([]);
    loop.settle();
    expect(log.splice(0)).to.deep.equal(['data 3']);
    a.write('d');
    loop.settle();
    b.trigger('read');
    loop.settle();
    expect(log.splice(0)).to.deep.equal(['data 4', 'data 4']);
    b.disable('read');
    b.trigger('read', { ignoreWatermarks: true });
    b.disable('write');
    b.write('x'.repeat(11));
    b.trigger('write');
    loop.settle();
    expect(log.splice(0)).to.deep.equal([]);
    b.trigger('write', { ignoreWatermarks: true });
    loop.settle();
    expect(log.splice(0)).to.deep.equal(['drained']);
    b.end();
    b.trigger('write', { ignoreWatermarks: true });
    loop.settle();
    expect(log, 'nothing more may be written').to.deep.equal([]);
  });

  it('tells which directions its user wants', () => {
    const { a } = pair();
    expect([a.readEnabled, a.writeEnabled]).to.deep.equal([true, true]);
    a.pause();
    expect([a.readEnabled, a.writeEnabled]).to.deep.equal([false, true]);
    a.disable('both');
    expect([a.readEnabled, a.writeEnabled]).to.deep.equal([false, false]);
    expect(a.stats).to.include({ readEnabled: false, writeEnabled: false });
    a.enable('write');
    a.suspendWrite(Suspend.rate);
    expect([a.readEnabled, a.writeEnabled]).to.deep.equal([false, true]);
  });

  it('does not deliver data after disable, and delivers it after enable', () => {
    const { loop, a, b } = pair();
    const log = record(b);
    loop.settle();
    b.input;
    a.write('later');
    a.loop.defer(() => b.disable('read'));
    loop.settle();
    const before = [...log];
    b.enable('read');
    loop.settle();
    expect([before, log]).to.deep.equal([['connected'], ['connected', 'data later']]);
  });

  it('holds the end back while a paused user has input to see', () => {
    const { loop, a, b } = pair();
    const log = record(b);
    a.write('first');
    loop.turn();
    b.pause();
    a.end();
    loop.settle();
    expect(log).to.deep.equal(['connected']);
    b.resume();
    loop.settle();
    expect(log).to.deep.equal(['connected', 'data first', 'end', 'closed end both']);
  });

  it('keeps a half-open connection until it is ended, and sends what is written after the peer has ended', () => {
    const { loop, a, b } = pair({}, { halfOpen: true });
    const log = record(b);
    const other = record(a);
    a.end();
    loop.settle();
    expect(log).to.deep.equal(['connected', 'end']);
    b.write('still here');
    loop.settle();
    b.end();
    loop.settle();
    expect(other).to.deep.equal(['connected', 'data still here', 'end', 'closed end both']);
    expect(log).to.deep.equal(['connected', 'end', 'closed end both']);
  });

  it('sends all output before it ends by itself after the peer has', () => {
    const { loop, a, b } = pair({ watermarks: { read: { high: 100 } } });
    b.setHandlers({ end: (bev) => void bev.write('x'.repeat(20_000)) });
    let got = 0;
    a.on('data', () => {
      got += a.read().length;
    });
    a.end();
    loop.settle();
    expect(got).to.equal(20_000);
    expect(a.closed?.end).to.equal('end');
    expect(b.closed?.bytesOut).to.equal(20_000);
  });

  it("refuses to write after end, as the caller's mistake", () => {
    const { a } = pair();
    a.end();
    expect(a.writable).to.equal(false);
    expect(() => a.write('x'))
      .to.throw(ApiMisuse)
      .with.property('code', 'SLUICE_CORE_WRITE_AFTER_END');
  });

  it('destroy ends at once: aborted, output dropped, the peer sees a reset, one closed, nothing after it', () => {
    const { loop, a, b } = pair();
    const log = record(a);
    const other = record(b);
    loop.settle();
    b.pause();
    a.write('never read');
    a.destroy();
    a.destroy();
    loop.settle();
    expect(log).to.deep.equal(['connected', 'closed aborted both']);
    expect(other).to.deep.equal(['connected', 'closed reset read']);
    expect(a.closed?.blame).to.equal('local');
    expect(a.bytesOut, 'what was dropped has not left').to.equal(0);
    expect(() => a.write('x')).to.throw(AbortedError);
  });

  it('destroy with an error ends by that error, and every later operation reports a copy of it', () => {
    const { loop, a } = pair();
    const error = new SluiceError('no such user', {
      code: 'SLUICE_APPLICATION_AUTH',
      layer: 'application',
      operation: 'login',
      blame: 'remote',
      remedy: 'close',
    });
    a.destroy(error);
    loop.settle();
    expect(a.closed).to.include({ end: 'failed', code: 'SLUICE_APPLICATION_AUTH', blame: 'remote', error });
    const reports = [1, 2].map(() => {
      try {
        return a.write('x');
      } catch (thrown) {
        return thrown as SluiceError;
      }
    }) as SluiceError[];
    expect(reports[0]).to.be.instanceOf(SluiceError).and.not.equal(reports[1]);
    expect(reports[0]?.code).to.equal('SLUICE_APPLICATION_AUTH');
    expect(reports[0]?.entries).to.deep.equal(reports[1]?.entries);
    expect(reports[0]?.entries.length).to.equal(1);
  });

  it('destroy with anything else that was thrown ends aborted, with that as the cause', () => {
    for (const [thrown, message] of [
      [new TypeError('no such row'), 'no such row'],
      ['a text', 'a text'],
    ] as const) {
      const { loop, a, b } = pair();
      loop.settle();
      b.write('owed');
      b.destroy(thrown);
      loop.settle();
      expect(b.closed).to.include({ end: 'aborted', code: 'SLUICE_APPLICATION_DESTROYED', layer: 'application' });
      expect(b.closed?.error?.message).to.match(new RegExp(`destroyed: ${message}$`));
      expect(b.closed?.error?.cause).to.equal(thrown);
      expect(a.closed?.end).to.equal('reset');
    }
    const { loop, a } = pair();
    a.destroy(null);
    loop.settle();
    expect(a.closed).to.include({ end: 'aborted', error: undefined });
  });

  it('tells the listeners of closed also when a shared handler throws there', async () => {
    const { loop, a } = pair();
    const failure = new Error('in closed');
    a.setHandlers({
      closed: () => {
        throw failure;
      },
    });
    const log = record(a);
    const closing = a.close();
    loop.settle();
    expect(log.at(-1)).to.equal('closed end both');
    expect((await closing).end).to.equal('end');
    expect(loop.uncaughtErrors).to.deep.equal([failure]);
  });

  it('delivers data that came before a failure, then closed, and leaves unread input readable', () => {
    const loop = new TestLoop();
    const wire = link(loop);
    const [a, b] = wire.ends;
    const log = record(b, [], false);
    a.write('last words');
    loop.turn();
    wire.cut('reset');
    loop.settle();
    expect(log).to.deep.equal(['connected', 'data 10', 'closed reset read']);
    expect(b.read().toString()).to.equal('last words');
  });

  it('reads on after a failed write, and tells the first error after the data', () => {
    const loop = new TestLoop();
    const wire = link(loop);
    const [a, b] = wire.ends;
    const log = record(b);
    loop.settle();
    a.write('alert');
    a.end();
    wire.breakWrites(b, 'EPIPE');
    b.write('too late');
    loop.settle();
    expect(log).to.deep.equal(['connected', 'data alert', 'closed reset write']);
    expect(b.closed?.error?.message).to.match(/EPIPE/);
  });

  it('ends a connection whose handler throws, reports the exception, and the loop goes on', () => {
    const { loop, a, b } = pair();
    const thrown = new Error('bug in a handler');
    b.setHandlers({
      data: () => {
        throw thrown;
      },
    });
    a.write('x');
    loop.settle();
    expect(loop.uncaughtErrors).to.deep.equal([thrown]);
    expect(b.closed).to.include({ end: 'failed', code: 'SLUICE_APPLICATION_HANDLER_THREW', blame: 'local' });
    expect(b.closed?.error?.cause).to.equal(thrown);
  });

  it('close sends what was written, ends both directions and resolves with the report', async () => {
    const { loop, a, b } = pair();
    b.setHandlers({ data: (bev) => void bev.read() });
    a.write('bye');
    const closed = a.close();
    loop.settle();
    const report: CloseReport = await closed;
    expect(report).to.include({ end: 'end', bytesOut: 3, code: null, error: undefined });
    expect(b.bytesIn).to.equal(3);
    expect(await a.close()).to.equal(report);
  });

  it('close gives up on a peer that does not end, after closeMs, and has sent everything', async () => {
    const { loop, a, b } = pair({ timeouts: { closeMs: 100 } }, { halfOpen: true });
    a.write('all of it');
    const closed = a.close();
    loop.advance(99);
    expect(a.closed).to.equal(undefined);
    loop.advance(1);
    expect(await closed).to.include({ end: 'timeout', direction: 'read', code: 'SLUICE_CORE_CLOSE_TIMEOUT' });
    expect(b.read().toString()).to.equal('all of it');
  });

  it('close gives up on the peer after closeMs also when our direction had ended long before', async () => {
    const { loop, a } = pair({ timeouts: { closeMs: 100 } }, { halfOpen: true });
    a.end();
    loop.advance(1000);
    const closed = a.close();
    loop.advance(99);
    expect(a.closed).to.equal(undefined);
    loop.advance(1);
    expect(await closed).to.include({ end: 'timeout', direction: 'read', code: 'SLUICE_CORE_CLOSE_TIMEOUT' });
  });

  it('flush resolves when output is out and rejects when the connection ends first', async () => {
    const { loop, a, b } = pair();
    b.pause();
    loop.settle();
    a.write('x');
    let flushed = false;
    const flush = a.flush().then(() => {
      flushed = true;
    });
    loop.settle();
    await Promise.resolve();
    expect(flushed).to.equal(false);
    b.resume();
    loop.settle();
    await flush;
    b.pause();
    a.write('y');
    loop.settle();
    const failing = a.flush().catch((error: unknown) => error);
    a.destroy();
    expect(await failing).to.be.instanceOf(AbortedError);
  });

  it('flush has a bound on who waits for a peer that does not read', async () => {
    const { loop, a, b } = pair();
    b.pause();
    a.write('x');
    const waiting = Array.from({ length: 1024 }, () => a.flush());
    const error: unknown = await a.flush().catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(LimitError).and.to.include({ code: 'SLUICE_CORE_WAITERS', operation: 'flush' });
    b.resume();
    loop.settle();
    await Promise.all(waiting);
    await a.flush();
  });

  it('flush resolves when the end in order follows at once', async () => {
    const { loop, a, b } = pair({ halfOpen: true });
    b.end();
    loop.settle();
    a.write('last');
    const flush = a.flush();
    a.end();
    loop.settle();
    await flush;
    expect(a.closed?.end).to.equal('end');
  });

  it('pauseReadWhenFull stops reading while output is full', () => {
    const marks = { watermarks: { write: { low: 10, high: 100 }, read: { high: 50 } } };
    const { loop, a, b } = pair(marks, { ...marks, pauseReadWhenFull: true });
    b.setHandlers({ data: (bev) => void bev.output.appendFrom(bev.input) });
    a.pause();
    for (let count = 0; count < 50; count += 1) {
      if (a.output.length < 100) a.write('x'.repeat(50));
      loop.settle();
    }
    expect(b.output.length).to.be.within(100, 150);
    expect(b.suspended & Suspend.output).to.equal(Suspend.output);
    a.on('data', () => a.read());
    a.resume();
    loop.settle();
    expect(b.suspended).to.equal(0);
    expect(a.bytesIn).to.equal(a.bytesOut);
  });

  it("a layer's suspend reason stops reading until that reason is cleared, and not by another's", () => {
    const { loop, a, b } = pair();
    b.suspendRead(Suspend.filter);
    b.suspendRead(Suspend.rate);
    a.write('x');
    loop.settle();
    b.unsuspendRead(Suspend.rate);
    b.unsuspendRead(Suspend.watermark);
    loop.settle();
    expect(b.input.length).to.equal(0);
    b.unsuspendRead(Suspend.filter);
    loop.settle();
    expect(b.input.length).to.equal(1);
  });

  describe('limits of time', () => {
    it('idle: a connection without a byte in either direction is closed, a busy one is not', () => {
      const { loop, a, b } = pair({ timeouts: { idleMs: 1000 } });
      loop.settle();
      for (let count = 0; count < 5; count += 1) {
        loop.advance(900);
        a.write('x');
        loop.settle();
      }
      expect(a.closed).to.equal(undefined);
      loop.advance(1000);
      expect(a.closed).to.include({ end: 'timeout', code: 'SLUICE_CORE_IDLE_TIMEOUT' });
      expect(a.closed?.error).to.be.instanceOf(TimeoutError);
      expect(b.closed).not.to.equal(undefined);
    });

    it('read: the direction is disabled before the listener is told; enabling it begins anew', () => {
      const { loop, b } = pair({ timeouts: NO_TIMEOUTS }, { timeouts: { ...NO_TIMEOUTS, readMs: 50 } });
      const log: string[] = [];
      b.on('timeout', (direction) => {
        log.push(`timeout ${direction} ${loop.now()}`);
        if (log.length < 3) b.enable('read');
      });
      loop.advance(1000);
      expect(log).to.deep.equal(['timeout read 50', 'timeout read 100', 'timeout read 150']);
      expect(b.closed).to.equal(undefined);
    });

    it('read: without a listener the connection is closed', () => {
      const { loop, b } = pair({ timeouts: NO_TIMEOUTS }, { timeouts: { ...NO_TIMEOUTS, readMs: 50 } });
      loop.advance(50);
      expect(b.closed).to.include({ end: 'timeout', direction: 'read', code: 'SLUICE_CORE_READ_TIMEOUT' });
    });

    it('read: does not run while reading is suspended', () => {
      const { loop, b } = pair({ timeouts: NO_TIMEOUTS }, { timeouts: { ...NO_TIMEOUTS, readMs: 50 } });
      b.suspendRead(Suspend.rate);
      loop.advance(500);
      expect(b.closed).to.equal(undefined);
      b.unsuspendRead(Suspend.rate);
      loop.advance(49);
      expect(b.closed).to.equal(undefined);
      loop.advance(1);
      expect(b.closed?.end).to.equal('timeout');
    });

    it('write: runs while output waits, and progress begins it anew', () => {
      const timeouts = { ...NO_TIMEOUTS, writeMs: 100 };
      const { loop, a, b } = pair({ timeouts, watermarks: { read: { high: 10 } } });
      a.write('x'.repeat(25));
      loop.advance(99);
      b.read();
      loop.advance(99);
      expect(a.closed).to.equal(undefined);
      loop.advance(1);
      expect(a.closed).to.include({ end: 'timeout', direction: 'write', code: 'SLUICE_CORE_WRITE_TIMEOUT' });
    });

    it('write: does not run without output', () => {
      const { loop, a } = pair({ timeouts: { ...NO_TIMEOUTS, writeMs: 100 } });
      loop.advance(10_000);
      expect(a.closed).to.equal(undefined);
    });
  });

  it('refuses limits that contradict each other, naming them', () => {
    const { a } = pair();
    expect(() => a.setWatermarks({ read: { low: 10, high: 5 } })).to.throw(ApiMisuse, /read.low \(10\)/);
    expect(() => a.setWatermarks({ write: { low: 5, high: 5 } })).to.throw(ApiMisuse, /write.low/);
    expect(() => a.setWatermarks({ write: { high: 2_000_000 } })).to.throw(ApiMisuse, /write.cap/);
    expect(() => a.setTimeouts({ idleMs: Number.NaN })).to.throw(ApiMisuse, /idleMs/);
  });

  it('closed$ gives the report to early and late subscribers, failed$ the error', async () => {
    const { loop, a, b } = pair();
    b.pause();
    a.write('x');
    loop.settle();
    const early = firstValueFrom(b.closed$);
    const failed = firstValueFrom(b.failed$);
    a.destroy();
    loop.settle();
    expect(await early).to.equal(b.closed);
    expect(await firstValueFrom(b.closed$)).to.equal(b.closed);
    expect((await failed).code).to.equal(b.closed?.code);
  });
});
