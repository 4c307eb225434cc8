/**
 * What EvBuffer's hot paths cost: nanoseconds and heap bytes per operation.
 *
 *     node --conditions=@sluice/source --expose-gc packages/core/bench/evbuffer.ts [NAME]
 *
 * Times are the best of several rounds, so that another process on the machine disturbs less. Heap bytes count what is
 * allocated, garbage included, over a stretch that is too short for a collection.
 */
import { EvBuffer, type EvBufferOwner } from '../src/evbuffer.ts';
import { Slab } from '../src/slab.ts';

interface Case {
  name: string;
  /** Runs the operation `count` times. */
  run: (count: number) => void;
}

const MESSAGE_BYTES = 64;
/** Messages per turn of the loop: the slabs are settled after as many. */
const TURN_MESSAGES = 50;
const ROUNDS = 7;
const ROUND_MS = 40;

class Owner implements EvBufferOwner {
  readonly scratch: Slab;
  changes = 0;

  constructor(scratch: Slab) {
    this.scratch = scratch;
  }

  admit(): void {}

  bufferChanged(): void {
    this.changes += 1;
  }
}

const reads = new Slab(256 * 1024, -1);
const scratch = new Slab(256 * 1024, -2);
const owner = new Owner(scratch);
const input = new EvBuffer(owner);
const output = new EvBuffer(owner);
const message = Buffer.alloc(MESSAGE_BYTES, 'x');
const text64 = `${'y'.repeat(MESSAGE_BYTES - 2)}\r\n`;
const command = 'get some-key-of-a-usual-length\r\n';
/** Keeps results alive. */
let sink = 0;

reads.bytes.fill('z');
for (let at = 0; at < reads.bytes.length; at += MESSAGE_BYTES) reads.bytes.write(command, at);

/** Calls `each` with the offset of each message in the slab of reads, and ends turns. */
function turns(count: number, each: (offset: number) => void): void {
  for (let done = 0; done < count; ) {
    for (let inTurn = 0; inTurn < TURN_MESSAGES && done < count; inTurn += 1, done += 1) each(inTurn * MESSAGE_BYTES);
    reads.settle();
    scratch.settle();
  }
}

/** What a transport's flush does: walks the chunks, then drains what was sent. */
function flush(buffer: EvBuffer): void {
  let bytes = 0;
  for (let chunk = buffer._head; chunk !== undefined; chunk = chunk.next) bytes += chunk.end - chunk.start;
  buffer.drain(bytes);
}

const cases: Case[] = [
  {
    name: 'echo 64 B (appendSlab, appendFrom, flush)',
    run: (count) =>
      turns(count, (offset) => {
        input.appendSlab(reads, offset, MESSAGE_BYTES);
        output.appendFrom(input);
        flush(output);
      }),
  },
  {
    name: 'appendSlab + drain of one chunk',
    run: (count) =>
      turns(count, (offset) => {
        input.appendSlab(reads, offset, MESSAGE_BYTES);
        input.drain(MESSAGE_BYTES);
      }),
  },
  {
    name: 'append 8 B string into scratch + drain',
    run: (count) =>
      turns(count, () => {
        output.append('STORED\r\n');
        output.drain();
      }),
  },
  {
    name: 'append 64 B string into scratch + drain',
    run: (count) =>
      turns(count, () => {
        output.append(text64);
        output.drain();
      }),
  },
  {
    name: 'append 64 B latin1 string into scratch + drain',
    run: (count) =>
      turns(count, () => {
        output.append(text64, 'latin1');
        output.drain();
      }),
  },
  {
    name: 'append 64 B Buffer into scratch + drain',
    run: (count) =>
      turns(count, () => {
        output.append(message);
        output.drain();
      }),
  },
  {
    name: 'get: readLineString, answer in 3 pieces, flush',
    run: (count) =>
      turns(count, (offset) => {
        input.appendSlab(reads, offset, command.length);
        const line = input.readLineString('crlf', 2048, 'latin1');
        output.append('VALUE some-key 0 64\r\n', 'latin1');
        output.append(message);
        output.append('\r\nEND\r\n', 'latin1');
        sink += line === undefined ? 0 : line.length;
        flush(output);
      }),
  },
  {
    name: 'appendSlab + readLine (30 bytes)',
    run: (count) =>
      turns(count, (offset) => {
        input.appendSlab(reads, offset, command.length);
        sink += input.readLine()?.length ?? 0;
      }),
  },
  {
    name: 'findEol, nothing found in 1000 bytes',
    run: (count) => {
      const buffer = new EvBuffer();
      buffer.append(Buffer.alloc(1000, 'a'));
      for (let done = 0; done < count; done += 1) sink += buffer.findEol('lf', 1) === undefined ? 0 : 1;
    },
  },
  {
    name: 'own: nothing remains',
    run: (count) => {
      for (let done = 0; done < count; done += 1) input.own();
    },
  },
  {
    name: 'appendSlab, turn ends with 20 bytes left, drain',
    run: (count) => {
      for (let done = 0; done < count; done += 1) {
        input.appendSlab(reads, 0, 20);
        reads.settle();
        input.drain();
      }
    },
  },
  {
    name: 'frame: readUInt32BE, moveTo(60)',
    run: (count) =>
      turns(count, (offset) => {
        input.appendSlab(reads, offset, MESSAGE_BYTES);
        sink += input.readUInt32BE();
        input.moveTo(output, 60);
        flush(output);
      }),
  },
  {
    name: 'append 64 B to owned memory',
    run: (count) => {
      const buffer = new EvBuffer();
      for (let done = 0; done < count; done += 1) {
        buffer.append(message);
        if (buffer.length >= 65_536) buffer.clear();
      }
    },
  },
];

for (const one of cases) if (one.name.includes(process.argv[2] ?? '')) report(one);
if (sink < 0) throw new Error('unreachable: lengths are positive');

function report({ name, run }: Case): void {
  run(20_000);
  let count = 20_000;
  while (milliseconds(run, count) < ROUND_MS) count *= 2;
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round += 1) best = Math.min(best, milliseconds(run, count));
  const ns = ((best * 1e6) / count).toFixed(1);
  console.log(`${name.padEnd(52)} ${ns.padStart(8)} ns ${heapBytes(run).toFixed(0).padStart(6)} B`);
}

function milliseconds(run: (count: number) => void, count: number): number {
  const begin = performance.now();
  run(count);
  return performance.now() - begin;
}

function heapBytes(run: (count: number) => void): number {
  const count = 5000;
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  run(count);
  return (process.memoryUsage().heapUsed - before) / count;
}
