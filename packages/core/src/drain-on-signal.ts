import type { DrainReport, Server } from './server.ts';
import type { SignalWatcher } from './signal.ts';

export interface DrainOnSignalOptions {
  /** Default SIGTERM and SIGINT. */
  signals?: readonly NodeJS.Signals[];
  /** What `Server.drain` is given: connections still open then are cut. Default 10 s. */
  deadlineMs?: number;
}

/** What was set up by `drainOnSignal`. */
export interface SignalDrain extends Disposable {
  /** Resolves when a signal came and the server is drained; rejects when that failed. Never, when no signal comes. */
  readonly drained: Promise<DrainReport>;
  /** Lets the signals have their default actions again. Called by itself when the server is drained. Idempotent. */
  stop(): void;
}

/**
 * Drains the server at the first of the signals, and cuts what is left at the second. It does not end the process: that
 * ends by itself when nothing else keeps it, or when the program says so after `drained`.
 * @throws ApiMisuse for what is no signal that can be watched; UnsupportedError in a worker
 */
export function drainOnSignal(server: Server, options: DrainOnSignalOptions = {}): SignalDrain {
  const { signals = ['SIGTERM', 'SIGINT'], deadlineMs } = options;
  const watchers: SignalWatcher[] = [];
  const impatient = new AbortController();
  let begun = false;
  let settle: (report: Promise<DrainReport>) => void = () => {};
  const drained = new Promise<DrainReport>((resolve) => {
    settle = resolve;
  });
  const stop = (): void => {
    for (const watcher of watchers.splice(0)) void watcher.close();
  };
  const onSignal = (): void => {
    if (begun) return impatient.abort();
    begun = true;
    const { signal } = impatient;
    settle(server.drain(deadlineMs === undefined ? { signal } : { deadlineMs, signal }).finally(stop));
  };
  try {
    for (const signal of new Set(signals)) watchers.push(server.loop.signal(signal, onSignal));
  } catch (error) {
    stop();
    throw error;
  }
  return { drained, stop, [Symbol.dispose]: stop };
}
