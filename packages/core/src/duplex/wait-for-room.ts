import { endedError, WAITERS_MAX, waitersError } from '../bufferevent-errors.ts';
import type { BufferEvent } from '../bufferevent.ts';
import { waitUntil } from './wait-until.ts';

/**
 * Resolves when `write` would answer true: at once, or when output has drained. Rejects when nothing can be written any
 * more, when the signal is aborted, and with a LimitError when `WAITERS_MAX` wait for that already.
 */
export function waitForRoom(bev: BufferEvent, operation: string, signal: AbortSignal | undefined): Promise<void> {
  let waits = false;
  return waitUntil(bev, {
    operation,
    signal,
    events: ['drained', 'closed'],
    look() {
      if (!bev.writable) throw endedError(bev, operation);
      if (bev.output.length < bev.limits.writeHigh) return { value: undefined };
      if (!waits && bev.listenerCount('drained') >= WAITERS_MAX) throw waitersError(bev, operation);
      waits = true;
      return undefined;
    },
  });
}
