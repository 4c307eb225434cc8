/**
 * What a bracket around an operation costs: with nothing raised in it, and with an intermittent error raised and
 * forgotten. And that such errors leave nothing on the heap, however many there were.
 *
 *     npm run bench --workspace @sluice/errors [-- --quick]
 */
import { ChannelErrorStack, type ErrorEntryInit, ErrorStack, LastResult, systemCode } from '../src/index.ts';

const QUICK = process.argv.includes('--quick');
const ITERATIONS = QUICK ? 100_000 : 1_000_000;
const ROUNDS = QUICK ? 3 : 9;
/** Far below one byte an error; what remains is the engine's own noise. */
const HEAP_GROWTH_BYTES_MAX = 64 * 1024;

const WOULD_BLOCK: ErrorEntryInit = { code: systemCode(11), func: 'recv' };

const stack = new ErrorStack();
const channel = new ChannelErrorStack({ stack });
const result = new LastResult(channel);

const cases: Readonly<Record<string, () => void>> = {
  'bracket, nothing raised': () => {
    stack.discard(stack.open());
  },
  'bracket, one error raised and discarded': () => {
    const bracket = stack.open();
    stack.raise(WOULD_BLOCK);
    stack.discard(bracket);
  },
  'operation of a channel, nothing raised': () => {
    channel.settle(channel.begin(result), result, 'none');
  },
  'operation of a channel, would block': () => {
    const bracket = channel.begin(result);
    stack.raise(WOULD_BLOCK);
    channel.settle(bracket, result, 'want-read');
  },
};

for (const [name, work] of Object.entries(cases)) {
  console.log(`${medianNs(work).toFixed(1).padStart(8)} ns  ${name}`);
}
const growth = heapGrowthBytes(cases['operation of a channel, would block'] ?? (() => {}));
console.log(`${growth.toString().padStart(8)} bytes left on the heap by ${ITERATIONS} intermittent errors`);
if (growth > HEAP_GROWTH_BYTES_MAX) {
  console.error(`more than the ${HEAP_GROWTH_BYTES_MAX} bytes of noise that are allowed`);
  process.exitCode = 1;
}

/** The median of a few rounds, in nanoseconds of this process's CPU time per call: a busy machine changes it little. */
function medianNs(work: () => void): number {
  const times = Array.from({ length: ROUNDS }, () => {
    const begin = process.cpuUsage();
    for (let i = 0; i < ITERATIONS; i++) work();
    const { user, system } = process.cpuUsage(begin);
    return ((user + system) * 1000) / ITERATIONS;
  });
  return times.toSorted((a, b) => a - b)[ROUNDS >> 1] ?? Number.NaN;
}

/** Bytes on the heap after the calls, over those before, both after a collection; never below 0. */
function heapGrowthBytes(work: () => void): number {
  const before = heapBytes();
  for (let i = 0; i < ITERATIONS; i++) work();
  return Math.max(0, heapBytes() - before);
}

function heapBytes(): number {
  if (globalThis.gc === undefined)
    throw new Error('run it with --expose-gc: without it nothing can be said of the heap');
  globalThis.gc();
  globalThis.gc();
  return process.memoryUsage().heapUsed;
}
