import {
  AbortedError,
  type ChannelClosed,
  createEntry,
  LimitError,
  type SluiceError,
  SystemError,
  systemCode,
} from '@sluice/errors';
import { expect } from 'chai';
import type { BufferEvent } from '../src/index.ts';
import { link, TestLoop } from '../src/testing/index.ts';
import { expectReport } from './support/expect-report.ts';

function linked() {
  const loop = new TestLoop();
  const wires = link(loop);
  const [bev, peer] = wires.ends;
  loop.settle();
  return { loop, wires, bev, peer };
}

/** A limit that the peer broke, with all that an error can say. */
function tooMany(): LimitError {
  return new LimitError('more than 3 logins; raise loginsMax', {
    code: 'SLUICE_APPLICATION_TOO_MANY_LOGINS',
    layer: 'application',
    operation: 'login',
    blame: 'remote',
    remedy: 'close',
    logLevel: 'warn',
    end: 'failed',
    direction: 'read',
    cause: 'the fourth',
    entries: [createEntry({ code: systemCode(1), data: new Uint8Array([1, 2, 3]) })],
  });
}

function thrownBy(work: () => unknown): SluiceError {
  try {
    work();
  } catch (error) {
    return error as SluiceError;
  }
  throw new Error('nothing was thrown');
}

/** What the channel tells, in order, among the events of the connection. */
function record(bev: BufferEvent): string[] {
  const log: string[] = [];
  bev.channel.failed$.subscribe({
    next: ({ code }) => log.push(`failed ${code}`),
    complete: () => log.push('failed is over'),
  });
  bev.channel.closed$.subscribe(({ end, direction }) => log.push(`channel ${end} ${direction}`));
  bev.on('data', () => log.push(`data ${bev.read().toString()}`));
  bev.on('closed', ({ end }) => log.push(`closed ${end}`));
  return log;
}

describe('the errors of a connection', () => {
  it('are told by its channel in turns of the loop, after the data that came before', async () => {
    const { loop, wires, bev, peer } = linked();
    const log = record(bev);
    peer.write('last words');
    loop.turn();
    wires.cut('reset');
    await Promise.resolve();
    expect(log, 'not outside a turn').to.deep.equal([]);
    loop.settle();
    expect(log).to.deep.equal([
      'data last words',
      'closed reset',
      'failed SLUICE_SYSTEM_ECONNRESET',
      'failed is over',
      'channel reset read',
    ]);
  });

  const ends: [end: string, finish: (scene: ReturnType<typeof linked>) => void, failed: boolean][] = [
    ['aborted', ({ bev }) => bev.destroy(), false],
    ['failed', ({ bev }) => bev.destroy(tooMany()), true],
    ['reset', ({ wires }) => wires.cut('reset'), true],
    ['end', ({ bev, peer }) => void [bev.end(), peer.end()], false],
  ];
  for (const [end, finish, failed] of ends) {
    it(`end the channel as the connection ends, and for those who ask late: ${end}`, () => {
      const scene = linked();
      const { loop, bev } = scene;
      const told: ChannelClosed[] = [];
      bev.channel.closed$.subscribe((closed) => told.push(closed));
      finish(scene);
      loop.settle();
      bev.channel.closed$.subscribe((closed) => told.push(closed));
      expect(told.map((closed) => [closed.end, closed.direction])).to.deep.equal(
        [1, 2].map(() => [end, bev.closed?.direction]),
      );
      expect(bev.channel.failed).to.equal(failed);
      expect(told.map(({ error }) => error?.code)).to.deep.equal([1, 2].map(() => bev.closed?.code ?? undefined));

      const late = linked();
      finish(late);
      late.loop.settle();
      const heard: unknown[] = [];
      late.bev.channel.failed$.subscribe({ next: ({ code }) => heard.push(code), complete: () => heard.push('over') });
      late.bev.channel.closed$.subscribe((closed) => heard.push(closed.end));
      expect(heard).to.deep.equal([...(failed ? [late.bev.closed?.code] : []), 'over', end]);
    });
  }

  it('are not what comes after an end of another kind', () => {
    const { loop, bev } = linked();
    bev.destroy();
    bev.destroy(tooMany());
    bev._fail(tooMany());
    loop.settle();
    expect(bev.closed).to.include({ end: 'aborted', error: undefined });
    expect(bev.channel).to.include({ failed: false, suppressedErrors: 0 });
    expect(thrownBy(() => bev.write('x'))).to.include({
      code: 'SLUICE_CORE_CLOSED',
      message: `write: ${bev.transport} connection ${bev.id} was destroyed`,
    });
  });

  it('are counted when others follow the first', () => {
    const { loop, bev } = linked();
    bev.destroy(tooMany());
    bev._fail(tooMany());
    loop.settle();
    expect(bev.channel.suppressedErrors).to.equal(1);
  });

  it('are reported with all they said: kind, level, cause, end and entries', () => {
    const { loop, bev } = linked();
    bev.destroy(tooMany());
    loop.settle();
    const report = thrownBy(() => bev.write('x'));
    expectReport(report, bev, 'write');
    expect(report).to.be.instanceOf(LimitError);
    expect(report).to.include({ logLevel: 'warn', cause: 'the fourth', direction: 'read' });
  });

  it('of the system are reported as such, though the errno has no number here', () => {
    const { loop, bev } = linked();
    bev.destroy(
      new SystemError('lookup example failed', {
        code: 'SLUICE_SYSTEM_ENOTFOUND',
        layer: 'system',
        operation: 'lookup',
        blame: 'local',
        remedy: 'fix',
        end: 'failed',
        errno: 'ENOTFOUND',
        syscall: 'getaddrinfo',
      }),
    );
    loop.settle();
    const report = thrownBy(() => bev.write('x'));
    expectReport(report, bev, 'write');
    expect(report).to.be.instanceOf(SystemError).and.include({ errno: 'ENOTFOUND', syscall: 'getaddrinfo' });
    expect(bev.channel.networkFailed).to.equal(true);
  });

  it("are nobody's to change: neither by the report, nor by the error that was given, nor by a copy", () => {
    const { loop, bev } = linked();
    const error = tooMany();
    const told: SluiceError[] = [];
    for (let i = 0; i < 5; i++) bev.failed$.subscribe((each) => told.push(each));
    bev.destroy(error);
    loop.settle();
    bev.failed$.subscribe((late) => told.push(late));
    const before = JSON.stringify(bev.channel.report('write'));
    for (const each of [error, bev.closed?.error, ...told.slice(1)]) {
      for (const { data } of each?.entries ?? []) if (typeof data !== 'string') data.fill(9);
      (each?.entries as unknown[] | undefined)?.splice(0);
    }
    expect(JSON.stringify(bev.channel.report('write'))).to.equal(before);
    expect(told).to.have.length(6);
    expect(new Set(told).size).to.equal(6);
    expect(told[0]?.entries.map(({ data }) => data)).to.deep.equal([new Uint8Array([1, 2, 3]), '']);
  });

  it('an operation on a connection that has ended in order says so', () => {
    const { loop, bev, peer } = linked();
    bev.end();
    peer.end();
    loop.settle();
    const error = thrownBy(() => bev.write('x'));
    expect(error).to.be.instanceOf(AbortedError);
    expect(error.message).to.match(/has ended$/);
  });
});
