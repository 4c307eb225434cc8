/** Files on their way out, and libevent's cases of them by their names. There `sendfile`, `mmap` and `linear` are three ways to one end; here there is one. */
import { open, truncate, writeFile } from 'node:fs/promises';
import { AbortedError, ApiMisuse } from '@sluice/errors';
import { expect } from 'chai';
import {
  type BufferEvent,
  type CloseReport,
  type ConnectionOptions,
  FileSegment,
  FilterBufferEvent,
  fromDuplex,
  PairBufferEvent,
  sendFile,
  toDuplex,
  type Watermarks,
} from '../../src/index.ts';
import { carriers, type ComplianceFactory, layered, link, TestLoop } from '../../src/testing/index.ts';
import { expectReport } from '../support/expect-report.ts';
import { nextIteration } from '../support/driven-loop.ts';
import { pattern } from '../support/fed.ts';
import { descriptorsOf, rejection, temporaryFile, turnUntil, turnUntilTrue } from '../support/files.ts';

const TEXT = 'here is a relatively small string.';
const BIG = pattern(0, 512 * 1024);
const MARKS: Watermarks = { write: { low: 1000, high: 4000, cap: 6000 } };

/** Two ends of a link; what the second gets is gathered. */
function linked(watermarks: Watermarks = {}) {
  const loop = new TestLoop();
  const wires = link(loop, { capacityBytes: 10_000, first: { watermarks } });
  const [bev, peer] = wires.ends;
  const got: Buffer[] = [];
  peer.on('data', () => got.push(peer.read()));
  return { loop, wires, bev, peer, received: () => Buffer.concat(got) };
}

/** Sends, ends, and answers what the other end got. */
async function through(send: (bev: BufferEvent) => Promise<number>): Promise<Buffer> {
  const { loop, bev, received } = linked();
  const sent = await turnUntil(loop, send(bev));
  bev.end();
  loop.settle();
  expect(sent).to.equal(received().length);
  return received();
}

/** A handle whose reads are counted, and may fail. */
async function countedHandle(path: string, fail: () => Error | undefined = () => undefined, done = (): void => {}) {
  const handle = await open(path);
  const read = handle.read.bind(handle) as (...rest: unknown[]) => Promise<{ bytesRead: number; buffer: Buffer }>;
  const counts = { reads: 0, bytes: 0, largest: 0 };
  const counted = async (...rest: unknown[]): Promise<{ bytesRead: number; buffer: Buffer }> => {
    const error = fail();
    if (error !== undefined) throw error;
    const result = await read(...rest);
    counts.reads += 1;
    counts.bytes += result.bytesRead;
    counts.largest = Math.max(counts.largest, result.bytesRead);
    done();
    return result;
  };
  Object.assign(handle, { read: counted });
  return { handle, counts };
}

describe('sendFile', () => {
  it('keeps output below its high watermark and one piece, however slow the peer', async () => {
    const { loop, wires, bev, received } = linked(MARKS);
    wires.limit(bev, 700);
    const { handle, counts } = await countedHandle(await temporaryFile(BIG.subarray(0, 100_000)));
    let most = 0;
    const look = (): void => {
      most = Math.max(most, bev.output.length);
    };
    bev.output.onChange(look);
    expect(await turnUntil(loop, sendFile(bev, handle))).to.equal(100_000);
    loop.settle();
    expect(received().equals(BIG.subarray(0, 100_000))).to.equal(true);
    expect(most).to.be.within(4000, 6000);
    expect(counts.largest).to.equal(4000);
    await handle.close();
  });

  it('reads nothing ahead for a peer that does not read', async () => {
    const { loop, wires, bev } = linked(MARKS);
    wires.cork(bev);
    const { handle, counts } = await countedHandle(await temporaryFile(BIG));
    const sending = sendFile(bev, handle, { pieceBytes: 3000 });
    await turnUntilTrue(loop, () => bev.output.length === 6000);
    for (let polls = 0; polls < 50; polls += 1) await nextIteration();
    expect(counts).to.deep.equal({ reads: 2, bytes: 6000, largest: 3000 });
    bev.destroy();
    expect(await turnUntil(loop, rejection(sending))).to.have.property('code', 'SLUICE_CORE_CLOSED');
    await handle.close();
  });

  it('leaves the loop free: others are served while a file is read', async () => {
    const { loop, bev } = linked();
    let finish = (): void => {};
    const slow = new Promise<void>((resolve) => (finish = resolve));
    const { handle } = await countedHandle(await temporaryFile(TEXT));
    const read = handle.read.bind(handle) as (...rest: unknown[]) => Promise<unknown>;
    Object.assign(handle, { read: (...rest: unknown[]) => slow.then(() => read(...rest)) });
    const sending = sendFile(bev, handle);
    const [left, right] = PairBufferEvent.create(loop);
    left.write('meanwhile');
    await turnUntilTrue(loop, () => right.input.length === 9);
    expect(bev.output.length).to.equal(0);
    finish();
    expect(await turnUntil(loop, sending)).to.equal(TEXT.length);
    await handle.close();
  });

  it('lets others write while it reads, and puts what the cap leaves', async () => {
    // Below the high mark the piece is split at the cap, above it the piece waits.
    for (const [written, mostWanted] of [
      [60, 120],
      [110, 110],
    ] as const) {
      const { loop, wires, bev, received } = linked({ write: { low: 10, high: 100, cap: 120 } });
      wires.limit(bev, 7);
      let most = 0;
      bev.output.onChange(() => {
        most = Math.max(most, bev.output.length);
      });
      let rounds = 0;
      // At the end of each read, so that it matters not how long the disk takes.
      const others = (): void => {
        rounds += 1;
        bev.write('w'.repeat(written - bev.output.length));
      };
      const { handle } = await countedHandle(await temporaryFile('f'.repeat(1000)), undefined, others);
      await turnUntil(loop, sendFile(bev, handle));
      loop.settle();
      const text = received().toString();
      expect([text.replaceAll('w', '').length, most]).to.deep.equal([1000, mostWanted]);
      expect(rounds).to.be.at.least(10);
      await handle.close();
    }
  });

  it('sends one file at a time', async () => {
    const { loop, bev, received } = linked();
    const path = await temporaryFile(TEXT);
    const first = sendFile(bev, path);
    const second = await rejection(sendFile(bev, path));
    expect(second).to.be.instanceOf(ApiMisuse).with.property('code', 'SLUICE_CORE_SEND_IN_PROGRESS');
    await turnUntil(loop, first);
    await turnUntil(loop, sendFile(bev, path));
    loop.settle();
    expect(received().toString()).to.equal(TEXT + TEXT);
  });

  it('ends with an error when the file is made shorter, after what it was', async () => {
    const { loop, wires, bev, received } = linked(MARKS);
    wires.cork(bev);
    const path = await temporaryFile(BIG);
    const sending = sendFile(bev, path);
    await turnUntilTrue(loop, () => bev.output.length >= 4000);
    await truncate(path, 5000);
    wires.uncork(bev);
    const error = await turnUntil(loop, rejection(sending));
    expect(error).to.include({ code: 'SLUICE_CORE_FILE_SHORT', blame: 'local' });
    expect(error.message).to.contain('ends at byte 5000').and.to.contain(String(BIG.length));
    loop.settle();
    expect(received().equals(BIG.subarray(0, 5000))).to.equal(true);
    expect([bev.closed, bev.writable, await descriptorsOf(path)]).to.deep.equal([undefined, true, 0]);
  });

  it('sends what the file was when it was opened, though it has grown', async () => {
    const path = await temporaryFile(TEXT);
    const segment = await FileSegment.open(path);
    await writeFile(path, 'more', { flag: 'a' });
    expect((await through((bev) => sendFile(bev, segment))).toString()).to.equal(TEXT);
    await segment.close();
  });

  it('ends with the error of the system when the file cannot be read', async () => {
    const { loop, bev, received } = linked(MARKS);
    let reads = 0;
    const { handle } = await countedHandle(await temporaryFile(BIG), () => {
      reads += 1;
      if (reads < 3) return undefined;
      return Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO', syscall: 'read' });
    });
    const error = await turnUntil(loop, rejection(sendFile(bev, handle)));
    expect(error).to.include({ code: 'SLUICE_SYSTEM_EIO', operation: 'sendFile', syscall: 'read' });
    loop.settle();
    expect(received().equals(BIG.subarray(0, 8000))).to.equal(true);
    await handle.close();
  });

  it('ends with the connection, by its error, and lets the file go', async () => {
    const { loop, wires, bev } = linked(MARKS);
    wires.cork(bev);
    const path = await temporaryFile(BIG);
    const sending = sendFile(bev, path);
    await turnUntilTrue(loop, () => bev.output.length >= 4000);
    wires.cut('reset');
    const error = await turnUntil(loop, rejection(sending));
    expectReport(error, bev);
    expect(await descriptorsOf(path)).to.equal(0);
    expectReport(await rejection(sendFile(bev, path)), bev);
  });

  it('ends by its signal, and leaves the connection and what it has', async () => {
    const { loop, wires, bev, received } = linked(MARKS);
    wires.cork(bev);
    const path = await temporaryFile(BIG);
    const controller = new AbortController();
    const sending = sendFile(bev, path, { signal: controller.signal });
    await turnUntilTrue(loop, () => bev.output.length >= 4000);
    controller.abort();
    expect(await rejection(sending)).to.be.instanceOf(AbortedError);
    expect(await descriptorsOf(path)).to.equal(0);
    expect(await rejection(sendFile(bev, path, { signal: controller.signal }))).to.be.instanceOf(AbortedError);
    wires.uncork(bev);
    bev.write('!');
    loop.settle();
    expect(received().length).to.equal(4001);
  });

  it('names what is wrong with its arguments, and sends nothing after end', async () => {
    const { bev } = linked();
    const path = await temporaryFile(TEXT);
    for (const wrong of [{ start: -1 }, { start: 3, end: 2 }, { pieceBytes: 0 }, { pieceBytes: 1.5 }]) {
      expect(await rejection(sendFile(bev, path, wrong))).to.be.instanceOf(ApiMisuse);
    }
    const segment = await FileSegment.open(path, { start: 4 });
    expect(await rejection(sendFile(bev, segment, { end: TEXT.length }))).to.be.instanceOf(ApiMisuse);
    expect(bev.output.length).to.equal(0);
    bev.end();
    expect(await rejection(sendFile(bev, segment))).to.have.property('code', 'SLUICE_CORE_CLOSED');
    expect(segment.users).to.equal(0);
    await segment.close();
  });

  it('sends one segment on many connections at once, each at its pace, and closes it after the last', async () => {
    const path = await temporaryFile(BIG);
    const segment = await FileSegment.open(path);
    const scenes = [linked(), linked(), linked()];
    for (const [index, { wires, bev }] of scenes.entries()) wires.limit(bev, 10_000 * (index + 1));
    const sends = scenes.map(({ bev }) => sendFile(bev, segment));
    expect(segment.users).to.equal(3);
    const closed = segment.close();
    for (const [index, { loop, received }] of scenes.entries()) {
      await turnUntil(loop, sends[index] as Promise<number>);
      loop.settle();
      expect(received().equals(BIG)).to.equal(true);
    }
    await closed;
    expect([segment.users, await descriptorsOf(path)]).to.deep.equal([0, 0]);
    expect(await rejection(sendFile(linked().bev, segment))).to.have.property('code', 'SLUICE_CORE_FILE_CLOSED');
  });

  it('sends an empty file, and a part of nothing', async () => {
    expect(await through(async (bev) => sendFile(bev, await temporaryFile('')))).to.have.length(0);
    expect(await through(async (bev) => sendFile(bev, await temporaryFile(TEXT), { start: 5, end: 5 }))).to.have.length(
      0,
    );
  });
});

describe('sendFile, whatever carries it', () => {
  const layers: [string, (below: BufferEvent, options: ConnectionOptions) => BufferEvent][] = [
    ['filter', (below, options) => new FilterBufferEvent(below, {}, options)],
    ["Node's Duplex", (below, options) => fromDuplex(below.loop, toDuplex(below), options)],
  ];
  for (const [name, carrier] of Object.entries(carriers)) {
    it(`${name}: every byte in order, within the bounds`, () => overAny(carrier));
    for (const [layer, wrap] of layers) {
      it(`${layer} over ${name}: every byte in order, within the bounds`, () => overAny(layered(carrier, wrap)));
    }
  }
});

async function overAny(factory: ComplianceFactory): Promise<void> {
  const connection = await factory({ first: { watermarks: MARKS } });
  const [first, second] = connection.ends;
  try {
    let most = 0;
    first.output.onChange(() => {
      most = Math.max(most, first.output.length);
    });
    const got: Buffer[] = [];
    second.on('data', () => got.push(second.read()));
    const closed = new Promise<CloseReport>((resolve) => second.once('closed', resolve));
    expect(await sendFile(first, await temporaryFile(BIG))).to.equal(BIG.length);
    first.end();
    expect((await closed).end).to.equal('end');
    expect(Buffer.concat(got).equals(BIG)).to.equal(true);
    expect(most).to.be.within(4000, 6000);
  } finally {
    first.destroy();
    second.destroy();
    await connection.settle();
    await connection.dispose();
  }
}

describe('sendFile does what libevent tests of files in its evbuffer', () => {
  it('evbuffer/file_segment_add_cleanup_cb: the callback comes when nobody uses the segment', async () => {
    let released = 0;
    const segment = await FileSegment.open(await temporaryFile('file_segment_test_file'), {
      onRelease: () => {
        released += 1;
      },
    });
    const { loop, wires, bev } = linked({ write: { low: 1, high: 10, cap: 10 } });
    wires.cork(bev);
    const sending = sendFile(bev, segment);
    await turnUntilTrue(loop, () => bev.output.length === 10);
    void segment.close();
    await nextIteration();
    expect(released).to.equal(0);
    bev.destroy();
    await turnUntil(loop, rejection(sending));
    await segment.close();
    await nextIteration();
    expect(released).to.equal(1);
  });

  it('evbuffer/add_file_leak1: a descriptor that is closed is an error, and nothing is left of it', async () => {
    const { bev } = linked();
    const handle = await open(await temporaryFile(TEXT));
    await handle.close();
    expect(await rejection(sendFile(bev, handle))).to.have.property('code', 'SLUICE_SYSTEM_EBADF');
    expect([bev.output.length, bev.writable]).to.deep.equal([0, true]);
  });

  // libevent's three ways to a file's bytes are one here.
  const threeWays = (name: string): string =>
    ['sendfile', 'mmap', 'linear'].map((way) => `evbuffer/${name}_${way}`).join(', ');

  /** A part of a segment, which is the whole file or a part of it. */
  async function partOf(bytes: Uint8Array, segment: [number, number], view: [number, number]): Promise<void> {
    const [start, length] = segment;
    const [skip, size] = view;
    const opened = await FileSegment.open(await temporaryFile(bytes), { start, end: start + length });
    const got = await through((bev) => sendFile(bev, opened, { start: skip, end: skip + size }));
    expect(got.equals(bytes.subarray(start + skip, start + skip + size))).to.equal(true);
    await opened.close();
  }

  for (const [name, bytes] of [
    ['add_file', Buffer.from(TEXT)],
    ['add_big_file', BIG],
  ] as const) {
    it(`${threeWays(name)}: every byte comes out, by a segment`, async () => {
      const segment = await FileSegment.open(await temporaryFile(bytes));
      expect((await through((bev) => sendFile(bev, segment))).equals(bytes)).to.equal(true);
      await segment.close();
    });

    it(`evbuffer/${name}_nosegment: every byte comes out, by a path`, async () => {
      const path = await temporaryFile(bytes);
      expect((await through((bev) => sendFile(bev, path))).equals(bytes)).to.equal(true);
      expect(await descriptorsOf(path)).to.equal(0);
    });
  }

  const text = Buffer.from(TEXT);
  const part: [number, number] = [Math.floor(text.length / 4) + 1, Math.floor(text.length / 2) - 1];
  const all: [number, number] = [0, text.length];

  it(`${threeWays('add_file_offset')}: a segment of a part of the file`, () => partOf(text, part, [0, part[1]]));

  it('evbuffer/add_file_offset_nosegment: a part of the file, by a path', async () => {
    const [start, length] = part;
    const path = await temporaryFile(text);
    const got = await through((bev) => sendFile(bev, path, { start, end: start + length }));
    expect(got.equals(text.subarray(start, start + length))).to.equal(true);
    expect(await descriptorsOf(path)).to.equal(0);
  });

  it(`${threeWays('add_file_offset2')}: a part of a segment of the whole file`, () =>
    partOf(text, all, [Math.floor(text.length / 3), Math.floor(text.length / 2)]));

  it(`${threeWays('add_file_offset3')}: a part of a segment of a part of the file`, () =>
    partOf(text, part, [Math.floor(part[1] / 3), Math.floor(part[1] / 2)]));

  it('parts of a big file, of segments that are the whole and a part of it', async () => {
    const third = Math.floor(BIG.length / 3);
    for (const segment of [
      [0, BIG.length],
      [third, 2 * third],
    ] as const) {
      await partOf(BIG, [...segment], [1000, third]);
    }
  });

  it('what cannot be sent leaves a segment to its owner, who can send it again', async () => {
    const segment = await FileSegment.open(await temporaryFile(text));
    const { bev } = linked();
    bev.end();
    expect(await rejection(sendFile(bev, segment))).to.have.property('code', 'SLUICE_CORE_CLOSED');
    expect(await rejection(sendFile(linked().bev, segment, { start: 1, end: text.length + 1 }))).to.be.instanceOf(
      Error,
    );
    expect(segment.users).to.equal(0);
    expect((await through((other) => sendFile(other, segment))).equals(text)).to.equal(true);
    await segment.close();
  });
});
