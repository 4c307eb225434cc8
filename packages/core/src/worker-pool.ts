import { availableParallelism } from 'node:os';
import { parentPort, Worker, workerData } from 'node:worker_threads';
import { ApiMisuse, SluiceError } from '@sluice/errors';
import { EventEmitter } from 'eventemitter3';
import { misuse, nameOf, requireFunction, requireMs, requireObject, requireSignal } from './arguments.ts';
import { EventLoop } from './event-loop.ts';
import type { DrainOptions, DrainReport, Server } from './server.ts';
import type { ServerStats } from './server-stats.ts';
import { untilAborted } from './until-aborted.ts';

export interface WorkerPoolOptions {
  /** How many threads. Default one per processor that this process may use. */
  workers?: number;
  /** 0 (the default) lets the kernel choose; all workers listen on the same. */
  port?: number;
  host?: string;
  /** For the workers' module, cloned. */
  data?: unknown;
  /** Gives it up while not all of them listen: those that were started are ended, and `start` rejects. */
  signal?: AbortSignal;
}

/** What the servers of a pool's workers count. */
export interface PoolStats {
  /** Workers that run, by index. */
  readonly workers: readonly { readonly index: number; readonly server: ServerStats }[];
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

type FromWorker =
  | { sluice: 'listening'; port: number }
  | { sluice: 'drained'; report: DrainReport }
  | { sluice: 'stats'; stats: ServerStats };
type ToWorker = { sluice: 'drain'; deadlineMs: number } | { sluice: 'cut' } | { sluice: 'stats' };

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
   * @throws ApiMisuse for an option that makes no sense; SluiceError (`SLUICE_CORE_WORKER_FAILED`) when a worker failed,
   *   with what it threw as the cause; AbortedError when the signal is aborted
   */
  static async start(module: URL, options: WorkerPoolOptions = {}): Promise<WorkerPool> {
    checkOptions(module, options);
    const { workers = availableParallelism(), port = 0, host, data, signal } = options;
    const members: Member[] = [];
    const listening = async (index: number, on: number): Promise<number> => {
      const member = new Member(module, { index, port: on, host, data });
      members.push(member);
      return untilAborted(OPERATION, member.listening, signal);
    };
    try {
      // The first one decides the port.
      const chosen = await listening(0, port);
      await Promise.all(Array.from({ length: workers - 1 }, (_, index) => listening(index + 1, chosen)));
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

  /** What each worker's server counts, at about the same time; of those that end meanwhile there is nothing. */
  async collectStats(options: { signal?: AbortSignal } = {}): Promise<PoolStats> {
    const { signal } = options;
    requireSignal('collectStats', signal);
    const members = [...this.#members];
    const counts = await untilAborted('collectStats', Promise.all(members.map((member) => member.stats())), signal);
    const workers = members.map(({ index }, at) => ({ index, server: counts[at] }));
    return {
      workers: workers.filter((worker): worker is PoolStats['workers'][number] => worker.server !== undefined),
    };
  }

  /** Drains all servers at once (`Server.drain`), ends the workers, and adds up the reports. A worker that does not answer is terminated. */
  async drain(options: DrainOptions = {}): Promise<DrainReport> {
    const { deadlineMs = DRAIN_DEADLINE_MS, signal } = options;
    requireMs('drain', 'deadlineMs', deadlineMs);
    requireSignal('drain', signal);
    const reports = await Promise.all([...this.#members].map((member) => member.drain(deadlineMs, signal)));
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
  requireFunction('joinWorkerPool', 'start', start);
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
  const cut = new AbortController();
  const asked = new Promise<number>((resolve) => {
    port.on('message', (message: ToWorker) => {
      if (message.sluice === 'stats') port.postMessage({ sluice: 'stats', stats: server.stats } satisfies FromWorker);
      else if (message.sluice === 'drain') resolve(message.deadlineMs);
      else cut.abort();
    });
  });
  port.postMessage({ sluice: 'listening', port: listener?.address.port ?? 0 } satisfies FromWorker);
  const report = await server.drain({ deadlineMs: await asked, signal: cut.signal });
  port.postMessage({ sluice: 'drained', report } satisfies FromWorker);
  // Nothing else of the pool's keeps the thread.
  port.unref();
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
  #statsWaiters: ((stats: ServerStats | undefined) => void)[] = [];
  #report: DrainReport = { closed: 0, cut: 0 };

  constructor(module: URL, pool: PoolWorker) {
    this.index = pool.index;
    const worker = makeWorker(module, pool);
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
        else this.#statsWaiters.shift()?.(message.stats);
      });
      void this.exited.then((error) => {
        for (const tell of this.#statsWaiters.splice(0)) tell(undefined);
        reject(workerError(pool.index, error));
      });
    });
    // Whoever waits for another worker first must not make this one's failure an unhandled one.
    this.listening.catch(() => {});
  }

  /** Nothing when the worker ends before it answers. */
  stats(): Promise<ServerStats | undefined> {
    return new Promise((resolve) => {
      this.#statsWaiters.push(resolve);
      this.#tell({ sluice: 'stats' });
    });
  }

  async drain(deadlineMs: number, signal: AbortSignal | undefined): Promise<DrainReport> {
    this.draining = true;
    this.#tell({ sluice: 'drain', deadlineMs });
    const terminate = (): void => void this.#worker.terminate();
    const timer = EventLoop.default.timer(deadlineMs + GRACE_MS, terminate);
    const cut = (): void => {
      this.#tell({ sluice: 'cut' });
      timer.start(GRACE_MS);
    };
    if (signal?.aborted === true) cut();
    signal?.addEventListener('abort', cut);
    await this.exited;
    signal?.removeEventListener('abort', cut);
    timer.stop();
    return this.#report;
  }

  #tell(message: ToWorker): void {
    this.#worker.postMessage(message, []);
  }

  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }
}

const OPERATION = 'WorkerPool.start';

function checkOptions(module: URL, options: WorkerPoolOptions): void {
  requireObject(OPERATION, 'options', options);
  const { workers = 1, port = 0, host, signal } = options;
  if (!(module instanceof URL)) {
    misuse(OPERATION, `module must be a URL, as of new URL('./worker.ts', import.meta.url), not ${nameOf(module)}`);
  }
  if (!Number.isInteger(workers) || workers < 1 || workers > WORKERS_MAX) {
    misuse(OPERATION, `workers must be a whole number from 1 to ${WORKERS_MAX}, not ${nameOf(workers)}`);
  }
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    misuse(OPERATION, `port must be a whole number from 0 to 65535, not ${nameOf(port)}`);
  }
  if (host !== undefined && typeof host !== 'string') misuse(OPERATION, `host must be a string, not ${nameOf(host)}`);
  requireSignal(OPERATION, signal);
}

/** @throws ApiMisuse when `data` cannot be given to a worker */
function makeWorker(module: URL, pool: PoolWorker): Worker {
  try {
    return new Worker(module, { workerData: { sluicePool: pool } });
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    throw new ApiMisuse(`${OPERATION}: a worker cannot be made: ${what}`, {
      layer: 'core',
      operation: OPERATION,
      cause: error,
    });
  }
}

function workerError(index: number, cause: Error | undefined): SluiceError {
  const how = cause === undefined ? 'ended before it listened' : `failed: ${cause.message}`;
  return new SluiceError(`${OPERATION}: worker ${index} ${how}`, {
    code: 'SLUICE_CORE_WORKER_FAILED',
    layer: 'core',
    operation: OPERATION,
    blame: 'local',
    remedy: 'fix',
    cause,
  });
}
