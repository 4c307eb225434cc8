/** Results as Markdown, and the place in the README where they go. */
import { peers, sluiceName } from './peers.ts';
import { type CaseSummary, medianOf, type NumericMeasure, type PeerSummary, type Results } from './results.ts';
import { ratio } from './statistics.ts';

const BEGIN = '<!-- results: written by npm run bench -->';
const END = '<!-- end of results -->';

interface TableDescription {
  title: string;
  measure: NumericMeasure;
  unit: string;
  explanation: string;
}

const tables: readonly TableDescription[] = [
  {
    title: 'Server CPU time per request',
    measure: 'cpuUsPerRequest',
    unit: 'µs',
    explanation:
      'User and system time of the server process. Less is better; below 1, Sluice takes less than the peer.',
  },
  {
    title: 'Throughput',
    measure: 'requestsPerSecond',
    unit: '/s',
    explanation: 'More is better; above 1, Sluice does more. Where the load generator is the limit, it says nothing.',
  },
  { title: 'Latency, median', measure: 'p50Us', unit: 'µs', explanation: 'Less is better.' },
  { title: 'Latency, 99th percentile', measure: 'p99Us', unit: 'µs', explanation: 'Less is better.' },
  {
    title: 'Memory per connection',
    measure: 'kibPerConnection',
    unit: 'KiB',
    explanation: 'Growth of the resident set, over the number of connections. Less is better.',
  },
  {
    title: 'CPU time while idle',
    measure: 'idleCpuUsPerSecond',
    unit: 'µs in a second',
    explanation: 'With the connections open and silent. Less is better.',
  },
];

/** All tables of a run, with what they were made on. */
export function renderResults(results: Results): string {
  const { machine, date, command, rounds, measureSeconds, pinned } = results;
  const sections = tables.flatMap((table) => renderTable(table, results.summary));
  const versions = Object.entries(results.versions).map(([title, version]) => `${title} ${version}`);
  const place = pinned ? 'the server pinned to one CPU, the load generator to another' : 'nothing pinned to a CPU';
  return [
    `${date.slice(0, 10)}, \`${command}\`: medians of ${rounds} rounds of ${measureSeconds} s, ${place}.`,
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.system}, Linux ${machine.kernel}.`,
    `${versions.join('; ')}.`,
    '',
    'Each column is Sluice over that peer. ✓ and ✗ tell whether the aim in brackets is reached.',
    ...sections,
  ].join('\n');
}

/** Puts text between the markers of a README. Throws when they are not there. */
export function insertBetweenMarkers(readme: string, text: string): string {
  const begin = readme.indexOf(BEGIN);
  const end = readme.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`the README has no place for results: ${BEGIN} and ${END}`);
  return `${readme.slice(0, begin + BEGIN.length)}\n\n${text}\n\n${readme.slice(end)}`;
}

function renderTable(table: TableDescription, summaries: readonly CaseSummary[]): string[] {
  const rows = summaries.filter((summary) => medianOf(summary, sluiceName, table.measure) !== undefined);
  if (rows.length === 0) return [];
  const names = peers
    .map(({ name }) => name)
    .filter((name) => name !== sluiceName && rows.some((row) => row.peers.some(({ peer }) => peer === name)));
  const titles = names.map((name) => peers.find((peer) => peer.name === name)?.title ?? name);
  return [
    '',
    `### ${table.title}`,
    '',
    table.explanation,
    '',
    row(['case', `Sluice, ${table.unit}`, ...titles]),
    row(['---', '---:', ...titles.map(() => '---:')]),
    ...rows.map((summary) =>
      row([summary.title, ownCell(summary, table), ...names.map((name) => cell(summary, name, table))]),
    ),
  ];
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function ownCell(summary: CaseSummary, { measure }: TableDescription): string {
  return number(medianOf(summary, sluiceName, measure) ?? 0);
}

function cell(summary: CaseSummary, name: string, { measure }: TableDescription): string {
  const peer = summary.peers.find((candidate) => candidate.peer === name);
  if (peer === undefined) return '';
  const found = ratio(medianOf(summary, sluiceName, measure), peer.measures[measure]?.median);
  if (found === undefined) return peer.failures > 0 ? 'failed' : '–';
  return summary.metric === measure ? judged(found, peer) : found.toFixed(2);
}

function judged(found: number, { target }: PeerSummary): string {
  if (target === undefined) return found.toFixed(2);
  return `${found.toFixed(2)} ${found <= target ? '✓' : '✗'} (${target})`;
}

/** Three significant digits, and thousands set apart. */
function number(value: number): string {
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toPrecision(3)));
}
