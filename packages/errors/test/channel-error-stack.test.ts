import { expect } from 'chai';
import {
  type ChannelClosed,
  ChannelErrorStack,
  closeInfo,
  createEntry,
  ErrorStack,
  LastResult,
  type SluiceError,
} from '../src/index.ts';
import { codesOf, LETTER, ssl } from './support/memory-channel.ts';

/** A channel whose deliveries wait for `run`. */
function queued(): { channel: ChannelErrorStack; stack: ErrorStack; run: () => void } {
  const stack = new ErrorStack();
  const tasks: (() => void)[] = [];
  const deliver = (task: () => void): void => {
    tasks.push(task);
  };
  const channel = new ChannelErrorStack({ layer: 'tls', stack, deliver });
  return {
    channel,
    stack,
    run: () => {
      for (let task = tasks.shift(); task !== undefined; task = tasks.shift()) task();
    },
  };
}

const FAULT = [createEntry({ code: ssl('badPacket') })];

describe('ChannelErrorStack', () => {
  it('a healthy channel reports nothing but its letter', () => {
    const { channel } = queued();
    expect(channel).to.include({ failed: false, closed: false, networkFailed: false, suppressedErrors: 0 });
    expect(codesOf(channel.report('read'))).to.deep.equal([LETTER]);
  });

  it("a trailing letter, OpenSSL's or its own, is not doubled", () => {
    const { channel } = queued();
    channel.fail([...FAULT, createEntry({ code: ssl('protocolIsShutdown') })], { operation: 'tick' });
    expect(codesOf(channel.report('read'))).to.deep.equal([ssl('badPacket'), LETTER]);
    const again = queued().channel;
    again.fail(channel.report('read').entries, { operation: 'tick' });
    expect(codesOf(again.report('read'))).to.deep.equal([ssl('badPacket'), LETTER]);
  });

  it('what fail was told outranks the entries, in every report', () => {
    const { channel } = queued();
    const cause = new Error('x');
    channel.fail(FAULT, { operation: 'handshake', layer: 'core', what: 'MINE', blame: 'local', end: 'aborted', cause });
    expect(channel.report('read')).to.include({ code: 'SLUICE_CORE_MINE', blame: 'local', end: 'aborted', cause });
  });

  it('close info can stand beside entries', () => {
    const { channel } = queued();
    const info = closeInfo({ code: 0x178, reason: 'handshake alert', remote: false, transport: true });
    channel.fail([createEntry({ code: ssl('noApplicationProtocol') })], { operation: 'tick', closeInfo: info });
    const error = channel.report('read');
    expect(error.closeInfo).to.deep.equal(info);
    expect(error.code).to.equal('SLUICE_TLS_NO_APPLICATION_PROTOCOL');
    expect(error.message).to.include('no application protocol');
  });

  it('failed$ emits once, outside the failing call, then completes', () => {
    const { channel, run } = queued();
    const seen: string[] = [];
    channel.failed$.subscribe({ next: ({ code }) => seen.push(code), complete: () => seen.push('complete') });
    channel.fail(FAULT, { operation: 'tick' });
    expect(seen).to.deep.equal([]);
    run();
    channel.fail(FAULT, { operation: 'tick' });
    channel.close();
    run();
    expect(seen).to.deep.equal(['SLUICE_TLS_PROTOCOL', 'complete']);
  });

  it('a late subscriber gets the failure and the end at once, each its own', () => {
    const { channel, run } = queued();
    channel.fail(FAULT, { operation: 'tick' });
    channel.close();
    run();
    const errors: SluiceError[] = [];
    const ends: ChannelClosed[] = [];
    for (let i = 0; i < 2; i++) {
      channel.failed$.subscribe((error) => errors.push(error));
      channel.closed$.subscribe((end) => ends.push(end));
    }
    expect(errors.map(codesOf)).to.deep.equal([
      [ssl('badPacket'), LETTER],
      [ssl('badPacket'), LETTER],
    ]);
    expect(errors[0]).to.not.equal(errors[1]);
    expect(ends.map(({ end }) => end)).to.deep.equal(['failed', 'failed']);
    expect(ends[0]?.error).to.not.equal(ends[1]?.error);
  });

  it('a channel that ends well completes failed$ without a word, and says end', () => {
    const { channel, run } = queued();
    const seen: unknown[] = [];
    channel.failed$.subscribe({ next: () => seen.push('failed'), complete: () => seen.push('complete') });
    channel.closed$.subscribe({ next: (end) => seen.push(end), complete: () => seen.push('closed') });
    channel.close();
    channel.close({ end: 'reset' });
    run();
    expect(seen).to.deep.equal(['complete', { end: 'end', direction: 'both' }, 'closed']);
  });

  it('the failure is told before the end', () => {
    const { channel, run } = queued();
    const seen: string[] = [];
    channel.closed$.subscribe(({ end, error }) => seen.push(`${end} ${error?.code}`));
    channel.failed$.subscribe(({ code }) => seen.push(code));
    channel.fail([createEntry({ code: 0x0a000126 })], { operation: 'read', direction: 'read' });
    channel.close({ direction: 'read' });
    run();
    expect(seen).to.deep.equal(['SLUICE_TLS_TRUNCATED', 'truncated SLUICE_TLS_TRUNCATED']);
  });

  it('a clean close by the peer ends without an error, though operations fail', () => {
    const { channel, run } = queued();
    const ends: ChannelClosed[] = [];
    channel.closed$.subscribe((end) => ends.push(end));
    const info = closeInfo({ code: 0, remote: true, transport: false });
    expect(channel.closeWith(info)).to.equal(true);
    channel.close();
    run();
    expect(ends).to.deep.equal([{ end: 'end', direction: 'both', closeInfo: info }]);
    expect(channel.report('write').message).to.include('the peer closed the connection');
  });

  it('an operation closes its bracket whatever comes of it', () => {
    const { channel, stack } = queued();
    const result = new LastResult(channel);
    expect(channel.operate(() => 7)).to.equal(7);
    expect(() =>
      channel.operate(() => {
        stack.raise({ code: 1 });
        stack.open();
        throw new RangeError('in the midst of it');
      }, result),
    ).to.throw(RangeError);
    expect([stack.length, stack.openBrackets, result.value]).to.deep.equal([0, 0, 'none']);
    const error = channel.operate((bracket) => {
      stack.raise({ code: ssl('streamReset') });
      return channel.streamError(bracket, { operation: 'read' }, result);
    }, result);
    expect([codesOf(error), result.value]).to.deep.equal([[ssl('streamReset')], 'ssl']);
    channel.operate((bracket) => {
      stack.raise({ code: ssl('badPacket') });
      channel.failFrom(bracket, { operation: 'tick' });
    });
    expect(codesOf(channel)).to.deep.equal([ssl('badPacket')]);
    expect([stack.length, stack.openBrackets]).to.deep.equal([0, 0]);
  });

  it('nobody pays for being able to watch: without subscribers nothing is delivered', () => {
    const tasks: unknown[] = [];
    const channel = new ChannelErrorStack({ stack: new ErrorStack(), deliver: (task) => tasks.push(task) });
    channel.fail(FAULT, { operation: 'tick' });
    channel.close();
    expect(tasks).to.have.length(0);
    const late: unknown[] = [];
    channel.failed$.subscribe(({ code }) => late.push(code));
    channel.closed$.subscribe(({ end }) => late.push(end));
    expect([late.length, tasks.length], 'told at once').to.deep.equal([2, 0]);
  });

  it('stale errors inside another operation belong to that operation', () => {
    const stack = new ErrorStack();
    const channel = new ChannelErrorStack({ stack });
    const outer = channel.begin();
    stack.raise({ code: 1 });
    const inner = channel.begin();
    stack.raise({ code: 2 });
    channel.settle(inner);
    expect(channel.staleErrors).to.equal(0);
    expect(stack.take(outer).map(({ code }) => code)).to.deep.equal([1]);
  });

  it('intermittent errors leave nothing on the heap', () => {
    const { channel, stack } = queued();
    const data = 'x'.repeat(1000);
    const intermittent = (count: number): void => {
      for (let i = 0; i < count; i++) {
        const bracket = channel.begin();
        stack.raise({ code: 1, data: `${i}${data}` });
        channel.settle(bracket);
      }
    };
    intermittent(100);
    globalThis.gc?.();
    const before = process.memoryUsage().heapUsed;
    intermittent(10_000);
    globalThis.gc?.();
    expect(process.memoryUsage().heapUsed - before).to.be.lessThan(1_000_000);
  });

  it('without options it works on the stack of its thread', () => {
    ErrorStack.current().raise({ code: 1 });
    const channel = new ChannelErrorStack();
    channel.settle(channel.begin());
    expect(channel.staleErrors).to.equal(1);
    expect(ErrorStack.current().length).to.equal(0);
  });
});
