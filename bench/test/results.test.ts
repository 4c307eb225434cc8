import { expect } from 'chai';
import { casesNamed } from '../src/cases.ts';
import type { Measured } from '../src/measure.ts';
import { medianOf, summarize, type Trial } from '../src/results.ts';

const name = 'tcp-echo-64-50';

function trials(peer: string, values: readonly number[], more: Measured = {}): Trial[] {
  return values.map((value, round) => ({ case: name, peer, round, measured: { cpuUsPerRequest: value, ...more } }));
}

describe('summarize', () => {
  it('makes ratios of medians, Sluice over the peer, and sets them beside the aim', () => {
    const [summary] = summarize([...trials('sluice', [5, 900, 4]), ...trials('node', [10, 8, 1])], casesNamed([name]));
    expect(summary?.metric).to.equal('cpuUsPerRequest');
    expect(summary?.peers[1]).to.deep.include({ peer: 'node', ratio: 5 / 8, target: 0.68, failures: 0 });
    expect(summary?.peers[0]).to.not.have.any.keys('ratio', 'target');
  });

  it('counts rounds that failed, and leaves them out of the medians', () => {
    const failed: Trial = { case: name, peer: 'node', round: 9, failure: 'connection 3: closed by the server' };
    const [summary] = summarize([...trials('sluice', [6]), ...trials('node', [12]), failed], casesNamed([name]));
    expect(summary?.peers[1]).to.deep.include({ failures: 1, ratio: 0.5 });
  });

  it('gives no ratio to a peer that always failed', () => {
    const failed: Trial = { case: name, peer: 'bun', round: 0, failure: 'bun ended' };
    const [summary] = summarize([...trials('sluice', [6]), failed], casesNamed([name]));
    expect(summary?.peers[1]).to.deep.equal({ peer: 'bun', measures: {}, target: 1, failures: 1, limitedByLoad: 0 });
  });

  it('counts the rounds in which the load generator was the limit', () => {
    const all = [
      ...trials('epoll', [3, 3], { limitedByLoad: true }),
      ...trials('epoll', [3], { limitedByLoad: false }),
    ];
    expect(summarize(all, casesNamed([name]))[0]?.peers[0]?.limitedByLoad).to.equal(2);
  });

  it('knows no median of a measure that a case does not have', () => {
    const [summary] = summarize(trials('sluice', [6]), casesNamed([name]));
    expect(summary && medianOf(summary, 'sluice', 'kibPerConnection')).to.equal(undefined);
    expect(summary && medianOf(summary, 'nobody', 'cpuUsPerRequest')).to.equal(undefined);
  });

  it('leaves out cases that nobody measured', () => {
    expect(summarize(trials('sluice', [1]))).to.have.lengthOf(1);
  });
});
