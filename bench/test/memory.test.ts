import process from 'node:process';
import { expect } from 'chai';
import { parseResidentKiB, residentKiB } from '../src/memory.ts';

describe('residentKiB', () => {
  it('reads VmRSS', () => {
    expect(parseResidentKiB('VmHWM:\t  2048 kB\nVmRSS:\t    1360 kB\nRssAnon:\t 96 kB\n')).to.equal(1360);
  });

  it('refuses a status without it, such as that of a zombie', () => {
    expect(() => parseResidentKiB('Name:\tnode\nState:\tZ (zombie)\n')).to.throw(/VmRSS/);
  });

  it('is near what Node says of itself', () => {
    expect(residentKiB(process.pid)).to.be.closeTo(process.memoryUsage.rss() / 1024, 20 * 1024);
  });
});
