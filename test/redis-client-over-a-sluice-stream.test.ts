import { mkdtemp, rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CloseReport, connect, EventLoop, toDuplex } from '@sluice/core';
import { LimitError } from '@sluice/errors';
import { expect } from 'chai';
import { AbstractConnector, Redis } from 'ioredis';
import { Bounds } from './support/bounds.ts';
import { Program } from './support/program.ts';
import { untilTestEnds } from './support/until-test-ends.ts';

const REQUESTS = 100_000;
const REQUESTS_AT_A_TIME = 1000;
const VALUE_BYTES = 1024 * 1024;
const MOVE_MS_MAX = 60_000;

describe('ioredis against redis-server, over a Sluice stream', function () {
  this.timeout(MOVE_MS_MAX);
  let loop: EventLoop;
  let redis: Redis;
  let bounds: Bounds;
  let reports: CloseReport[];

  beforeEach(async () => {
    loop = new EventLoop();
    bounds = new Bounds();
    reports = [];
    const directory = await mkdtemp(join(tmpdir(), 'sluice-redis-'));
    const path = join(directory, 'redis.sock');
    const program = Program.command('redis-server', ['--port', '0', '--unixsocket', path, '--save', '']);
    untilTestEnds({
      async [Symbol.asyncDispose]() {
        redis?.disconnect();
        await program[Symbol.asyncDispose]();
        await rm(directory, { recursive: true, force: true });
        loop.close();
      },
    });
    await program.line(/ready to accept connections/i);

    class SluiceConnector extends AbstractConnector {
      constructor() {
        super(100);
      }

      connect(): Promise<Socket> {
        const bev = connect({ path, loop });
        bounds.watch(bev);
        bev.on('closed', (report) => reports.push(report));
        const stream = toDuplex(bev) as unknown as Socket;
        this.stream = stream;
        return Promise.resolve(stream);
      }
    }
    redis = new Redis({ Connector: SluiceConnector, retryStrategy: null });
  });

  it('100,000 requests come back in order, and no more is ever in memory than its marks say', async () => {
    for (let sent = 0; sent < REQUESTS; sent += REQUESTS_AT_A_TIME) {
      const answers = await Promise.all(Array.from({ length: REQUESTS_AT_A_TIME }, () => redis.incr('count')));
      expect([answers[0], answers.at(-1)]).to.deep.equal([sent + 1, sent + REQUESTS_AT_A_TIME]);
    }
    bounds.check();
    await redis.quit();
    while (reports.length === 0) await new Promise(setImmediate);
    expect(reports[0]?.end).to.equal('end');
  });

  it('values far larger than the marks go through them', async () => {
    for (let count = 0; count < 50; count += 1) {
      const value = Buffer.alloc(VALUE_BYTES, count);
      await redis.set('value', value);
      expect((await redis.getBuffer('value'))?.equals(value)).to.equal(true);
    }
    bounds.check();
  });

  it('a program that never waits for its answers meets the hard cap as a LimitError', async () => {
    await redis.ping();
    const failed = new Promise<unknown>((resolve) => redis.once('error', resolve));
    const value = Buffer.alloc(VALUE_BYTES);
    const answers = Array.from({ length: 100 }, () => redis.set('value', value));
    const results = await Promise.allSettled(answers);
    expect(await failed)
      .to.be.instanceOf(LimitError)
      .with.property('code', 'SLUICE_CORE_WRITE_CAP');
    expect(results.at(-1)?.status).to.equal('rejected');
    expect(reports[0]).to.include({ end: 'failed', code: 'SLUICE_CORE_WRITE_CAP' });
    expect(bounds.outputMax).to.be.at.most(64 * 1024);
  });
});
