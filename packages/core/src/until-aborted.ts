import { AbortedError } from '@sluice/errors';

/**
 * What the promise comes to, or an AbortedError as soon as the signal is aborted. What the promise stands for goes on then,
 * and whoever began it cleans up after it.
 */
export async function untilAborted<T>(
  operation: string,
  promise: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  if (signal === undefined) return promise;
  promise.catch(() => {});
  if (signal.aborted) throw signalError(operation, signal);
  let aborted = (): void => {};
  const abort = new Promise<never>((_, reject) => {
    aborted = () => reject(signalError(operation, signal));
    signal.addEventListener('abort', aborted);
  });
  try {
    return await Promise.race([promise, abort]);
  } finally {
    signal.removeEventListener('abort', aborted);
  }
}

/** For what was begun and is given up. */
export function signalError(operation: string, signal: AbortSignal): AbortedError {
  return new AbortedError(`${operation}: given up, as its signal was aborted`, {
    code: 'SLUICE_CORE_ABORTED',
    layer: 'core',
    operation,
    blame: 'local',
    remedy: 'retry',
    end: 'aborted',
    cause: signal.reason,
  });
}
