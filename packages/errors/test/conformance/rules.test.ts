/** Rules R01–R32: what a channel that many streams share owes to each of them. */
import { expect } from 'chai';
import { untilTestEnds } from '../../../../test/support/until-test-ends.ts';
import {
  ChannelErrorStack,
  closeInfo,
  createEntry,
  errorFromErrno,
  type ErrorEntry,
  ErrorStack,
  errorString,
  formatLine,
  IDLE_TIMEOUT,
  Library,
  packCode,
  PortErrorStack,
  type SluiceError,
  systemCode,
  transferables,
} from '../../src/index.ts';
import { EchoThread } from '../support/echo.ts';
import { bytesOf, caught, codesOf, LETTER, MemoryChannel, NETWORK_ERROR, ssl } from '../support/memory-channel.ts';

const UNKNOWN_FRAME = { data: 'unknown frame type 0x40' };
const COVER = ssl('quicProtocolError');

function failedChannel(): MemoryChannel {
  const channel = new MemoryChannel();
  channel.protocolError([ssl('unexpectedMessage')], UNKNOWN_FRAME);
  return channel;
}

/**
 * A report, and a way to see whether its channel is still there. V8 keeps what an error's frames belong to until its
 * stack is written out, as any log does.
 */
function useUp(): { gone: WeakRef<ChannelErrorStack>; error: SluiceError } {
  const { errors } = failedChannel();
  const error = errors.report('read');
  void error.stack;
  return { gone: new WeakRef(errors), error };
}

describe('the rules of a channel', () => {
  it('R01 leftovers are cleared before an operation, counted, reported once, and change nothing', () => {
    const reports: (readonly ErrorEntry[])[] = [];
    const channel = new MemoryChannel({ deliver: (task) => task(), onStaleErrors: (entries) => reports.push(entries) });
    const stream = channel.stream();
    stream.receive('data');
    channel.stack.raise({ code: packCode(Library.user, 55), data: 'junk' });
    expect(stream.read()).to.deep.equal({ data: 'data' });
    expect(stream.read()).to.deep.equal({ wait: 'want-read' });
    expect(channel.errors.staleErrors).to.equal(1);
    expect(reports.map((entries) => entries.map(({ data }) => data))).to.deep.equal([['junk']]);
    channel.errors.addStaleErrors(2);
    expect(channel.errors.staleErrors).to.equal(3);
  });

  it('R02 after a successful operation the queue is empty', () => {
    const channel = new MemoryChannel();
    const stream = channel.stream();
    stream.receive('data');
    stream.read();
    stream.write();
    expect([channel.stack.length, channel.stack.openBrackets]).to.deep.equal([0, 0]);
  });

  it('R03 of an intermittent error only the result remains', () => {
    const channel = new MemoryChannel();
    const stream = channel.stream();
    expect(stream.read()).to.deep.equal({ wait: 'want-read' });
    expect(stream.lastResult.value).to.equal('want-read');
    expect(channel.stack.length).to.equal(0);
    expect(channel.errors.entries).to.deep.equal([]);
    expect(channel.errors.failed).to.equal(false);
  });

  it('R04 discarding an inner bracket leaves the outer one as it is', () => {
    const stack = new ErrorStack();
    const outer = stack.open();
    stack.raise({ code: 1 });
    stack.setMark();
    const inner = stack.open();
    stack.raise({ code: 2 });
    stack.setMark();
    stack.raise({ code: 3 });
    stack.discard(inner);
    stack.raise({ code: 4 });
    expect(stack.popToMark()).to.equal(true);
    expect(stack.take(outer).map(({ code }) => code)).to.deep.equal([1]);
  });

  it('R05 a permanent error moves what was raised since the bracket began, under a cover', () => {
    const channel = new MemoryChannel();
    channel.arrive(() => {
      channel.stack.raise({ code: ssl('badExtension') });
      channel.protocolError([ssl('unexpectedMessage')], UNKNOWN_FRAME);
      expect(channel.stack.toArray().map(({ code }) => code)).to.deep.equal([ssl('badExtension')]);
    });
    channel.tick();
    const [below, cover] = channel.errors.entries;
    expect(below?.code).to.equal(ssl('unexpectedMessage'));
    expect(cover).to.include({ code: COVER, func: 'handleFrame', file: 'frames.ts', line: 7, ...UNKNOWN_FRAME });
    expect(channel.stack.length).to.equal(0);
  });

  it('R06 the first permanent error wins, later ones are counted', () => {
    const channel = failedChannel();
    const before = channel.errors.entries;
    channel.protocolError([ssl('badPacket')], { data: 'second' });
    expect(channel.errors.fail([], { operation: 'tick' })).to.equal(false);
    expect(channel.errors.closeWith(closeInfo({ code: 0, remote: true, transport: false }))).to.equal(false);
    expect(channel.errors.entries).to.deep.equal(before);
    expect(channel.errors.suppressedErrors).to.equal(3);
    expect(channel.stack.length).to.equal(0);
  });

  it('R07 every later operation fails with a copy of all entries and the letter', () => {
    const channel = new MemoryChannel();
    const stream = channel.stream();
    channel.protocolError([ssl('unexpectedMessage')], UNKNOWN_FRAME);
    const list = [ssl('unexpectedMessage'), COVER, LETTER];
    const operations = {
      'stream read': () => stream.read(),
      'stream write': () => stream.write(),
      'stream conclude': () => stream.conclude(),
      'open stream': () => channel.stream(),
    };
    for (const [name, operation] of Object.entries(operations)) {
      const error = caught(operation);
      expect(codesOf(error)).to.deep.equal(list);
      expect(error.operation).to.equal(name);
      expect(error).to.include({ code: 'SLUICE_QUIC_PROTOCOL', layer: 'quic', blame: 'remote', remedy: 'close' });
    }
  });

  it('R08 asking again gives the same list, and changes nothing', () => {
    const channel = failedChannel();
    const first = channel.errors.report('read');
    for (let i = 0; i < 10; i++) expect(channel.errors.report('read').entries).to.deep.equal(first.entries);
    expect(channel.errors.entries).to.deep.equal(first.entries.slice(0, -1));
  });

  it('R09 200 readers on 200 streams get 200 equal, independent lists, each as often as asked', () => {
    const channel = new MemoryChannel();
    const streams = Array.from({ length: 200 }, () => channel.stream());
    const bytes = new Uint8Array([1, 2, 3]);
    channel.errors.fail([createEntry({ code: ssl('badPacket'), data: bytes })], { operation: 'tick' });
    const expected = channel.errors.report('stream read').entries;
    for (let round = 0; round < 3; round++) {
      for (const stream of streams) {
        const { entries } = caught(() => stream.read());
        expect(entries).to.deep.equal(expected);
        const mine = entries[0] as { -readonly [K in keyof ErrorEntry]: ErrorEntry[K] };
        (mine.data as Uint8Array).fill(round + 9);
        mine.func = 'mine';
        (entries as ErrorEntry[]).pop();
      }
    }
    bytes.fill(77);
    expect(channel.errors.report('stream read').entries).to.deep.equal(expected);
    expect(expected[0]?.data).to.deep.equal(new Uint8Array([1, 2, 3]));
  });

  it('R09 subscribers of one failure each get a report of their own', async () => {
    const channel = new MemoryChannel();
    const seen: SluiceError[] = [];
    for (let i = 0; i < 5; i++) channel.errors.failed$.subscribe((error) => seen.push(error));
    channel.protocolError([], UNKNOWN_FRAME);
    await Promise.resolve();
    const [first] = seen;
    (first?.entries as ErrorEntry[] | undefined)?.splice(0);
    expect(seen.slice(1).map(codesOf)).to.deep.equal(Array.from({ length: 4 }, () => [COVER, LETTER]));
    expect(new Set(seen.map(({ entries }) => entries)).size).to.equal(5);
  });

  const streamFaults: [Parameters<typeof ssl>[0], string, string][] = [
    ['streamReset', 'SLUICE_QUIC_STREAM_RESET', 'remote'],
    ['streamFinished', 'SLUICE_QUIC_STREAM_DIRECTION', 'local'],
    ['streamRecvOnly', 'SLUICE_QUIC_STREAM_DIRECTION', 'local'],
    ['streamSendOnly', 'SLUICE_QUIC_STREAM_DIRECTION', 'local'],
    ['streamCountLimited', 'SLUICE_QUIC_STREAM_LIMIT', 'remote'],
    ['badWriteRetry', 'SLUICE_QUIC_API_MISUSE', 'local'],
  ];
  for (const [reason, code, blame] of streamFaults) {
    it(`R10 ${reason} is given to its caller only`, () => {
      const channel = new MemoryChannel();
      const [hit, sibling] = [channel.stream(), channel.stream()];
      hit.fault(ssl(reason));
      sibling.receive('data');
      const error = caught(() => hit.read());
      expect(codesOf(error)).to.deep.equal([ssl(reason)]);
      expect(error).to.include({ code, blame });
      expect(channel.errors.failed).to.equal(false);
      expect(channel.errors.entries).to.deep.equal([]);
      expect(channel.stack.length).to.equal(0);
      expect(sibling.read()).to.deep.equal({ data: 'data' });
    });
  }

  it('R11 channels that share a thread never see entries of each other', () => {
    const stack = new ErrorStack();
    const [a, b] = [new MemoryChannel({ stack }), new MemoryChannel({ stack })];
    const onB = b.stream();
    a.arrive(() => {
      stack.raise({ code: ssl('badPacket') });
      onB.receive('data');
      onB.read();
      b.protocolError([ssl('badLength')], { data: 'of b' });
      a.protocolError([ssl('badKeyShare')], { data: 'of a' });
    });
    a.tick();
    expect(codesOf(a.errors.report('read'))).to.deep.equal([ssl('badKeyShare'), COVER, LETTER]);
    expect(codesOf(b.errors.report('read'))).to.deep.equal([ssl('badLength'), COVER, LETTER]);
  });

  it('R12 after a network error every last result is syscall', () => {
    const port = new PortErrorStack();
    const channel = new MemoryChannel({ port });
    const stream = channel.stream();
    stream.read();
    port.fail([createEntry({ code: systemCode(100) })], { operation: 'sendmsg' });
    expect([channel.lastResult.value, stream.lastResult.value]).to.deep.equal(['syscall', 'syscall']);
    channel.stack.raise({ code: ssl('badPacket') });
    caught(() => stream.read());
    expect(stream.lastResult.value).to.equal('syscall');
  });

  it('R13 last results are per object and do not look at the queue', () => {
    const channel = new MemoryChannel();
    const [first, second] = [channel.stream(), channel.stream()];
    second.end();
    first.read();
    second.read();
    channel.stack.raise({ code: systemCode(104) });
    for (let i = 0; i < 2; i++) {
      expect(second.lastResult.value).to.equal('zero-return');
      expect(first.lastResult.value).to.equal('want-read');
    }
  });

  it('R14 an operation begins with no result', () => {
    const channel = new MemoryChannel();
    const stream = channel.stream();
    stream.read();
    const bracket = channel.errors.begin(stream.lastResult);
    expect(stream.lastResult.value).to.equal('none');
    channel.errors.settle(bracket, stream.lastResult, 'want-write');
    expect(stream.lastResult.value).to.equal('want-write');
  });

  it('R15 a tick of a failed channel succeeds; only what makes further ticks senseless throws', () => {
    const channel = failedChannel();
    channel.arrive(() => channel.protocolError([], { data: 'more' }));
    expect(channel.tick()).to.equal(true);
    channel.arrive(() => {
      throw new RangeError('out of memory');
    });
    expect(() => channel.tick()).to.throw(RangeError);
  });

  it('R16 an error inside a tick is found by later calls, and announced once', async () => {
    const channel = new MemoryChannel();
    const stream = channel.stream();
    const announced: SluiceError[] = [];
    let completed = 0;
    channel.errors.failed$.subscribe({ next: (error) => announced.push(error), complete: () => completed++ });
    channel.arrive(() => channel.protocolError([], UNKNOWN_FRAME));
    channel.arrive(() => channel.protocolError([], UNKNOWN_FRAME));
    channel.tick();
    expect(announced).to.have.length(0);
    await Promise.resolve();
    expect(codesOf(caught(() => stream.read()))).to.deep.equal([COVER, LETTER]);
    expect([announced.length, completed]).to.deep.equal([1, 1]);
    expect(announced[0]?.operation).to.equal('tick');
  });

  const ends: [name: string, init: Parameters<typeof closeInfo>[0], code: string, end: string, blame: string][] = [
    [
      'a close by the peer',
      { code: 42, reason: 'hi', remote: true, transport: false },
      'SLUICE_QUIC_CLOSED_BY_PEER',
      'reset',
      'remote',
    ],
    [
      'an idle timeout',
      { code: IDLE_TIMEOUT, remote: false, transport: true },
      'SLUICE_QUIC_IDLE_TIMEOUT',
      'timeout',
      'remote',
    ],
    ['a stateless reset', { code: 0, remote: true, transport: true }, 'SLUICE_QUIC_RESET', 'reset', 'remote'],
    ['a clean close', { code: 0, remote: true, transport: false }, 'SLUICE_QUIC_CLOSED_BY_PEER', 'end', 'remote'],
  ];
  for (const [name, init, code, end, blame] of ends) {
    it(`R17 ${name} leaves the letter alone, and the close info`, () => {
      const channel = new MemoryChannel();
      const stream = channel.stream();
      channel.arrive((it) => it.closed(closeInfo(init)));
      channel.tick();
      const error = caught(() => stream.read());
      expect(codesOf(error)).to.deep.equal([LETTER]);
      expect(error).to.include({ code, end, blame });
      expect(error.closeInfo).to.deep.equal(closeInfo(init));
      expect(channel.errors.closeInfo).to.deep.equal(closeInfo(init));
    });
  }

  it("R18 a port's failure reaches each of its channels once, and no other", () => {
    const [port, other] = [new PortErrorStack(), new PortErrorStack()];
    const channels = [new MemoryChannel({ port }), new MemoryChannel({ port }), new MemoryChannel({ port })];
    const spared = new MemoryChannel({ port: other });
    const sys = systemCode(100);
    expect(port.fail([createEntry({ code: sys, func: 'sendmsg' })], { operation: 'sendmsg' })).to.equal(true);
    expect(port.fail([], { operation: 'recvmsg' })).to.equal(false);
    const late = new MemoryChannel({ port });
    for (const channel of [...channels, late]) {
      expect(codesOf(channel.errors.report('read'))).to.deep.equal([sys, NETWORK_ERROR, LETTER]);
      expect(channel.errors.suppressedErrors).to.equal(0);
      expect(channel.errors.report('read')).to.include({ blame: 'system', code: 'SLUICE_QUIC_ENETDOWN' });
    }
    expect(port.suppressedErrors).to.equal(1);
    expect(spared.errors.failed).to.equal(false);
  });

  for (const [name, errno] of [
    ['ENETUNREACH', 101],
    ['ECONNREFUSED', 111],
    ['EMSGSIZE', 90],
    ['EPERM', 1],
  ] as const) {
    it(`R19 a datagram refused with ${name} fails neither port nor channel`, () => {
      const port = new PortErrorStack();
      const [hit, other] = [new MemoryChannel({ port }), new MemoryChannel({ port })];
      hit.sendRefused(errno, hit.lastResult);
      expect([port.failed, hit.errors.failed, other.errors.failed]).to.deep.equal([false, false, false]);
      expect(hit.lastResult.value).to.equal('want-write');
      expect(hit.stack.length).to.equal(0);
    });
  }

  it('R20 of more than fifteen entries in a bracket the newest fifteen are kept, the others counted', () => {
    const channel = new MemoryChannel();
    channel.stack.raise({ code: 1 });
    const outer = channel.stack.open();
    for (let code = 101; code <= 120; code++) channel.stack.raise({ code });
    expect(channel.stack.droppedIn(outer)).to.equal(5);
    channel.errors.failFrom(outer, { operation: 'tick' });
    expect(codesOf(channel.errors)).to.deep.equal(Array.from({ length: 15 }, (_, i) => 106 + i));
    expect(channel.errors.droppedEntries).to.equal(5);
    expect(channel.stack.dropped).to.equal(6);
  });

  it('R21 a mark is lost with its overwritten entry; a bracket is not', () => {
    const stack = new ErrorStack();
    stack.raise({ code: 1 });
    stack.setMark();
    const bracket = stack.open();
    for (let code = 101; code <= 115; code++) stack.raise({ code });
    stack.discard(bracket);
    expect(stack.length).to.equal(0);
    stack.raise({ code: 2 });
    expect(stack.popToMark()).to.equal(false);
    expect(stack.length).to.equal(0);
  });

  it('R22 data that came before the failure is read first', () => {
    const channel = new MemoryChannel();
    const stream = channel.stream();
    stream.receive('one', 'two');
    channel.protocolError([], UNKNOWN_FRAME);
    expect([stream.read(), stream.read()]).to.deep.equal([{ data: 'one' }, { data: 'two' }]);
    for (let i = 0; i < 3; i++) expect(codesOf(caught(() => stream.read()))).to.deep.equal([COVER, LETTER]);
  });

  it('R23 an end without close_notify is told alike on every read', () => {
    const channel = new MemoryChannel();
    const stream = channel.stream();
    stream.receive('data');
    channel.errors.fail([createEntry({ code: 0x0a000126 })], {
      layer: 'tls',
      operation: 'SSL_read',
      direction: 'read',
    });
    expect(stream.read()).to.deep.equal({ data: 'data' });
    for (let i = 0; i < 2; i++) {
      const error = caught(() => stream.read());
      expect(codesOf(error)).to.deep.equal([0x0a000126, LETTER]);
      expect(error).to.include({ code: 'SLUICE_TLS_TRUNCATED', end: 'truncated', blame: 'remote', direction: 'read' });
    }
  });

  it('R24 a clean end has no entries and repeats', () => {
    const channel = new MemoryChannel();
    const stream = channel.stream();
    stream.end();
    for (let i = 0; i < 3; i++) expect(stream.read()).to.deep.equal({ end: true });
    expect(channel.errors.entries).to.deep.equal([]);
    expect(stream.lastResult.value).to.equal('zero-return');
  });

  it('R25 an errno is kept as the failing call gave it', () => {
    const channel = new MemoryChannel();
    const first = errorFromErrno(-104, { operation: 'read', syscall: 'recv' });
    channel.errors.fail(first.entries, { operation: 'read' });
    channel.errors.fail(errorFromErrno(0, { operation: 'read' }).entries, { operation: 'read' });
    const error = channel.errors.report('read');
    expect(error.entries[0]).to.include({ library: Library.system, errno: 104, func: 'recv' });
    expect(error).to.include({ end: 'reset', blame: 'remote' });
  });

  it('R26 entries read as OpenSSL writes them, lists in either order', () => {
    expect(errorString(0x0a000126)).to.equal('error:0A000126:SSL routines::unexpected eof while reading');
    const entries = [createEntry({ code: 0x0a0000f4 }), createEntry({ code: COVER, data: 'code 0x10a' })];
    const [below, cover] = [
      'error:0A0000F4:SSL routines::unexpected message',
      'error:0A00017E:SSL routines::quic protocol error {code 0x10a}',
    ];
    expect(formatLine(entries)).to.equal(`[{${below}},{${cover}}]`);
    expect(formatLine(entries, { order: 'newest-first' })).to.equal(`[{${cover}},{${below}}]`);
  });

  it('R27 entries cross to a worker and back with nothing shared, and stay on the channel', async () => {
    const channel = new MemoryChannel();
    const data = new Uint8Array([1, 2, 3]);
    channel.errors.fail([createEntry({ code: COVER, data })], {
      operation: 'tick',
      cover: { code: COVER, ...UNKNOWN_FRAME },
    });
    const thread = untilTestEnds(new EchoThread());
    const before = channel.errors.entries;
    for (const transferred of [false, true, false]) {
      const state = { entries: channel.errors.entries };
      const answer = await thread.echo(state, transferred ? transferables(state) : []);
      expect(answer.before).to.equal(0);
      expect(answer.entries).to.deep.equal([
        { ...before[0], data: new Uint8Array([9, 9, 9]) },
        { ...before[1], data: 'unknown frame type 0x40 on another thread' },
      ]);
      expect(bytesOf(state.entries[0]).length, 'what was transferred is gone here').to.equal(transferred ? 0 : 3);
      expect(channel.errors.entries).to.deep.equal(before);
      expect(bytesOf(before[0])).to.deep.equal(data);
    }
  });

  it('R28 copies outlive their channel', async () => {
    const { gone, error } = useUp();
    for (let i = 0; i < 20 && gone.deref() !== undefined; i++) {
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
      globalThis.gc?.();
    }
    expect(gone.deref()).to.equal(undefined);
    expect(codesOf(error)).to.deep.equal([ssl('unexpectedMessage'), COVER, LETTER]);
    expect(error.toJSON().entries).to.have.length(3);
  });

  it('R29 the story is complete before any user hears of it', () => {
    const channel = new MemoryChannel({ deliver: (task) => task() });
    const lists: number[][] = [];
    channel.errors.failed$.subscribe((error) => {
      lists.push(codesOf(error));
      channel.protocolError([ssl('badLength')], { data: 'raised while being told' });
      lists.push(codesOf(channel.errors.report('write')));
    });
    channel.protocolError([ssl('badPacket')], UNKNOWN_FRAME);
    expect(lists).to.deep.equal([
      [ssl('badPacket'), COVER, LETTER],
      [ssl('badPacket'), COVER, LETTER],
    ]);
    expect(channel.errors.suppressedErrors).to.equal(1);
  });

  it('R30 a channel that could not start says so at its first operation', () => {
    const channel = new MemoryChannel();
    channel.errors.fail([createEntry({ code: ssl('noCertificateAssigned') })], { operation: 'start' });
    const error = caught(() => channel.stream());
    expect(codesOf(error)).to.deep.equal([ssl('noCertificateAssigned'), LETTER]);
    expect(error).to.include({ code: 'SLUICE_QUIC_CONFIG_CERTIFICATE', blame: 'local', remedy: 'fix' });
  });

  it('R31 failures in one tick are told in the order of their detection', async () => {
    const stack = new ErrorStack();
    const channels = [1, 2, 3].map(() => new MemoryChannel({ stack }));
    const told: [number, number[]][] = [];
    for (const [index, channel] of channels.entries()) {
      channel.errors.failed$.subscribe((error) => told.push([index, codesOf(error)]));
    }
    for (const [index, reason] of [
      [2, 'badPacket'],
      [0, 'badLength'],
      [1, 'badKeyShare'],
    ] as const) {
      channels[index]?.protocolError([ssl(reason)], UNKNOWN_FRAME);
    }
    await Promise.resolve();
    expect(told).to.deep.equal([
      [2, [ssl('badPacket'), COVER, LETTER]],
      [0, [ssl('badLength'), COVER, LETTER]],
      [1, [ssl('badKeyShare'), COVER, LETTER]],
    ]);
  });

  it("R32 clearing the thread's errors leaves the channel's", () => {
    const channel = failedChannel();
    const before = channel.errors.report('read').entries;
    channel.stack.raise({ code: 1 });
    channel.stack.clear();
    expect(channel.errors.report('read').entries).to.deep.equal(before);
    channel.errors.close();
    expect(channel.errors.report('read').entries).to.deep.equal(before);
    expect(Object.getOwnPropertyNames(ChannelErrorStack.prototype)).to.not.include('clear');
  });
});
