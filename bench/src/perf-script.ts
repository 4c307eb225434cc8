/** Reads what `perf script -F comm,period,ip,sym` prints: samples of all threads, the kernel included. */
import type { Stack } from './cpu-profile.ts';

/** A sample's first line, `node 1001001 `, has its program and period; lines with frames follow, innermost first. */
export function stacksFromPerf(text: string): Stack[] {
  const stacks: Stack[] = [];
  for (const block of text.split(/\n\s*\n/)) {
    const [head = '', ...lines] = block.split('\n').filter((line) => line.trim() !== '');
    const match = /^(.+?)\s+(\d+)\s*$/.exec(head.trim());
    if (match === null) continue;
    const frames = lines.map((line) => symbolOf(line)).reverse();
    stacks.push({ frames: [match[1] ?? '', ...frames], us: Number(match[2]) / 1e3 });
  }
  return stacks;
}

/** `ffffffff8104ab2c tcp_sendmsg` without the address; V8 marks how a function was compiled before its name. */
function symbolOf(line: string): string {
  const symbol = /^\s*[0-9a-f]+\s+(.*?)\s*$/.exec(line)?.[1] ?? line.trim();
  return symbol.replace(/^(?:JS|LazyCompile|Function|Eval|Script|RegExp|Builtin):[*~^+']?/, '');
}
