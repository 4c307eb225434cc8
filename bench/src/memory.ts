import { readFileSync } from 'node:fs';

/** Reads the resident set, in KiB, from the text of /proc/PID/status. */
export function parseResidentKiB(status: string): number {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(status);
  if (match === null) throw new TypeError('this status has no VmRSS');
  return Number(match[1]);
}

export function residentKiB(pid: number): number {
  return parseResidentKiB(readFileSync(`/proc/${pid}/status`, 'utf8'));
}
