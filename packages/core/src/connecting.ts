import { requireSignal } from './arguments.ts';
import { endedError } from './bufferevent-errors.ts';
import type { BufferEvent } from './bufferevent.ts';
import type { AwaitOptions } from './duplex/reading.ts';
import { waitUntil } from './duplex/wait-until.ts';
import { signalError } from './until-aborted.ts';

/**
 * Destroys a connection when the signal is aborted before it is connected, handshakes included; afterwards the signal has
 * no say in it. For functions that make connections.
 */
export function abortConnecting(bev: BufferEvent, signal: AbortSignal | undefined, operation = 'connect'): void {
  if (signal === undefined) return;
  requireSignal(operation, signal);
  const aborted = (): void => {
    stop();
    bev.destroy(signalError(operation, signal));
  };
  const stop = (): void => {
    signal.removeEventListener('abort', aborted);
    bev.off('connected', stop);
    bev.off('closed', stop);
  };
  if (signal.aborted) return aborted();
  signal.addEventListener('abort', aborted);
  bev.on('connected', stop);
  bev.on('closed', stop);
}

/**
 * Resolves with the connection when it is ready for the application's bytes: connected, and every handshake done. Rejects
 * with a copy of the report's error when it ends before, and when the signal is aborted; the connection goes on then.
 *
 * `const bev = await connected(connect({ host, port, signal }))`
 */
export function connected<T extends BufferEvent>(bev: T, options: AwaitOptions = {}): Promise<T> {
  return waitUntil(bev, {
    operation: 'connected',
    signal: options.signal,
    events: ['connected', 'closed'],
    look() {
      if (bev.connected) return { value: bev };
      if (bev.closed !== undefined) throw endedError(bev, 'connected');
      return undefined;
    },
  });
}
