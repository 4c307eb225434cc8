import { once } from 'node:events';
import net from 'node:net';
import { AbortedError, ApiMisuse, SluiceError } from '@sluice/errors';
import { expect } from 'chai';
import { joinWorkerPool, Server, WorkerPool } from '../src/index.ts';

const module = new URL('./support/pool-worker.ts', import.meta.url);

describe('WorkerPool', function () {
  // A thread takes seconds to start when many programs do so at once.
  this.timeout(60_000);

  async function dial(pool: WorkerPool, allowHalfOpen = false): Promise<{ socket: net.Socket; worker: string }> {
    const socket = net.connect({ port: pool.port, host: '127.0.0.1', allowHalfOpen });
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
    const failed = await failure(WorkerPool.start(module, { workers: 2, data: 'fail' }));
    expect(failed).to.be.instanceOf(SluiceError).and.include({ code: 'SLUICE_CORE_WORKER_FAILED' });
    expect(failed?.message).to.match(/worker 1 failed: worker 1 cannot/);
    expect(failed?.cause).to.include({ message: 'worker 1 cannot' });
    const ended = await failure(WorkerPool.start(module, { workers: 2, data: 'exit' }));
    expect(ended?.message).to.match(/worker 1 ended/);
    for (const workers of [0, -1, 1.5, 5000]) {
      expect(await failure(WorkerPool.start(module, { workers }))).to.be.instanceOf(ApiMisuse);
    }
  });

  it('does not start when its signal is aborted, and leaves no thread', async () => {
    const controller = new AbortController();
    const starting = failure(WorkerPool.start(module, { workers: 2, signal: controller.signal }));
    controller.abort();
    expect(await starting).to.be.instanceOf(AbortedError);
    expect(await failure(WorkerPool.start(module, { signal: controller.signal }))).to.be.instanceOf(AbortedError);
  });

  it('collects what its workers count, and cuts what is left when the signal of a drain is aborted', async () => {
    const pool = await WorkerPool.start(module, { workers: 2, data: 'patient' });
    const clients = await Promise.all([1, 2, 3].map(() => dial(pool, true)));
    const { workers } = await pool.collectStats();
    expect(workers.map(({ index }) => index)).to.deep.equal([0, 1]);
    expect(workers.reduce((sum, { server }) => sum + server.connections, 0)).to.equal(3);
    for (const { server } of workers) expect(server.listeners[0]?.address.port).to.equal(pool.port);
    const controller = new AbortController();
    const draining = pool.drain({ deadlineMs: 1e6, signal: controller.signal });
    // None of them ends its direction.
    await Promise.all(clients.map(({ socket }) => once(socket.resume(), 'end')));
    const late = pool.collectStats();
    controller.abort();
    expect(await draining).to.deep.equal({ closed: 0, cut: 3 });
    expect((await late).workers.length).to.be.at.most(2);
    expect(await pool.collectStats()).to.deep.equal({ workers: [] });
    for (const { socket } of clients) socket.destroy();
  });

  it('is joined by its workers alone', async () => {
    expect(await failure(joinWorkerPool(async () => new Server({})))).to.be.instanceOf(ApiMisuse);
  });
});
