import { ApiMisuse } from '@sluice/errors';
import { expect } from 'chai';
import { EvBuffer } from '../src/evbuffer.ts';
import { Slab, type SlabHolder } from '../src/slab.ts';
import { assertInvariants } from '../src/testing/evbuffer-invariants.ts';
import { chunkSizes, endTurn, receive } from './support/evbuffer-fixture.ts';

describe('Slab', () => {
  it('hands out regions one behind the other until there is no room', () => {
    const slab = new Slab(100, -2);
    expect(slab.bytes.length).to.equal(100);
    expect(slab.nativeIndex).to.equal(-2);
    expect(slab.reserve(60)).to.equal(0);
    expect(slab.reserve(30)).to.equal(60);
    expect(slab.free).to.equal(10);
    expect(slab.reserve(11)).to.equal(-1);
    expect(slab.reserve(10)).to.equal(90);
    expect(slab.free).to.equal(0);
    expect(slab.reserve(0)).to.equal(100);
  });

  it('takes back the unused end of the last reservation, and only of that', () => {
    const slab = new Slab(100, -2);
    slab.reserve(10);
    slab.reserve(50);
    slab.trim(25);
    expect(slab.free).to.equal(75);
    expect(slab.reserve(5)).to.equal(25);
    for (const end of [24, 31, Number.NaN])
      expect(() => slab.trim(end)).to.throw(ApiMisuse, /end must lie in .* 25 to 30/);
  });

  it('refuses sizes that are none', () => {
    for (const size of [0, -1, 1.5, Number.NaN]) expect(() => new Slab(size, -1)).to.throw(ApiMisuse, /byteLength/);
    const slab = new Slab(10, -1);
    for (const size of [-1, Number.NaN]) expect(() => slab.reserve(size)).to.throw(ApiMisuse, /bytes must be/);
    expect(slab.free).to.equal(10);
  });

  it('tells every holder once when the turn ends, and is empty then', () => {
    const slab = new Slab(10, -1);
    const told: string[] = [];
    const holder = (name: string): SlabHolder => ({ _settle: (which) => told.push(`${name} ${which === slab}`) });
    slab.hold(holder('a'));
    slab.hold(holder('b'));
    slab.reserve(10);
    slab.settle();
    expect(told.sort()).to.deep.equal(['a true', 'b true']);
    expect(slab.free).to.equal(10);
    slab.settle();
    expect(told).to.have.length(2);
  });

  it('is told of a buffer once a turn, however many chunks it got', () => {
    const slabs = [-1, -2, -3, -4].map((index) => new Slab(100, index));
    const holds: number[] = [];
    for (const slab of slabs) {
      const hold = slab.hold.bind(slab);
      slab.hold = (holder) => {
        holds.push(slab.nativeIndex);
        hold(holder);
      };
    }
    const buffer = new EvBuffer();
    for (let turn = 1; turn <= 3; turn += 1) {
      for (const text of ['one', 'two', 'three']) {
        for (const slab of slabs) receive(buffer, slab, text);
        buffer.peek();
      }
      expect(holds.splice(0)).to.deep.equal([-1, -2, -3, -4]);
      endTurn(...slabs);
    }
    const turnText = ['one', 'two', 'three'].map((text) => text.repeat(4)).join('');
    expect(buffer.toString()).to.equal(turnText.repeat(3));
  });

  it('leaves to its buffers what they had not consumed', () => {
    const [slab, buffers] = [new Slab(1000, -1), [new EvBuffer(), new EvBuffer(), new EvBuffer()]];
    buffers.forEach((buffer, index) => receive(buffer, slab, `message ${index}`));
    buffers[1]?.clear();
    buffers[2]?.drain(8);
    endTurn(slab);
    expect(buffers.map(String)).to.deep.equal(['message 0', '', '2']);
    for (const buffer of buffers) assertInvariants(buffer);
  });

  it('is settled alone: bytes of other slabs stay where they are', () => {
    const slabs = [-1, -2, -3, -4].map((index) => new Slab(64, index));
    const buffer = new EvBuffer();
    for (const slab of slabs) receive(buffer, slab, `slab ${slab.nativeIndex};`);
    slabs.forEach((slab, index) => {
      expect(buffer._transient).to.equal(4 - index);
      endTurn(slab);
      expect(buffer.toString()).to.equal('slab -1;slab -2;slab -3;slab -4;');
      assertInvariants(buffer);
    });
    expect(buffer._transient).to.equal(0);
    for (const slab of slabs) receive(buffer, slab, 'x');
    assertInvariants(buffer);
  });

  it('copies small remains together', () => {
    const [slab, buffer] = [new Slab(4096, -1), new EvBuffer()];
    for (let turn = 0; turn < 200; turn += 1) {
      receive(buffer, slab, 'd');
      endTurn(slab);
    }
    expect(chunkSizes(buffer)).to.deep.equal([200]);
    receive(buffer, slab, 'e'.repeat(40));
    slab.reserve(8);
    receive(buffer, slab, 'f'.repeat(17));
    expect(chunkSizes(buffer)).to.deep.equal([200, 40, 17]);
    endTurn(slab);
    expect(chunkSizes(buffer)).to.deep.equal([200, 57]);
    expect(buffer.toString()).to.equal('d'.repeat(200) + 'e'.repeat(40) + 'f'.repeat(17));
  });

  it('follows bytes that are moved, in part, to another buffer', () => {
    const [slab, source, destination] = [new Slab(64, -1), new EvBuffer(), new EvBuffer()];
    receive(source, slab, '0123456789');
    source.moveTo(destination, 4);
    source.moveTo(destination, 3);
    expect(chunkSizes(destination)).to.deep.equal([7]);
    endTurn(slab);
    expect([source.toString(), destination.toString()]).to.deep.equal(['789', '0123456']);
    receive(source, slab, 'x');
    destination.appendFrom(source);
    endTurn(slab);
    expect(destination.toString()).to.equal('0123456789x');
  });
});
