import { endedError } from '../bufferevent-errors.ts';
import type { BufferEvent } from '../bufferevent.ts';
import { waitUntil } from './wait-until.ts';

/**
 * Resolves when `write` would answer true: at once, or when output has drained. Rejects when nothing can be written any
 * more, and when the signal is aborted.
 */
export function waitForRoom(bev: BufferEvent, operation: string, signal: AbortSignal | undefined): Promise<void> {
  return waitUntil(bev, {
    operation,
    signal,
    events: ['drained', 'closed'],
    look() {
      if (!bev.writable) throw endedError(bev, operation);
      return bev.output.length < bev.limits.writeHigh ? { value: undefined } : undefined;
    },
  });
}
