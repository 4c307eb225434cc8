import assert from 'node:assert/strict';
import { LimitError } from '@sluice/errors';
import { EvBuffer, type EvBufferOwner, type EolStyle, type Reservation } from '../src/evbuffer.ts';
import { Slab } from '../src/slab.ts';
import { assertInvariants, assertRoomsApart } from '../src/testing/evbuffer-invariants.ts';
import { cell, Model } from './support/evbuffer-model.ts';
import { endTurn, receive } from './support/evbuffer-fixture.ts';
import { Random } from './support/random.ts';

const OPERATIONS = 100_000;
/** Buffers are emptied now and then, so that the model stays affordable. */
const LENGTH_MAX = 3000;
const STYLES: readonly EolStyle[] = ['any', 'crlf', 'crlf-strict', 'lf', 'nul'];

class Pair implements EvBufferOwner {
  readonly buffer: EvBuffer = new EvBuffer(this);
  readonly model: Model = new Model();
  readonly scratch: Slab | undefined;
  /** The length as the owner knows it, from what it was told. */
  told = 0;
  calls = 0;
  /** The length as a listener knows it. */
  heard = 0;
  /** Room that was not committed yet, and whether bytes were added since. */
  reserved: Reservation | undefined;
  overtaken = false;

  constructor(scratch: Slab | undefined, listens: boolean) {
    this.scratch = scratch;
    if (listens) {
      this.buffer.onChange(({ before, added, removed }) => {
        assert.equal(before, this.heard);
        this.heard += added - removed;
      });
    } else this.heard = Number.NaN;
  }

  admit(): void {}

  bufferChanged(_buffer: EvBuffer, added: number, removed: number): void {
    if (added > 0) this.overtaken = true;
    this.told += added - removed;
    this.calls += 1;
  }
}

/** Some of the user's memory in buffers: what it must still be, and whether it was released. */
interface Lent {
  bytes: Buffer;
  released: number;
}

class World {
  readonly random: Random;
  readonly reads: Slab = new Slab(8192, -1);
  readonly scratch: Slab = new Slab(4096, -2);
  readonly third: Slab = new Slab(512, -3);
  readonly pairs: Pair[];
  readonly lent: Lent[] = [{ bytes: Buffer.alloc(0), released: 1 }];
  /** Views that were handed out, and what they showed then. */
  readonly views: { view: Buffer; was: Buffer }[] = [];
  /** How often the owner of a changed buffer hears of the operation that is going on. */
  expectedCalls = 1;

  constructor(random: Random) {
    this.random = random;
    const { scratch } = this;
    this.pairs = [
      new Pair(scratch, false),
      new Pair(scratch, true),
      new Pair(undefined, false),
      new Pair(undefined, true),
    ];
  }

  /** Bytes of a small alphabet, so that lines end and searches succeed. */
  bytes(max: number): Buffer {
    const bytes = Buffer.alloc(this.random.size(max));
    for (let at = 0; at < bytes.length; at += 1) bytes[at] = this.random.pick([97, 98, 99, 13, 10, 13, 10, 0]);
    return bytes;
  }

  /** One operation on one buffer. Returns its name. */
  step(): string {
    const pair = this.random.pick(this.pairs);
    if (pair.buffer.length > LENGTH_MAX) {
      pair.buffer.clear();
      pair.model.cells = [];
    }
    const before = this.pairs.map(({ buffer, calls }) => ({ length: buffer.length, calls }));
    const operation = this.random.pick(operations);
    this.expectedCalls = 1;
    operation(this, pair);
    for (const [index, { buffer, calls }] of this.pairs.entries()) {
      const was = before[index];
      const expected = buffer.length === was?.length ? 0 : this.expectedCalls;
      assert.equal(calls - (was?.calls ?? 0), expected, `calls of the owner by ${operation.name}`);
    }
    return operation.name;
  }

  check(): void {
    for (const { buffer, model, told, heard } of this.pairs) {
      assertInvariants(buffer);
      assert.equal(buffer.length, model.cells.length, 'length');
      assert.equal(told, buffer.length, 'what the owner was told');
      if (!Number.isNaN(heard)) assert.equal(heard, buffer.length, 'what the listener was told');
      let at = 0;
      for (let chunk = buffer._head; chunk !== undefined; chunk = chunk.next) {
        for (let from = chunk.start; from < chunk.end; from += 1, at += 1) {
          if (chunk.bytes[from] !== ((model.cells[at] ?? -1) & 0xff)) assert.fail(`byte ${at} differs`);
        }
      }
    }
  }

  /** Rarely, because it looks at everything: rooms, references, views. */
  checkAll(): void {
    assertRoomsApart(this.pairs.map(({ buffer }) => buffer));
    const shown = new Map<Buffer, number>();
    const needed = new Set<number>();
    for (const { buffer, model } of this.pairs) {
      for (let chunk = buffer._head; chunk !== undefined; chunk = chunk.next) {
        if (chunk.reference !== undefined) shown.set(chunk.bytes, (shown.get(chunk.bytes) ?? 0) + 1);
      }
      for (const reference of model.references()) needed.add(reference);
    }
    for (const [id, { bytes, released }] of this.lent.entries()) {
      assert.ok(released <= 1, 'released more than once');
      if (id === 0) continue;
      assert.equal(released, shown.has(bytes) ? 0 : 1, 'released while it is shown, or kept while it is not');
      if (released === 0) assert.ok(needed.has(id), 'kept though no byte of it is left');
    }
    for (const { buffer } of this.pairs) {
      for (let chunk = buffer._head; chunk !== undefined; chunk = chunk.next) {
        if (chunk.reference !== undefined) assert.equal(chunk.reference.chunks, shown.get(chunk.bytes));
      }
    }
    for (const { view, was } of this.views) assert.ok(view.equals(was), 'a view changed after it was handed out');
    this.views.length = 0;
  }

  keep(view: Buffer): void {
    if (this.views.length < 50) this.views.push({ view, was: Buffer.from(view) });
  }
}

type Operation = (world: World, pair: Pair) => void;

/* Each does the same to a buffer and to its model, and compares what they answer. */
const operations: readonly Operation[] = [
  function append(world, { buffer, model }) {
    const bytes = world.bytes(600);
    assert.equal(buffer.append(bytes), bytes.length);
    for (const byte of bytes) model.cells.push(cell(byte));
  },
  function appendString(world, { buffer, model }) {
    const text = world.random.pick([
      'a',
      'line\r\n',
      'ünï\n',
      '\u{1f600}',
      'x\0y',
      'b'.repeat(world.random.size(900)),
      '',
    ]);
    const encoding = world.random.pick(['utf8', 'latin1', 'utf16le'] as const);
    const bytes = Buffer.from(text, encoding);
    assert.equal(buffer.append(text, encoding), bytes.length);
    for (const byte of bytes) model.cells.push(cell(byte));
  },
  function appendAll(world, { buffer, model }) {
    const pieces = [world.bytes(40), 'c\r\n', world.bytes(40)];
    buffer.appendAll(pieces);
    for (const byte of Buffer.concat(pieces.map((piece) => Buffer.from(piece)))) model.cells.push(cell(byte));
  },
  function appendRef(world, { buffer, model }) {
    const bytes = world.bytes(300);
    if (bytes.length === 0) return;
    const lent: Lent = { bytes, released: 0 };
    const id = world.lent.push(lent) - 1;
    buffer.appendRef(bytes, () => {
      lent.released += 1;
    });
    for (const byte of bytes) model.cells.push(cell(byte, id));
  },
  function receiveReads(world, { buffer, model }) {
    receiveInto(world, world.reads, 300, buffer, model);
  },
  function receiveThird(world, { buffer, model }) {
    receiveInto(world, world.third, 40, buffer, model);
  },
  function reserve(world, pair) {
    const n = world.random.size(300);
    pair.reserved?.bytes.fill(0xee);
    pair.reserved = pair.buffer.reserve(n);
    pair.overtaken = false;
    assert.ok(pair.reserved.bytes.length >= n);
    pair.reserved.bytes.fill(0xee);
  },
  function commit(world, pair) {
    const { model, reserved, overtaken } = pair;
    if (reserved === undefined) return;
    // Stale or not, nobody else shows this memory.
    reserved.bytes.fill(world.random.pick([97, 10]));
    const used = world.random.size(reserved.bytes.length);
    const bytes = Buffer.from(reserved.bytes.subarray(0, used));
    assert.equal(reserved.stale, overtaken);
    if (overtaken) assert.throws(() => reserved.commit(used), { code: 'SLUICE_CORE_RESERVATION_STALE' });
    else {
      assert.equal(reserved.commit(used), used);
      for (const byte of bytes) model.cells.push(cell(byte));
    }
    assert.equal(reserved.stale, true);

    pair.reserved = undefined;
  },
  function appendFrom(world, { buffer, model }) {
    const source = world.random.pick(world.pairs);
    const n = world.random.oneIn(3) ? source.buffer.length : world.random.size(200);
    const moved = buffer.appendFrom(source.buffer, n);
    if (source.buffer === buffer) return assert.equal(moved, 0);
    const cells = source.model.take(n);
    assert.equal(moved, cells.length);
    model.cells.push(...cells);
  },
  function moveTo(world, { buffer, model }) {
    const destination = world.random.pick(world.pairs.filter((other) => other.buffer !== buffer));
    const n = world.random.size(100);
    const cells = model.take(n);
    assert.equal(buffer.moveTo(destination.buffer, n), cells.length);
    destination.model.cells.push(...cells);
  },
  function appendShared(world, { buffer, model }) {
    const source = world.random.pick(world.pairs.filter((other) => other.buffer !== buffer));
    const cells = source.model.cells.slice(0, world.random.size(400));
    assert.equal(buffer.appendShared(source.buffer, cells.length), cells.length);
    model.cells.push(...cells);
  },
  function prepend(world, { buffer, model }) {
    const bytes = world.bytes(300);
    assert.equal(buffer.prepend(bytes), bytes.length);
    model.cells.unshift(...[...bytes].map((byte) => cell(byte)));
  },
  function prependBuffer(world, { buffer, model }) {
    const source = world.random.pick(world.pairs);
    const moved = buffer.prepend(source.buffer);
    if (source.buffer === buffer) return assert.equal(moved, 0);
    assert.equal(moved, source.model.cells.length);
    model.cells.unshift(...source.model.take(moved));
  },
  function drain(world, { buffer, model }) {
    const n = world.random.size(400);
    assert.equal(buffer.drain(n), model.take(n).length);
  },
  function clear(world, { buffer, model }) {
    if (!world.random.oneIn(4)) return;
    buffer.clear();
    model.cells = [];
  },
  function read(world, { buffer, model }) {
    const n = world.random.size(300);
    const wanted = model.bytes.subarray(0, n);
    model.take(n);
    const bytes = buffer.read(n);
    assert.deepEqual(bytes, wanted);
    world.keep(bytes);
  },
  function readInto(world, { buffer, model }) {
    const view = Buffer.alloc(world.random.size(300), 0x55);
    const wanted = model.bytes.subarray(0, view.length);
    const n = buffer.readInto(view);
    assert.equal(n, model.take(view.length).length);
    assert.deepEqual(view.subarray(0, n), wanted);
    assert.ok(view.subarray(n).every((byte) => byte === 0x55));
  },
  function readString(world, { buffer, model }) {
    const n = world.random.size(300);
    const wanted = model.bytes.toString('latin1', 0, n);
    model.take(n);
    assert.equal(buffer.readString(n, 'latin1'), wanted);
  },
  function copy(world, { buffer, model }) {
    const view = Buffer.alloc(world.random.size(300));
    const from = world.random.size(buffer.length + 2);
    const wanted = model.bytes.subarray(from, from + view.length);
    assert.equal(buffer.copy(view, from), wanted.length);
    assert.deepEqual(view.subarray(0, wanted.length), wanted);
  },
  function peek(world, { buffer, model }) {
    const n = world.random.size(500);
    const from = world.random.size(buffer.length + 2);
    const views = buffer.peek(n, from);
    assert.deepEqual(Buffer.concat(views), model.bytes.subarray(from, from + n));
    for (const view of views) world.keep(view);
  },
  function pullup(world, { buffer, model }) {
    const n = Math.min(world.random.size(500), buffer.length);
    const view = buffer.pullup(n);
    assert.deepEqual(view, model.bytes.subarray(0, n));
    world.keep(view);
  },
  function indexOfByte(world, { buffer, model }) {
    const byte = world.random.pick([97, 10, 0, 200]);
    const from = world.random.size(buffer.length);
    const to = from + world.random.size(200);
    const found = model.bytes.subarray(0, to).indexOf(byte, from);
    assert.equal(buffer.indexOf(byte, from, to), from >= model.cells.length ? -1 : found);
  },
  function indexOfBytes(world, { buffer, model }) {
    const needle = world.bytes(3);
    if (needle.length === 0) return;
    const from = world.random.size(buffer.length);
    const to = Math.min(buffer.length, from + world.random.size(200));
    const found = model.bytes.subarray(from, to).indexOf(needle);
    assert.equal(buffer.indexOf(needle, from, to), found < 0 ? -1 : found + from);
  },
  function findEol(world, { buffer, model }) {
    const style = world.random.pick(STYLES);
    const from = world.random.oneIn(2) ? 0 : world.random.size(buffer.length);
    assert.deepEqual(buffer.findEol(style, from), model.findEol(style, from));
  },
  function readLine(world, { buffer, model }) {
    const style = world.random.pick(STYLES);
    const maxLength = world.random.pick([0, 1, 2, 5, 100, 5000]);
    const wanted = model.readLine(style, maxLength);
    try {
      const asText = world.random.oneIn(2);
      const line = asText ? buffer.readLineString(style, maxLength, 'latin1') : buffer.readLine(style, maxLength);
      assert.deepEqual(line, asText && Buffer.isBuffer(wanted) ? wanted.toString('latin1') : wanted);
    } catch (error) {
      if (!(error instanceof LimitError)) throw error;
      assert.equal(wanted, 'too long');
    }
  },
  function integers(world, { buffer, model }) {
    const value = world.random.below(0x1_0000_0000);
    buffer.appendUInt32BE(value);
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    for (const byte of bytes) model.cells.push(cell(byte));
    const at = world.random.below(buffer.length - 3);
    assert.equal(buffer.getInt32LE(at), model.bytes.readInt32LE(at));
    assert.equal(buffer.readUInt16BE(), model.bytes.readUInt16BE());
    model.take(2);
    // Two changes, which the counts below are told of as one.
    world.expectedCalls += 1;
  },
  function own(_world, { buffer }) {
    buffer.own();
    assert.equal(buffer._transient, 0);
  },
  function settle(world) {
    endTurn(world.random.pick([world.reads, world.scratch, world.third]));
  },
  function settleAll(world) {
    endTurn(world.reads, world.scratch, world.third);
    for (const { buffer } of world.pairs) assert.equal(buffer._transient, 0);
  },
];

function receiveInto(world: World, slab: Slab, max: number, buffer: EvBuffer, model: Model): void {
  const bytes = world.bytes(max);
  if (bytes.length > slab.free) endTurn(slab);
  receive(buffer, slab, bytes);
  for (const byte of bytes) model.cells.push(cell(byte));
}

describe('EvBuffer against a plain array of bytes', () => {
  const random = new Random();

  it(`does the same in ${OPERATIONS} random operations (SEED=${random.seed})`, function () {
    this.timeout(120_000);
    const world = new World(random);
    for (let count = 0; count < OPERATIONS; count += 1) {
      let name = 'none';
      try {
        name = world.step();
        world.check();
        if (count % 100 === 0) world.checkAll();
      } catch (error) {
        throw new Error(`operation ${count}, ${name}, with SEED=${random.seed}: ${String(error)}`, { cause: error });
      }
    }
    for (const { buffer, model } of world.pairs) {
      buffer.clear();
      model.cells = [];
    }
    world.checkAll();
    assert.ok(world.lent.length > 1000);
    assert.ok(world.lent.every(({ released }) => released === 1));
  });
});
