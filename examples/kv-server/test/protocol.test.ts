import { type BufferEvent, PairBufferEvent } from '@sluice/core';
import { link, TestLoop } from '@sluice/core/testing';
import { expect } from 'chai';
import { GET_LINE_BYTES_MAX, LINE_BYTES_MAX, Session, VALUE_TIMEOUT_MS } from '../protocol.ts';
import { connectionOptions } from '../server.ts';
import { Store, VALUE_BYTES_MAX } from '../store.ts';

const MIB = 1024 * 1024;

describe('kv-server protocol', () => {
  let loop: TestLoop;
  let store: Store;
  let client: PairBufferEvent;
  let server: PairBufferEvent;
  let session: Session;

  beforeEach(() => {
    loop = new TestLoop();
    storeOf(64 * MIB);
  });

  afterEach(() => {
    expect(loop.uncaughtErrors).to.deep.equal([]);
    loop.close();
  });

  /** A new store, and a connection to it. */
  function storeOf(memoryLimitBytes: number): void {
    store = new Store({ memoryLimitBytes, now: () => loop.now(), wallNow: () => 1_700_000_000_000 });
    connect();
  }

  function connect(): void {
    const unbounded = {
      watermarks: { read: { high: Number.POSITIVE_INFINITY }, write: { cap: 256 * MIB } },
      timeouts: { idleMs: Number.POSITIVE_INFINITY },
    };
    [server, client] = PairBufferEvent.create(loop, connectionOptions, { ...unbounded, halfOpen: true });
    attach(server);
  }

  function attach(bev: BufferEvent): void {
    session = new Session(bev, { store, stats: (part) => (part === '' ? 'STAT pid 1\r\n' : undefined) });
    const attached = session;
    for (const event of ['data', 'drained', 'end'] as const) bev.on(event, () => attached.run());
    bev.on('closed', () => attached.abandon());
  }

  /** Sends and answers everything that comes back. */
  function ask(text: string): string {
    client.output.append(text, 'latin1');
    loop.settle();
    return client.read().toString('latin1');
  }

  /** The same with all in one piece, byte by byte, and in two halves, each time on a new connection to a new store. */
  function askInPieces(text: string): string {
    const whole = ask(text);
    storeOf(64 * MIB);
    expect(Array.from(text, (byte) => ask(byte)).join(''), 'byte by byte').to.equal(whole);
    storeOf(64 * MIB);
    const half = text.length >> 1;
    expect(ask(text.slice(0, half)) + ask(text.slice(half)), 'in halves').to.equal(whole);
    return whole;
  }

  describe('commands', () => {
    const cases: [name: string, sent: string, answer: string][] = [
      ['set and get', 'set k 5 0 3\r\nabc\r\nget k\r\n', 'STORED\r\nVALUE k 5 3\r\nabc\r\nEND\r\n'],
      [
        'get of several',
        'set a 0 0 1\r\n1\r\nset c 0 0 0\r\n\r\nget a b c\r\n',
        'STORED\r\nSTORED\r\nVALUE a 0 1\r\n1\r\nVALUE c 0 0\r\n\r\nEND\r\n',
      ],
      ['gets', 'set k 0 0 1\r\nx\r\ngets k none\r\n', 'STORED\r\nVALUE k 0 1 1\r\nx\r\nEND\r\n'],
      [
        'gat, gats',
        'set k 0 0 1\r\nx\r\ngat 10 k\r\ngats -1 k\r\nget k\r\n',
        'STORED\r\nVALUE k 0 1\r\nx\r\nEND\r\nVALUE k 0 1 1\r\nx\r\nEND\r\nEND\r\n',
      ],
      ['gat without keys', 'gat 10\r\ngat x k\r\ngat\r\n', 'END\r\nCLIENT_ERROR invalid exptime argument\r\nERROR\r\n'],
      [
        'a value with line ends in it',
        'set k 0 0 9\r\n\r\nget k\r\n\r\nget k\r\n',
        'STORED\r\nVALUE k 0 9\r\n\r\nget k\r\n\r\nEND\r\n',
      ],
      [
        'any byte in key and value',
        'set \xff\x01 0 0 3\r\n\0\xfe\n\r\nget \xff\x01\r\n',
        'STORED\r\nVALUE \xff\x01 0 3\r\n\0\xfe\n\r\nEND\r\n',
      ],
      [
        'add, replace',
        'add k 0 0 1\r\n1\r\nadd k 0 0 1\r\n2\r\nreplace k 0 0 1\r\n3\r\nreplace n 0 0 1\r\n4\r\nget k\r\n',
        'STORED\r\nNOT_STORED\r\nSTORED\r\nNOT_STORED\r\nVALUE k 0 1\r\n3\r\nEND\r\n',
      ],
      [
        'append, prepend',
        'append k 0 0 1\r\nx\r\nset k 7 0 1\r\nb\r\nappend k 9 0 1\r\nc\r\nprepend k 9 0 1\r\na\r\nget k\r\n',
        'NOT_STORED\r\nSTORED\r\nSTORED\r\nSTORED\r\nVALUE k 7 3\r\nabc\r\nEND\r\n',
      ],
      [
        'cas',
        'cas k 0 0 1 1\r\na\r\nset k 0 0 1\r\nb\r\ncas k 0 0 1 1\r\nc\r\ncas k 0 0 1 1\r\nd\r\nget k\r\n',
        'NOT_FOUND\r\nSTORED\r\nSTORED\r\nEXISTS\r\nVALUE k 0 1\r\nc\r\nEND\r\n',
      ],
      [
        'incr, decr',
        'set n 0 0 2\r\n10\r\nincr n 90\r\ndecr n 1\r\nget n\r\ndecr n 100\r\nincr m 1\r\n',
        'STORED\r\n100\r\n99\r\nVALUE n 0 3\r\n99 \r\nEND\r\n0\r\nNOT_FOUND\r\n',
      ],
      [
        'incr of what is no number',
        'set n 0 0 1\r\nx\r\nincr n 1\r\nincr n x\r\n',
        'STORED\r\nCLIENT_ERROR cannot increment or decrement non-numeric value\r\nCLIENT_ERROR invalid numeric delta argument\r\n',
      ],
      [
        'delete',
        'set k 0 0 1\r\nx\r\ndelete k\r\ndelete k\r\ndelete k 0\r\ndelete k 5\r\n',
        'STORED\r\nDELETED\r\nNOT_FOUND\r\nNOT_FOUND\r\nCLIENT_ERROR bad command line format.  Usage: delete <key> [noreply]\r\n',
      ],
      [
        'touch',
        'set k 0 0 1\r\nx\r\ntouch k 10\r\ntouch n 10\r\ntouch k x\r\ntouch k\r\n',
        'STORED\r\nTOUCHED\r\nNOT_FOUND\r\nCLIENT_ERROR invalid exptime argument\r\nERROR\r\n',
      ],
      [
        'flush_all',
        'set k 0 0 1\r\nx\r\nflush_all\r\nget k\r\nflush_all 0\r\nflush_all -5\r\nflush_all x\r\n',
        'STORED\r\nOK\r\nEND\r\nOK\r\nOK\r\nCLIENT_ERROR invalid exptime argument\r\n',
      ],
      [
        'version, verbosity',
        'version\r\nversion 1\r\nverbosity 1\r\nverbosity\r\nverbosity x\r\n',
        'VERSION 1.6.18-sluice\r\nVERSION 1.6.18-sluice\r\nOK\r\nERROR\r\nCLIENT_ERROR bad command line format\r\n',
      ],
      ['stats', 'stats\r\nstats reset\r\nstats nonsense\r\n', 'STAT pid 1\r\nEND\r\nRESET\r\nERROR\r\n'],
      [
        'noreply',
        'set k 0 0 1 noreply\r\nx\r\nadd k 0 0 1 noreply\r\ny\r\nincr k 1 noreply\r\ntouch k 5 noreply\r\nverbosity 1 noreply\r\ndelete q noreply\r\nget k\r\nflush_all noreply\r\nget k\r\n',
        'VALUE k 0 1\r\nx\r\nEND\r\nEND\r\n',
      ],
      ['noreply of one command only', 'delete q 0 noreply\r\ndelete q\r\n', 'NOT_FOUND\r\n'],
      [
        'noreply of a refused command',
        'set k x 0 1 noreply\r\nset k 0 0 1 noreply\r\nxyz\r\nget k\r\n',
        'ERROR\r\nEND\r\n',
      ],
      ['words by any spaces', '  get   k  \r\nset k 0 0 1 \r\nx\r\n', 'END\r\nSTORED\r\n'],
      ['line ends without CR', 'set k 0 0 1\nx\r\nget k\n', 'STORED\r\nVALUE k 0 1\r\nx\r\nEND\r\n'],
      ['a line that a NUL ends', 'set k 0 0 1\0 junk\r\nx\r\nget k\0junk\r\n', 'STORED\r\nVALUE k 0 1\r\nx\r\nEND\r\n'],
      ['nonsense', '\r\n\n   \r\nx\r\nGET k\r\nget\r\nget \r\n', 'ERROR\r\n'.repeat(7)],
      [
        'wrong numbers of words',
        'set k 0 0\r\nset k 0 0 1 2 3\r\ncas k 0 0 1\r\nincr k\r\ndelete\r\ndelete a b c d\r\nflush_all 1 2 3\r\n',
        'ERROR\r\n'.repeat(7),
      ],
      [
        'wrong numbers',
        'set k -1 0 1\r\nset k 0 x 1\r\nset k 0 0 -1\r\nset k 0 0 x\r\ncas k 0 0 1 x\r\n',
        'CLIENT_ERROR bad command line format\r\n'.repeat(5),
      ],
    ];
    for (const [name, sent, answer] of cases) {
      it(name, () => expect(askInPieces(sent)).to.equal(answer));
    }

    it('key lengths: 250 is taken, 251 refused by every command', () => {
      const key = 'k'.repeat(250);
      expect(ask(`set ${key} 0 0 1\r\nx\r\nget ${key}\r\n`)).to.equal(`STORED\r\nVALUE ${key} 0 1\r\nx\r\nEND\r\n`);
      const refused = 'CLIENT_ERROR bad command line format\r\n';
      expect(ask(`get ${key} ${key}k\r\n`)).to.equal(refused);
      for (const command of [`touch ${key}k 1`, `delete ${key}k`, `incr ${key}k 1`, `set ${key}k 0 0 1`]) {
        expect(ask(`${command}\r\n`), command).to.equal(refused);
      }
    });

    it('a bad data chunk: the announced bytes are dropped, what follows is a command', () => {
      expect(askInPieces('set k 0 0 3\r\nabcdefgh\r\nget k\r\n')).to.equal(
        'CLIENT_ERROR bad data chunk\r\nERROR\r\nEND\r\n',
      );
      expect(ask(`set k 0 0 2000\r\n${'x'.repeat(2000)}yzget k\r\n`)).to.equal(
        'CLIENT_ERROR bad data chunk\r\nEND\r\n',
      );
    });
  });

  describe('values', () => {
    for (const size of [1023, 1024, 1025, 4096, 4097, 100_000, VALUE_BYTES_MAX]) {
      it(`of ${size} bytes come back as they were, and share no memory with the input`, () => {
        const value = Buffer.alloc(size, 'abcdefghijklmnopqrstuvwxyz0123456789').toString('latin1');
        expect(ask(`set k 0 0 ${size}\r\n${value}\r\n`)).to.equal('STORED\r\n');
        ask(`set other 0 0 ${size}\r\n${'z'.repeat(size)}\r\n`);
        expect(ask('get k\r\n') === `VALUE k 0 ${size}\r\n${value}\r\nEND\r\n`).to.equal(true);
        const kept = store.get('k')?.value as string | Buffer;
        if (typeof kept !== 'string') expect(kept.buffer.byteLength).to.equal(size);
      });
    }

    it('over the limit are swallowed, and a set then leaves nothing behind', () => {
      ask('set k 0 0 1\r\nx\r\nset a 0 0 1\r\nx\r\n');
      const bytes = VALUE_BYTES_MAX + 1;
      const tooLarge = 'SERVER_ERROR object too large for cache\r\n';
      expect(ask(`set k 0 0 ${bytes}\r\n${'y'.repeat(bytes)}\r\nget k\r\n`)).to.equal(`${tooLarge}END\r\n`);
      expect(ask(`append a 0 0 ${bytes}\r\n${'y'.repeat(bytes)}\r\nget a\r\n`)).to.equal(
        `${tooLarge}VALUE a 0 1\r\nx\r\nEND\r\n`,
      );
    });

    it('that find no memory beside those being received are swallowed', () => {
      storeOf(2 * (VALUE_BYTES_MAX + 4096));
      ask(`set a 0 0 ${VALUE_BYTES_MAX}\r\nx`);
      connect();
      ask(`set b 0 0 ${VALUE_BYTES_MAX}\r\nx`);
      connect();
      expect(ask(`set c 0 0 ${VALUE_BYTES_MAX}\r\n${'x'.repeat(VALUE_BYTES_MAX)}\r\nversion\r\n`)).to.equal(
        'SERVER_ERROR out of memory storing object\r\nVERSION 1.6.18-sluice\r\n',
      );
    });

    it('whose sender goes away give back the memory set aside', () => {
      storeOf(2 * (VALUE_BYTES_MAX + 4096));
      for (let round = 0; round < 5; round += 1) {
        ask(`set k 0 0 ${VALUE_BYTES_MAX}\r\n${'x'.repeat(5000)}`);
        client.destroy();
        loop.settle();
        expect(server.closed).to.not.equal(undefined);
        connect();
      }
      expect(ask(`set k 0 0 ${VALUE_BYTES_MAX}\r\n${'x'.repeat(VALUE_BYTES_MAX)}\r\n`)).to.equal('STORED\r\n');
    });

    it('whose sender falls silent end the connection after their limit, not before', () => {
      ask('set k 0 0 5000\r\nabc');
      loop.advance(VALUE_TIMEOUT_MS - 1);
      expect(server.closed).to.equal(undefined);
      loop.advance(1);
      expect(server.closed).to.include({ end: 'timeout', direction: 'read' });
    });

    it('that are complete leave no limit behind', () => {
      ask(`set k 0 0 5000\r\n${'x'.repeat(5000)}\r\n`);
      loop.advance(100 * VALUE_TIMEOUT_MS);
      expect(server.closed).to.equal(undefined);
    });
  });

  describe('lines', () => {
    it('longer than the limit are executed when they are all there', () => {
      expect(ask(`${'x'.repeat(LINE_BYTES_MAX + 1000)}\r\nversion\r\n`)).to.equal('ERROR\r\nVERSION 1.6.18-sluice\r\n');
    });

    it('longer than the limit without an end close the connection', () => {
      expect(ask('x'.repeat(LINE_BYTES_MAX))).to.equal('');
      expect(client.peerEnded).to.equal(false);
      ask('x');
      expect(client.peerEnded).to.equal(true);
    });

    it('of a get may be long, whatever they are cut into', () => {
      const keys = Array.from({ length: 2000 }, (_, index) => `key-${index}-${'x'.repeat(240)}`.slice(0, 250));
      ask(`set ${keys[1999]} 0 0 1\r\nx\r\n`);
      const line = `get ${keys.join(' ')}`;
      expect(line.length).to.be.above(400_000);
      let answer = '';
      for (let at = 0; at < line.length; at += 50_000) answer += ask(line.slice(at, at + 50_000));
      answer += ask('\r\n');
      expect(answer).to.equal(`VALUE ${keys[1999]} 0 1\r\nx\r\nEND\r\n`);
      expect(store.counters.getMisses).to.equal(1999);
      expect(server.limits.readHigh, 'the watermark is what it was').to.equal(64 * 1024);
    });

    it('of a get are not endless', () => {
      ask(`get ${'k '.repeat(GET_LINE_BYTES_MAX / 2)}`);
      expect(client.peerEnded).to.equal(true);
    });

    it('that speak HTTP close the connection', () => {
      ask('POST / HTTP/1.1\r\nset k 0 0 1\r\nx\r\n');
      expect(client.peerEnded).to.equal(true);
      expect(store.size).to.equal(0);
    });
  });

  describe('ends', () => {
    it('quit sends what is waiting and executes nothing more', () => {
      expect(ask('set k 0 0 1\r\nx\r\nget k\r\nquit\r\ndelete k\r\n')).to.equal(
        'STORED\r\nVALUE k 0 1\r\nx\r\nEND\r\n',
      );
      expect(client.peerEnded).to.equal(true);
      expect(store.size).to.equal(1);
    });

    it('a client that ended its direction is owed its answers, then gets the end', () => {
      client.output.append('set k 0 0 1\r\nx\r\nget k\r\n');
      client.end();
      loop.settle();
      expect(client.read().toString()).to.equal('STORED\r\nVALUE k 0 1\r\nx\r\nEND\r\n');
      expect(client.closed?.end).to.equal('end');
    });

    it('... also when they are more than the output holds', () => {
      store.store('set', 'k', Buffer.alloc(500_000), 0, Number.POSITIVE_INFINITY);
      client.pause();
      client.output.append('get k\r\n'.repeat(20));
      client.end();
      loop.settle();
      client.resume();
      loop.settle();
      expect(client.input.length).to.be.above(20 * 500_000);
      expect(client.closed?.end).to.equal('end');
    });

    it('commands that came before a reset are executed without answers', () => {
      const wire = link(loop, { first: connectionOptions });
      const [near, far] = wire.ends;
      attach(near);
      far.output.append('set j 0 0 1\r\nx\r\nget j\r\nset k 0 0 1\r\nx\r\nquit\r\n');
      loop.turn();
      wire.cut('reset');
      loop.settle();
      expect(near.closed?.end).to.equal('reset');
      expect(store.get('k')?.value).to.equal('x');
    });
  });

  describe('finish', () => {
    /** Asks to finish, and answers whether that has happened. */
    function finish(): { done: boolean } {
      const finished = { done: false };
      void session.finish().then(() => (finished.done = true));
      return finished;
    }

    it('ends a connection that waits for commands at once', async () => {
      expect(ask('version\r\n')).to.match(/^VERSION/);
      const finished = finish();
      expect(ask('version\r\n')).to.equal('');
      await Promise.resolve();
      expect(finished.done).to.equal(true);
      expect(client.peerEnded).to.equal(true);
    });

    it('completes the answer that it is in the middle of, and executes nothing after it', async () => {
      store.store('set', 'k', Buffer.alloc(MIB, 'k'), 0, Number.POSITIVE_INFINITY);
      client.setWatermarks({ read: { high: 64 * 1024 } });
      client.pause();
      client.output.append('get k k k\r\nget k\r\nset late 0 0 1\r\nx\r\n');
      loop.settle();
      const finished = finish();
      loop.settle();
      await Promise.resolve();
      expect(finished.done).to.equal(false);
      expect(client.peerEnded).to.equal(false);
      let received = '';
      client.on('data', () => (received += client.read().toString('latin1')));
      client.resume();
      loop.settle(100_000);
      await Promise.resolve();
      expect(finished.done).to.equal(true);
      const value = `VALUE k 0 ${MIB}\r\n${'k'.repeat(MIB)}\r\n`;
      expect(received === `${value.repeat(3)}END\r\n`, `${received.length} bytes`).to.equal(true);
      expect(client.peerEnded).to.equal(true);
      expect([store.size, store.counters.getHits]).to.deep.equal([1, 3]);
    });

    it('gives up a value that is being received, and its memory', () => {
      ask('set k 0 0 500000\r\nxyz');
      void finish();
      loop.settle();
      expect(client.peerEnded).to.equal(true);
      expect(store.reserve('all', VALUE_BYTES_MAX)).to.be.a('number');
      expect(store.size).to.equal(0);
    });

    it('is over when the connection is', async () => {
      store.store('set', 'k', Buffer.alloc(MIB), 0, Number.POSITIVE_INFINITY);
      client.pause();
      client.setWatermarks({ read: { high: 64 * 1024 } });
      client.output.append('get k k\r\n');
      loop.settle();
      const finished = finish();
      client.destroy();
      loop.settle();
      await Promise.resolve();
      expect(finished.done).to.equal(true);
    });
  });

  describe('bounds', () => {
    const bound = (connectionOptions.watermarks?.write?.high as number) + VALUE_BYTES_MAX + 300;

    it('a get of 100 values of 1 MiB is answered as the peer takes it', () => {
      storeOf(256 * MIB);
      const keys = Array.from({ length: 100 }, (_, index) => `k${index}`);
      for (const key of keys) store.store('set', key, Buffer.alloc(MIB, key), 0, Number.POSITIVE_INFINITY);
      client.setWatermarks({ read: { high: 64 * 1024 } });
      client.pause();
      client.output.append(`get ${keys.join(' ')}\r\n`);
      loop.settle();
      expect(server.output.length).to.be.within(MIB, bound);
      expect(store.counters.getHits).to.equal(1);

      let received = 0;
      let outputMax = 0;
      client.on('data', () => {
        outputMax = Math.max(outputMax, server.output.length);
        received += client.input.drain();
      });
      client.resume();
      loop.settle(100_000);
      expect(received).to.equal(keys.reduce((sum, key) => sum + `VALUE ${key} 0 ${MIB}\r\n`.length + MIB + 2, 5));
      expect(outputMax).to.be.at.most(bound);
    });

    it('pipelined commands wait for the peer, and then reading stops as well', () => {
      store.store('set', 'k', Buffer.alloc(10_000), 0, Number.POSITIVE_INFINITY);
      client.pause();
      for (let round = 0; round < 20; round += 1) {
        client.output.append('get k\r\n'.repeat(1000));
        loop.settle();
      }
      expect(server.output.length).to.be.below(64 * 1024 + 10_100);
      expect(server.input.length).to.be.at.most(64 * 1024);
      expect(store.counters.getHits).to.equal(7);
      client.resume();
      client.on('data', () => client.input.drain());
      loop.settle(1_000_000);
      expect(store.counters.getHits).to.equal(20_000);
    });

    it('short answers wait as well', () => {
      client.pause();
      client.output.append('version\r\n'.repeat(20_000));
      loop.settle();
      expect(server.output.length).to.be.within(64 * 1024, 64 * 1024 + 100);
      client.resume();
      loop.settle(100_000);
      expect(client.input.length).to.equal('VERSION 1.6.18-sluice\r\n'.length * 20_000);
    });

    it('a peer that never takes its answers ends by the write limit', () => {
      store.store('set', 'k', Buffer.alloc(MIB), 0, Number.POSITIVE_INFINITY);
      client.setWatermarks({ read: { high: 64 * 1024 } });
      client.pause();
      client.output.append('get k\r\n');
      loop.settle();
      loop.advance(server.limits.writeMs);
      expect(server.closed).to.include({ end: 'timeout', direction: 'write' });
    });
  });
});
