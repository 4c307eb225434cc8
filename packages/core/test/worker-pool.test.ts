import { once } from 'node:events';
import net from 'node:net';
import { ApiMisuse } from '@sluice/errors';
import { expect } from 'chai';
import { joinWorkerPool, Server, WorkerPool } from '../src/index.ts';

const module = new URL('./support/pool-worker.ts', import.meta.url);

describe('WorkerPool', () => {
  async function dial(pool: WorkerPool): Promise<{ socket: net.Socket; worker: string }> {
    const socket = net.connect(pool.port, '127.0.0.1');
    const [greeting] = (await once(socket, 'data')) as [Buffer];
    return { socket, worker: greeting.toString().trim() };
  }

  const failure = (promise: Promise<unknown>) =>
    promise.then(
      () => undefined,
      (error: unknown) => error as Error,
    );

  it('shares a port between threads, and drains all of them', async () => {
    const pool = await WorkerPool.start(module, { workers: 2 });
    expect(pool.size).to.equal(2);
    // That the kernel gives all to one of two is as likely as 64 times heads.
    const clients = await Promise.all(Array.from({ length: 64 }, () => dial(pool)));
    expect(new Set(clients.map(({ worker }) => worker))).to.deep.equal(new Set(['worker 0', 'worker 1']));
    const ends = clients.map(({ socket }) => once(socket.resume(), 'close'));
    expect(await pool.drain()).to.deep.equal({ closed: 64, cut: 0 });
    await Promise.all(ends);
    expect(pool.size).to.equal(0);
  });

  it('says which worker was lost, and goes on with the others', async () => {
    const pool = await WorkerPool.start(module, { workers: 2 });
    const lost = new Promise<[number, Error | undefined]>((resolve) => {
      pool.once('lost', (index, error) => resolve([index, error]));
    });
    const { socket, worker } = await dial(pool);
    socket.on('error', () => {});
    socket.write('crash');
    const [index, error] = await lost;
    expect(`worker ${index}`).to.equal(worker);
    expect(error?.message).to.equal(`${worker} crashed`);
    expect(pool.size).to.equal(1);
    const other = await dial(pool);
    expect(other.worker).not.to.equal(worker);
    other.socket.resume();
    socket.destroy();
    expect(await pool.drain()).to.deep.equal({ closed: 1, cut: 0 });
  });

  it('does not start when one of its workers cannot', async () => {
    expect((await failure(WorkerPool.start(module, { workers: 2, data: 'fail' })))?.message).to.equal(
      'worker 1 cannot',
    );
    expect((await failure(WorkerPool.start(module, { workers: 2, data: 'exit' })))?.message).to.match(/worker 1 ended/);
    for (const workers of [0, -1, 1.5, 5000]) {
      expect(await failure(WorkerPool.start(module, { workers }))).to.be.instanceOf(ApiMisuse);
    }
  });

  it('is joined by its workers alone', async () => {
    expect(await failure(joinWorkerPool(async () => new Server({})))).to.be.instanceOf(ApiMisuse);
  });
});
