import { ApiMisuse } from '@sluice/errors';
import { expect } from 'chai';
import { EvBuffer } from '../src/evbuffer.ts';
import { Slab } from '../src/slab.ts';
import { assertInvariants } from '../src/testing/evbuffer-invariants.ts';
import { chunkSizes, RecordingOwner, sliced, thrownBy } from './support/evbuffer-fixture.ts';

const KINDS = [
  'UInt8',
  'Int8',
  ...['UInt16', 'Int16', 'UInt32', 'Int32', 'BigUInt64', 'BigInt64'].flatMap((kind) => [`${kind}BE`, `${kind}LE`]),
] as const;

/** Lowest and highest value of a kind, and some between. */
function valuesOf(kind: string): (number | bigint)[] {
  const bits = BigInt(/\d+/.exec(kind)?.[0] ?? 0);
  const signed = !kind.includes('UInt');
  const [low, high] = signed ? [-(1n << (bits - 1n)), (1n << (bits - 1n)) - 1n] : [0n, (1n << bits) - 1n];
  const values = [low, low + 1n, 0n, 1n, high / 3n, high - 1n, high];
  return kind.startsWith('Big') ? values : values.map(Number);
}

/** Calls a method by its name. */
function call(target: EvBuffer | Buffer, name: string, ...args: unknown[]): unknown {
  const method: unknown = Reflect.get(target, name);
  if (typeof method !== 'function') throw new TypeError(`there is no ${name}`);
  return method.apply(target, args);
}

describe('EvBuffer integers', () => {
  for (const kind of KINDS) {
    it(`${kind}: appended, looked at and read as Buffer does it, across any chunk borders`, () => {
      const values = valuesOf(kind);
      const size = Number(/\d+/.exec(kind)?.[0]) / 8;
      const appended = new EvBuffer();
      const expected = Buffer.alloc(size * values.length);
      values.forEach((value, index) => {
        call(appended, `append${kind}`, value);
        call(expected, `write${kind}`, value, index * size);
      });
      expect(appended.read()).to.deep.equal(expected);
      for (let chunk = 1; chunk <= size + 1; chunk += 1) {
        const buffer = sliced(expected, chunk);
        values.forEach((value, index) => expect(call(buffer, `get${kind}`, index * size)).to.equal(value));
        expect(buffer.length).to.equal(expected.length);
        for (const value of values) {
          expect(call(buffer, `get${kind}`)).to.equal(value);
          expect(call(buffer, `read${kind}`)).to.equal(value);
          assertInvariants(buffer);
        }
        expect(buffer.length).to.equal(0);
      }
    });

    it(`${kind}: refuses values that do not fit, positions that are none, and a buffer too short`, () => {
      const [low, high] = [valuesOf(kind).at(0), valuesOf(kind).at(-1)];
      const buffer = new EvBuffer();
      const bad: unknown[] = kind.startsWith('Big')
        ? [BigInt(low ?? 0) - 1n, BigInt(high ?? 0) + 1n, 1]
        : [Number(low) - 1, Number(high) + 1, 0.5, Number.NaN, 1n, '1'];
      for (const value of bad) {
        const error = thrownBy(() => call(buffer, `append${kind}`, value));
        expect(error).to.be.instanceOf(ApiMisuse);
        expect(error.message).to.match(
          new RegExp(`^append${kind}: value must be .* from ${low} to ${high}, not ${String(value)}$`),
        );
      }
      expect(buffer.length).to.equal(0);
      const size = Number(/\d+/.exec(kind)?.[0]) / 8;
      buffer.append(Buffer.alloc(size));
      for (const at of [-1, 0.5, Number.NaN]) {
        expect(() => call(buffer, `get${kind}`, at)).to.throw(ApiMisuse, /at must be an integer/);
      }
      expect(thrownBy(() => call(buffer, `get${kind}`, 1)).code).to.equal('SLUICE_CORE_BUFFER_UNDERFLOW');
      buffer.drain(1);
      expect(thrownBy(() => call(buffer, `read${kind}`)).message).to.equal(
        `get${kind} needs ${size} bytes at 0, and the buffer has ${size - 1}; look at length first`,
      );
    });
  }

  it('go to the scratch slab as one chunk, one change each', () => {
    const owner = new RecordingOwner(new Slab(64, -2));
    const buffer = new EvBuffer(owner);
    buffer.appendUInt8(1);
    buffer.appendUInt32BE(2);
    buffer.appendBigUInt64LE(3n);
    expect(chunkSizes(buffer)).to.deep.equal([13]);
    expect(owner.changes).to.deep.equal(['+1 -0 =1', '+4 -0 =5', '+8 -0 =13']);
    buffer.readUInt8();
    expect(owner.changes.at(-1)).to.equal('+0 -1 =12');
  });
});
