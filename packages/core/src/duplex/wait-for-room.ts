import type { BufferEvent } from '../bufferevent.ts';
import { abortError, errorOfEnd } from './stream-errors.ts';

/**
 * Resolves when `write` would answer true: at once, or when output has drained. Rejects when nothing can be written any
 * more, and when the signal is aborted.
 */
export function waitForRoom(bev: BufferEvent, operation: string, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(abortError(operation, signal));
    if (!bev.writable) return reject(errorOfEnd(bev, operation));
    if (bev.output.length < bev.limits.writeHigh) return resolve();
    const stop = (): void => {
      bev.off('drained', done);
      bev.off('closed', failed);
      signal?.removeEventListener('abort', aborted);
    };
    const done = (): void => {
      stop();
      resolve();
    };
    const failed = (): void => {
      stop();
      reject(errorOfEnd(bev, operation));
    };
    const aborted = (): void => {
      stop();
      reject(abortError(operation, signal as AbortSignal));
    };
    bev.on('drained', done);
    bev.on('closed', failed);
    signal?.addEventListener('abort', aborted);
  });
}
