import { expect } from 'chai';
import { link, TestLoop } from '../src/testing/index.ts';
import { state } from './support/promises.ts';

describe('close', () => {
  function silentPeer() {
    const loop = new TestLoop();
    const wires = link(loop, {
      first: { timeouts: { closeMs: Number.POSITIVE_INFINITY } },
      second: { halfOpen: true },
    });
    loop.settle();
    return { loop, wires, bev: wires.ends[0] };
  }

  it('waits for the peer no longer when its signal is aborted', async () => {
    const { loop, bev } = silentPeer();
    const controller = new AbortController();
    const closing = bev.close({ signal: controller.signal });
    loop.settle();
    expect(await state(closing)).to.equal('pending');
    controller.abort();
    loop.settle();
    expect(await closing).to.include({ end: 'aborted', blame: 'local' });
    expect(await bev.close({ signal: controller.signal })).to.equal(bev.closed);
  });

  it('does not wait at all for a signal that is aborted already', async () => {
    const { loop, bev } = silentPeer();
    const closing = bev.close({ signal: AbortSignal.abort() });
    loop.settle();
    expect((await closing).end).to.equal('aborted');
  });

  it('has nothing more to do with the signal once it is closed', async () => {
    const { loop, wires, bev } = silentPeer();
    const controller = new AbortController();
    const closing = bev.close({ signal: controller.signal });
    wires.ends[1].end();
    loop.settle();
    expect((await closing).end).to.equal('end');
    expect(loop._closers.size).to.equal(0);
    controller.abort();
    expect(bev.closed?.end).to.equal('end');
  });

  it('is answered when the loop is closed, meanwhile or before', async () => {
    const { loop, bev } = silentPeer();
    const closing = bev.close();
    const other = silentPeer();
    other.loop.close();
    loop.settle();
    loop.close();
    expect((await closing).end).to.equal('aborted');
    expect((await bev.close()).end).to.equal('aborted');
    expect((await other.bev.close()).end).to.equal('aborted');
  });
});
