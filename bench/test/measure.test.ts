import { expect } from 'chai';
import type { LoadResult } from '../src/load-process.ts';
import { limitedByLoad, requestsMeasured } from '../src/measure.ts';

const result: LoadResult = {
  phase: 'result',
  requests: 100_000,
  bytes: 12_800_000,
  errors: 0,
  resumed: 25_000,
  seconds: 2,
  cpuSeconds: 1.5,
  latencyUs: { mean: 90, p50: 80, p99: 300, max: 4000 },
};

describe('measure', () => {
  it('divides what the server spent between two looks by the requests of the load', () => {
    const measured = requestsMeasured(result, { runNs: 5e8, waitNs: 1e7 }, { runNs: 1.5e9, waitNs: 2.1e8 }, 40_960);
    expect(measured).to.deep.equal({
      cpuUsPerRequest: 10,
      requestsPerSecond: 50_000,
      megabytesPerSecond: 6.4,
      p50Us: 80,
      p99Us: 300,
      maxUs: 4000,
      residentKiB: 40_960,
      resumedShare: 0.25,
      errors: 0,
      serverCpuShare: 0.5,
      serverWaitShare: 0.1,
      loadCpuShare: 0.75,
      limitedByLoad: false,
    });
  });

  it('blames the load generator only when it was full and the server was not', () => {
    expect(limitedByLoad(0.99, 0.6)).to.equal(true);
    expect(limitedByLoad(0.99, 0.97)).to.equal(false);
    expect(limitedByLoad(0.8, 0.3)).to.equal(false);
  });
});
