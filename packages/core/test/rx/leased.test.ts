import { ApiMisuse, errorFromErrno } from '@sluice/errors';
import { expect } from 'chai';
import { firstValueFrom, take } from 'rxjs';
import { chunks, Suspend } from '../../src/index.ts';
import { type Lease, leased$ } from '../../src/rx/index.ts';
import { link, TestLoop } from '../../src/testing/index.ts';
import { expectReport } from '../support/expect-report.ts';
import { fed, pattern } from '../support/fed.ts';

function linked() {
  const loop = new TestLoop();
  const wires = link(loop, { first: { halfOpen: true }, second: {} });
  const [bev, peer] = wires.ends;
  const log: string[] = [];
  const leases: Lease<Buffer>[] = [];
  const observer = {
    next: (lease: Lease<Buffer>) => {
      log.push(lease.bytes.toString());
      leases.push(lease);
    },
    error: (error: unknown) => void log.push(`error ${(error as { code: string }).code}`),
    complete: () => void log.push('complete'),
  };
  return { loop, wires, bev, peer, log, leases, observer };
}

describe('leased$', () => {
  it('gives what arrives, in order and from the loop, then completes', () => {
    const { loop, bev, peer, log, leases, observer } = linked();
    peer.write('one');
    loop.settle();
    leased$(bev).subscribe(observer);
    expect(log).to.deep.equal([]);
    loop.settle();
    expect(log).to.deep.equal(['one']);
    peer.write('two');
    loop.settle();
    peer.end();
    loop.settle();
    expect(log).to.deep.equal(['one', 'two', 'complete']);
    for (const lease of leases) lease.release();
    loop.settle();
    expect(log.length).to.equal(3);
  });

  it('gives bytes that stay what they are, in chunks of the size asked for', () => {
    const { bev, run } = fed({ totalBytes: 1000 });
    const got: Buffer[] = [];
    leased$(bev, { bytesMax: 64 }).subscribe((lease) => {
      got.push(lease.bytes);
      lease.release();
    });
    run();
    expect(Math.max(...got.map(({ length }) => length))).to.equal(64);
    expect(Buffer.concat(got)).to.deep.equal(pattern(0, 1000));
  });

  it('stops at the high watermark, and goes on when half of it was released, never inside the release', () => {
    const { bev, loop, run } = fed({ totalBytes: 5000, watermarks: { read: { high: 1000 } }, deliveryBytes: 100 });
    const leases: Lease[] = [];
    leased$(bev, { bytesMax: 100 }).subscribe((lease) => leases.push(lease));
    run();
    expect(leases.length).to.equal(10);
    expect(bev.suspended).to.equal(Suspend.lease);
    for (const lease of leases.slice(0, 4)) lease.release();
    run();
    expect(leases.length).to.equal(10);
    leases[4]?.release();
    expect(leases.length).to.equal(10);
    expect(bev.suspended).to.equal(0);
    expect(loop.pending).to.equal(true);
    run();
    expect(leases.length).to.equal(15);
  });

  it('keeps what a first byte must wait for: the low watermark', () => {
    const { loop, bev, peer, log, observer } = linked();
    bev.setWatermarks({ read: { low: 4 } });
    leased$(bev).subscribe(observer);
    peer.write('ab');
    loop.settle();
    expect(log).to.deep.equal([]);
    peer.write('cd');
    loop.settle();
    expect(log).to.deep.equal(['abcd']);
    peer.write('e');
    peer.end();
    loop.settle();
    expect(log).to.deep.equal(['abcd', 'e', 'complete']);
  });

  it('errors with the error of the connection itself, after the bytes that came before it', () => {
    const { loop, wires, bev, peer, log, observer } = linked();
    bev.setWatermarks({ read: { high: 4 } });
    let thrown: unknown;
    leased$(bev, { bytesMax: 2 }).subscribe({
      ...observer,
      error: (error: unknown) => {
        thrown = error;
        observer.error(error);
      },
    });
    peer.write('abcd');
    loop.settle();
    wires.cut('reset');
    loop.settle();
    expect(log).to.deep.equal(['ab', 'cd', 'error SLUICE_SYSTEM_ECONNRESET']);
    expectReport(thrown, bev);
  });

  it('lends what is left of a connection that failed while too much was out', () => {
    const { loop, bev, peer, log, leases, observer } = linked();
    bev.setWatermarks({ read: { high: 4 } });
    leased$(bev, { bytesMax: 4 }).subscribe(observer);
    peer.write('abcd');
    loop.settle();
    bev.input.prepend('rest');
    bev.destroy(errorFromErrno('EIO', { operation: 'read' }));
    loop.settle();
    expect(log).to.deep.equal(['abcd']);
    leases[0]?.release();
    loop.settle();
    expect(log).to.deep.equal(['abcd', 'rest', 'error SLUICE_SYSTEM_EIO']);
  });

  it('errors at once when the connection was destroyed here', () => {
    const { loop, bev, peer, log, observer } = linked();
    leased$(bev).subscribe(observer);
    peer.write('abcd');
    loop.settle();
    bev.input.prepend('unread');
    bev.destroy();
    loop.settle();
    expect(log).to.deep.equal(['abcd', 'error SLUICE_CORE_CLOSED']);
  });

  it('completes for a late subscriber of a connection that has ended, with what it left', () => {
    const { loop, bev, peer, log, observer } = linked();
    peer.write('left');
    peer.end();
    loop.settle();
    bev.end();
    loop.settle();
    expect(bev.closed?.end).to.equal('end');
    leased$(bev).subscribe(observer);
    loop.settle();
    expect(log).to.deep.equal(['left', 'complete']);
  });

  it('unsubscribed from, pauses the connection and counts nothing as out; the next subscriber goes on', () => {
    const { bev, run } = fed({ totalBytes: 3000, watermarks: { read: { high: 1000 } }, deliveryBytes: 500 });
    const got: Buffer[] = [];
    leased$(bev, { bytesMax: 500 })
      .pipe(take(2))
      .subscribe((lease) => got.push(lease.bytes));
    run();
    expect(got.length).to.equal(2);
    expect(bev.suspended & Suspend.lease).to.equal(0);
    expect(bev.closed).to.equal(undefined);
    leased$(bev).subscribe((lease) => {
      got.push(lease.bytes);
      lease.release();
    });
    run();
    expect(Buffer.concat(got)).to.deep.equal(pattern(0, 3000));
  });

  it('unsubscribed from with onUnsubscribe abort, destroys the connection', () => {
    const { loop, bev, peer } = linked();
    const subscription = leased$(bev, { onUnsubscribe: 'abort' }).subscribe();
    peer.write('x');
    loop.settle();
    subscription.unsubscribe();
    loop.settle();
    expect(bev.closed?.end).to.equal('aborted');
  });

  it('leaves a connection alone whose end it has told', () => {
    const { loop, bev, peer } = linked();
    leased$(bev, { onUnsubscribe: 'abort' }).subscribe();
    peer.end();
    loop.settle();
    expect(bev.closed).to.equal(undefined);
    expect(bev.write('still')).to.equal(true);
  });

  it('has one subscriber at a time, and shares with no other reader', async () => {
    const { loop, bev } = linked();
    const first = leased$(bev).subscribe();
    const errors: unknown[] = [];
    leased$(bev).subscribe({ error: (error) => errors.push(error) });
    await chunks(bev)
      .next()
      .catch((error: unknown) => errors.push(error));
    expect(errors.map((error) => error instanceof ApiMisuse && error.code)).to.deep.equal([
      'SLUICE_CORE_READ_IN_PROGRESS',
      'SLUICE_CORE_READ_IN_PROGRESS',
    ]);
    first.unsubscribe();
    const next = firstValueFrom(leased$(bev), { defaultValue: undefined });
    bev.destroy();
    loop.settle();
    expect(await next.catch((error: { code: string }) => error.code)).to.equal('SLUICE_CORE_CLOSED');
  });

  it('refuses a chunk size that is none', () => {
    const { bev } = linked();
    for (const bytesMax of [0, -1, 1.5, Number.NaN]) {
      let thrown: unknown;
      leased$(bev, { bytesMax }).subscribe({ error: (error: unknown) => (thrown = error) });
      expect(thrown).to.be.instanceOf(ApiMisuse);
      expect((thrown as ApiMisuse).message)
        .to.contain('bytesMax')
        .and.contain(String(bytesMax));
    }
    leased$(bev, { bytesMax: Number.POSITIVE_INFINITY }).subscribe({ error: (error) => expect.fail(String(error)) });
  });
});
