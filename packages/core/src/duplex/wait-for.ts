import { ApiMisuse } from '@sluice/errors';
import type { BufferEvent } from '../bufferevent.ts';
import { abortError, endedEarlyError, errorOfEnd } from './stream-errors.ts';

/** Connections that somebody awaits input of. */
const awaited: WeakSet<BufferEvent> = new WeakSet();

/**
 * Calls `attempt` now, and after each change of the input, until it answers something. Undefined when the peer has ended
 * in order and nothing is left.
 *
 * Rejects when the peer ended and `attempt` will not have what is left; when the connection ended otherwise, and what
 * came before was not enough; when `attempt` throws; when the signal is aborted (nothing was taken then); at once when
 * somebody else waits already.
 */
export function waitFor<T>(
  bev: BufferEvent,
  operation: string,
  signal: AbortSignal | undefined,
  attempt: () => T | undefined,
): Promise<T | undefined> {
  if (awaited.has(bev)) return Promise.reject(inProgressError(bev, operation));
  if (signal?.aborted === true) return Promise.reject(abortError(operation, signal));
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      awaited.delete(bev);
      changes.unsubscribe();
      bev.off('end', look);
      bev.off('closed', look);
      signal?.removeEventListener('abort', aborted);
    };
    const look = (): void => {
      try {
        const value = attempt();
        if (value === undefined && !isOver(bev, operation)) return;
        stop();
        resolve(value);
      } catch (error) {
        stop();
        reject(error);
      }
    };
    const aborted = (): void => {
      stop();
      reject(abortError(operation, signal as AbortSignal));
    };
    awaited.add(bev);
    const changes = bev.input.onChange(({ added }) => {
      if (added > 0) look();
    });
    bev.on('end', look);
    bev.on('closed', look);
    signal?.addEventListener('abort', aborted);
    look();
  });
}

/**
 * Makes somebody the one reader of a connection's input; call what it answers to end that.
 * @throws ApiMisuse when there is one already
 */
export function claimInput(bev: BufferEvent, operation: string): () => void {
  if (awaited.has(bev)) throw inProgressError(bev, operation);
  awaited.add(bev);
  return () => void awaited.delete(bev);
}

/** Whether the peer has ended in order and all it sent was taken. Throws when no more will come otherwise. */
function isOver(bev: BufferEvent, operation: string): boolean {
  if (bev.closed !== undefined && bev.closed.end !== 'end') throw errorOfEnd(bev, operation);
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
