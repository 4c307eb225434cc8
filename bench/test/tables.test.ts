import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { casesNamed } from '../src/cases.ts';
import { readmePath } from '../src/paths.ts';
import { type Results, summarize, type Trial } from '../src/results.ts';
import { insertBetweenMarkers, renderResults } from '../src/tables.ts';

function resultsOf(trials: readonly Trial[]): Results {
  return {
    date: '2026-11-22T10:00:00.000Z',
    command: 'npm run bench',
    machine: { cpu: 'A processor', cores: 2, memoryGiB: 24, kernel: '6.1', system: 'Debian' },
    versions: { Bun: '1.4.5' },
    pinned: true,
    rounds: 1,
    measureSeconds: 2,
    summary: summarize(trials, casesNamed([])),
    trials,
  };
}

const trial = (name: string, peer: string, measured: NonNullable<Trial['measured']>): Trial => ({
  case: name,
  peer,
  round: 0,
  measured,
});

describe('tables', () => {
  it('tell the aim and whether it is reached, the losses too', () => {
    const text = renderResults(
      resultsOf([
        trial('tcp-echo-64-50', 'sluice', { cpuUsPerRequest: 5.123 }),
        trial('tcp-echo-64-50', 'node', { cpuUsPerRequest: 10 }),
        trial('tcp-echo-64-50', 'epoll', { cpuUsPerRequest: 4 }),
      ]),
    );
    expect(text).to.include('| TCP: 64 B, 50 connections | 5.12 | 0.51 ✓ (0.68) | 1.28 ✗ (1.25) |');
    expect(text).to.include('| case | Sluice, µs | node:*, same Node | bare epoll (C) |');
  });

  it('have one table per measure, with only the cases and peers that have it', () => {
    const text = renderResults(
      resultsOf([
        trial('tcp-idle-3000', 'sluice', { kibPerConnection: 3, idleCpuUsPerSecond: 0 }),
        trial('tcp-idle-3000', 'bun', { kibPerConnection: 6, idleCpuUsPerSecond: 10 }),
      ]),
    );
    expect(text).to.include('### Memory per connection').and.include('| TCP: 3,000 idle connections | 3 | 0.50 |');
    expect(text).to.include('### CPU time while idle').and.include('| TCP: 3,000 idle connections | 0 | 0.00 |');
    expect(text).to.not.include('### Throughput').and.not.include('libevent');
  });

  it('say when a peer failed, and leave a cell empty where it does not take part', () => {
    const text = renderResults(
      resultsOf([
        trial('tcp-echo-64-1', 'sluice', { cpuUsPerRequest: 1 }),
        { case: 'tcp-echo-64-1', peer: 'bun', round: 0, failure: 'it ended' },
        trial('tcp-kv-50', 'sluice', { cpuUsPerRequest: 2 }),
        trial('tcp-kv-50', 'memcached', { cpuUsPerRequest: 4 }),
      ]),
    );
    expect(text).to.include('| TCP: 64 B, 1 connection | 1 | failed |  |');
    expect(text).to.match(/\| TCP: key-value server.* \| 2 \| {2}\| 0\.50 \|/);
  });

  it('name the machine, the versions, the date and the command', () => {
    const text = renderResults(resultsOf([trial('tcp-echo-64-1', 'sluice', { cpuUsPerRequest: 1 })]));
    for (const word of ['2026-11-22', 'npm run bench', 'A processor', 'Linux 6.1', 'Bun 1.4.5']) {
      expect(text).to.include(word);
    }
  });

  it('go between the markers of the README, and nowhere else', () => {
    const readme = readFileSync(readmePath, 'utf8');
    const once = insertBetweenMarkers(readme, 'first');
    const twice = insertBetweenMarkers(once, 'second');
    expect(twice).to.include('\n\nsecond\n\n').and.not.include('first\n\n<!--');
    expect(insertBetweenMarkers(twice, 'first')).to.equal(once);
    expect(() => insertBetweenMarkers('# no place', 'x')).to.throw(/no place/);
  });
});
