import { getEventListeners } from 'node:events';
import { AbortedError } from '@sluice/errors';
import { expect } from 'chai';
import { DrivenLoop } from './support/driven-loop.ts';

describe('EventLoop.delay', () => {
  it('resolves when its time has come', async () => {
    const loop = new DrivenLoop();
    await loop.until(loop.delay(30));
    expect(loop.now()).to.equal(30);
    expect(loop.alive).to.equal(false);
    // Nothing is left of it on the loop or on the signal.
    const { signal } = new AbortController();
    await loop.until(loop.delay(1, { signal }));
    expect([loop._closers.size, getEventListeners(signal, 'abort').length]).to.deep.equal([0, 0]);
  });

  it('rejects when it is aborted, before or meanwhile, with the reason as its cause', async () => {
    const loop = new DrivenLoop();
    const controller = new AbortController();
    const { signal } = controller;
    const pending = loop.delay(30, { signal });
    controller.abort('enough');
    for (const delay of [pending, loop.delay(30, { signal })]) {
      const error: unknown = await delay.catch((thrown: unknown) => thrown);
      expect(error).to.be.instanceOf(AbortedError);
      expect((error as AbortedError).cause).to.equal('enough');
    }
    expect(loop.alive).to.equal(false);
  });

  it('rejects when the loop is closed, before or meanwhile', async () => {
    const loop = new DrivenLoop();
    const pending = loop.delay(30);
    loop.close();
    for (const delay of [pending, loop.delay(30)]) {
      const error: unknown = await delay.catch((thrown: unknown) => thrown);
      expect(error).to.be.instanceOf(AbortedError);
      expect((error as AbortedError).message).to.include('the loop was closed');
    }
  });
});
