/** The cases of libevent's evbuffer that concern what EvBuffer has, by their names there. */
import { ApiMisuse } from '@sluice/errors';
import { expect } from 'chai';
import { EvBuffer, type EolStyle } from '../src/evbuffer.ts';
import { assertInvariants } from '../src/testing/evbuffer-invariants.ts';
import { chunked, chunkSizes, sliced } from './support/evbuffer-fixture.ts';

/** Runs a step and checks the buffers after it. */
function step<T>(buffers: EvBuffer[], run: () => T): T {
  const result = run();
  for (const buffer of buffers) assertInvariants(buffer);
  return result;
}

function linesOf(buffer: EvBuffer, style: EolStyle, count: number): (string | undefined)[] {
  return Array.from({ length: count }, () => step([buffer], () => buffer.readLineString(style)));
}

function ref(buffer: EvBuffer, text: string): void {
  step([buffer], () => buffer.appendRef(Buffer.from(text)));
}

describe('EvBuffer does what libevent tests of its evbuffer', () => {
  it('evbuffer/evbuffer: a life of appending, moving, prepending and draining', () => {
    const [one, two] = [new EvBuffer(), new EvBuffer()];
    const both = [one, two];
    step(both, () => one.append('hello/1'));
    expect([one.length, one.toString()]).to.deep.equal([7, 'hello/1']);
    expect(step(both, () => one.appendFrom(two))).to.equal(0);
    expect(one.toString()).to.equal('hello/1');
    step(both, () => one.drain(6));
    expect(one.toString()).to.equal('1');
    step(both, () => two.append('/hello'));
    step(both, () => one.appendFrom(two));
    expect([two.length, one.toString()]).to.deep.equal([0, '1/hello']);
    step(both, () => one.append(Buffer.alloc(512)));
    expect(one.length).to.equal(519);
    expect(step(both, () => one.pullup(519)).toString('latin1')).to.equal(`1/hello${'\0'.repeat(512)}`);
    step(both, () => one.prepend('something'));
    step(both, () => one.prepend('else'));
    expect(step(both, () => one.pullup(20)).toString()).to.equal('elsesomething1/hello');
    step(both, () => one.drain(Number.MAX_SAFE_INTEGER));
    expect(one.length).to.equal(0);

    const data = Buffer.from(Array.from({ length: 1536 }, (_, index) => index % 251));
    for (let at = 0; at < 1536; at += 512) {
      step(both, () => two.append(data.subarray(at, at + 512)));
      step(both, () => one.appendFrom(two));
    }
    expect([one.length, two.length]).to.deep.equal([1536, 0]);
    expect(step(both, () => one.moveTo(two, 1280))).to.equal(1280);
    expect([one.length, two.length]).to.deep.equal([256, 1280]);
    expect(Buffer.concat([two.read(), one.read()])).to.deep.equal(data);

    for (let round = 0; round < 3; round += 1) {
      const room = step(both, () => one.reserve(10_000));
      expect(room.bytes.length).to.be.at.least(10_000);
      room.bytes.fill(round);
      expect(step(both, () => room.commit(10_000))).to.equal(10_000);
      expect(one.length).to.equal(10_000);
      expect(one.pullup().every((byte) => byte === round)).to.equal(true);
      expect(step(both, () => one.drain(10_000 * 5000))).to.equal(10_000);
    }
    expect(one.length).to.equal(0);
  });

  it('evbuffer/remove_buffer_with_empty: appended nothing is no chunk to stumble over', () => {
    const [source, destination] = [chunked('AA', 'AA'), chunked('AA')];
    ref(destination, '');
    expect(step([source, destination], () => source.moveTo(destination, 3))).to.equal(3);
    expect([source.toString(), destination.toString()]).to.deep.equal(['A', 'AAAAA']);
  });

  it('evbuffer/remove_buffer_with_empty2', () => {
    const buffers = [new EvBuffer(), new EvBuffer()] as const;
    for (const buffer of buffers) {
      ref(buffer, 'foo');
      ref(buffer, '');
      const more = new EvBuffer();
      more.append('foo');
      ref(more, 'foo');
      step([buffer, more], () => buffer.appendFrom(more));
      expect(buffer.toString()).to.equal('foofoofoo');
    }
    step([...buffers], () => buffers[0].moveTo(buffers[1], 8));
    expect(buffers.map(String)).to.deep.equal(['o', 'foofoofoofoofoofo']);
  });

  it('evbuffer/remove_buffer_with_empty3', () => {
    const buffers = [new EvBuffer(), new EvBuffer()] as const;
    for (const buffer of buffers) {
      ref(buffer, 'foo');
      ref(buffer, '');
      const more = new EvBuffer();
      more.append('foo');
      ref(more, '');
      step([buffer, more], () => buffer.prepend(more));
      expect(buffer.toString()).to.equal('foofoo');
    }
    step([...buffers], () => buffers[0].moveTo(buffers[1], 5));
    expect(buffers.map(String)).to.deep.equal(['o', 'foofoofoofo']);
  });

  it('evbuffer/remove_buffer_with_empty_front: prepending nothing leaves the end where it is', () => {
    const [one, two] = [new EvBuffer(), new EvBuffer()];
    ref(one, 'foo');
    expect(step([one], () => one.prepend(''))).to.equal(0);
    expect(step([one, two], () => one.moveTo(two, 1))).to.equal(1);
    expect(step([one], () => one.append('bar'))).to.equal(3);
    expect(one.toString()).to.equal('oobar');
  });

  it('evbuffer/remove_buffer_adjust_last_with_datap_with_empty: moved to the front, then back', () => {
    const [one, two] = [new EvBuffer(), new EvBuffer()];
    one.append('aaaaaa');
    const room = step([one], () => one.reserve(971));
    room.bytes.fill('b', 0, 1);
    expect(step([one], () => room.commit(1))).to.equal(1);
    expect(one.length).to.equal(7);
    two.append('dddcc');
    step([one, two], () => two.prepend(one));
    expect([two.toString(), one.length]).to.deep.equal(['aaaaaabdddcc', 0]);
    step([one, two], () => one.appendFrom(two));
    expect(step([one, two], () => one.moveTo(two, 11))).to.equal(11);
    expect([two.toString(), one.toString()]).to.deep.equal(['aaaaaabdddc', 'c']);
  });

  for (const [name, first] of [
    ['evbuffer/add_buffer_with_empty', 'foo'],
    ['evbuffer/add_buffer_with_empty2', ''],
  ] as const) {
    it(`${name}: moved behind an empty reference, twice`, () => {
      const source = new EvBuffer();
      for (let round = 0; round < 2; round += 1) {
        const target = new EvBuffer();
        if (first !== '') ref(target, first);
        ref(target, '');
        source.append('foo');
        step([source, target], () => target.appendFrom(source));
        expect([target.toString(), source.length]).to.deep.equal([`${first}foo`, 0]);
      }
    });
  }

  it('evbuffer/add1: room that was asked for and not used does not come between', () => {
    const buffer = new EvBuffer();
    buffer.append('1');
    step([buffer], () => buffer.reserve(2048).commit(0));
    step([buffer], () => buffer.append('2'));
    step([buffer], () => buffer.append('3'));
    expect(buffer.toString()).to.equal('123');
  });

  for (const [name, add] of [
    ['evbuffer/add2', (buffer: EvBuffer) => void buffer.append('2')],
    ['evbuffer/reference2', (buffer: EvBuffer) => buffer.appendRef(Buffer.from('2'))],
  ] as const) {
    it(`${name}: behind a chunk that is nearly full, and room that was not used`, () => {
      const buffer = new EvBuffer();
      buffer.append('1');
      const room = (buffer._tail?.high ?? 0) - (buffer._tail?.end ?? 0);
      expect(room).to.be.above(10);
      step([buffer], () => buffer.append('P'.repeat(room - 10)));
      expect(chunkSizes(buffer)).to.deep.equal([1 + room - 10]);
      step([buffer], () => buffer.reserve(100).commit(0));
      step([buffer], () => add(buffer));
      step([buffer], () => buffer.append('3'));
      expect(buffer.toString()).to.equal(`1${'P'.repeat(room - 10)}23`);
    });
  }

  it('evbuffer/reference: user memory is never written to, and given back once', () => {
    const memory = Buffer.from('this is what we add as read-only memory.');
    const was = Buffer.from(memory);
    const [source, destination] = [new EvBuffer(), new EvBuffer()];
    let released = 0;
    step([source], () => source.appendRef(memory, () => (released += 1)));
    expect(step([source, destination], () => source.moveTo(destination, 10))).to.equal(10);
    step([source], () => source.prepend('aaaaa'));
    step([source], () => source.drain(5));
    step([destination], () => destination.append('!'));
    expect(memory).to.deep.equal(was);
    step([source, destination], () => source.moveTo(destination, 30));
    expect(destination.readString()).to.equal('this is wh!at we add as read-only memory.');
    expect(memory).to.deep.equal(was);
    expect(released).to.equal(1);
  });

  it('evbuffer/iterative: a thousand rounds of small texts waste less than an eighth', () => {
    const buffer = new EvBuffer();
    for (let round = 0; round < 1000; round += 1) {
      for (let size = 1; size < 104; size += 1) buffer.append('a'.repeat(size));
    }
    assertInvariants(buffer);
    expect(buffer.length).to.equal(5_356_000);
    let allocated = 0;
    for (let chunk = buffer._head; chunk !== undefined; chunk = chunk.next) allocated += chunk.bytes.length;
    expect((allocated - buffer.length) / allocated).to.be.below(0.125);
  });

  it('evbuffer/readln: any', () => {
    const buffer = new EvBuffer();
    buffer.append('complex silly newline\r\n\n\r\n\n\rmore\0\n');
    expect(linesOf(buffer, 'any', 2)).to.deep.equal(['complex silly newline', 'more\0']);
    expect(buffer.length).to.equal(0);
    buffer.append('\nno newline');
    expect(linesOf(buffer, 'any', 2)).to.deep.equal(['', undefined]);
    expect(buffer.length).to.equal(10);
  });

  it('evbuffer/readln: crlf, crlf-strict', () => {
    const buffer = new EvBuffer();
    buffer.append('Line with\rin the middle\nLine with good crlf\r\n\nfinal\n');
    expect(linesOf(buffer, 'crlf', 4)).to.deep.equal(['Line with\rin the middle', 'Line with good crlf', '', 'final']);
    buffer.append('x');
    expect(linesOf(buffer, 'crlf', 1)).to.deep.equal([undefined]);

    buffer.append(' and a bad crlf\nand a good one\r\n\r\nMore\r');
    expect(linesOf(buffer, 'crlf-strict', 3)).to.deep.equal(['x and a bad crlf\nand a good one', '', undefined]);
    buffer.append('\n');
    expect(linesOf(buffer, 'crlf-strict', 1)).to.deep.equal(['More']);
    expect(buffer.length).to.equal(0);

    buffer.append('An internal CR\r is not an eol\r\nNor is a lack of one');
    expect(linesOf(buffer, 'crlf-strict', 2)).to.deep.equal(['An internal CR\r is not an eol', undefined]);
    buffer.append('\r\n');
    expect(linesOf(buffer, 'crlf-strict', 1)).to.deep.equal(['Nor is a lack of one']);
  });

  it('evbuffer/readln: lf, nul', () => {
    const buffer = new EvBuffer();
    buffer.append('An\rand a nl\n\nText');
    expect(linesOf(buffer, 'lf', 3)).to.deep.equal(['An\rand a nl', '', undefined]);
    buffer.append('\n');
    expect(linesOf(buffer, 'lf', 1)).to.deep.equal(['Text']);

    buffer.append('NUL\n\0\0The all-zeros character which may serve\0to accomplish time fill\0and media fill');
    expect(linesOf(buffer, 'nul', 5)).to.deep.equal([
      'NUL\n',
      '',
      'The all-zeros character which may serve',
      'to accomplish time fill',
      undefined,
    ]);
  });

  it('evbuffer/readln: strict ends that lie across chunks', () => {
    const buffer = chunked(' and a bad crlf\nand a good one\r', '\n\r', '\nMore\r');
    expect(linesOf(buffer, 'crlf-strict', 3)).to.deep.equal([' and a bad crlf\nand a good one', '', undefined]);
    ref(buffer, '\n');
    expect(linesOf(buffer, 'crlf-strict', 1)).to.deep.equal(['More']);
  });

  it('evbuffer/search_eol', () => {
    for (let size = 1; size <= 14; size += 1) {
      const buffer = sliced('string! \r\n\r\nx\n', size);
      expect(buffer.findEol('crlf')).to.deep.equal({ index: 8, length: 2 });
      expect(buffer.findEol('crlf', 8)).to.deep.equal({ index: 8, length: 2 });
      expect(buffer.findEol('crlf', 9)).to.deep.equal({ index: 9, length: 1 });
      expect(buffer.findEol('crlf-strict', 9)).to.deep.equal({ index: 10, length: 2 });
      expect(buffer.findEol('lf')).to.deep.equal({ index: 9, length: 1 });
      expect(buffer.findEol('lf', 10)).to.deep.equal({ index: 11, length: 1 });
      expect(buffer.findEol('any')).to.deep.equal({ index: 8, length: 4 });
      expect(buffer.findEol('lf', buffer.length)).to.equal(undefined);
    }
  });

  it('evbuffer/find: what was drained is not found, though it lies behind the bytes', () => {
    const buffer = new EvBuffer();
    buffer.append('1234567890\r\n');
    buffer.drain(12);
    buffer.append('1234567890\r');
    expect(buffer.indexOf('\r\n')).to.equal(-1);
    buffer.clear();
    buffer.append(`${'a'.repeat(255)}x`);
    expect([buffer.indexOf('xy'), buffer.indexOf('ax')]).to.deep.equal([-1, 254]);
  });

  it('evbuffer/search: across chunks and within ranges', () => {
    const empty = new EvBuffer();
    expect([
      empty.indexOf('x'),
      empty.indexOf('x', 0, 0),
      empty.indexOf('xy'),
      empty.indexOf('xy', 0, 5),
    ]).to.deep.equal([-1, -1, -1, -1]);
    const buffer = chunked('hello', 'foo', 'cat', 'attack');
    expect([buffer.indexOf('attack'), buffer.indexOf('attacker'), buffer.indexOf('oc')]).to.deep.equal([11, -1, 7]);
    expect([buffer.indexOf('cat', 7), buffer.indexOf('tacking', 7)]).to.deep.equal([8, -1]);
    expect([buffer.indexOf('foo', 5), buffer.indexOf('tat', 7)]).to.deep.equal([5, 10]);
    const to12 = ['foo', 'foocata', 'foocatat', 'ack'].map((needle) => buffer.indexOf(needle, 0, 12));
    expect(to12).to.deep.equal([5, 5, -1, -1]);
    expect([buffer.indexOf('attack', 0, 17), buffer.indexOf('attack', 11, 17)]).to.deep.equal([11, 11]);
    expect([buffer.indexOf('attack', 17), buffer.indexOf('attack', 17, 17)]).to.deep.equal([-1, -1]);
  });

  it('evbuffer/ptr_set: the end is a position, what is behind it holds nothing', () => {
    const buffer = sliced(Buffer.alloc(12_000), 5000);
    for (const at of [0, 12_000]) expect(buffer.indexOf('', at)).to.equal(at);
    expect(buffer.indexOf('', 12_001)).to.equal(-1);
    expect(buffer.peek(10, 12_000)).to.deep.equal([]);
    expect(buffer.copy(Buffer.alloc(1), 12_001)).to.equal(0);
    expect(buffer.findEol('nul', 12_001)).to.equal(undefined);
  });

  it('evbuffer/callbacks', () => {
    const buffer = new EvBuffer();
    const logs = ['', ''];
    const listen = (index: number): (() => void) => {
      const subscription = buffer.onChange(({ before, added, removed }) => {
        logs[index] += `${before}->${before + added - removed}; `;
      });
      return () => subscription.unsubscribe();
    };
    const endFirst = listen(0);
    const pauseSecond = listen(1);
    buffer.append('The king of Cups is not a happy king');
    pauseSecond();
    buffer.drain(10);
    buffer.prepend('Oysti');
    listen(1);
    buffer.appendRef(Buffer.from('goodbye'));
    endFirst();
    buffer.drain(buffer.length);
    buffer.append('X');
    expect(logs).to.deep.equal(['0->36; 36->26; 26->31; 31->38; ', '0->36; 31->38; 38->0; 0->1; ']);

    const drained = buffer.onChange(() => buffer.clear());
    buffer.append('gone at once');
    expect(buffer.length).to.equal(0);
    drained.unsubscribe();
    buffer.append('stays');
    expect(buffer.length).to.equal(5);
  });

  it('evbuffer/add_reference: given back when the last byte is gone, or cleared', () => {
    const [first, second, third] = [
      'If you have found the answer to such a problem',
      'you ought to write it up for publication',
      'x',
    ];
    const given: string[] = [];
    const buffer = new EvBuffer();
    const lend = (text: string): Buffer => {
      const memory = Buffer.from(text);
      step([buffer], () => buffer.appendRef(memory, () => given.push(memory.toString())));
      return memory;
    };
    const memory = lend(first);
    step([buffer], () => buffer.append(', '));
    lend(second);
    expect(step([buffer], () => buffer.readString(6))).to.equal('If you');
    expect(step([buffer], () => buffer.readString(5))).to.equal(' have');
    step([buffer], () => buffer.prepend('I have '));
    expect(memory.toString()).to.equal(first);
    step([buffer], () => buffer.drain(7 + (first.length - 11 - 1)));
    expect(given).to.deep.equal([]);
    expect(step([buffer], () => buffer.readString(1))).to.equal('m');
    expect(given).to.deep.equal([first]);
    step([buffer], () => buffer.drain(6));
    const other = new EvBuffer();
    other.append('I ');
    step([buffer, other], () => other.appendFrom(buffer));
    expect(given).to.have.length(1);
    expect(step([other], () => other.readString(16))).to.equal('I ought to write');
    step([other], () => other.drain());
    expect(given).to.deep.equal([first, second]);

    buffer.append('text');
    lend(third);
    buffer.append('text');
    buffer[Symbol.dispose]();
    expect(given).to.deep.equal([first, second, third]);
  });

  it('evbuffer/add_reference_with_offset: a subarray is all that is shown', () => {
    const memory = Buffer.from('|prefix| If you have found');
    const buffer = new EvBuffer();
    let released = 0;
    buffer.appendRef(memory.subarray(9), () => (released += 1));
    step([buffer], () => buffer.drain(3));
    step([buffer], () => buffer.prepend('|insert|'));
    expect(memory.toString()).to.equal('|prefix| If you have found');
    expect(buffer.readString()).to.equal('|insert|you have found');
    expect(released).to.equal(1);
  });

  it('evbuffer/multicast: one message in two buffers, each with a life of its own', () => {
    const one = chunked(
      'If you have found the answer to such a problem',
      ', ',
      'you ought to write it up for publication',
    );
    const [two, three] = [new EvBuffer(), new EvBuffer()];
    expect(step([one, two], () => two.appendShared(one))).to.equal(88);
    expect(() => two.appendShared(two)).to.throw(ApiMisuse, /share with itself/);
    step([two, three], () => three.appendShared(two));
    for (const buffer of [one, two]) {
      expect(step([one, two], () => buffer.readString(6))).to.equal('If you');
      step([one, two], () => buffer.drain(5));
      step([one, two], () => buffer.prepend('I have '));
    }
    step([one, two], () => one.clear());
    expect([two.readString(6), two.readString(7)]).to.deep.equal(['I have', '  found']);
    two.append('!');
    expect([three.length, three.readString(6)]).to.deep.equal([88, 'If you']);
  });

  it('evbuffer/multicast_drain', () => {
    const one = chunked('If you have found the answer', ', ', 'publish');
    const two = new EvBuffer();
    const { length } = one;
    two.appendShared(one);
    step([one, two], () => one.drain());
    expect(two.length).to.equal(length);
    expect(step([two], () => two.drain())).to.equal(length);
  });

  it('evbuffer/prepend', () => {
    const buffer = new EvBuffer();
    step([buffer], () => buffer.prepend('It has to be said of this one'));
    expect(buffer.length).to.equal(29);
    const other = chunked('Short.');
    step([other, buffer], () => other.prepend(buffer));
    const seen = other.peek();
    step([other], () => other.drain(17));
    step([other], () => other.prepend('it'));
    // Unlike libevent's, into memory of its own: whoever looks at what was drained still sees it.
    expect(Buffer.concat(seen).toString()).to.equal('It has to be said of this oneShort.');
    step([other], () => other.prepend('It is no longer true to say '));
    expect(other.toString()).to.equal('It is no longer true to say it of this oneShort.');

    const strings = [new EvBuffer(), new EvBuffer()] as const;
    strings[0].append('Here is string 999. ');
    strings[1].append('Here is string 1000. ');
    const target = new EvBuffer();
    step([target, ...strings], () => target.prepend(strings[0]));
    step([target, ...strings], () => target.prepend(strings[1]));
    expect(target.toString()).to.equal('Here is string 1000. Here is string 999. ');
    expect(strings.map(({ length }) => length)).to.deep.equal([0, 0]);

    const changes: unknown[] = [];
    const small = new EvBuffer();
    small.append('abc');
    small.onChange((change) => changes.push(change));
    step([small], () => small.prepend('x'.repeat(8096)));
    expect(changes).to.deep.equal([{ before: 3, added: 8096, removed: 0 }]);
    expect(small.toString()).to.equal(`${'x'.repeat(8096)}abc`);
  });

  it('evbuffer/empty_reference_prepend and evbuffer/empty_reference_prepend_buffer', () => {
    const one = new EvBuffer();
    ref(one, '');
    step([one], () => one.prepend('foo'));
    expect(one.toString()).to.equal('foo');

    const [empty, two] = [new EvBuffer(), new EvBuffer()];
    ref(empty, '');
    two.append('foo');
    expect(step([empty, two], () => two.prepend(empty))).to.equal(0);
    expect(two.toString()).to.equal('foo');
    expect(empty.pullup().length).to.equal(0);
  });

  it('evbuffer/peek: views of exactly what was asked for', () => {
    const texts = Array.from({ length: 16 }, (_, index) => `Contents of chunk [${index}]\n`);
    const buffer = chunked(...texts);
    const peek = (n?: number, from?: number): string[] => buffer.peek(n, from).map(String);
    expect(peek()).to.deep.equal(texts);
    expect(peek(65_536)).to.deep.equal(texts);
    expect(peek(0)).to.deep.equal([]);
    expect(peek(40)).to.deep.equal([texts[0], texts[1]?.slice(0, 18)]);
    expect(peek(100)).to.have.length(5);
    expect(peek(50, 30)).to.deep.equal([' of chunk [1]\n', texts[2], texts[3]?.slice(0, 14)]);
    expect(peek(44, 44)).to.deep.equal([texts[2], texts[3]]);
    expect(peek(10, buffer.length)).to.deep.equal([]);
    expect(buffer.length).to.equal(texts.join('').length);
    expect(new EvBuffer().peek()).to.deep.equal([]);
  });

  it('evbuffer/peek_first_gt: from inside the first chunk', () => {
    const buffer = chunked('x'.repeat(22), 'y'.repeat(20));
    const sizes = (n?: number, from?: number): number[] => buffer.peek(n, from).map(({ length }) => length);
    expect(sizes()).to.deep.equal([22, 20]);
    expect([sizes(undefined, 20), sizes(2, 20), sizes(3, 20)]).to.deep.equal([[2, 20], [2], [2, 1]]);
  });

  it('evbuffer/add_iovec: several pieces are one change', () => {
    const texts = ['Guilt resembles a sword with two edges.', 'On the one hand, it cuts for Justice,', '', 'practice;'];
    const buffer = new EvBuffer();
    const changes: unknown[] = [];
    buffer.onChange((change) => changes.push(change));
    const total = texts.join('').length;
    expect(step([buffer], () => buffer.appendAll(texts.map((text) => Buffer.from(text))))).to.equal(total);
    expect(changes).to.deep.equal([{ before: 0, added: total, removed: 0 }]);
    for (const text of texts) expect(buffer.readString(text.length)).to.equal(text);
  });

  it('evbuffer/copyout: takes nothing, cuts at the end', () => {
    const text = 'I cannot imagine that '.repeat(10).slice(0, 206);
    const buffer = sliced(text, 80);
    expect(chunkSizes(buffer)).to.deep.equal([80, 80, 46]);
    const copy = (n: number, from?: number): string => {
      const view = Buffer.alloc(n);
      return view.toString('latin1', 0, buffer.copy(view, from));
    };
    for (const n of [10, 100, 230]) expect(copy(n)).to.equal(text.slice(0, n));
    for (const n of [10, 65, 90, 160, 999]) expect(copy(n, 15)).to.equal(text.slice(15, 15 + n));
    expect(buffer.length).to.equal(206);
  });

  it('evbuffer/pullup_with_empty', () => {
    const buffer = chunked('foo');
    ref(buffer, '');
    expect(step([buffer], () => buffer.pullup()).toString()).to.equal('foo');
    expect(step([buffer], () => buffer.pullup(3)).toString()).to.equal('foo');
    expect(new EvBuffer().pullup().length).to.equal(0);
  });
});
