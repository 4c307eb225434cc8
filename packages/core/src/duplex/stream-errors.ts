import { AbortedError, errorFromErrno, SluiceError, systemErrorNumber } from '@sluice/errors';
import type { BufferEvent } from '../bufferevent.ts';

/** An error of a stream of Node's or the Web's, as what ends the connection that it carries. */
export function errorOfStream(thrown: unknown, operation: 'read' | 'write'): SluiceError {
  if (thrown instanceof SluiceError) return thrown;
  const code: unknown = thrown instanceof Error ? Reflect.get(thrown, 'code') : undefined;
  if (typeof code === 'string' && systemErrorNumber(code) > 0) {
    return errorFromErrno(code, { operation, direction: operation, cause: thrown });
  }
  const what = thrown instanceof Error ? thrown.message : String(thrown);
  return new SluiceError(`${operation}: the stream under the connection failed: ${what}`, {
    code: 'SLUICE_CORE_STREAM_FAILED',
    layer: 'core',
    operation,
    blame: 'system',
    remedy: 'close',
    end: 'failed',
    direction: operation,
    cause: thrown,
  });
}

/** The stream is gone, and never said that the peer's direction had ended. */
export function streamCutError(): SluiceError {
  return new SluiceError('read: the stream under the connection closed without its end', {
    code: 'SLUICE_CORE_STREAM_TRUNCATED',
    layer: 'core',
    operation: 'read',
    blame: 'remote',
    remedy: 'close',
    end: 'truncated',
    direction: 'read',
  });
}

/** What destroyed a stream, as what destroys the connection under it. */
export function errorOfDestroyer(thrown: unknown, operation: string): SluiceError {
  if (thrown instanceof SluiceError) return thrown;
  const what = thrown instanceof Error ? thrown.message : String(thrown);
  return new SluiceError(`${operation}: the stream over the connection was destroyed: ${what}`, {
    code: 'SLUICE_APPLICATION_STREAM_DESTROYED',
    layer: 'application',
    operation,
    blame: 'local',
    remedy: 'close',
    end: 'aborted',
    cause: thrown,
  });
}

/** The peer ended in order, and less came than was waited for; it is still in `input`. */
export function endedEarlyError(bev: BufferEvent, operation: string): SluiceError {
  const message = `${operation}: the peer of ${bev.transport} connection ${bev.id} ended after ${bev.input.length} bytes of what is awaited`;
  return new SluiceError(message, {
    code: 'SLUICE_CORE_READ_ENDED',
    layer: 'core',
    operation,
    blame: 'remote',
    remedy: 'close',
  });
}

/** The caller's signal. */
export function abortError(operation: string, signal: AbortSignal): AbortedError {
  return new AbortedError(`${operation}: aborted by its signal; the connection goes on`, {
    code: 'SLUICE_CORE_ABORTED',
    layer: 'core',
    operation,
    blame: 'local',
    remedy: 'retry',
    cause: signal.reason,
  });
}
