/** `npm run bench`: every case, every peer, in rounds; results to a file, and to the README when all was measured. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { type BenchCase, cases, casesNamed } from './cases.ts';
import { machine, versions } from './machine.ts';
import { type Durations, type Measured, measure } from './measure.ts';
import { readmePath, resultsDirectory } from './paths.ts';
import { type Peer, peers, sluiceName } from './peers.ts';
import { type Placement, placement } from './placement.ts';
import {
  buildLoadGenerator,
  buildPeers,
  type CertificateFiles,
  installRuntimes,
  writeCertificates,
} from './prepare.ts';
import { type Results, summarize, type Trial } from './results.ts';
import { insertBetweenMarkers, renderResults } from './tables.ts';

const help = `npm run bench -- [options]

  --quick           3 short rounds: a first impression
  --case TEXT       only the case of this name, or all with this in their names; may be repeated
  --peer NAME       only this peer, and Sluice; may be repeated
  --rounds N        how often each peer is measured in each case (5)
  --seconds S       how long each time (2)
  --name NAME       of the results file: results/<date>-<name>.json
  --list            the names of all cases and peers

The README is rewritten when every case and every peer was measured, and not with --quick.`;

interface Plan {
  cases: readonly BenchCase[];
  peers: readonly Peer[];
  rounds: number;
  durations: Durations;
  placement: Placement;
  certificates: Record<'small' | 'large', CertificateFiles>;
}

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    case: { type: 'string', multiple: true, default: [] },
    peer: { type: 'string', multiple: true, default: [] },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    name: { type: 'string' },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (options.help) console.log(help);
else if (options.list) list();
else {
  await run().catch((error: Error) => {
    console.error(`bench: ${error.message}`);
    process.exitCode = 1;
  });
}

function list(): void {
  for (const { name, title } of cases) console.log(`${name.padEnd(22)} ${title}`);
  console.log(`\npeers: ${[...new Set(peers.map(({ name }) => name))].join(', ')}`);
}

async function run(): Promise<void> {
  const chosen = casesNamed(options.case);
  const measured = peers.filter(
    ({ name }) => options.peer.length === 0 || name === sluiceName || options.peer.includes(name),
  );
  if (chosen.length === 0) throw new Error('no case has such a name; see --list');
  const seconds = Number(options.seconds ?? (options.quick ? 0.5 : 2));
  const rounds = Number(options.rounds ?? (options.quick ? 3 : 5));
  if (!(seconds > 0) || !Number.isInteger(rounds) || rounds < 1) throw new Error('--seconds and --rounds are positive');
  console.log('preparing: programs, runtimes, certificates');
  buildLoadGenerator();
  buildPeers();
  installRuntimes();
  const plan: Plan = {
    cases: chosen,
    peers: measured,
    rounds,
    durations: {
      warmCpuSeconds: options.quick ? 0.6 : 1.2,
      warmSeconds: 0.5,
      measureSeconds: seconds,
      holdSeconds: options.quick ? 1 : 3,
    },
    placement: placement(),
    certificates: await writeCertificates(),
  };
  const complete = !options.quick && chosen.length === cases.length && measured.length === peers.length;
  await runPlan(plan, options.name ?? (options.quick ? 'quick' : complete ? 'full' : 'some'), complete);
}

async function runPlan(plan: Plan, name: string, complete: boolean): Promise<void> {
  const date = new Date().toISOString();
  const path = join(resultsDirectory, `${date.slice(0, 10)}-${name}.json`);
  const facts = { machine: machine(), versions: versions(plan.peers) };
  const trials: Trial[] = [];
  let results: Results | undefined;
  mkdirSync(resultsDirectory, { recursive: true });
  for (const benchCase of plan.cases) {
    console.log(`\n${benchCase.title} (${benchCase.name})`);
    trials.push(...(await runCase(benchCase, plan)));
    results = {
      date,
      command: ['npm run bench', ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [])].join(' '),
      ...facts,
      pinned: plan.placement.pinned,
      rounds: plan.rounds,
      measureSeconds: plan.durations.measureSeconds,
      summary: summarize(trials),
      trials,
    };
    printCase(results, benchCase);
    writeFileSync(path, `${JSON.stringify(results, undefined, 1)}\n`); // after each case: a long run may be cut short
  }
  if (results === undefined) return;
  console.log(`\n${path}`);
  if (complete)
    writeFileSync(readmePath, insertBetweenMarkers(readFileSync(readmePath, 'utf8'), renderResults(results)));
}

/** Round by round, every peer in turn, each round beginning with another one: what drifts, drifts for all. */
async function runCase(benchCase: BenchCase, plan: Plan): Promise<Trial[]> {
  const { transport, service } = benchCase;
  const taking = plan.peers.filter((peer) => peer.service === service && peer.transports.includes(transport.name));
  const trials: Trial[] = [];
  for (let round = 0; round < plan.rounds; round++) {
    for (let turn = 0; turn < taking.length; turn++) {
      const peer = taking[(turn + round) % taking.length];
      if (peer === undefined) continue;
      trials.push({ case: benchCase.name, peer: peer.name, round, ...(await runTrial(benchCase, peer, plan)) });
    }
  }
  return trials;
}

async function runTrial(
  benchCase: BenchCase,
  peer: Peer,
  { placement: where, durations, certificates }: Plan,
): Promise<{ measured: Measured } | { failure: string }> {
  const extra = benchCase.transport.peer(certificates[benchCase.certificate]);
  const command = {
    name: peer.name,
    command: (port: number) => peer.command(extra, port),
    silent: peer.silent ?? false,
  };
  try {
    return { measured: await measure(benchCase, command, where, durations) };
  } catch (error) {
    const failure = error instanceof Error ? error.message : String(error);
    console.log(`  ${peer.name}: ${failure}`);
    return { failure };
  }
}

function printCase({ summary }: Results, benchCase: BenchCase): void {
  const own = summary.find((candidate) => candidate.case === benchCase.name);
  for (const peer of own?.peers ?? []) {
    const metric = peer.measures[benchCase.metric];
    const words = [`  ${peer.peer.padEnd(9)}`];
    if (metric !== undefined) {
      words.push(
        `${benchCase.metric} ${metric.median.toFixed(2)} (${metric.min.toFixed(2)} to ${metric.max.toFixed(2)})`,
      );
    }
    if (peer.ratio !== undefined) words.push(`ratio ${peer.ratio.toFixed(2)}`);
    if (peer.target !== undefined) words.push(`aim ${peer.target}`);
    const { requestsPerSecond, p99Us, serverCpuShare, serverWaitShare, idleCpuUsPerSecond } = peer.measures;
    if (requestsPerSecond !== undefined) words.push(`${Math.round(requestsPerSecond.median)}/s`);
    if (p99Us !== undefined) words.push(`p99 ${Math.round(p99Us.median)} µs`);
    if (idleCpuUsPerSecond !== undefined) words.push(`idle ${Math.round(idleCpuUsPerSecond.median)} µs/s`);
    if (serverCpuShare !== undefined) words.push(`busy ${(serverCpuShare.median * 100).toFixed(0)} %`);
    if ((serverWaitShare?.median ?? 0) > 0.1) words.push('machine busy');
    if (peer.limitedByLoad > 0) words.push('limited by load');
    if ((peer.measures.errors?.max ?? 0) > 0) words.push(`up to ${peer.measures.errors?.max} connections failed`);
    if (peer.failures > 0) words.push(`${peer.failures} failed`);
    console.log(words.join(', '));
  }
}
