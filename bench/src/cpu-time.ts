/** The operating system's accounting of a process: time on a CPU, and time spent waiting for one. */
import { readdirSync, readFileSync } from 'node:fs';

export interface CpuTime {
  /** User and system time of all threads, in nanoseconds. */
  runNs: number;
  /** Time in which a thread could have run and something else did: the machine was busy. */
  waitNs: number;
}

/** Reads one thread's `schedstat`: time on a CPU, time waiting for one (both in nanoseconds), and time slices. */
export function parseSchedstat(text: string): CpuTime {
  const match = /^(\d+) (\d+) (\d+)\s*$/.exec(text);
  if (match === null) throw new TypeError(`this is no schedstat: ${JSON.stringify(text)}`);
  return { runNs: Number(match[1]), waitNs: Number(match[2]) };
}

/**
 * The sum over a process's threads. Unlike /proc/PID/stat, which counts ticks of 10 ms, this is exact to the
 * nanosecond; what threads spent that are gone is missing, and none of the peers ends threads.
 */
export function cpuTime(pid: number): CpuTime {
  const sum: CpuTime = { runNs: 0, waitNs: 0 };
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const { runNs, waitNs } = parseSchedstat(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8'));
    sum.runNs += runNs;
    sum.waitNs += waitNs;
  }
  return sum;
}
