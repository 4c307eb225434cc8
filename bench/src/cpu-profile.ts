/** Reads V8's `.cpuprofile`: samples of where the JavaScript thread was. */
import { fileURLToPath } from 'node:url';

/** The parts of the file that matter here. Times in microseconds of the monotonic clock. */
export interface CpuProfile {
  nodes: readonly ProfileNode[];
  startTime: number;
  samples: readonly number[];
  timeDeltas: readonly number[];
}

interface ProfileNode {
  id: number;
  callFrame: { functionName: string; url: string; lineNumber: number };
  children?: readonly number[];
}

/** One stack, outermost function first, and the time spent in its last function itself. */
export interface Stack {
  frames: readonly string[];
  us: number;
}

/** Samples that are no work. */
const idleNames: ReadonlySet<string> = new Set(['(idle)']);

/** All stacks with their times, between two moments of the monotonic clock, without the time in which nothing ran. */
export function stacksOf(profile: CpuProfile, fromUs = 0, untilUs: number = Number.POSITIVE_INFINITY): Stack[] {
  const times = new Map<number, number>();
  let at = profile.startTime;
  for (const [index, sample] of profile.samples.entries()) {
    const delta = profile.timeDeltas[index] ?? 0;
    at += delta;
    if (at >= fromUs && at <= untilUs) times.set(sample, (times.get(sample) ?? 0) + delta);
  }
  const paths = pathsOf(profile.nodes);
  return [...times].flatMap(([id, us]) => {
    const frames = paths.get(id) ?? [];
    return us <= 0 || idleNames.has(frames.at(-1) ?? '') ? [] : [{ frames, us }];
  });
}

export interface FunctionTime {
  name: string;
  /** In the function itself. */
  selfUs: number;
  /** With all that it called. */
  totalUs: number;
}

/** Times by function, in no order. */
export function functionTimes(stacks: readonly Stack[]): FunctionTime[] {
  const times = new Map<string, FunctionTime>();
  for (const { frames, us } of stacks) {
    for (const name of new Set(frames)) {
      let time = times.get(name);
      if (time === undefined) times.set(name, (time = { name, selfUs: 0, totalUs: 0 }));
      time.totalUs += us;
      if (name === frames.at(-1)) time.selfUs += us;
    }
  }
  return [...times.values()];
}

function pathsOf(nodes: readonly ProfileNode[]): Map<number, readonly string[]> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const paths = new Map<number, readonly string[]>();
  const root = nodes[0];
  const pending: [ProfileNode, readonly string[]][] = root === undefined ? [] : [[root, []]];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const [node, path] = next;
    const own = node === root ? path : [...path, frameName(node)];
    paths.set(node.id, own);
    for (const id of node.children ?? []) {
      const child = byId.get(id);
      if (child !== undefined) pending.push([child, own]);
    }
  }
  return paths;
}

/** `flush reactor.ts:120`; without a file for V8's own and native functions. */
function frameName({ callFrame: { functionName, url, lineNumber } }: ProfileNode): string {
  const name = functionName === '' ? '(anonymous)' : functionName;
  if (url === '') return name;
  const path = url.startsWith('file:') ? fileURLToPath(url) : url;
  return `${name} ${path.slice(path.lastIndexOf('/') + 1)}:${lineNumber + 1}`;
}
