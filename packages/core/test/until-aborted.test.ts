import { AbortedError } from '@sluice/errors';
import { expect } from 'chai';
import { untilAborted } from '../src/until-aborted.ts';
import { reasonOf, state } from './support/promises.ts';

describe('untilAborted', () => {
  it('comes to what the promise comes to, with a signal and without', async () => {
    const failure = new Error('it failed');
    for (const signal of [undefined, new AbortController().signal]) {
      expect(await untilAborted('test', Promise.resolve(5), signal)).to.equal(5);
      expect(await reasonOf(untilAborted('test', Promise.reject(failure), signal))).to.equal(failure);
    }
  });

  it('rejects as soon as the signal is aborted, or if it was, whatever becomes of the promise', async () => {
    const controller = new AbortController();
    const waits = untilAborted('test', new Promise(() => {}), controller.signal);
    expect(await state(waits)).to.equal('pending');
    controller.abort('enough');
    expect(await reasonOf(waits))
      .to.be.instanceOf(AbortedError)
      .and.include({ code: 'SLUICE_CORE_ABORTED', operation: 'test', cause: 'enough' });
    // A rejection that nobody hears of would end the process.
    const late = untilAborted('test', Promise.reject(new Error('late')), controller.signal);
    expect(await reasonOf(late)).to.be.instanceOf(AbortedError);
  });
});
