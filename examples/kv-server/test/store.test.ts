import { expect } from 'chai';
import { MEMORY_LIMIT_BYTES_MIN, Store, VALUE_BYTES_MAX } from '../store.ts';

const FOREVER = Number.POSITIVE_INFINITY;
const DAY_MS = 24 * 60 * 60 * 1000;
/** A value of the largest size, and another one being received. */
const LIMIT_BYTES = 2 * (VALUE_BYTES_MAX + 4096);

describe('kv-server store', () => {
  let now: number;
  let store: Store;

  beforeEach(() => {
    now = 5_000;
    store = storeOf(LIMIT_BYTES);
  });

  function storeOf(memoryLimitBytes: number): Store {
    return new Store({ memoryLimitBytes, now: () => now, wallNow: () => 1_700_000_000_000 + now });
  }

  function set(key: string, value: string | Buffer = 'v', expiresAt = FOREVER): void {
    expect(store.store('set', key, value, 0, expiresAt)).to.equal('STORED');
  }

  describe('storing', () => {
    it('keeps value and flags', () => {
      store.store('set', 'k', 'value', 0xffff_ffff, FOREVER);
      expect(store.get('k')).to.include({ value: 'value', flags: 0xffff_ffff });
      expect(store.get('other')).to.equal(undefined);
    });

    it('follows the rule of each mode, with and without an item', () => {
      const absent = (mode: 'add' | 'replace' | 'append' | 'prepend' | 'cas'): string =>
        storeOf(LIMIT_BYTES).store(mode, 'k', 'new', 1, FOREVER, 1);
      expect(absent('add')).to.equal('STORED');
      expect(absent('replace')).to.equal('NOT_STORED');
      expect(absent('append')).to.equal('NOT_STORED');
      expect(absent('prepend')).to.equal('NOT_STORED');
      expect(absent('cas')).to.equal('NOT_FOUND');

      set('k', 'old');
      expect(store.store('add', 'k', 'new', 1, FOREVER)).to.equal('NOT_STORED');
      expect(store.get('k')?.value).to.equal('old');
      expect(store.store('append', 'k', '>', 1, FOREVER)).to.equal('STORED');
      expect(store.store('prepend', 'k', '<', 1, FOREVER)).to.equal('STORED');
      expect(store.get('k')).to.include({ value: '<old>', flags: 0 });
      expect(store.store('replace', 'k', 'new', 1, FOREVER)).to.equal('STORED');
      expect(store.get('k')).to.include({ value: 'new', flags: 1 });
    });

    it('changes the cas unique with every change, and checks it', () => {
      set('k', '1');
      const first = store.get('k')?.casUnique as number;
      expect(store.store('cas', 'k', '2', 0, FOREVER, first)).to.equal('STORED');
      expect(store.store('cas', 'k', '3', 0, FOREVER, first)).to.equal('EXISTS');
      expect(store.store('cas', 'k', '3', 0, FOREVER, 0)).to.equal('EXISTS');
      const second = store.get('k')?.casUnique as number;
      store.count('k', 'incr', 1n);
      expect(store.store('cas', 'k', '3', 0, FOREVER, second)).to.equal('EXISTS');
      expect(store.get('k')?.value).to.equal('3');
      expect(store.counters).to.include({ casHits: 1, casBadval: 3, casMisses: 0 });
    });

    it('refuses to append past the limit of a value, and keeps what was there', () => {
      set('k', Buffer.alloc(VALUE_BYTES_MAX));
      expect(store.store('append', 'k', 'x', 0, FOREVER)).to.equal('NOT_STORED');
      expect(store.get('k')?.value.length).to.equal(VALUE_BYTES_MAX);
    });

    it('deletes once', () => {
      set('k');
      expect([store.delete('k'), store.delete('k')]).to.deep.equal([true, false]);
      expect(store.counters).to.include({ deleteHits: 1, deleteMisses: 1 });
      expect([store.size, store.bytes]).to.deep.equal([0, 0]);
    });
  });

  describe('expiry', () => {
    it('reads relative times up to 30 days, dates, never and at once', () => {
      expect(store.expiry(0)).to.equal(FOREVER);
      expect(store.expiry(-1)).to.be.below(now);
      expect(store.expiry(1)).to.equal(now + 1000);
      expect(store.expiry(30 * 24 * 60 * 60)).to.equal(now + 30 * DAY_MS);
      expect(store.expiry(30 * 24 * 60 * 60 + 1)).to.be.below(now);
      expect(store.expiry(1_700_000_000 + 5 + 7)).to.equal(now + 7000);
    });

    it('ends an item at its moment, for every command', () => {
      const names = ['get', 'touch', 'delete', 'replace', 'incr', 'add'];
      for (const name of names) set(name, '1', store.expiry(10));
      now += 9_999;
      expect(store.get('get')?.value).to.equal('1');
      now += 1;
      expect(store.get('get')).to.equal(undefined);
      expect(store.touch('touch', FOREVER)).to.equal(undefined);
      expect(store.delete('delete')).to.equal(false);
      expect(store.store('replace', 'replace', '2', 0, FOREVER)).to.equal('NOT_STORED');
      expect(store.count('incr', 'incr', 1n)).to.equal(undefined);
      expect(store.store('add', 'add', '2', 0, FOREVER)).to.equal('STORED');
      expect(store.counters.getExpired).to.equal(names.length);
      expect(store.size).to.equal(1);
    });

    it('touches, and keeps the time through append and incr', () => {
      set('k', '1', store.expiry(10));
      expect(store.touch('k', store.expiry(100))?.value).to.equal('1');
      now += 50_000;
      store.store('append', 'k', '0', 0, FOREVER);
      expect(store.count('k', 'incr', 1n)).to.equal(11n);
      now += 50_000;
      expect(store.get('k')).to.equal(undefined);
    });
  });

  describe('counting', () => {
    const after = (value: string, direction: 'incr' | 'decr', delta: bigint): unknown => {
      set('n', value);
      return [store.count('n', direction, delta), store.get('n')?.value];
    };

    it('wraps upwards at 64 bits and stops downwards at 0', () => {
      expect(after('18446744073709551615', 'incr', 2n)).to.deep.equal([1n, `1${' '.repeat(19)}`]);
      expect(after('5', 'decr', 6n)).to.deep.equal([0n, '0']);
    });

    it('pads a shorter result and lengthens for a longer one', () => {
      expect(after('10', 'decr', 1n)).to.deep.equal([9n, '9 ']);
      expect(after('99', 'incr', 1n)).to.deep.equal([100n, '100']);
      expect(after('10 ab', 'incr', 5n)).to.deep.equal([15n, '15   ']);
      set('n', Buffer.from('10'.padEnd(5000)));
      expect(store.count('n', 'decr', 1n)).to.equal(9n);
      expect(String(store.get('n')?.value)).to.equal('9'.padEnd(5000));
    });

    it('refuses what is no number, and leaves it alone', () => {
      for (const value of ['', 'x', '1x', '-1', '18446744073709551616']) {
        expect(after(value, 'incr', 1n), value).to.deep.equal(['non-numeric', value]);
      }
      for (const length of [2000, 600_000]) {
        set('n', Buffer.from(length === 2000 ? '1'.repeat(length) : '1'.padEnd(length)));
        expect(store.count('n', 'incr', 1n)).to.equal('non-numeric');
      }
    });

    it('counts hits and misses apart', () => {
      after('1', 'incr', 1n);
      after('1', 'decr', 1n);
      store.count('none', 'incr', 1n);
      store.count('none', 'decr', 1n);
      expect(store.counters).to.include({ incrHits: 1, decrHits: 1, incrMisses: 1, decrMisses: 1 });
    });
  });

  describe('memory', () => {
    const value = (): Buffer => Buffer.alloc(100_000);

    it('stays under the limit by evicting what was used longest ago', () => {
      let key = 0;
      while (store.counters.evictions === 0) set(`k${key++}`, value());
      expect(store.bytes).to.be.within(LIMIT_BYTES - 200_000, LIMIT_BYTES);
      expect(store.get('k0')).to.equal(undefined);
      expect(store.get('k1')).to.not.equal(undefined);
      set('one more', value());
      expect(store.get('k1'), 'used a moment ago').to.not.equal(undefined);
      expect(store.get('k2'), 'now the oldest').to.equal(undefined);
      expect(store.counters).to.include({ evictions: 2, evictedUnfetched: 2, evictedNonzero: 0 });
    });

    it('keeps to the smallest limit: small values are held and evicted, large ones refused', () => {
      store = storeOf(MEMORY_LIMIT_BYTES_MIN);
      for (let key = 0; key < 100; key += 1) {
        set(`k${key}`, 'x'.repeat(200));
        expect(store.bytes).to.be.at.most(MEMORY_LIMIT_BYTES_MIN);
        expect(store.get(`k${key}`)).to.not.equal(undefined);
      }
      expect(store.size).to.be.within(5, 12);
      expect(store.counters.evictions).to.equal(100 - store.size);
      expect(store.reserve('large', 10_000)).to.equal('no-memory');
      expect(store.size).to.be.above(0);
    });

    it('counts an expired item as reclaimed, one with time left as evicted', () => {
      set('expired', value(), store.expiry(1));
      set('valid', value(), store.expiry(100));
      now += 2_000;
      for (let key = 0; store.counters.evictions === 0; key += 1) set(`k${key}`, value());
      expect(store.counters).to.include({ reclaimed: 1, expiredUnfetched: 1, evictions: 1, evictedNonzero: 1 });
      expect(store.counters.evictedAgeMs).to.equal(2_000);
    });

    it('counts keys, values and overhead, and forgets nothing', () => {
      set('a', 'x');
      const small = store.bytes;
      set('a', 'x'.repeat(11));
      expect(store.bytes).to.equal(small + 10);
      set('ab', 'x');
      expect(store.bytes).to.equal(2 * small + 11);
      store.delete('a');
      store.delete('ab');
      expect(store.bytes).to.equal(0);
    });

    it('evicts for a value that is being received, and takes the memory back', () => {
      for (let key = 0; store.counters.evictions === 0; key += 1) set(`k${key}`, value());
      const reserved = store.reserve('big', VALUE_BYTES_MAX) as number;
      expect(store.bytes + reserved).to.be.at.most(LIMIT_BYTES);
      const second = store.reserve('big', VALUE_BYTES_MAX) as number;
      expect([store.size, store.bytes]).to.deep.equal([0, 0]);
      expect(store.reserve('big', VALUE_BYTES_MAX)).to.equal('no-memory');
      expect(store.store('set', 'k', value(), 0, FOREVER)).to.equal('NOT_STORED');
      store.release(reserved);
      store.release(second);
      set('k', Buffer.alloc(VALUE_BYTES_MAX));
      expect(store.counters).to.include({ storeNoMemory: 1, outOfMemory: 1 });
    });

    it('keeps the old value when a longer one finds no memory', () => {
      store.reserve('x', VALUE_BYTES_MAX);
      store.reserve('x', VALUE_BYTES_MAX);
      set('k', '9');
      expect(store.store('append', 'k', Buffer.alloc(8_000), 0, FOREVER)).to.equal('NOT_STORED');
      expect(store.get('k')?.value).to.equal('9');
      expect(store.counters.outOfMemory).to.equal(1);
    });

    it('refuses a value over the limit of one', () => {
      expect(store.reserve('k', VALUE_BYTES_MAX + 1)).to.equal('too-large');
      expect(store.counters.storeTooLarge).to.equal(1);
    });
  });

  describe('flushing', () => {
    it('drops everything at once', () => {
      set('a');
      store.flush();
      expect([store.size, store.bytes, store.get('a')]).to.deep.equal([0, 0, undefined]);
      set('a');
      expect(store.get('a')?.value).to.equal('v');
    });

    it('drops after a delay what was stored until then', () => {
      set('a');
      store.flush(10);
      now += 9_999;
      set('b');
      expect(store.get('a')?.value).to.equal('v');
      now += 1;
      set('c');
      expect([store.get('a'), store.get('b'), store.get('c')?.value]).to.deep.equal([undefined, undefined, 'v']);
    });

    it('forgets a pending delay for a new one', () => {
      set('a');
      store.flush(1);
      store.flush(100);
      now += 50_000;
      expect(store.get('a')?.value).to.equal('v');
    });
  });

  it('counts, and counts anew after a reset', () => {
    set('a');
    store.get('a');
    store.get('b');
    store.touch('b', 1);
    expect(store.counters).to.include({ cmdSet: 1, cmdGet: 2, getHits: 1, getMisses: 1, cmdTouch: 1, touchMisses: 1 });
    store.resetCounters();
    expect(Object.values(store.counters).every((count) => count === 0)).to.equal(true);
    expect(store.size).to.equal(1);
  });

  it('keeps a short value as text and a long one in memory of its own', () => {
    set('k', 'a');
    store.store('append', 'k', 'b'.repeat(2000), 0, FOREVER);
    const long = store.get('k')?.value as Buffer;
    expect(long).to.be.instanceOf(Buffer);
    expect(long.buffer.byteLength).to.equal(2001);
  });

  it('keeps no command line alive by a key that was cut from it', () => {
    const before = heapBytes();
    for (let index = 0; index < 2_000; index += 1)
      set(`set a-key-of-this-store-${index} `.padEnd(10_000, 'x').slice(4, 30));
    expect(heapBytes() - before).to.be.below(2_000 * 2_000);
  });
});

function heapBytes(): number {
  if (globalThis.gc === undefined) throw new Error('this test needs node --expose-gc');
  globalThis.gc();
  return process.memoryUsage().heapUsed;
}
