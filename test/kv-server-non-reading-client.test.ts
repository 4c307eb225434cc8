import { expect } from 'chai';
import { EventLoop, Reactor } from '@sluice/core';
import { VirtualClock } from '@sluice/core/testing';
import { Counter } from '@sluice/native';
import { createKvServer, type KvServer } from '../examples/kv-server/server.ts';
import { VALUE_BYTES_MAX } from '../examples/kv-server/store.ts';
import { RawClient } from './support/raw-client.ts';
import { untilTestEnds } from './support/until-test-ends.ts';

const MIB = 1024 * 1024;
/** The high watermark, one value over it, and the lines around them. */
const OUTPUT_BYTES_MAX = 64 * 1024 + VALUE_BYTES_MAX + 1024;

describe('kv-server and a client that does not read', () => {
  let loop: EventLoop;
  let kv: KvServer;
  let port: number;

  beforeEach(async () => {
    loop = new EventLoop();
    kv = createKvServer({ memoryLimitBytes: 128 * MIB, loop });
    untilTestEnds({ [Symbol.asyncDispose]: stop });
    port = (await kv.server.listen({ port: 0, host: '127.0.0.1' })).address.port;
    for (let key = 0; key < 100; key += 1)
      kv.store.store('set', `k${key}`, Buffer.alloc(MIB, key), 0, Number.POSITIVE_INFINITY);
  });

  const stop = async (): Promise<void> => {
    await kv.server.close();
    loop.close();
  };

  const connect = (): Promise<RawClient> => RawClient.connect({ port, host: '127.0.0.1' });
  const outputBytes = (): number => Math.max(...[...kv.server.connections].map((bev) => bev.output.length));
  const keys = Array.from({ length: 100 }, (_, key) => `k${key}`).join(' ');
  const answerBytes = keys.split(' ').reduce((sum, key) => sum + `VALUE ${key} 0 ${MIB}\r\n`.length + MIB + 2, 5);

  it('holds back the rest of an answer of 100 MiB, serves others, and sends it once it reads', async () => {
    const silent = untilTestEnds(await connect());
    silent.socket.pause();
    silent.send(`get ${keys}\r\n`);
    const other = untilTestEnds(await connect());
    let outputMax = 0;
    for (let round = 0; round < 50; round += 1) {
      other.send('get none\r\n');
      await other.until(/END\r\n$/);
      outputMax = Math.max(outputMax, outputBytes());
    }
    expect(outputMax, 'the socket is full').to.be.above(64 * 1024);
    expect(Reactor.of(loop).counters[Counter.writesRefused], 'writes refused').to.be.above(0);
    expect(kv.store.counters.getHits, 'values taken from the store').to.be.below(12);

    let received = 0;
    silent.socket.removeAllListeners('data').on('data', (chunk: Buffer) => {
      received += chunk.length;
      outputMax = Math.max(outputMax, outputBytes());
    });
    silent.socket.resume();
    await silent.exchange('');
    expect(received).to.equal(answerBytes);
    expect(outputMax).to.be.at.most(OUTPUT_BYTES_MAX);
  });

  it('is not read from any more: pipelined commands stay with the kernel and with it', async () => {
    const silent = untilTestEnds(await connect());
    silent.socket.pause();
    silent.send('get k1\r\n'.repeat(2_000_000));
    const other = untilTestEnds(await connect());
    for (let round = 0; round < 200; round += 1) {
      other.send('get none\r\n');
      await other.until(/END\r\n$/);
    }
    const [stuck] = kv.server.connections;
    expect(stuck?.output.length).to.be.within(64 * 1024, OUTPUT_BYTES_MAX);
    expect(stuck?.input.length).to.be.at.most(64 * 1024 + 64 * 1024);
    expect(kv.store.counters.getHits).to.be.below(12);
  });

  it('gets the rest of its answer from a server that is told to end, and nothing is executed after it', async () => {
    // Time stands still: the test may be as slow as it likes to read.
    const still = new EventLoop({ clock: new VirtualClock() });
    const ending = createKvServer({ memoryLimitBytes: 128 * MIB, loop: still });
    untilTestEnds({
      [Symbol.asyncDispose]: async () => {
        await ending.server.close();
        still.close();
      },
    });
    const { address } = await ending.server.listen({ port: 0, host: '127.0.0.1' });
    const open = (): Promise<RawClient> => RawClient.connect({ port: address.port, host: '127.0.0.1' });
    ending.store.store('set', 'k', Buffer.alloc(MIB, 'k'), 0, Number.POSITIVE_INFINITY);
    const [silent, idle] = [untilTestEnds(await open()), untilTestEnds(await open())];
    silent.socket.pause();
    silent.send(`get${' k'.repeat(20)}\r\nset late 0 0 1\r\nx\r\n`);
    for (let round = 0; round < 20 || ending.store.counters.getHits === 0; round += 1) {
      idle.send('get none\r\n');
      await idle.until(/END\r\n$/);
    }
    expect(ending.store.counters.getHits, 'it is in the middle').to.be.below(20);
    const drained = ending.drain();
    // Whoever waits for nothing gets the end at once.
    expect(await idle.exchange('')).to.equal('');
    silent.socket.resume();
    const answer = await silent.exchange('');
    const value = `VALUE k 0 ${MIB}\r\n${'k'.repeat(MIB)}\r\n`;
    expect(answer === `${value.repeat(20)}END\r\n`, `${answer.length} bytes`).to.equal(true);
    expect(await drained).to.include({ cut: 0 });
    expect(ending.store.size).to.equal(1);
    await expectRefused(address.port);
  });

  it('is cut off when it never reads, and the others notice nothing', async () => {
    const silent = untilTestEnds(await connect());
    silent.socket.pause();
    silent.send(`get ${keys}\r\n`);
    const other = untilTestEnds(await connect());
    other.send('get none\r\n');
    await other.until(/END\r\n$/);
    const [stuck] = kv.server.connections;
    stuck?.setTimeouts({ writeMs: 50 });
    const report = await new Promise<{ end: string; direction: string }>((resolve) => stuck?.on('closed', resolve));
    expect(report).to.include({ end: 'timeout', direction: 'write' });
    other.send('get none\r\n');
    expect(await other.until(/END\r\n$/)).to.equal('END\r\n');
  });
});

async function expectRefused(port: number): Promise<void> {
  const error = await RawClient.connect({ port, host: '127.0.0.1' }).catch((reason: NodeJS.ErrnoException) => reason);
  expect(error).to.include({ code: 'ECONNREFUSED' });
}
