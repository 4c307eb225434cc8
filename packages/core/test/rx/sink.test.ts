import { LimitError } from '@sluice/errors';
import { expect } from 'chai';
import { from, NEVER, of, Subject, throwError } from 'rxjs';
import { sink, type WriteStatus } from '../../src/rx/index.ts';
import { link, TestLoop } from '../../src/testing/index.ts';
import { expectReport } from '../support/expect-report.ts';

const bytes = (length: number): Uint8Array => new Uint8Array(length);

function corked() {
  const loop = new TestLoop();
  const wires = link(loop, { first: { watermarks: { write: { low: 10, high: 100, cap: 1000 } } }, second: {} });
  const [bev, peer] = wires.ends;
  wires.cork(bev);
  peer.on('data', () => void peer.input.drain());
  const statuses: WriteStatus[] = [];
  const ends: unknown[] = [];
  const observer = {
    next: (status: WriteStatus) => void statuses.push(status),
    error: (error: unknown) => void ends.push(error),
    complete: () => void ends.push('complete'),
  };
  return { loop, wires, bev, peer, statuses, ends, observer };
}

describe('sink', () => {
  it('tells of each chunk at once while there is room, and then when there is again', () => {
    const { loop, wires, bev, statuses, ends, observer } = corked();
    from([40, 60, 7].map(bytes)).pipe(sink(bev)).subscribe(observer);
    expect(statuses).to.deep.equal([{ bytes: 40, waited: false }]);
    expect(bev.output.length).to.equal(100);
    loop.settle();
    expect(statuses.length).to.equal(1);
    wires.uncork(bev);
    loop.settle();
    expect(statuses.slice(1)).to.deep.equal([
      { bytes: 60, waited: true },
      { bytes: 7, waited: false },
    ]);
    expect(ends).to.deep.equal(['complete']);
    expect(bev.closed).to.equal(undefined);
  });

  it('gives a source that does not wait a LimitError at the cap, output included', () => {
    const { bev, ends, observer } = corked();
    const source = new Subject<Uint8Array>();
    source.pipe(sink(bev)).subscribe(observer);
    for (let sent = 0; sent < 1000; sent += 100) source.next(bytes(100));
    expect(ends).to.deep.equal([]);
    source.next(bytes(1));
    expect(ends[0]).to.be.instanceOf(LimitError);
    expect(ends[0]).to.include({ code: 'SLUICE_CORE_SINK_CAP', blame: 'local', remedy: 'fix' });
    expect(bev.output.length).to.equal(100);
  });

  it('gives it to a source of chunks of a byte, or of none, too: their count has a bound', () => {
    for (const length of [1, 0]) {
      const { bev, ends, observer } = corked();
      const source = new Subject<Uint8Array>();
      source.pipe(sink(bev)).subscribe(observer);
      source.next(bytes(200));
      let chunks = 0;
      for (; chunks < 10_000 && ends.length === 0; chunks += 1) source.next(bytes(length));
      expect(ends[0]).to.include({ code: 'SLUICE_CORE_SINK_CAP' });
      expect(chunks).to.be.below((1000 - 200) / 64 + 2);
    }
    const { bev, statuses, observer } = corked();
    bev.setWatermarks({ write: { low: 1, high: 2, cap: 10 } });
    of(bytes(1)).pipe(sink(bev)).subscribe(observer);
    expect(statuses, 'one that need not wait counts as what it is').to.deep.equal([{ bytes: 1, waited: false }]);
  });

  it("errors with the connection's error when it ends before there is room", () => {
    const { loop, wires, bev, statuses, ends, observer } = corked();
    of(bytes(200)).pipe(sink(bev)).subscribe(observer);
    wires.cut('reset');
    loop.settle();
    expect(statuses).to.deep.equal([]);
    expect(ends.length).to.equal(1);
    expectReport(ends[0], bev);
    expect(bev.listenerCount('drained')).to.equal(0);
  });

  it('errors when the connection takes no more', () => {
    const { bev, ends, observer } = corked();
    bev.end();
    of(bytes(1)).pipe(sink(bev)).subscribe(observer);
    expect(ends[0]).to.include({ code: 'SLUICE_CORE_WRITE_AFTER_END' });
  });

  it('unsubscribed from, drops what is queued and listens no more', () => {
    const { loop, wires, bev, statuses, observer } = corked();
    const subscription = from([bytes(200), bytes(5)])
      .pipe(sink(bev))
      .subscribe(observer);
    subscription.unsubscribe();
    expect(bev.listenerCount('drained') + bev.listenerCount('closed')).to.equal(0);
    wires.uncork(bev);
    loop.settle();
    expect(statuses).to.deep.equal([]);
    expect(bev.bytesOut).to.equal(200);
    expect(bev.closed).to.equal(undefined);
  });

  it('destroys the connection with onUnsubscribe abort, and only when it is unsubscribed from', () => {
    const abort = { onUnsubscribe: 'abort' } as const;
    const left = corked();
    NEVER.pipe(sink(left.bev, abort)).subscribe().unsubscribe();
    expect(left.bev.closed?.end).to.equal('aborted');

    const over = corked();
    of(bytes(1)).pipe(sink(over.bev, abort)).subscribe();
    expect(over.bev.closed).to.equal(undefined);

    const failed = corked();
    throwError(() => new Error('of the source'))
      .pipe(sink(failed.bev, abort))
      .subscribe(failed.observer);
    expect(failed.ends.map(String)).to.deep.equal(['Error: of the source']);
    expect(failed.bev.closed).to.equal(undefined);
  });
});
