/** The page that lists what errors can say is the tables that they are made by. */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { classifyClose, classifyQuicClose, closeInfo, IDLE_TIMEOUT } from '../src/index.ts';
import { systemVerdicts } from '../src/system-verdicts.ts';
import { type Verdict, verdicts } from '../src/verdicts.ts';

const page = readFileSync(new URL('../../../docs/guide/error-codes.md', import.meta.url), 'utf8');

/** The rows of the table under a heading. */
function rowsUnder(heading: string): string[] {
  const section = page.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? '';
  return section.split('\n').filter((line) => line.startsWith('| `'));
}

function rowsOf(table: readonly Verdict[]): string[] {
  const rows = table.map(
    ({ what, blame, remedy, logLevel, end = '', says }) =>
      `| \`${what}\` | ${blame} | ${remedy} | ${logLevel} | ${end} | ${says} |`,
  );
  return [...new Set(rows)];
}

describe('the page of error codes', () => {
  it('has every verdict on a reason of TLS and QUIC, as it is', () => {
    // What covers another entry says the same of it as what it covers.
    const told = Object.values(verdicts).filter(({ cover }) => cover !== true);
    const covers = [verdicts.handshake, verdicts.network, verdicts.terminated];
    expect(rowsUnder('TLS and QUIC')).to.deep.equal(rowsOf([...told, ...covers]));
  });

  it('has every verdict on an errno, as it is', () => {
    expect(rowsUnder('System')).to.deep.equal(rowsOf(systemVerdicts));
  });

  it('has every verdict on a close without entries, as it is', () => {
    const quic = [
      { code: IDLE_TIMEOUT, remote: false },
      { code: 0, remote: true },
      { code: 2, remote: true },
      { code: 7, remote: true },
    ].map((init) => classifyQuicClose(closeInfo({ ...init, transport: true })));
    const application = [
      { code: 0, remote: true },
      { code: 7, remote: true },
      { code: 0, remote: false },
      { code: 7, remote: false },
    ].map((init) => classifyClose(closeInfo({ ...init, transport: false })));
    expect(rowsUnder('Closes')).to.deep.equal(rowsOf([...quic, ...application]));
  });
});
