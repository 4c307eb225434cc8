import { ApiMisuse } from '@sluice/errors';
import { requireConnection } from '../arguments.ts';
import { endedError } from '../bufferevent-errors.ts';
import type { BufferEvent } from '../bufferevent.ts';
import { endedEarlyError } from './stream-errors.ts';
import { waitUntil } from './wait-until.ts';

/** Connections whose input somebody awaits. */
const awaited: WeakSet<BufferEvent> = new WeakSet();

/**
 * Calls `attempt` now, and after each change of the input, until it answers something. Undefined when the peer has ended
 * in order and nothing is left.
 *
 * Rejects when the peer ended and `attempt` will not have what is left; when the connection ended otherwise, and what
 * came before was not enough; when `attempt` throws; when the signal is aborted (nothing was taken then); at once when
 * somebody else waits already.
 */
export async function waitFor<T>(
  bev: BufferEvent,
  operation: string,
  signal: AbortSignal | undefined,
  attempt: () => T | undefined,
): Promise<T | undefined> {
  requireConnection(operation, bev);
  const unclaim = claimInput(bev, operation);
  try {
    return await waitUntil<T | undefined>(bev, {
      operation,
      signal,
      events: ['end', 'closed'],
      look() {
        const value = attempt();
        return value !== undefined || isOver(bev, operation) ? { value } : undefined;
      },
      listen(look) {
        const changes = bev.input.onChange(({ added }) => {
          if (added > 0) look();
        });
        return () => {
          changes.unsubscribe();
          // Whoever aborts a read may begin the next at once.
          unclaim();
        };
      },
    });
  } finally {
    unclaim();
  }
}

/**
 * Makes somebody the one reader of a connection's input; call what it answers to end that. Idempotent.
 * @throws ApiMisuse when there is one already
 */
export function claimInput(bev: BufferEvent, operation: string): () => void {
  if (awaited.has(bev)) throw inProgressError(bev, operation);
  awaited.add(bev);
  let claimed = true;
  return () => {
    if (claimed) awaited.delete(bev);
    claimed = false;
  };
}

/** Whether the peer has ended in order and all it sent was taken. Throws when no more will come otherwise. */
function isOver(bev: BufferEvent, operation: string): boolean {
  if (bev.closed !== undefined && bev.closed.end !== 'end') throw endedError(bev, operation);
  if (!bev.peerEnded) return false;
  if (bev.input.length > 0) throw endedEarlyError(bev, operation);
  return true;
}

function inProgressError(bev: BufferEvent, operation: string): ApiMisuse {
  return new ApiMisuse(
    `${operation}: ${bev.transport} connection ${bev.id} is being read from already; await that first`,
    {
      code: 'SLUICE_CORE_READ_IN_PROGRESS',
      layer: 'core',
      operation,
    },
  );
}
