/** The trials of a run, and what their medians say. */
import { type BenchCase, cases } from './cases.ts';
import type { Machine } from './machine.ts';
import type { Measured } from './measure.ts';
import { sluiceName } from './peers.ts';
import { ratio, type Spread, spread } from './statistics.ts';

export interface Trial {
  case: string;
  peer: string;
  round: number;
  /** Missing when the trial failed; then `failure` says why. */
  measured?: Measured;
  failure?: string;
}

/** What `bench/results/*.json` holds. */
export interface Results {
  /** ISO 8601. */
  date: string;
  command: string;
  machine: Machine;
  versions: Record<string, string>;
  pinned: boolean;
  rounds: number;
  measureSeconds: number;
  summary: readonly CaseSummary[];
  trials: readonly Trial[];
}

export type NumericMeasure = {
  [K in keyof Measured]-?: Required<Measured>[K] extends number ? K : never;
}[keyof Measured];

export interface CaseSummary {
  case: string;
  title: string;
  /** The measure by which the case is judged. */
  metric: NumericMeasure;
  peers: readonly PeerSummary[];
}

export interface PeerSummary {
  peer: string;
  /** Over the rounds that did not fail. */
  measures: Partial<Record<NumericMeasure, Spread>>;
  /** Sluice's median of the case's metric over this peer's. Missing for Sluice itself. */
  ratio?: number;
  /** What the ratio should be at most, where there is an aim. */
  target?: number;
  failures: number;
  limitedByLoad: number;
}

const numericMeasures: readonly NumericMeasure[] = [
  'cpuUsPerRequest',
  'requestsPerSecond',
  'megabytesPerSecond',
  'p50Us',
  'p99Us',
  'maxUs',
  'residentKiB',
  'kibPerConnection',
  'idleCpuUsPerSecond',
  'stormPerSecond',
  'resumedShare',
  'errors',
  'serverCpuShare',
  'serverWaitShare',
  'loadCpuShare',
];

/** One summary per case that has trials, in the order of the table of cases. */
export function summarize(trials: readonly Trial[], table: readonly BenchCase[] = cases): CaseSummary[] {
  return table.flatMap((benchCase) => {
    const own = trials.filter((trial) => trial.case === benchCase.name);
    return own.length === 0 ? [] : [summarizeCase(benchCase, own)];
  });
}

/** The median of one measure, or undefined when no round has it. */
export function medianOf(summary: CaseSummary, peer: string, measure: NumericMeasure): number | undefined {
  return summary.peers.find((candidate) => candidate.peer === peer)?.measures[measure]?.median;
}

function summarizeCase(benchCase: BenchCase, trials: readonly Trial[]): CaseSummary {
  const names = [...new Set(trials.map(({ peer }) => peer))];
  const peers = names.map((name) =>
    summarizePeer(
      name,
      trials.filter(({ peer }) => peer === name),
    ),
  );
  const summary: CaseSummary = { case: benchCase.name, title: benchCase.title, metric: benchCase.metric, peers };
  const ours = medianOf(summary, sluiceName, benchCase.metric);
  for (const peer of peers) {
    if (peer.peer === sluiceName) continue;
    const found = ratio(ours, peer.measures[benchCase.metric]?.median);
    if (found !== undefined) peer.ratio = found;
    const target = benchCase.targets[peer.peer];
    if (target !== undefined) peer.target = target;
  }
  return summary;
}

function summarizePeer(peer: string, trials: readonly Trial[]): PeerSummary {
  const measured = trials.flatMap((trial) => (trial.measured === undefined ? [] : [trial.measured]));
  const measures: PeerSummary['measures'] = {};
  for (const name of numericMeasures) {
    const values = measured.flatMap((one) => one[name] ?? []);
    if (values.length > 0) measures[name] = spread(values);
  }
  const limited = measured.filter((one) => one.limitedByLoad === true).length;
  return { peer, measures, failures: trials.length - measured.length, limitedByLoad: limited };
}
