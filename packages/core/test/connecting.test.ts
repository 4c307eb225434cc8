import { AbortedError, ApiMisuse } from '@sluice/errors';
import { expect } from 'chai';
import { abortConnecting, BufferEvent, connected, type EventLoop } from '../src/index.ts';
import { TestLoop } from '../src/testing/index.ts';
import { expectReport } from './support/expect-report.ts';
import { reasonOf, state } from './support/promises.ts';

/** A transport that is connected when the test says so. */
class Slow extends BufferEvent {
  constructor(loop: EventLoop) {
    super(loop, 'slow');
    this._armDeadline();
  }

  protected override _setReading(): void {}
  protected override _writeOut(): void {}
  protected override _endOutput(): void {}
  protected override _release(): void {
    this._released();
  }
}

describe('abortConnecting', () => {
  it('destroys a connection that is not connected yet when its signal is aborted, or was', () => {
    const loop = new TestLoop();
    const controller = new AbortController();
    const late = new Slow(loop);
    abortConnecting(late, controller.signal);
    loop.settle();
    expect(late.closed).to.equal(undefined);
    controller.abort('enough');
    const early = new Slow(loop);
    abortConnecting(early, controller.signal, 'dial');
    loop.settle();
    for (const [bev, operation] of [
      [late, 'connect'],
      [early, 'dial'],
    ] as const) {
      expect(bev.closed).to.include({ end: 'aborted', code: 'SLUICE_CORE_ABORTED', blame: 'local', remedy: 'retry' });
      expect(bev.closed?.error).to.be.instanceOf(AbortedError).and.include({ operation, cause: 'enough' });
    }
  });

  it('has no say in a connection that is connected, and listens to nothing any more', () => {
    const loop = new TestLoop();
    const { signal } = new AbortController();
    let listening = 0;
    const counting = new Proxy(signal, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (name === 'addEventListener') listening += 1;
        if (name === 'removeEventListener') listening -= 1;
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const bev = new Slow(loop);
    abortConnecting(bev, counting);
    expect(listening).to.equal(1);
    bev._connected();
    loop.settle();
    expect([listening, bev.listenerCount('connected'), bev.listenerCount('closed')]).to.deep.equal([0, 0, 0]);
    const gone = new Slow(loop);
    abortConnecting(gone, counting);
    gone.destroy();
    loop.settle();
    expect(listening).to.equal(0);
    abortConnecting(bev, undefined);
    expect(() => abortConnecting(bev, 5 as never)).to.throw(ApiMisuse, 'signal');
  });
});

describe('connected', () => {
  it('answers the connection when it is connected, now or later', async () => {
    const loop = new TestLoop();
    const bev = new Slow(loop);
    const waits = connected(bev);
    expect(await state(waits)).to.equal('pending');
    bev._connected();
    loop.settle();
    expect(await waits).to.equal(bev);
    expect(await connected(bev)).to.equal(bev);
  });

  it('rejects with what the connection ended by, and by its signal', async () => {
    const loop = new TestLoop();
    const bev = new Slow(loop);
    const controller = new AbortController();
    const aborted = connected(bev, { signal: controller.signal });
    controller.abort();
    expect(await reasonOf(aborted)).to.be.instanceOf(AbortedError);
    expect(bev.closed, 'the connection goes on').to.equal(undefined);
    const waits = connected(bev);
    loop.advance(10_000);
    expect(bev.closed?.code).to.equal('SLUICE_CORE_CONNECT_TIMEOUT');
    expectReport(await reasonOf(waits), bev, 'connected');
    expectReport(await reasonOf(connected(bev)), bev, 'connected');
  });
});
