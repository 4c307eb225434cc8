import { expect } from 'chai';
import { statsLines } from '../stats.ts';
import { Store } from '../store.ts';

describe('kv-server stats', () => {
  const figures = () => ({ uptimeMs: 12_345, connections: 3, connectionsTotal: 7, bytesRead: 100, bytesWritten: 200 });
  const settings = { tcpPort: 11_211, host: '127.0.0.1', unixPath: undefined, tlsPort: 11_212 };
  let now: number;
  let store: Store;

  beforeEach(() => {
    now = 0;
    store = new Store({ memoryLimitBytes: 4_000_000, now: () => now });
  });

  function stats(part: string): Record<string, string> {
    const lines = statsLines(part, store, settings, figures);
    expect(lines).to.match(/^(STAT \S+ \S+\r\n)*$/);
    return Object.fromEntries(
      (lines as string)
        .split('\r\n')
        .filter(Boolean)
        .map((line) => line.split(' ').slice(1)),
    );
  }

  it('the general ones tell of server, connections and store', () => {
    store.store('set', 'k', 'v', 0, Number.POSITIVE_INFINITY);
    store.get('k');
    store.get('none');
    expect(stats('')).to.include({
      pid: String(process.pid),
      uptime: '12',
      curr_connections: '3',
      total_connections: '7',
      bytes_read: '100',
      bytes_written: '200',
      cmd_get: '2',
      cmd_set: '1',
      get_hits: '1',
      get_misses: '1',
      curr_items: '1',
      total_items: '1',
      limit_maxbytes: '4000000',
      bytes: String(store.bytes),
    });
  });

  it('items and slabs are empty while the store is', () => {
    expect(stats('items')).to.deep.equal({});
    expect(stats('slabs')).to.deep.equal({ active_slabs: '0', total_malloced: '0' });
    store.store('set', 'k', 'v', 0, Number.POSITIVE_INFINITY);
    now = 5_999;
    expect(stats('items')).to.include({ 'items:1:number': '1', 'items:1:age': '5', 'items:1:evicted': '0' });
    expect(stats('slabs')).to.include({ '1:used_chunks': '1', '1:cmd_set': '1', active_slabs: '1' });
  });

  it('evictions are counted', () => {
    for (let key = 0; key < 10; key += 1) store.store('set', `k${key}`, Buffer.alloc(1_000_000), 0, 1e9);
    expect(stats('items')).to.include({ 'items:1:evicted': '7', 'items:1:evicted_nonzero': '7' });
    expect(stats('')).to.include({ evictions: '7', evicted_unfetched: '7', curr_items: '3' });
  });

  it('settings are those that the server was started with', () => {
    expect(stats('settings')).to.include({
      maxbytes: '4000000',
      tcpport: '11211',
      ssl_enabled: 'yes',
      domain_socket: 'NULL',
    });
  });

  it('an unknown part has none', () => expect(statsLines('nonsense', store, settings, figures)).to.equal(undefined));
});
