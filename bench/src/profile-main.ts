/** `npm run profile -- CASE`: where Sluice's server spends its time under a case's load, as flame graphs. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { type BenchCase, casesNamed } from './cases.ts';
import { type CpuProfile, functionTimes, type Stack, stacksOf } from './cpu-profile.ts';
import { flameGraph } from './flame-graph.ts';
import { LineProcess } from './line-process.ts';
import { LoadProcess } from './load-process.ts';
import { built } from './paths.ts';
import { type Peer, peers, sluiceName } from './peers.ts';
import { type Placement, placement } from './placement.ts';
import { buildLoadGenerator, buildPeers, installRuntimes, writeCertificates } from './prepare.ts';
import { type ServerCommand, ServerProcess } from './server-process.ts';
import { stacksFromPerf } from './perf-script.ts';

const help = `npm run profile -- CASE [options]

  --peer NAME     another server than Sluice, to compare with
  --seconds S     how long (3)
  --top N         how many functions to list (25)

Writes build/profiles/CASE-*.svg: one from node --cpu-prof (JavaScript), one from perf (kernel and native code as well)
where perf works. Names of cases: npm run bench -- --list`;

const SAMPLE_EVERY_US = 200;
const PERF_HERTZ = 1999;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    peer: { type: 'string', default: sluiceName },
    seconds: { type: 'string', default: '3' },
    top: { type: 'string', default: '25' },
    help: { type: 'boolean', default: false },
  },
});

if (options.help) console.log(help);
else {
  await profile().catch((error: Error) => {
    console.error(`profile: ${error.message}`);
    process.exitCode = 1;
  });
}

interface Subject {
  benchCase: BenchCase;
  peer: Peer;
  extra: readonly string[];
  where: Placement;
}

async function profile(): Promise<void> {
  const [benchCase, ...others] = casesNamed(positionals);
  if (positionals.length !== 1 || benchCase === undefined || others.length > 0 || benchCase.kind !== 'requests') {
    throw new Error(`name one case that is made of requests; npm run bench -- --list has their names\n\n${help}`);
  }
  const peer = peers.find(({ name, service }) => name === options.peer && service === benchCase.service);
  if (peer === undefined) throw new Error(`no peer ${options.peer} serves ${benchCase.service}`);
  buildLoadGenerator();
  buildPeers();
  if (peer.name !== sluiceName) installRuntimes();
  const certificates = await writeCertificates();
  const extra = benchCase.transport.peer(certificates[benchCase.certificate]);
  const subject: Subject = { benchCase, peer, extra, where: placement() };
  mkdirSync(built.profiles, { recursive: true });
  const name = peer.name === sluiceName ? benchCase.name : `${benchCase.name}-${peer.name}`;
  if (subject.peer.command([], 0)[0] === process.execPath) {
    report(`${name}-cpu-prof`, `${benchCase.title}: JavaScript thread`, await cpuProf(subject));
  }
  const native = await perf(subject);
  if (typeof native === 'string') console.log(`\nperf: ${native}`);
  else report(`${name}-perf`, `${benchCase.title}: all of the process`, native);
}

function report(name: string, title: string, stacks: readonly Stack[]): void {
  const path = join(built.profiles, `${name}.svg`);
  writeFileSync(path, flameGraph(stacks, title));
  const total = stacks.reduce((sum, { us }) => sum + us, 0);
  console.log(`\n${title}: ${(total / 1e6).toFixed(2)} s of CPU time\n${path}`);
  const times = functionTimes(stacks);
  const top = Number(options.top);
  const percent = (us: number): string => `${((us / total) * 100).toFixed(1).padStart(5)} %`;
  console.log('\nself, of all:');
  for (const { name: frame, selfUs } of times.sort((a, b) => b.selfUs - a.selfUs).slice(0, top)) {
    console.log(`${percent(selfUs)}  ${frame}`);
  }
  console.log('\nwith all that it called:');
  for (const { name: frame, totalUs } of times.sort((a, b) => b.totalUs - a.totalUs).slice(0, top)) {
    console.log(`${percent(totalUs)}  ${frame}`);
  }
}

/** Runs the case's load against a server started with `flags` for Node; `during` gets the moments between which it ran. */
async function underLoad(
  subject: Subject,
  flags: readonly string[],
  during?: (pid: number) => Promise<void>,
): Promise<[number, number]> {
  const { benchCase, peer, extra, where } = subject;
  const command: ServerCommand = {
    name: peer.name,
    silent: peer.silent ?? false,
    command: (port) => {
      const [program = '', ...rest] = peer.command(extra, port);
      return [program, ...flags, ...rest];
    },
  };
  const server = await ServerProcess.start(command, where);
  const times = ['--warm-seconds', '1', '--seconds', options.seconds];
  const load = new LoadProcess([...benchCase.load, ...times], server.port, where.load);
  try {
    await load.reach('ready');
    const from = monotonicUs();
    const watching = during?.(server.pid);
    load.proceed();
    await load.reach('result');
    const until = monotonicUs();
    await watching;
    return [from, until];
  } finally {
    await load.stop();
    await server.stop();
  }
}

async function cpuProf(subject: Subject): Promise<Stack[]> {
  const directory = join(built.profiles, `${process.pid}`);
  mkdirSync(directory, { recursive: true });
  const flags = ['--cpu-prof', `--cpu-prof-dir=${directory}`, `--cpu-prof-interval=${SAMPLE_EVERY_US}`];
  try {
    const [from, until] = await underLoad(subject, flags);
    const file = readdirSync(directory).find((name) => name.endsWith('.cpuprofile'));
    if (file === undefined) throw new Error('node wrote no .cpuprofile');
    return stacksOf(JSON.parse(readFileSync(join(directory, file), 'utf8')) as CpuProfile, from, until);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** The stacks that perf saw, or why it saw none. */
async function perf(subject: Subject): Promise<Stack[] | string> {
  const data = join(built.profiles, `${process.pid}.perf`);
  const isNode = subject.peer.command([], 0)[0] === process.execPath;
  const seconds = Number(options.seconds);
  try {
    await underLoad(subject, isNode ? ['--perf-basic-prof', '--interpreted-frames-native-stack'] : [], async (pid) => {
      const record = ['perf', 'record', '-q', '-e', 'cpu-clock', '-F', String(PERF_HERTZ), '-g', '-p', String(pid)];
      const recorder = new LineProcess('perf', [
        ...subject.where.load,
        ...record,
        '-o',
        data,
        '--',
        'sleep',
        String(seconds),
      ]);
      await recorder.line().catch(() => {}); // says nothing, and ends
    });
    const script = spawnSync('perf', ['script', '-i', data, '-F', 'comm,period,ip,sym'], {
      encoding: 'utf8',
      maxBuffer: 2 ** 30,
    });
    const stacks = stacksFromPerf(script.stdout ?? '');
    return stacks.length > 0 ? stacks : `no samples; ${(script.stderr || 'is it installed?').trim()}`;
  } finally {
    rmSync(data, { force: true });
  }
}

/** V8's profiles use the same clock. */
function monotonicUs(): number {
  return Number(process.hrtime.bigint() / 1000n);
}
