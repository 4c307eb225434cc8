import {
  type BufferEvent,
  type ConnectionOptions,
  type DrainReport,
  type EventLoop,
  type Handlers,
  Server,
} from '@sluice/core';
import { Session } from './protocol.ts';
import { type Settings, statsLines } from './stats.ts';
import { Store, VALUE_BYTES_MAX } from './store.ts';

/** Answers stop being made at `high`; the cap has room for the one that crossed it, of any length. */
const WRITE_HIGH_BYTES = 64 * 1024;
const ANSWER_BYTES_MAX = VALUE_BYTES_MAX + 16 * 1024;

/** What every connection gets, on whatever transport. */
export const connectionOptions: ConnectionOptions = {
  watermarks: { write: { high: WRITE_HIGH_BYTES, cap: WRITE_HIGH_BYTES + ANSWER_BYTES_MAX } },
  // Clients keep connections for days. One that does not take its answers ends by the write limit all the same.
  timeouts: { idleMs: Number.POSITIVE_INFINITY },
  // A client that has sent its commands and then ended its direction is still owed the answers.
  halfOpen: true,
};

/** How long clients may take to read the answer that they are in the middle of; then what is left to all ends. */
const ANSWERS_MS = 5000;
const DRAIN_MS = 5000;

export interface KvServerOptions {
  memoryLimitBytes?: number;
  loop?: EventLoop;
  /** Milliseconds since 1970, for expiry times given as a date. */
  wallNow?: () => number;
}

export interface KvServer {
  /** Add listeners to it. */
  readonly server: Server;
  readonly store: Store;
  /** Stops listening, and ends every connection when the answer that it is in the middle of is complete. Takes 10 s at most. */
  drain(): Promise<DrainReport>;
  /** What `stats settings` tells; to be filled in when the listeners are known. */
  readonly settings: Settings;
}

/** A cache and its server, which listens nowhere yet. */
export function createKvServer(options: KvServerOptions = {}): KvServer {
  const settings: Settings = { tcpPort: 0, host: 'NULL', unixPath: undefined, tlsPort: undefined };
  const past = { bytesRead: 0, bytesWritten: 0 };

  const figures = () => {
    const now = { ...past };
    for (const bev of server.connections) {
      now.bytesRead += bev.bytesIn;
      now.bytesWritten += bev.bytesOut;
    }
    return {
      ...now,
      uptimeMs: server.loop.now() - startedAt,
      connections: server.connections.size,
      connectionsTotal: server.acceptedTotal,
    };
  };
  const run = (bev: BufferEvent): void => (bev.userData as Session).run();
  const handlers: Handlers = {
    open(bev) {
      bev.userData = new Session(bev, service);
    },
    data: run,
    drained: run,
    end: run,
    closed(bev, report) {
      (bev.userData as Session).abandon();
      past.bytesRead += report.bytesIn;
      past.bytesWritten += report.bytesOut;
    },
  };
  const server = new Server(handlers, {
    ...connectionOptions,
    ...(options.loop === undefined ? {} : { loop: options.loop }),
  });
  const startedAt = server.loop.now();
  const store = new Store({
    ...(options.memoryLimitBytes === undefined ? {} : { memoryLimitBytes: options.memoryLimitBytes }),
    ...(options.wallNow === undefined ? {} : { wallNow: options.wallNow }),
    now: () => server.loop.now(),
  });
  const service = { store, stats: (part: string) => statsLines(part, store, settings, figures) };
  const drain = async (): Promise<DrainReport> => {
    for (const listener of server.listening) void listener.close();
    const answers = [...server.connections].map((bev) => (bev.userData as Session).finish());
    await new Promise<void>((resolve) => {
      const timer = server.loop.timer(ANSWERS_MS, resolve);
      void Promise.all(answers).then(() => {
        timer.stop();
        resolve();
      });
    });
    return server.drain({ deadlineMs: DRAIN_MS });
  };
  return { server, store, settings, drain };
}
