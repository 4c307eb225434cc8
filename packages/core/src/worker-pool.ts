import { availableParallelism } from 'node:os';
import { parentPort, Worker, workerData } from 'node:worker_threads';
import { ApiMisuse } from '@sluice/errors';
import { EventEmitter } from 'eventemitter3';
import { EventLoop } from './event-loop.ts';
import type { DrainReport, Server } from './server.ts';

export interface WorkerPoolOptions {
  /** How many threads. Default one per processor that this process may use. */
  workers?: number;
  /** 0 (the default) lets the kernel choose; all workers listen on the same. */
  port?: number;
  host?: string;
  /** For the workers' module, cloned. */
  data?: unknown;
}

/** What a worker is told; `port` and `host` are for `serve`, together with `reusePort: true`. */
export interface PoolWorker {
  readonly index: number;
  readonly port: number;
  readonly host: string | undefined;
  readonly data: unknown;
}

export interface WorkerPoolEvents {
  /** A worker ended by itself: an exception, or `process.exit` in it. The others go on. */
  lost: [index: number, error: Error | undefined];
}

type FromWorker = { sluice: 'listening'; port: number } | { sluice: 'drained'; report: DrainReport };
type ToWorker = { sluice: 'drain'; deadlineMs: number };

const WORKERS_MAX = 1024;
const DRAIN_DEADLINE_MS = 10_000;

/** What a worker has beyond the deadline to say that it is done, before it is terminated. */
const GRACE_MS = 1000;

/**
 * Threads that share a port, each with a loop and a server of its own; the kernel spreads connections over them. The
 * module that they run calls `joinWorkerPool`.
 */
export class WorkerPool extends EventEmitter<WorkerPoolEvents> implements AsyncDisposable {
  readonly port: number;
  readonly #members: Set<Member>;

  private constructor(members: readonly Member[], port: number) {
    super();
    this.port = port;
    this.#members = new Set(members);
    for (const member of members) {
      void member.exited.then((error) => {
        this.#members.delete(member);
        if (!member.draining) this.emit('lost', member.index, error);
      });
    }
  }

  /**
   * Starts the workers and resolves when all of them listen. If one cannot, all end.
   * @throws ApiMisuse for a count that makes no sense; what a worker threw
   */
  static async start(module: URL, options: WorkerPoolOptions = {}): Promise<WorkerPool> {
    const { workers = availableParallelism(), port = 0, host, data } = options;
    if (!Number.isInteger(workers) || workers < 1 || workers > WORKERS_MAX) {
      throw new ApiMisuse(`workers must be a whole number from 1 to ${WORKERS_MAX}, not ${workers}`, {
        layer: 'core',
        operation: 'workerPool',
      });
    }
    const first = new Member(module, { index: 0, port, host, data });
    const members = [first];
    try {
      // The first one decides the port.
      const chosen = await first.listening;
      for (let index = 1; index < workers; index += 1) {
        members.push(new Member(module, { index, port: chosen, host, data }));
      }
      await Promise.all(members.map((member) => member.listening));
      return new WorkerPool(members, chosen);
    } catch (error) {
      await Promise.all(members.map((member) => member.terminate()));
      throw error;
    }
  }

  /** Workers that run. */
  get size(): number {
    return this.#members.size;
  }

  /** Drains all servers at once (`Server.drain`), ends the workers, and adds up the reports. A worker that does not answer is terminated. */
  async drain(options: { deadlineMs?: number } = {}): Promise<DrainReport> {
    const { deadlineMs = DRAIN_DEADLINE_MS } = options;
    const reports = await Promise.all([...this.#members].map((member) => member.drain(deadlineMs)));
    return {
      closed: reports.reduce((sum, { closed }) => sum + closed, 0),
      cut: reports.reduce((sum, { cut }) => sum + cut, 0),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain();
  }
}

/**
 * For a worker's module: `start` makes its server, which must listen on the given port with `reusePort: true`. Resolves
 * when the pool has drained it.
 * @throws ApiMisuse outside a pool's worker; what `start` throws, which the pool is told
 */
export async function joinWorkerPool(start: (worker: PoolWorker) => Promise<Server>): Promise<DrainReport> {
  const port = parentPort;
  const worker = (workerData as { sluicePool?: PoolWorker } | null)?.sluicePool;
  if (port === null || worker === undefined) {
    throw new ApiMisuse('joinWorkerPool is for the modules that WorkerPool.start runs', {
      layer: 'core',
      operation: 'joinWorkerPool',
    });
  }
  const server = await start(worker);
  const [listener] = server.listening;
  const asked = new Promise<ToWorker>((resolve) => port.once('message', resolve));
  port.postMessage({ sluice: 'listening', port: listener?.address.port ?? 0 } satisfies FromWorker);
  const { deadlineMs } = await asked;
  const report = await server.drain({ deadlineMs });
  port.postMessage({ sluice: 'drained', report } satisfies FromWorker);
  return report;
}

/** The pool's side of one worker. */
class Member {
  readonly index: number;
  readonly listening: Promise<number>;
  /** The error that ended it, if one did. */
  readonly exited: Promise<Error | undefined>;
  draining = false;
  readonly #worker: Worker;
  #report: DrainReport = { closed: 0, cut: 0 };

  constructor(module: URL, pool: PoolWorker) {
    this.index = pool.index;
    const worker = new Worker(module, { workerData: { sluicePool: pool } });
    this.#worker = worker;
    let failure: Error | undefined;
    worker.on('error', (error: Error) => {
      failure = error;
    });
    this.exited = new Promise((resolve) => worker.once('exit', () => resolve(failure)));
    this.listening = new Promise((resolve, reject) => {
      worker.on('message', (message: FromWorker) => {
        if (message.sluice === 'listening') resolve(message.port);
        else if (message.sluice === 'drained') this.#report = message.report;
      });
      void this.exited.then((error) => reject(error ?? new Error(`worker ${pool.index} ended before it listened`)));
    });
    // Whoever waits for another worker first must not make this one's failure an unhandled one.
    this.listening.catch(() => {});
  }

  async drain(deadlineMs: number): Promise<DrainReport> {
    this.draining = true;
    this.#worker.postMessage({ sluice: 'drain', deadlineMs } satisfies ToWorker, []);
    const timer = EventLoop.default.timer(deadlineMs + GRACE_MS, () => void this.#worker.terminate());
    await this.exited;
    timer.stop();
    return this.#report;
  }

  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }
}
