import { AbortedError } from '@sluice/errors';
import { requireConnection, requireSignal } from '../arguments.ts';
import type { BufferEvent } from '../bufferevent.ts';
import { abortError } from './stream-errors.ts';

/** What is waited for, and where its coming is heard of. */
export interface Wait<T> {
  readonly operation: string;
  readonly signal: AbortSignal | undefined;
  readonly events: readonly ('connected' | 'drained' | 'end' | 'closed')[];
  /** Answers what is waited for, in an object; undefined while it has not come. Throws when it will not come. */
  look(): { readonly value: T } | undefined;
  /** Hears of what is no event; answers how to end that. */
  listen?(look: () => void): () => void;
}

/**
 * Looks now, and at each of the events, until there is something to answer. Rejects when `look` throws, when the signal is
 * aborted, and when the loop of the connection is closed: nothing would come any more.
 */
export async function waitUntil<T>(bev: BufferEvent, wait: Wait<T>): Promise<T> {
  const { operation, signal, events } = wait;
  requireConnection(operation, bev);
  requireSignal(operation, signal);
  if (signal?.aborted === true) throw abortError(operation, signal);
  const found = wait.look();
  if (found !== undefined) return found.value;
  if (bev.loop.closed) throw loopClosedError(operation);
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      for (const event of events) bev.off(event, look);
      unlisten?.();
      bev.loop._closers.delete(loopClosed);
      signal?.removeEventListener('abort', aborted);
    };
    const look = (): void => {
      try {
        const value = wait.look();
        if (value === undefined) return;
        stop();
        resolve(value.value);
      } catch (error) {
        fail(error);
      }
    };
    const fail = (error: unknown): void => {
      stop();
      reject(error);
    };
    const aborted = (): void => fail(abortError(operation, signal as AbortSignal));
    const loopClosed = (): void => fail(loopClosedError(operation));
    for (const event of events) bev.on(event, look);
    const unlisten = wait.listen?.(look);
    bev.loop._closers.add(loopClosed);
    signal?.addEventListener('abort', aborted);
  });
}

function loopClosedError(operation: string): AbortedError {
  return new AbortedError(`${operation}: the loop was closed, and nothing happens on it any more`, {
    code: 'SLUICE_CORE_LOOP_CLOSED',
    layer: 'core',
    operation,
    blame: 'local',
    remedy: 'fix',
  });
}
