/** Which CPU runs what: the server has one for itself, and the load generator and the harness share another. */
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import process from 'node:process';

export interface Placement {
  /** Whether anything is pinned at all. */
  pinned: boolean;
  /** Words to put before a command. */
  server: readonly string[];
  load: readonly string[];
}

const SERVER_CPU = '1';
const LOAD_CPU = '0';

/** Pins this process, and tells how to pin the others; without taskset or a second CPU nothing is pinned. */
export function placement(): Placement {
  const possible = availableParallelism() >= 2 && spawnSync('taskset', ['-p', String(process.pid)]).status === 0;
  if (!possible) return { pinned: false, server: [], load: [] };
  spawnSync('taskset', ['-a', '-c', '-p', LOAD_CPU, String(process.pid)]);
  return { pinned: true, server: ['taskset', '-c', SERVER_CPU], load: ['taskset', '-c', LOAD_CPU] };
}
