import process from 'node:process';
import { expect } from 'chai';
import { cpuTime, parseSchedstat } from '../src/cpu-time.ts';

describe('cpuTime', () => {
  it('reads nanoseconds on a CPU and waiting for one', () => {
    expect(parseSchedstat('890230 60672 1\n')).to.deep.equal({ runNs: 890230, waitNs: 60672 });
  });

  it('keeps a day of nanoseconds exact', () => {
    expect(parseSchedstat('86400000000001 0 12').runNs).to.equal(86_400_000_000_001);
  });

  it('refuses what is no schedstat', () => {
    for (const text of ['', '1 2', '1 2 x', '1 2 3 4']) expect(() => parseSchedstat(text)).to.throw(/no schedstat/);
  });

  it('grows with work, about as Node itself counts it', () => {
    const before = cpuTime(process.pid);
    const nodeBefore = process.cpuUsage();
    for (let spin = 0; process.cpuUsage(nodeBefore).user < 50_000; spin++) Math.sqrt(spin);
    const grown = cpuTime(process.pid).runNs - before.runNs;
    const { user, system } = process.cpuUsage(nodeBefore);
    expect(grown).to.be.greaterThan(50e6 * 0.8);
    expect(grown).to.be.lessThan((user + system) * 1000 * 1.5);
  });

  it('fails for a process that is not there', () => {
    expect(() => cpuTime(2 ** 30)).to.throw(/ENOENT/);
  });
});
