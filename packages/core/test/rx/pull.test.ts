import { ApiMisuse } from '@sluice/errors';
import { expect } from 'chai';
import { of, Subject, take, throwError } from 'rxjs';
import { Suspend } from '../../src/index.ts';
import { pull } from '../../src/rx/index.ts';
import { fed, pattern } from '../support/fed.ts';

/** Work that is done when the test says so. */
function byHand() {
  const begun: { text: string; done: Subject<string> }[] = [];
  const work = (bytes: Buffer): Subject<string> => {
    const done = new Subject<string>();
    begun.push({ text: bytes.toString('latin1'), done });
    return done;
  };
  const finish = (index: number): void => {
    const each = begun[index];
    each?.done.next(`done ${index}`);
    each?.done.complete();
  };
  return { begun, work, finish };
}

describe('pull', () => {
  it('takes the next chunk when the work on one is done, and leaves the rest where it holds up the peer', () => {
    const { bev, run } = fed({ totalBytes: 4000, deliveryBytes: 1000, watermarks: { read: { high: 2000 } } });
    const { begun, work, finish } = byHand();
    const results: string[] = [];
    pull(bev, work, { bytesMax: 500 }).subscribe((result) => results.push(result));
    run();
    expect(begun.length).to.equal(1);
    expect(bev.input.length).to.equal(1500);
    expect(bev.suspended & Suspend.lease).to.not.equal(0);
    finish(0);
    expect(begun.length, 'never inside the completion of the work').to.equal(1);
    run();
    expect(begun.length).to.equal(2);
    expect(results).to.deep.equal(['done 0']);
  });

  it('works through everything and completes when the last work is done', () => {
    const { bev, run } = fed({ totalBytes: 10_000 });
    const got: Buffer[] = [];
    let completed = false;
    pull(bev, (bytes) => of(bytes), { bytesMax: 999 }).subscribe({
      next: (bytes) => got.push(bytes),
      complete: () => void (completed = true),
    });
    run();
    expect(Buffer.concat(got)).to.deep.equal(pattern(0, 10_000));
    expect(completed).to.equal(true);

    const slow = fed({ totalBytes: 10 });
    const { work, finish } = byHand();
    let slowCompleted = false;
    pull(slow.bev, work).subscribe({ complete: () => void (slowCompleted = true) });
    slow.run();
    expect(slowCompleted).to.equal(false);
    finish(0);
    expect(slowCompleted).to.equal(true);
  });

  it('works on as many chunks as the window is wide, and tells what is done first first', () => {
    const { bev, run } = fed({ totalBytes: 1000 });
    const { begun, work, finish } = byHand();
    const results: string[] = [];
    pull(bev, work, { window: 3, bytesMax: 100 }).subscribe((result) => results.push(result));
    run();
    expect(begun.length).to.equal(3);
    finish(1);
    run();
    expect(begun.length).to.equal(4);
    expect(results).to.deep.equal(['done 1']);
  });

  it('unsubscribed from, leaves what was not begun in input, and pauses', () => {
    const { bev, run } = fed({ totalBytes: 1000 });
    pull(bev, (bytes) => of(bytes), { bytesMax: 100 })
      .pipe(take(3))
      .subscribe();
    run();
    expect(bev.input.length).to.equal(700);
    expect(bev.input.peek(1)[0]?.[0]).to.equal(300 - 251);
    expect(bev.closed).to.equal(undefined);
  });

  it("errors with the work's error, and does with the connection what unsubscribing does", () => {
    for (const onUnsubscribe of ['pause', 'abort'] as const) {
      const { bev, loop, run } = fed({ totalBytes: 1000 });
      const failure = new Error('the work failed');
      const errors: unknown[] = [];
      pull(bev, () => throwError(() => failure), { bytesMax: 100, onUnsubscribe }).subscribe({
        error: (error) => errors.push(error),
      });
      run();
      loop.settle();
      expect(errors).to.deep.equal([failure]);
      expect(bev.closed?.end).to.equal(onUnsubscribe === 'abort' ? 'aborted' : undefined);
    }
  });

  it('refuses a window that is none', () => {
    const { bev } = fed({ totalBytes: 0 });
    let thrown: unknown;
    pull(bev, of, { window: 0 }).subscribe({ error: (error: unknown) => (thrown = error) });
    expect(thrown).to.be.instanceOf(ApiMisuse);
    expect((thrown as ApiMisuse).message).to.equal('pull: window must be an integer of 1 or more, or Infinity, not 0');
  });
});
