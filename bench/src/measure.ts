/** One trial: one peer, one case, once. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchCase } from './cases.ts';
import { type CpuTime, cpuTime } from './cpu-time.ts';
import { LoadProcess, type LoadResult } from './load-process.ts';
import { residentKiB } from './memory.ts';
import type { Placement } from './placement.ts';
import { type ServerCommand, ServerProcess } from './server-process.ts';

export interface Durations {
  /** What a server spends at least before it is measured: compilers need CPU time, not time, and the machine may be busy. */
  warmCpuSeconds: number;
  /** Load without measuring, as often as it takes for that. */
  warmSeconds: number;
  measureSeconds: number;
  /** How long connections that are only there are looked at. */
  holdSeconds: number;
}

/** What a trial found; what does not apply to its case is missing. Times in microseconds, memory in KiB. */
export interface Measured {
  cpuUsPerRequest?: number;
  requestsPerSecond?: number;
  megabytesPerSecond?: number;
  p50Us?: number;
  p99Us?: number;
  maxUs?: number;
  residentKiB?: number;
  kibPerConnection?: number;
  /** CPU time in a second in which nothing happened. */
  idleCpuUsPerSecond?: number;
  stormPerSecond?: number;
  resumedShare?: number;
  errors?: number;
  /** Shares of the time that was measured. */
  serverCpuShare?: number;
  /** The server could have run and something else did: the machine was busy with other things. */
  serverWaitShare?: number;
  loadCpuShare?: number;
  /** The load generator was at its limit and the server was not. */
  limitedByLoad?: boolean;
}

/** The load generator has no time left from here on; and a server is clearly below it at this distance. */
const LOAD_CPU_FULL = 0.95;
const CLEARLY_LOWER = 0.1;

/** A server that has little to do never spends what it should; then this is enough. */
const WARM_TIMES_MAX = 10;

/** Between the last connection and the first look: runtimes tidy up, kernels acknowledge. */
const SETTLE_SECONDS = 0.5;

export function limitedByLoad(loadCpuShare: number, serverCpuShare: number): boolean {
  return loadCpuShare > LOAD_CPU_FULL && serverCpuShare < loadCpuShare - CLEARLY_LOWER;
}

/** Starts the server, measures, and stops it, whatever happens. */
export async function measure(
  benchCase: BenchCase,
  command: ServerCommand,
  placement: Placement,
  durations: Durations,
): Promise<Measured> {
  const server = await ServerProcess.start(command, placement);
  const loads: LoadProcess[] = [];
  const load = (loadArguments: readonly string[], prefix: readonly string[] = []): LoadProcess => {
    const process = new LoadProcess(loadArguments, server.port, [...prefix, ...placement.load]);
    loads.push(process);
    return process;
  };
  try {
    return await measureWith(load, benchCase, server.pid, durations);
  } finally {
    for (const process of loads) await process.stop();
    await server.stop();
  }
}

type StartLoad = (loadArguments: readonly string[], prefix?: readonly string[]) => LoadProcess;

async function measureWith(
  load: StartLoad,
  benchCase: BenchCase,
  pid: number,
  durations: Durations,
): Promise<Measured> {
  if (benchCase.kind === 'hold') return measureHold(pid, load(benchCase.load), durations);
  const main = load(withTimes(benchCase.load, durations));
  await main.reach('ready');
  await warmUp(pid, main, durations.warmCpuSeconds);
  if (benchCase.kind === 'requests') return measureRequests(pid, main);
  // The storm gets what the steady load leaves of the generators' CPU, so that it is the server that is measured.
  return measureStorm(main, load(withTimes(benchCase.storm, durations), ['nice', '-n', '19']));
}

async function warmUp(pid: number, load: LoadProcess, cpuSeconds: number): Promise<void> {
  for (let times = 1; times < WARM_TIMES_MAX && cpuTime(pid).runNs < cpuSeconds * 1e9; times++) await load.warmAgain();
}

function withTimes(load: readonly string[], { warmSeconds, measureSeconds }: Durations): string[] {
  return [...load, '--warm-seconds', String(warmSeconds), '--seconds', String(measureSeconds)];
}

/** `load` is ready. */
async function measureRequests(pid: number, load: LoadProcess): Promise<Measured> {
  const before = cpuTime(pid);
  load.proceed();
  const result = await load.reach('result');
  return requestsMeasured(result, before, cpuTime(pid), residentKiB(pid));
}

/** Puts the two sides' accounts together. */
export function requestsMeasured(result: LoadResult, before: CpuTime, after: CpuTime, resident: number): Measured {
  const { requests, seconds, bytes, latencyUs, errors, resumed } = result;
  const runNs = after.runNs - before.runNs;
  const serverCpuShare = runNs / 1e9 / seconds;
  const loadCpuShare = result.cpuSeconds / seconds;
  return {
    cpuUsPerRequest: runNs / 1e3 / requests,
    requestsPerSecond: requests / seconds,
    megabytesPerSecond: bytes / 1e6 / seconds,
    p50Us: latencyUs.p50,
    p99Us: latencyUs.p99,
    maxUs: latencyUs.max,
    residentKiB: resident,
    resumedShare: resumed / requests,
    errors,
    serverCpuShare,
    serverWaitShare: (after.waitNs - before.waitNs) / 1e9 / seconds,
    loadCpuShare,
    limitedByLoad: limitedByLoad(loadCpuShare, serverCpuShare),
  };
}

async function measureHold(pid: number, load: LoadProcess, { holdSeconds }: Durations): Promise<Measured> {
  await load.reach('ready');
  const before = residentKiB(pid);
  load.proceed();
  const { connections } = await load.reach('held');
  await sleep(SETTLE_SECONDS * 1000);
  const cpuBefore = cpuTime(pid);
  await sleep(holdSeconds * 1000);
  const cpuAfter = cpuTime(pid);
  const resident = residentKiB(pid);
  return {
    residentKiB: resident,
    kibPerConnection: (resident - before) / connections,
    idleCpuUsPerSecond: (cpuAfter.runNs - cpuBefore.runNs) / 1e3 / holdSeconds,
  };
}

/** `steady` is ready. */
async function measureStorm(steady: LoadProcess, storm: LoadProcess): Promise<Measured> {
  await storm.reach('ready');
  storm.proceed();
  steady.proceed();
  const { latencyUs, requests, seconds } = await steady.reach('result');
  const beside = await storm.reach('result');
  return {
    requestsPerSecond: requests / seconds,
    p50Us: latencyUs.p50,
    p99Us: latencyUs.p99,
    maxUs: latencyUs.max,
    stormPerSecond: beside.requests / beside.seconds,
    errors: beside.errors,
  };
}
