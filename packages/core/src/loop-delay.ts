import { AbortedError } from '@sluice/errors';
import { requireSignal } from './arguments.ts';
import type { EventLoop } from './event-loop.ts';

/** Resolves `delayMs` from now, from a turn. Rejects when the signal is aborted or the loop closed before. */
export function delay(loop: EventLoop, delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    requireSignal('delay', signal);
    const finish = (): void => {
      timer.stop();
      loop._closers.delete(loopClosed);
      signal?.removeEventListener('abort', aborted);
    };
    const fail = (what: string, cause: unknown): void => {
      finish();
      reject(abortedError(what, cause));
    };
    const aborted = (): void => fail('was aborted', signal?.reason);
    const loopClosed = (): void => fail('cannot come: the loop was closed', undefined);
    const timer = loop._newTimer(() => {
      finish();
      resolve();
    });
    if (signal?.aborted === true) return aborted();
    if (loop.closed) return loopClosed();
    timer.start(delayMs);
    loop._closers.add(loopClosed);
    signal?.addEventListener('abort', aborted, { once: true });
  });
}

function abortedError(what: string, cause: unknown): AbortedError {
  return new AbortedError(`the end of a delay ${what}`, {
    code: 'SLUICE_CORE_ABORTED',
    layer: 'core',
    operation: 'delay',
    blame: 'local',
    remedy: 'close',
    cause,
  });
}
