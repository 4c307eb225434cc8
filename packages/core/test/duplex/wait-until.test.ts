import { AbortedError, ApiMisuse } from '@sluice/errors';
import { expect } from 'chai';
import { PairBufferEvent } from '../../src/index.ts';
import { TestLoop } from '../../src/testing/index.ts';
import { type Wait, waitUntil } from '../../src/duplex/wait-until.ts';
import { reasonOf, state } from '../support/promises.ts';

describe('waitUntil', () => {
  let loop: TestLoop;
  let bev: PairBufferEvent;
  let looks: number;
  let there: boolean;

  beforeEach(() => {
    loop = new TestLoop();
    [bev] = PairBufferEvent.create(loop);
    loop.settle();
    looks = 0;
    there = false;
  });

  function wait(more: Partial<Wait<string>> = {}): Promise<string> {
    return waitUntil(bev, {
      operation: 'test',
      signal: undefined,
      events: ['drained', 'closed'],
      look() {
        looks += 1;
        return there ? { value: 'it' } : undefined;
      },
      ...more,
    });
  }

  it('looks now, and at each of its events, until it is there; then it listens no more', async () => {
    there = true;
    expect(await wait()).to.equal('it');
    there = false;
    const later = wait();
    expect([await state(later), looks]).to.deep.equal(['pending', 2]);
    bev.emit('drained');
    there = true;
    bev.emit('connected');
    expect([await state(later), looks]).to.deep.equal(['pending', 3]);
    bev.emit('drained');
    expect([await later, looks]).to.deep.equal(['it', 4]);
    bev.emit('drained');
    expect([looks, bev.listenerCount('drained'), bev.listenerCount('closed'), loop._closers.size]).to.deep.equal([
      4, 0, 0, 0,
    ]);
  });

  it('hears of what is no event, and ends that', async () => {
    let again = (): void => {};
    let ended = 0;
    const later = wait({
      listen(look) {
        again = look;
        return () => {
          ended += 1;
        };
      },
    });
    again();
    expect([await state(later), ended]).to.deep.equal(['pending', 0]);
    there = true;
    again();
    expect([await later, ended]).to.deep.equal(['it', 1]);
  });

  it('rejects with what look throws, at first or later', async () => {
    const failure = new Error('never');
    const look = (): undefined => {
      if (there) throw failure;
      return undefined;
    };
    const later = wait({ look });
    expect(await state(later)).to.equal('pending');
    there = true;
    expect(await reasonOf(wait({ look }))).to.equal(failure);
    bev.emit('drained');
    expect(await reasonOf(later)).to.equal(failure);
    expect(bev.listenerCount('drained')).to.equal(0);
  });

  it('rejects by its signal, before it looks or while it waits', async () => {
    const aborted = wait({ signal: AbortSignal.abort('enough') });
    expect(await reasonOf(aborted))
      .to.be.instanceOf(AbortedError)
      .and.include({ cause: 'enough' });
    expect(looks).to.equal(0);
    const controller = new AbortController();
    const later = wait({ signal: controller.signal });
    controller.abort();
    expect(await reasonOf(later)).to.include({ code: 'SLUICE_CORE_ABORTED', operation: 'test' });
    expect([bev.listenerCount('drained'), loop._closers.size]).to.deep.equal([0, 0]);
  });

  it('rejects when the loop is closed, or was: nothing would come any more', async () => {
    const later = wait();
    loop.close();
    for (const promise of [later, wait()]) {
      expect(await reasonOf(promise)).to.include({ code: 'SLUICE_CORE_LOOP_CLOSED', operation: 'test' });
    }
    there = true;
    expect(await wait(), 'what is there is there').to.equal('it');
  });

  it('refuses what is no connection, and what is no signal', async () => {
    expect(await reasonOf(waitUntil({} as never, { operation: 'test' } as never))).to.be.instanceOf(ApiMisuse);
    expect(await reasonOf(wait({ signal: 5 as never }))).to.be.instanceOf(ApiMisuse);
  });
});
