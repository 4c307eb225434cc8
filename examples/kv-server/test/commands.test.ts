import { expect } from 'chai';
import { type CommandHost, executeLine, type Fetch, type Update } from '../commands.ts';
import { Store, VALUE_BYTES_MAX } from '../store.ts';

const FOREVER = Number.POSITIVE_INFINITY;

/** Writes down what it is asked for. */
class Host implements CommandHost {
  readonly store: Store = new Store({ now: () => 1000, wallNow: () => 1_700_000_000_000 });
  noreply = false;
  readonly asked: unknown[] = [];

  reply(line: string): void {
    if (!this.noreply) this.asked.push(line);
  }
  receive(update: Update, reservedBytes: number): void {
    this.asked.push(update);
    this.store.release(reservedBytes);
  }
  skip(bytes: number): void {
    this.asked.push({ skip: bytes });
  }
  send(fetch: Fetch): void {
    this.asked.push(fetch);
  }
  stats(part: string): string | undefined {
    return part === 'none' ? undefined : `STAT ${part}\r\n`;
  }
  quit(): void {
    this.asked.push('quit');
  }
}

describe('kv-server commands', () => {
  let host: Host;

  beforeEach(() => {
    host = new Host();
  });

  const execute = (...lines: string[]): unknown[] => {
    for (const line of lines) executeLine(host, line);
    return host.asked.splice(0);
  };

  it('that bring a value say what is to become of it', () => {
    const update = { mode: 'set', key: 'k', flags: 7, expiresAt: 11_000, casUnique: 0, valueBytes: 3 };
    expect(execute('set k 7 10 3')).to.deep.equal([update]);
    expect(execute('append k 7 0 3 noreply')).to.deep.equal([{ ...update, mode: 'append', expiresAt: FOREVER }]);
    expect(host.noreply).to.equal(true);
    expect(execute('cas k 7 0 3 12345')).to.deep.equal([
      { ...update, mode: 'cas', expiresAt: FOREVER, casUnique: 12_345 },
    ]);
    expect(host.noreply).to.equal(false);
  });

  it('that bring too large a value have it skipped; a set drops what there was', () => {
    host.store.store('set', 'k', 'old', 0, FOREVER);
    const refusal = ['SERVER_ERROR object too large for cache', { skip: VALUE_BYTES_MAX + 3 }];
    expect(execute(`add k 0 0 ${VALUE_BYTES_MAX + 1}`)).to.deep.equal(refusal);
    expect(host.store.size).to.equal(1);
    expect(execute(`set k 0 0 ${VALUE_BYTES_MAX + 1} noreply`)).to.deep.equal(refusal.slice(1));
    expect(host.store.size).to.equal(0);
  });

  it('that fetch values hand over the keys unread', () => {
    expect(execute('get a  b')).to.deep.equal([{ line: 'get a  b', at: 4, withCas: false, expiresAt: undefined }]);
    expect(execute(' gats 10 a')).to.deep.equal([{ line: ' gats 10 a', at: 9, withCas: true, expiresAt: 11_000 }]);
    expect(execute('gat 0')).to.deep.equal([{ line: 'gat 0', at: 5, withCas: false, expiresAt: FOREVER }]);
  });

  it('are silent when told so, for the one command', () => {
    expect(execute('delete k noreply', 'incr k 1 noreply', 'touch k 1 noreply', 'flush_all noreply')).to.deep.equal([]);
    expect(execute('delete k')).to.deep.equal(['NOT_FOUND']);
    expect(execute('version noreply')).to.deep.equal(['VERSION 1.6.18-sluice']);
  });

  it('stats answers parts, resets, and refuses what it does not know', () => {
    expect(execute('stats', 'stats items x')).to.deep.equal(['STAT \r\nEND', 'STAT items\r\nEND']);
    host.store.get('k');
    expect(execute('stats reset', 'stats none')).to.deep.equal(['RESET', 'ERROR']);
    expect(host.store.counters.getMisses).to.equal(0);
  });

  it('quit and HTTP end the connection; HTTP in a known command does not', () => {
    expect(execute('quit', 'quit now', 'GET / HTTP/1.1', 'get HTTP/1.1')).to.deep.equal([
      'quit',
      'quit',
      'quit',
      { line: 'get HTTP/1.1', at: 4, withCas: false, expiresAt: undefined },
    ]);
  });

  it('no memory for a longer number', () => {
    host.store.count = () => 'no-memory';
    expect(execute('incr k 1')).to.deep.equal(['SERVER_ERROR out of memory']);
  });
});
