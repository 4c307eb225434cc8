import { ApiMisuse } from '@sluice/errors';
import { expect } from 'chai';
import { EvBuffer, type FilterMode, type Transform } from '../src/index.ts';
import { FilterRun } from '../src/filter-run.ts';

/** A run from one plain buffer to another that takes `roomBytes`. */
function runOf(transform: Transform, roomBytes = Number.POSITIVE_INFINITY) {
  const source = new EvBuffer();
  const destination = new EvBuffer();
  let taken = 0;
  let made = 0;
  source.onChange(({ removed }) => {
    taken += removed;
  });
  destination.onChange(({ added }) => {
    made += added;
  });
  const run = new FilterRun(transform, {
    direction: 'write',
    source,
    destination,
    room: () => roomBytes - destination.length,
    moved: () => taken + made,
  });
  return { run, source, destination };
}

describe('FilterRun', () => {
  it('calls the transform while it says ok and there are bytes, and not for none', () => {
    let calls = 0;
    const { run, source, destination } = runOf((from, to) => {
      calls += 1;
      from.moveTo(to, 1);
      return 'ok';
    });
    expect(run.run('normal')).to.equal('hungry');
    expect(calls).to.equal(0);
    source.append('abc');
    expect(run.run('normal')).to.equal('hungry');
    expect([calls, destination.toString()]).to.deep.equal([3, 'abc']);
  });

  it('stops where the destination has no room, and tells how much there is', () => {
    const limits: number[] = [];
    const { run, source, destination } = runOf((from, to, limit) => {
      limits.push(limit);
      from.moveTo(to, 2);
      return 'ok';
    }, 5);
    source.append('abcdefgh');
    expect(run.run('normal')).to.equal('full');
    expect(limits).to.deep.equal([5, 3, 1]);
    destination.clear();
    expect(run.run('normal')).to.equal('hungry');
    expect(source.length).to.equal(0);
  });

  it('is hungry when the transform needs more, and leaves what it left', () => {
    const { run, source } = runOf(() => 'need-more');
    source.append('half');
    expect(run.run('normal')).to.equal('hungry');
    expect(source.toString()).to.equal('half');
    expect(run.finished).to.equal(false);
  });

  it('ends for good when the transform has finished, whatever else comes', () => {
    let calls = 0;
    const { run, source } = runOf((from) => {
      calls += 1;
      from.drain(1);
      return 'finished';
    });
    source.append('ab');
    expect([run.run('normal'), run.run('normal'), run.run('finished')]).to.deep.equal([
      'finished',
      'finished',
      'finished',
    ]);
    expect([calls, source.length, run.finished]).to.deep.equal([1, 1, true]);
  });

  it('tells the end once to a transform that knows nothing of ends', () => {
    const modes: FilterMode[] = [];
    const { run } = runOf((from, to, _limit, mode) => {
      modes.push(mode);
      from.moveTo(to);
      return 'ok';
    });
    expect([run.run('finished'), run.run('finished')]).to.deep.equal(['finished', 'finished']);
    expect(modes).to.deep.equal(['finished']);
  });

  it('is not finished while bytes are left that the transform cannot use', () => {
    const { run, source } = runOf(() => 'need-more');
    source.append('x');
    expect(run.run('finished')).to.equal('hungry');
    expect(run.finished).to.equal(false);
  });

  it('calls on at the end while the transform makes bytes of what it held back, as far as there is room', () => {
    let held = 10;
    const { run, destination } = runOf((_from, to) => {
      if (held === 0) return 'finished';
      held -= 1;
      to.append('h');
      return 'ok';
    }, 4);
    expect(run.run('finished')).to.equal('full');
    destination.clear();
    expect(run.run('finished')).to.equal('full');
    destination.clear();
    expect(run.run('finished')).to.equal('finished');
    expect(destination.toString()).to.equal('hh');
  });

  it('refuses ok without progress, and anything that is not an answer', () => {
    const idle = runOf(() => 'ok');
    idle.source.append('x');
    expect(() => idle.run.run('normal'))
      .to.throw(ApiMisuse, /answered 'ok' and did nothing, with 1 bytes to take/)
      .with.property('code', 'SLUICE_CORE_FILTER_NO_PROGRESS');
    const odd = runOf((() => undefined) as unknown as Transform);
    odd.source.append('x');
    expect(() => odd.run.run('normal')).to.throw(
      ApiMisuse,
      /must answer 'ok', 'need-more' or 'finished', not undefined/,
    );
    expect(odd.run.running).to.equal(false);
  });

  it('yields after many calls', () => {
    let calls = 0;
    const { run, source } = runOf((from, to) => {
      calls += 1;
      from.moveTo(to, 1);
      return 'ok';
    });
    source.append(Buffer.alloc(5000));
    expect(run.run('normal')).to.equal('later');
    expect(calls).to.be.within(100, 2000);
    let runs = 1;
    while (run.run('normal') === 'later') runs += 1;
    expect([source.length, runs < 50]).to.deep.equal([0, true]);
  });

  it('does not call a transform from within itself', () => {
    const outcomes: string[] = [];
    const { run, source } = runOf((from, to) => {
      outcomes.push(run.run('normal'));
      from.moveTo(to);
      return 'ok';
    });
    source.append('x');
    run.run('normal');
    expect(outcomes).to.deep.equal(['later']);
  });
});
