import {
  AbortedError,
  ApiMisuse,
  contextOf,
  type Direction,
  type FailOptions,
  LimitError,
  SluiceError,
  TimeoutError,
} from '@sluice/errors';
import type { BufferEvent } from './bufferevent.ts';

/** Output would grow past its hard cap. */
export function capError(held: number, more: number, cap: number): LimitError {
  return new LimitError(
    `output holds ${held} bytes and ${more} more would pass its cap of ${cap}; ` +
      'wait for drained when write answers false, or raise watermarks.write.cap',
    { code: 'SLUICE_CORE_WRITE_CAP', layer: 'core', operation: 'write', blame: 'local', remedy: 'retry' },
  );
}

/** Callers that wait for one connection to take what it holds: more of them do not wait for each other either. */
export const WAITERS_MAX = 1024;

/** More of them would only grow in number for as long as the peer does not read. */
export function waitersError(bev: BufferEvent, operation: string): LimitError {
  return new LimitError(
    `${operation}: ${WAITERS_MAX} callers wait for ${bev.transport} connection ${bev.id} already; ` +
      'await one before the next, or destroy a connection whose peer does not read',
    { code: 'SLUICE_CORE_WAITERS', layer: 'core', operation, blame: 'local', remedy: 'fix' },
  );
}

export function writeAfterEndError(bev: BufferEvent): ApiMisuse {
  return new ApiMisuse(`write after end() on ${bev.transport} connection ${bev.id}`, {
    code: 'SLUICE_CORE_WRITE_AFTER_END',
    layer: 'core',
    operation: 'write',
  });
}

/** For an operation on a connection whose end is decided: the channel's error, or one that says how it ended. */
export function endedError(bev: BufferEvent, operation: string): SluiceError {
  if (bev.closed?.error !== undefined) return bev.channel.report(operation);
  const how = bev.closed?.end === 'aborted' ? 'was destroyed' : 'has ended';
  return new AbortedError(`${operation}: ${bev.transport} connection ${bev.id} ${how}`, {
    code: 'SLUICE_CORE_CLOSED',
    layer: 'core',
    operation,
    blame: 'local',
    remedy: 'close',
  });
}

export type TimeoutKind = 'connect' | 'read' | 'write' | 'idle' | 'close';

export function timeoutError(bev: BufferEvent, kind: TimeoutKind, direction: Direction, limitMs: number): TimeoutError {
  return new TimeoutError(`${kind} limit of ${limitMs} ms passed on ${bev.transport} connection ${bev.id}`, {
    code: `SLUICE_CORE_${kind.toUpperCase()}_TIMEOUT`,
    layer: 'core',
    operation: kind,
    blame: 'remote',
    remedy: kind === 'connect' ? 'retry' : 'close',
    end: 'timeout',
    direction,
  });
}

export function handlerError(bev: BufferEvent, thrown: unknown): SluiceError {
  return new SluiceError(`a handler of ${bev.transport} connection ${bev.id} threw`, {
    code: 'SLUICE_APPLICATION_HANDLER_THREW',
    layer: 'application',
    operation: 'deliver',
    blame: 'local',
    remedy: 'fix',
    cause: thrown,
  });
}

/** What somebody destroyed the connection with, when it is no error of Sluice's. */
export function destroyedError(bev: BufferEvent, thrown: unknown): SluiceError {
  const what = thrown instanceof Error ? thrown.message : String(thrown);
  return new SluiceError(`${bev.transport} connection ${bev.id} was destroyed: ${what}`, {
    code: 'SLUICE_APPLICATION_DESTROYED',
    layer: 'application',
    operation: 'destroy',
    blame: 'local',
    remedy: 'close',
    end: 'aborted',
    cause: thrown,
  });
}

/** What the channel has to know of an error to tell it again in each report. */
export function failOptionsOf(error: SluiceError): FailOptions {
  // Of a system's failure every operation's last result speaks.
  return { ...contextOf(error), network: error.layer === 'system' };
}
