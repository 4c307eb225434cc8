/**
 * Room that is written to before it counts, and libevent's cases of it by their names. There a reservation is up to so
 * many extents of memory, here always one, so that what is asked for lies on end: cases about a second extent ask for
 * more than the tail has room for instead. There `expand` makes a chunk of nothing but room, which a buffer here never
 * holds: its cases are about the room that a reservation gave back.
 */
import { ApiMisuse, LimitError } from '@sluice/errors';
import { expect } from 'chai';
import { type BufferReader, type BufferWriter, EvBuffer, type Reservation } from '../src/evbuffer.ts';
import { PairBufferEvent } from '../src/index.ts';
import { Slab } from '../src/slab.ts';
import { TestLoop } from '../src/testing/index.ts';
import { assertInvariants, assertRoomsApart } from '../src/testing/evbuffer-invariants.ts';
import { chunked, chunkSizes, endTurn, receive, RecordingOwner, thrownBy } from './support/evbuffer-fixture.ts';

/** Reserves, writes `used` times the letter, and commits that. */
function put(buffer: EvBuffer, n: number, letter: string, used: number): Reservation {
  const reservation = buffer.reserve(n);
  reservation.bytes.fill(letter, 0, used);
  reservation.commit(used);
  assertInvariants(buffer);
  return reservation;
}

/** Where memory lies, to be compared. */
function placeOf(bytes: Uint8Array): { memory: ArrayBufferLike; at: number } {
  return { memory: bytes.buffer, at: bytes.byteOffset };
}

function isBehind(later: Uint8Array, earlier: Uint8Array, distance: number): boolean {
  return later.buffer === earlier.buffer && later.byteOffset === earlier.byteOffset + distance;
}

describe('EvBuffer.reserve', () => {
  it('adds nothing before it is committed, and then as much as was used', () => {
    const owner = new RecordingOwner();
    const buffer = new EvBuffer(owner);
    buffer.append('ab');
    const room = buffer.reserve(10);
    expect([buffer.length, room.stale]).to.deep.equal([2, false]);
    expect(room.bytes.length).to.be.at.least(10);
    room.bytes.write('cdefgh');
    expect(room.commit(3)).to.equal(3);
    expect([buffer.toString(), room.stale]).to.deep.equal(['abcde', true]);
    buffer.append('f');
    expect([buffer.toString(), chunkSizes(buffer)]).to.deep.equal(['abcdef', [6]]);
    expect(owner.changes).to.deep.equal(['+2 -0 =2', '+3 -0 =5', '+1 -0 =6']);
    assertInvariants(buffer);
  });

  it('tells nobody of a commit of nothing', () => {
    const owner = new RecordingOwner();
    const buffer = new EvBuffer(owner);
    expect(buffer.reserve(10).commit(0)).to.equal(0);
    expect([buffer.length, owner.changes]).to.deep.equal([0, []]);
    assertInvariants(buffer);
  });

  const overtaking: [string, (buffer: EvBuffer) => unknown][] = [
    ['append', (buffer) => buffer.append('x')],
    ['prepend', (buffer) => buffer.prepend('x')],
    ['appendRef', (buffer) => buffer.appendRef(Buffer.from('x'))],
    ['appendFrom', (buffer) => buffer.appendFrom(chunked('x'))],
    ['appendShared', (buffer) => buffer.appendShared(chunked('x'))],
    ['appendUInt8', (buffer) => buffer.appendUInt8(120)],
    ['another reserve', (buffer) => buffer.reserve(1)],
  ];
  for (const [name, overtake] of overtaking) {
    it(`is stale after ${name}: commit is refused, adds nothing, and nobody else has the memory`, () => {
      const buffer = new EvBuffer();
      buffer.append('ab');
      const room = buffer.reserve(4);
      overtake(buffer);
      const before = buffer.toString();
      room.bytes.fill('!');
      expect(room.stale).to.equal(true);
      expect(thrownBy(() => room.commit(1)))
        .to.be.instanceOf(ApiMisuse)
        .with.property('code', 'SLUICE_CORE_RESERVATION_STALE');
      expect(buffer.toString()).to.equal(before);
      buffer.append('y');
      room.bytes.fill('!');
      expect(buffer.toString()).to.equal(`${before}y`);
      assertInvariants(buffer);
    });
  }

  it('is committed once', () => {
    const buffer = new EvBuffer();
    const room = put(buffer, 4, 'a', 2);
    expect(thrownBy(() => room.commit(1)))
      .to.be.instanceOf(ApiMisuse)
      .with.property('code', 'SLUICE_CORE_RESERVATION_STALE');
    expect(buffer.toString()).to.equal('aa');
  });

  it('holds while bytes are taken or moved away, and the turn ends', () => {
    const buffer = new EvBuffer();
    const other = new EvBuffer();
    const slab = new Slab(64, -1);
    buffer.append('ab');
    const room = buffer.reserve(4);
    buffer.moveTo(other);
    other.append('c');
    room.bytes.write('de');
    room.commit(2);
    expect([other.toString(), buffer.toString()]).to.deep.equal(['abc', 'de']);
    assertRoomsApart([buffer, other]);
    buffer.clear();
    receive(buffer, slab, 'fg');
    const behind = buffer.reserve(4);
    endTurn(slab);
    buffer.pullup();
    behind.bytes.write('h');
    behind.commit(1);
    expect(buffer.toString()).to.equal('fgh');
    assertInvariants(buffer);
  });

  it('keeps memory that was shared as it was', () => {
    const buffer = new EvBuffer();
    const copy = new EvBuffer();
    buffer.append('ab');
    copy.appendShared(buffer);
    put(buffer, 4, 'c', 2);
    copy.append('d');
    expect([buffer.toString(), copy.toString()]).to.deep.equal(['abcc', 'abd']);
    assertRoomsApart([buffer, copy]);
  });

  it('asks the owner when it is made and when it is committed; what was refused may be committed later', () => {
    const owner = new RecordingOwner();
    owner.cap = 8;
    const buffer = new EvBuffer(owner);
    buffer.append('abcd');
    expect(thrownBy(() => buffer.reserve(5)).message).to.equal('full');
    const room = buffer.reserve(4);
    room.bytes.write('efgh12');
    expect(thrownBy(() => room.commit(6)).message).to.equal('full');
    expect([buffer.toString(), room.stale]).to.deep.equal(['abcd', false]);
    room.commit(4);
    expect(buffer.toString()).to.equal('abcdefgh');
    assertInvariants(buffer);
  });

  it("is bound by a connection's cap and end, as write is", () => {
    const loop = new TestLoop();
    const [left, right] = PairBufferEvent.create(loop, { watermarks: { write: { low: 1, high: 50, cap: 100 } } });
    expect(thrownBy(() => left.output.reserve(101))).to.be.instanceOf(LimitError);
    const room = left.output.reserve(5);
    room.bytes.write('hello');
    room.commit(5);
    loop.settle();
    expect(right.input.toString()).to.equal('hello');
    const late = left.output.reserve(5);
    left.end();
    expect(thrownBy(() => late.commit(5))).to.have.property('code', 'SLUICE_CORE_WRITE_AFTER_END');
    expect(thrownBy(() => left.output.reserve(5))).to.have.property('code', 'SLUICE_CORE_WRITE_AFTER_END');
    right.destroy();
    loop.settle();
  });

  it('names what is wrong with a count', () => {
    const buffer = new EvBuffer();
    for (const wrong of [-1, 1.5, Number.NaN, '1' as unknown as number]) {
      expect(thrownBy(() => buffer.reserve(wrong))).to.be.instanceOf(ApiMisuse);
      expect(thrownBy(() => buffer.reserve(1).commit(wrong))).to.be.instanceOf(ApiMisuse);
    }
    const room = buffer.reserve(10);
    expect(thrownBy(() => room.commit(room.bytes.length + 1)).message).to.contain('were reserved');
    expect(room.stale).to.equal(false);
  });
});

describe("EvBuffer.reserve does what libevent tests of its evbuffer's room", () => {
  it('evbuffer/reserve2: what was not used is reserved again, and bytes stay together', () => {
    const buffer = new EvBuffer();
    const first = put(buffer, 1024, 'X', 512);
    const second = buffer.reserve(32);
    expect(isBehind(second.bytes, first.bytes, 512)).to.equal(true);
    expect(second.bytes.length).to.equal(first.bytes.length - 512);
    second.bytes.fill('Y', 0, 8);
    second.commit(8);
    expect(buffer.length).to.equal(520);
    const rest = second.bytes.length - 8;
    buffer.reserve(rest + 64).commit(0);
    expect(buffer.length).to.equal(520);
    put(buffer, 1, 'Z', 1);
    put(buffer, rest + 64, 'W', 460);
    expect(buffer.length).to.equal(981);
    expect(chunkSizes(buffer)).to.deep.equal([521, 460]);
    expect(Buffer.concat(buffer.peek()).toString()).to.equal(`${'X'.repeat(512)}${'Y'.repeat(8)}Z${'W'.repeat(460)}`);
  });

  const beginnings: [string, (buffer: EvBuffer) => void][] = [
    ['evbuffer/reserve_many: of an empty buffer', () => {}],
    ['evbuffer/reserve_many2: behind a byte', (buffer) => void buffer.append('a')],
    [
      'evbuffer/reserve_many3: behind a full chunk',
      (buffer) => void put(buffer, 256, 'f', buffer.reserve(256).bytes.length),
    ],
  ];
  for (const [title, begin] of beginnings) {
    it(`${title}, again and again, of any size`, () => {
      const buffer = new EvBuffer();
      begin(buffer);
      const { length } = buffer;
      const small = buffer.reserve(128);
      const place = placeOf(small.bytes);
      small.commit(0);
      for (const n of [small.bytes.length + 128, 3 * small.bytes.length, 100_000]) {
        const large = buffer.reserve(n);
        expect(large.bytes.length).to.be.at.least(n);
        large.commit(0);
        expect(buffer.length).to.equal(length);
        assertInvariants(buffer);
      }
      if (length === 1) expect(placeOf(buffer.reserve(128).bytes)).to.deep.equal(place);
      const before = buffer.toString();
      put(buffer, 2000, 'b', 2000);
      expect(buffer.toString()).to.equal(`${before}${'b'.repeat(2000)}`);
    });
  }

  it('evbuffer/reserve_with_empty: what is appended after a short commit follows it', () => {
    const buffer = new EvBuffer();
    buffer.append('a');
    put(buffer, 4096, 'b', 1);
    buffer.append('c');
    expect(buffer.toString()).to.equal('abc');
    assertInvariants(buffer);
  });

  it('evbuffer/reserve_invalid_last_with_datap: nothing appended, nothing committed, no chunk of nothing', () => {
    const buffer = new EvBuffer();
    buffer.appendRef(Buffer.alloc(0));
    buffer.prepend('foo');
    buffer.append('');
    put(buffer, 4096, '', 0);
    put(buffer, 8192, '', 0);
    expect([buffer.toString(), chunkSizes(buffer)]).to.deep.equal(['foo', [3]]);
  });

  it('evbuffer/expand: what was reserved once is there for what comes', () => {
    const buffer = new EvBuffer();
    const room = put(buffer, 20_000, 'a', 1024);
    expect(room.bytes.length).to.be.at.least(20_000);
    expect(chunkSizes(buffer)).to.deep.equal([1024]);
    const next = buffer.reserve(1024);
    expect(isBehind(next.bytes, room.bytes, 1024)).to.equal(true);
    next.commit(0);
    for (let count = 0; count < 3; count += 1) buffer.append(Buffer.alloc(4096, 'b'));
    expect(chunkSizes(buffer)).to.deep.equal([1024 + 3 * 4096]);
    buffer.drain(buffer.length - 1);
    expect(isBehind(buffer.reserve(40).bytes, room.bytes, 1024 + 3 * 4096)).to.equal(true);
    expect(buffer.pullup().toString()).to.equal('b');
    assertInvariants(buffer);
  });

  it('evbuffer/expand_overflow: more than memory can be is refused, and the buffer is none the worse', () => {
    const buffer = new EvBuffer();
    buffer.append('1');
    expect(thrownBy(() => buffer.reserve(Number.MAX_SAFE_INTEGER)))
      .to.be.instanceOf(ApiMisuse)
      .with.property('message')
      .that.contains('piece by piece');
    expect(buffer.toString()).to.equal('1');
    buffer.append('2');
    expect(buffer.toString()).to.equal('12');
    assertInvariants(buffer);
  });

  it('evbuffer/reference: memory is read straight into room that was reserved', () => {
    const text = 'this is what we add as read-only memory.';
    const source = new EvBuffer();
    const destination = new EvBuffer();
    let released = 0;
    source.appendRef(Buffer.from(text), () => {
      released += 1;
    });
    const room = destination.reserve(text.length);
    source.readInto(room.bytes.subarray(0, 10));
    source.prepend('there');
    source.drain(5);
    source.readInto(room.bytes.subarray(10, text.length));
    room.commit(text.length);
    expect([destination.toString(), released]).to.deep.equal([text, 1]);
  });

  it('evbuffer/freeze_end and evbuffer/freeze_start: each end has what belongs to it, and the compiler says so', () => {
    const calls = {
      back: (reader: BufferReader): void => {
        // @ts-expect-error: the end that bytes are taken from takes none
        reader.append('x');
        // @ts-expect-error: nor room
        reader.reserve(10);
        // @ts-expect-error: nor references
        reader.appendRef(Buffer.from('x'));
        // @ts-expect-error: nor another buffer's
        reader.appendFrom(new EvBuffer());
      },
      front: (writer: BufferWriter): void => {
        // @ts-expect-error: the end that bytes are put into gives none
        writer.read(1);
        // @ts-expect-error: drops none
        writer.drain(3);
        // @ts-expect-error: has no line
        writer.readLine();
        // @ts-expect-error: moves none
        writer.moveTo(new EvBuffer());
        // @ts-expect-error: and gets none at the front
        writer.prepend('x');
      },
    };
    // What the compiler refuses is all that there is: the buffers of a connection are whole.
    const [left, right] = PairBufferEvent.create(new TestLoop());
    expect(() => calls.back(left.input)).not.to.throw();
    right.output.append('line\nrest');
    expect(() => calls.front(right.output)).not.to.throw();
    left.destroy();
  });
});
