import { ApiMisuse, LimitError, SluiceError } from '@sluice/errors';
import { expect } from 'chai';
import type { ConnectionOptions, Filter, FilterMode, FilterOptions } from '../src/index.ts';
import { BufferEvent, FilterBufferEvent, frameFilter, PairBufferEvent, Suspend } from '../src/index.ts';
import { link, type LinkOptions, TestLoop } from '../src/testing/index.ts';
import { BlockFilter, DeflateFilter, pattern, xFilter } from './support/filters.ts';

/** A filter over one end of a link; the other end is the bare wire. */
function over(filter: Filter, options: FilterOptions = {}, linkOptions: LinkOptions = {}) {
  const loop = new TestLoop();
  const wires = link(loop, linkOptions);
  const [below, wire] = wires.ends;
  return { loop, wires, below, wire, bev: new FilterBufferEvent(below, filter, options) };
}

function record(bev: BufferEvent, log: string[] = []): string[] {
  bev.on('connected', () => log.push('connected'));
  bev.on('data', () => log.push(`data ${bev.read().toString()}`));
  bev.on('drained', () => log.push('drained'));
  bev.on('end', () => log.push('end'));
  bev.on('closed', (report) => log.push(`closed ${report.end} ${report.direction} ${report.code}`));
  return log;
}

/** Settles and notes how much a buffer ever held. */
function largest(bev: BufferEvent, which: 'input' | 'output'): () => number {
  let max = 0;
  const buffer = bev[which];
  buffer.onChange(() => {
    max = Math.max(max, buffer.length);
  });
  return () => max;
}

/** Connected when a test says so, and takes nothing. */
class LateBufferEvent extends BufferEvent {
  constructor(loop: TestLoop, options: ConnectionOptions) {
    super(loop, 'late', options);
  }

  protected override _setReading(): void {}
  protected override _writeOut(): void {}
  protected override _endOutput(): void {}
  protected override _release(): void {
    this._released();
  }
}

describe('FilterBufferEvent', () => {
  it('passes bytes as they are without transforms, and ends as the connection below does', () => {
    const { loop, wire, bev } = over({});
    const [log, wireLog] = [record(bev), record(wire)];
    wire.write('ping');
    bev.write('pong');
    bev.end();
    loop.settle();
    expect(log).to.deep.equal(['connected', 'data ping', 'end', 'closed end both null']);
    expect(wireLog).to.deep.equal(['connected', 'data pong', 'end', 'closed end both null']);
  });

  it('stands over anything: a filter over a filter over a filter', () => {
    const loop = new TestLoop();
    const pair = PairBufferEvent.create(loop);
    const [a, b] = pair.map((end) => {
      const inner = new FilterBufferEvent(end, frameFilter({ frameBytesMax: 100 }));
      return new FilterBufferEvent(new FilterBufferEvent(inner, new DeflateFilter()), xFilter());
    }) as [FilterBufferEvent, FilterBufferEvent];
    const bytes = pattern(200_000);
    const got: Buffer[] = [];
    b.on('data', () => got.push(b.read()));
    let offset = 0;
    const send = (): void => {
      while (offset < bytes.length && a.write(bytes.subarray(offset, (offset += 10_000))));
      if (offset >= bytes.length) a.end();
    };
    a.on('drained', send);
    send();
    loop.settle(100_000);
    expect(Buffer.concat(got).equals(bytes)).to.equal(true);
    expect([a.closed?.end, b.closed?.end, pair[0].closed?.end, pair[1].closed?.end]).to.deep.equal([
      'end',
      'end',
      'end',
      'end',
    ]);
    expect(loop.uncaughtErrors).to.deep.equal([]);
  });

  it('runs no transform inside a call of the user', () => {
    const calls: string[] = [];
    let inCall = false;
    const note = (name: string): void => void calls.push(inCall ? `${name} inside a call` : name);
    const { loop, wire, bev } = over(
      {
        input(source, destination, limit) {
          note('input');
          source.moveTo(destination, limit);
          return 'ok';
        },
        output(source, destination) {
          note('output');
          source.moveTo(destination);
          return 'ok';
        },
      },
      { watermarks: { read: { high: 4 } } },
    );
    wire.write('abcdefghijkl');
    loop.settle();
    inCall = true;
    bev.read(4);
    bev.pause();
    bev.resume();
    bev.write('x');
    void bev.flush();
    bev.end();
    inCall = false;
    loop.settle();
    expect(new Set(calls)).to.deep.equal(new Set(['input', 'output']));
    expect(bev.input.toString()).to.equal('efgh');
  });

  it('over a connection that stands already, or will later, for which only the layer below has a limit', () => {
    const { loop, below } = over({});
    loop.settle();
    const log = record(new FilterBufferEvent(below, {}));
    loop.settle();
    expect(log).to.deep.equal(['connected']);

    const late = new LateBufferEvent(loop, { timeouts: { connectMs: 60_000 } });
    const bev = new FilterBufferEvent(late, {}, { timeouts: { connectMs: 10 } });
    const lateLog = record(bev);
    bev.setTimeouts({ readMs: 20 });
    bev.write('early');
    loop.advance(50_000);
    expect([lateLog, bev.connected, bev.output.length]).to.deep.equal([[], false, 5]);
    late._connected();
    loop.settle();
    expect([lateLog, late.output.length]).to.deep.equal([['connected'], 5]);
  });

  it('knows the addresses and the counters of its own layer and of the one below', () => {
    const { loop, below, wire, bev } = over(xFilter());
    bev.write('abc');
    wire.write('x1x2');
    loop.settle();
    expect([bev.underlying, bev.transport]).to.deep.equal([below, 'filter']);
    expect([bev.bytesOut, below.bytesOut, bev.bytesIn, below.bytesIn]).to.deep.equal([3, 6, 2, 4]);
  });

  it('refuses a connection that is gone, and a limit that is none', () => {
    const loop = new TestLoop();
    const [a] = PairBufferEvent.create(loop);
    a.destroy();
    expect(() => new FilterBufferEvent(a, {})).to.throw(ApiMisuse, /pair connection \d+ is closed/);
    const [b] = PairBufferEvent.create(loop);
    expect(() => new FilterBufferEvent(b, {}, { overrunBytesMax: Number.NaN })).to.throw(ApiMisuse, /overrunBytesMax/);
  });

  describe('bounds', () => {
    const MARKS: ConnectionOptions = {
      watermarks: { read: { high: 1000 }, write: { low: 100, high: 1000, cap: 4000 } },
    };

    it('stops the peer when its user does not read, each layer at its own mark, and goes on', () => {
      const { loop, below, wire, bev } = over(xFilter(), MARKS, {
        capacityBytes: 1000,
        first: MARKS,
        second: { watermarks: { write: { cap: Number.POSITIVE_INFINITY } } },
      });
      const [above, beneath] = [largest(bev, 'input'), largest(below, 'input')];
      const bytes = pattern(20_000);
      const marked = Buffer.alloc(40_000, 'x');
      for (const [index, byte] of bytes.entries()) marked[2 * index + 1] = byte;
      wire.write(marked);
      loop.settle();
      // What the link holds is the kernel's; the rest is still the peer's.
      expect([bev.input.length, below.input.length]).to.deep.equal([1000, 0]);
      expect(wire.output.length).to.equal(40_000 - 2000 - 1000);
      expect(below.suspended & Suspend.filter).to.equal(Suspend.filter);
      const got: Buffer[] = [];
      while (bev.input.length > 0) {
        got.push(bev.read(300));
        loop.settle();
      }
      expect(Buffer.concat(got).equals(bytes)).to.equal(true);
      expect([above(), beneath()]).to.deep.equal([1000, 1000]);
    });

    it('stops its writer when the peer does not read, and throws past the cap', () => {
      const { loop, below, wire, wires, bev } = over(xFilter(), MARKS, { first: MARKS });
      const beneath = largest(below, 'output');
      wires.cork(below);
      expect(bev.write(Buffer.alloc(999))).to.equal(true);
      expect(bev.write(Buffer.alloc(1))).to.equal(false);
      loop.settle();
      expect([below.output.length, bev.output.length]).to.deep.equal([1000, 500]);
      bev.write(Buffer.alloc(3500));
      expect(() => bev.write('x'))
        .to.throw(LimitError)
        .with.property('code', 'SLUICE_CORE_WRITE_CAP');
      let drains = 0;
      bev.on('drained', () => {
        drains += 1;
      });
      wires.uncork(below);
      let got = 0;
      wire.on('data', () => {
        got += wire.read().length;
      });
      loop.settle();
      expect([got, bev.output.length, drains]).to.deep.equal([9000, 0, 1]);
      expect(beneath()).to.be.at.most(1002);
    });

    it('fails when the input filter makes far more than it was allowed: a decompression bomb', () => {
      const bomb: Filter = {
        input(source, destination) {
          source.drain();
          for (let made = 0; made < 100; made += 1) destination.append(Buffer.alloc(100_000));
          return 'ok';
        },
      };
      const { loop, wire, bev } = over(bomb);
      wire.write('tiny');
      loop.settle();
      expect(bev.closed).to.include({ end: 'failed', code: 'SLUICE_CORE_FILTER_OVERRUN', blame: 'remote' });
      expect(bev.input.length).to.be.at.most(64 * 1024 + 1024 * 1024);
    });

    it('fails when the input filter waits for more than the layer below may hold, instead of for ever', () => {
      const { loop, wire, bev } = over({ input: () => 'need-more' }, {}, { first: MARKS });
      wire.write(Buffer.alloc(999));
      loop.settle();
      expect(bev.closed).to.equal(undefined);
      wire.write('x');
      loop.settle();
      expect(bev.closed).to.include({
        end: 'failed',
        direction: 'read',
        code: 'SLUICE_CORE_FILTER_MESSAGE_TOO_LONG',
        blame: 'remote',
      });
      expect(bev.closed?.error?.message).to.match(/raise watermarks.read.high of the layer below/);
    });

    it('never enables another layer: a wish of the user below is left alone, and so are other reasons to wait', () => {
      const { loop, below, wire, bev } = over({});
      below.suspendRead(Suspend.rate);
      wire.write('x');
      bev.pause();
      loop.settle();
      bev.resume();
      loop.settle();
      expect([bev.input.length, below.suspended]).to.deep.equal([0, Suspend.rate]);
      below.unsuspendRead(Suspend.rate);
      loop.settle();
      expect(bev.input.length).to.equal(1);
    });

    it('leaves the loop to others between runs of a filter that makes many small steps', () => {
      const steps: Filter = {
        input(source, destination) {
          source.moveTo(destination, 1);
          return 'ok';
        },
        output(source, destination) {
          source.moveTo(destination, 1);
          return 'ok';
        },
      };
      const { loop, wire, bev } = over(steps);
      bev.write(Buffer.alloc(20_000));
      wire.write(Buffer.alloc(20_000));
      const turns = loop.settle();
      expect([wire.input.length, bev.input.length]).to.deep.equal([20_000, 20_000]);
      expect(turns).to.be.within(10, 100);
    });
  });

  describe('modes', () => {
    it('is told normal, flush and finished; flush resolves when what was held back is out below', async () => {
      const filter = new BlockFilter(10);
      const { loop, wires, below, wire, bev } = over(filter);
      bev.write('0123456789ab');
      loop.settle();
      expect([wire.read().toString(), bev.output.length]).to.deep.equal(['0123456789', 2]);
      wires.cork(below);
      let flushed = false;
      const flush = bev.flush().then(() => {
        flushed = true;
      });
      loop.settle();
      await Promise.resolve();
      expect(flushed).to.equal(false);
      wires.uncork(below);
      loop.settle();
      await flush;
      expect(wire.read().toString()).to.equal('ab');
      bev.write('cd');
      bev.end();
      loop.settle();
      expect(wire.read().toString()).to.equal('cd');
      expect(filter.modes).to.deep.equal([
        'normal',
        'normal',
        'normal',
        'flush',
        'flush',
        'normal',
        'finished',
        'finished',
      ]);
    });

    it('flush waits for what a filter keeps in memory of its own', async () => {
      const held: Buffer[] = [];
      const { loop, wire, bev } = over({
        output(source, destination, _limit, mode) {
          held.push(source.read());
          if (mode !== 'normal') for (const piece of held.splice(0)) destination.append(piece);
          return mode === 'normal' ? 'need-more' : 'ok';
        },
      });
      bev.write('inside');
      loop.settle();
      expect([bev.output.length, wire.input.length]).to.deep.equal([0, 0]);
      let flushed = false;
      const flush = bev.flush().then(() => {
        flushed = true;
      });
      await Promise.resolve();
      expect(flushed).to.equal(false);
      loop.settle();
      await flush;
      expect(wire.read().toString()).to.equal('inside');
    });

    it('flush asks every layer of a stack, and rejects when the connection ends first', async () => {
      const loop = new TestLoop();
      const [end, wire] = PairBufferEvent.create(loop);
      const inner = new BlockFilter(100);
      const bev = new FilterBufferEvent(new FilterBufferEvent(end, inner), new BlockFilter(10));
      bev.write('abc');
      const flush = bev.flush();
      loop.settle();
      await flush;
      expect(wire.read().toString()).to.equal('abc');
      wire.pause();
      bev.write('more');
      const never = bev.flush();
      loop.settle();
      bev.destroy();
      loop.settle();
      const error: unknown = await never.catch((reason: unknown) => reason);
      expect(error).to.be.instanceOf(SluiceError).with.property('code', 'SLUICE_CORE_CLOSED');
    });

    it('output that the filter holds back is not the fault of a peer: no write timeout', () => {
      const { loop, bev } = over(new BlockFilter(10), {
        timeouts: { writeMs: 1000, idleMs: Number.POSITIVE_INFINITY },
      });
      bev.write('half');
      loop.advance(60_000);
      expect(bev.closed).to.equal(undefined);
    });

    it('output that the peer does not take is: write timeout', () => {
      const { loop, wires, below, bev } = over(
        {},
        { timeouts: { writeMs: 1000 } },
        {
          first: { watermarks: { write: { low: 1, high: 10 } } },
        },
      );
      wires.cork(below);
      bev.write(Buffer.alloc(100));
      loop.advance(1001);
      expect(bev.closed).to.include({ end: 'timeout', direction: 'write', code: 'SLUICE_CORE_WRITE_TIMEOUT' });
    });
  });

  describe('the end', () => {
    it('tells the input filter once that the peer has ended, then the user, after all data', () => {
      const log: string[] = [];
      const { loop, wire, bev } = over({
        input(source, destination, _limit, mode: FilterMode) {
          if (mode === 'finished') {
            log.push('finished');
            destination.append('!');
          }
          source.moveTo(destination);
          return mode === 'finished' ? 'finished' : 'ok';
        },
      });
      record(bev, log);
      wire.write('abc');
      wire.end();
      loop.settle();
      expect(log).to.deep.equal(['connected', 'finished', 'data abc!', 'end', 'closed end both null']);
    });

    it('waits with it for a user who paused, or whose input is full', () => {
      const modes: FilterMode[] = [];
      const filter: Filter = {
        input(source, destination, limit, mode) {
          modes.push(mode);
          source.moveTo(destination, limit);
          return 'ok';
        },
      };
      const { loop, wire, bev } = over(filter, { watermarks: { read: { high: 4 } } });
      const log: string[] = [];
      bev.on('end', () => log.push('end'));
      bev.pause();
      wire.write('abcdef');
      wire.end();
      loop.settle();
      expect([modes.length, bev.peerEnded]).to.deep.equal([0, false]);
      bev.resume();
      loop.settle();
      expect([bev.input.length, modes, log]).to.deep.equal([4, ['normal'], []]);
      expect(bev.read().toString()).to.equal('abcd');
      loop.settle();
      expect([bev.read().toString(), modes, log]).to.deep.equal(['ef', ['normal', 'normal', 'finished'], ['end']]);
    });

    it('is truncated when the peer ended inside a message', () => {
      const { loop, wire, bev } = over(xFilter());
      const log = record(bev);
      wire.write('x1x2x');
      wire.end();
      loop.settle();
      expect(log).to.deep.equal(['connected', 'data 12', 'closed truncated read SLUICE_CORE_FILTER_TRUNCATED']);
      expect(bev.closed?.blame).to.equal('remote');
    });

    it('end() drains the filter and the layer below, however slow that is', () => {
      const { loop, wire, bev } = over(xFilter(), {}, { capacityBytes: 64, perTurnBytes: 33 });
      let got = 0;
      wire.on('data', () => {
        got += wire.read().length;
      });
      bev.write(Buffer.alloc(5000));
      bev.end();
      loop.settle();
      expect([got, wire.closed?.end, bev.closed?.end]).to.deep.equal([10_000, 'end', 'end']);
    });

    it('end() waits for room below for what the filter makes at its end', () => {
      let left = 10;
      const { loop, wire, bev } = over(
        {
          output(_source, destination, _limit, mode) {
            if (mode !== 'finished') return 'need-more';
            destination.append('trailer-');
            left -= 1;
            return left > 0 ? 'ok' : 'finished';
          },
        },
        {},
        { capacityBytes: 10, first: { watermarks: { write: { low: 1, high: 10 } } } },
      );
      let got = '';
      wire.on('data', () => {
        got += wire.read().toString();
      });
      bev.end();
      loop.settle();
      expect([got, wire.closed?.end]).to.deep.equal(['trailer-'.repeat(10), 'end']);
    });

    it('is an end when all has left the layer below, and not before', () => {
      const { loop, wires, below, wire, bev } = over({}, { halfOpen: true });
      wires.cork(below);
      wire.halfOpen = true;
      wire.end();
      bev.write('last');
      bev.end();
      loop.settle();
      expect([bev.peerEnded, bev.output.length, bev.closed]).to.deep.equal([true, 0, undefined]);
      wires.uncork(below);
      loop.settle();
      expect([wire.read().toString(), bev.closed?.end]).to.deep.equal(['last', 'end']);
    });

    it('close() drains the filter, then the layer below, and waits for the peer for closeMs', async () => {
      const { loop, below, wire, bev } = over(frameFilter(), {}, { capacityBytes: 64, second: { halfOpen: true } });
      bev.write(Buffer.alloc(5000));
      const closing = bev.close();
      let got = 0;
      wire.on('data', () => {
        got += wire.read().length;
      });
      loop.settle();
      expect([got, wire.peerEnded, bev.closed]).to.deep.equal([5000 + 4 + 4, true, undefined]);
      loop.advance(3001);
      expect(await closing).to.include({ end: 'timeout', code: 'SLUICE_CORE_CLOSE_TIMEOUT' });
      expect(below.closed?.end).to.equal('aborted');
    });

    it('ended in order, waits for the end of the layer below for closeMs, and not once it is destroyed', () => {
      for (const destroys of [false, true]) {
        const { loop, wire, bev } = over({ input: () => 'finished' }, {}, { second: { halfOpen: true } });
        const closed: number[] = [];
        bev.on('closed', () => closed.push(loop.now()));
        wire.write('the last message');
        bev.end();
        loop.settle();
        expect([bev.closed?.end, closed]).to.deep.equal(['end', []]);
        if (destroys) {
          bev.destroy();
          loop.settle();
        } else loop.advance(3000);
        expect(closed).to.deep.equal([destroys ? 0 : 3000]);
        expect([bev.closed?.end, bev.underlying.closed?.end]).to.deep.equal(['end', destroys ? 'aborted' : 'timeout']);
      }
    });

    it('end() inside a message of the user fails, and says so', () => {
      const { loop, bev } = over({ output: () => 'need-more' });
      bev.write('half');
      bev.end();
      loop.settle();
      expect(bev.closed).to.include({
        end: 'failed',
        direction: 'write',
        code: 'SLUICE_CORE_FILTER_UNFINISHED',
        blame: 'local',
      });
    });

    it('finished from the output filter ends our direction; more written before is a failure', () => {
      const once: Filter = {
        output(source, destination) {
          source.moveTo(destination, 3);
          return 'finished';
        },
      };
      const first = over(once);
      first.bev.write('abc');
      first.loop.settle();
      expect([first.wire.read().toString(), first.wire.peerEnded, first.bev.writable]).to.deep.equal([
        'abc',
        true,
        false,
      ]);
      const second = over(once);
      second.bev.write('abcd');
      second.loop.settle();
      expect(second.bev.closed).to.include({ end: 'failed', code: 'SLUICE_CORE_FILTER_FINISHED', blame: 'local' });
    });

    it('a failure below comes through as it is, after the data, and what was unread is filtered first', () => {
      const { loop, wires, wire, bev } = over(xFilter(), { watermarks: { read: { high: 2 } } });
      wire.write('x1x2x3x4');
      loop.settle();
      wires.cut('reset');
      loop.settle();
      expect(bev.read().toString()).to.equal('1234');
      expect(bev.closed).to.include({
        end: 'reset',
        direction: 'read',
        code: 'SLUICE_SYSTEM_ECONNRESET',
        layer: 'system',
      });
    });

    it('a failure below comes after all that arrived, in however many steps that is filtered', () => {
      const { loop, wires, wire, bev } = over(
        {
          input(source, destination) {
            source.moveTo(destination, 1);
            return 'ok';
          },
        },
        { watermarks: { read: { high: 2 } } },
      );
      wire.write(Buffer.alloc(5000));
      loop.settle();
      wires.cut('reset');
      loop.settle();
      expect([bev.input.length, bev.closed?.end]).to.deep.equal([5000, 'reset']);
    });

    it('destroy drops what is not sent, and the peer sees no orderly end, wherever the bytes lay', () => {
      for (const where of ['filter', 'below']) {
        const { loop, wires, below, wire, bev } = over(
          {},
          {},
          { first: { watermarks: { write: { low: 1, high: 5 } } } },
        );
        wires.cork(below);
        bev.write(where === 'filter' ? Buffer.alloc(100) : 'abc');
        if (where === 'below') loop.settle();
        bev.destroy();
        loop.settle();
        expect([bev.closed?.end, below.closed?.end, wire.closed?.end]).to.deep.equal(['aborted', 'aborted', 'reset']);
      }
    });

    it('destroy with nothing unsent is an end for the peer', () => {
      const { loop, wire, bev } = over({});
      bev.destroy();
      loop.settle();
      expect([bev.closed?.end, wire.closed?.end]).to.deep.equal(['aborted', 'end']);
    });

    it('when somebody else closes the layer below, it says so', () => {
      const { loop, below, bev } = over({});
      void below.close();
      loop.settle();
      expect(bev.closed).to.include({ end: 'failed', code: 'SLUICE_CORE_FILTER_TRANSPORT_ENDED', blame: 'local' });
      const destroyed = over({});
      destroyed.below.destroy();
      destroyed.loop.settle();
      expect(destroyed.bev.closed?.end).to.equal('aborted');
    });

    it('closes the filter once, whatever the end', () => {
      for (const finish of ['end', 'destroy', 'throw', 'cut'] as const) {
        let closes = 0;
        const { loop, wires, wire, bev } = over({
          input() {
            throw new Error('bad bytes');
          },
          close() {
            closes += 1;
          },
        });
        if (finish === 'end') bev.end();
        else if (finish === 'destroy') bev.destroy();
        else if (finish === 'throw') wire.write('x');
        else wires.cut('reset');
        loop.settle();
        bev.destroy();
        loop.settle();
        expect([closes, bev.closed !== undefined], finish).to.deep.equal([1, true]);
      }
    });

    it('an exception of close goes up, and the connection is closed all the same', () => {
      const { loop, below, bev } = over({
        close() {
          throw new Error('cannot free');
        },
      });
      bev.destroy();
      loop.settle();
      expect([String(loop.uncaughtErrors[0]), below.closed?.end]).to.deep.equal(['Error: cannot free', 'aborted']);
    });
  });

  describe('what a filter throws', () => {
    it('ends the connection with a SluiceError as it is, else with the exception as the cause; blame by direction', () => {
      const thrown = new Error('incorrect header check');
      for (const [direction, blame] of [
        ['input', 'remote'],
        ['output', 'local'],
      ] as const) {
        const { loop, wire, bev, below } = over({
          [direction]() {
            throw thrown;
          },
        });
        if (direction === 'input') wire.write('x');
        else bev.write('x');
        loop.settle();
        expect(bev.closed).to.include({
          end: 'failed',
          direction: direction === 'input' ? 'read' : 'write',
          code: 'SLUICE_CORE_FILTER_FAILED',
          blame,
        });
        expect(bev.closed?.error?.cause).to.equal(thrown);
        expect(below.closed?.end).to.equal('aborted');
        expect(loop.uncaughtErrors).to.deep.equal([]);
      }
      const own = new LimitError('too much', {
        code: 'SLUICE_APPLICATION_TOO_MUCH',
        layer: 'application',
        operation: 'parse',
        blame: 'remote',
        remedy: 'close',
      });
      const { loop, wire, bev } = over({
        input() {
          throw own;
        },
      });
      wire.write('x');
      loop.settle();
      expect(bev.closed?.error).to.equal(own);
    });

    it('comes after what the filter made before it', () => {
      const { loop, wire, bev } = over({
        input(source, destination) {
          destination.append(source.read(3));
          if (source.length > 0) throw new Error('no more');
          return 'ok';
        },
      });
      const log = record(bev);
      wire.write('abcd');
      loop.settle();
      expect(log).to.deep.equal(['connected', 'data abc', 'closed failed read SLUICE_CORE_FILTER_FAILED']);
    });
  });
});
