import { ApiMisuse, errorFromErrno, SluiceError, systemErrorNumber } from '@sluice/errors';

/** What the system, or Node, has to say of a file: 'ENOENT: no such file or directory, open ...'. */
export function fileError(operation: string, thrown: unknown): SluiceError {
  if (thrown instanceof SluiceError) return thrown;
  const what = thrown instanceof Error ? thrown.message : String(thrown);
  const message = `${operation}: ${what}`;
  const code: unknown = thrown instanceof Error ? Reflect.get(thrown, 'code') : undefined;
  const syscall: unknown = thrown instanceof Error ? Reflect.get(thrown, 'syscall') : undefined;
  if (typeof code === 'string' && systemErrorNumber(code) > 0) {
    const named = typeof syscall === 'string' ? { syscall } : {};
    return errorFromErrno(code, { operation, message, blame: 'local', cause: thrown, ...named });
  }
  return new SluiceError(message, {
    code: 'SLUICE_CORE_FILE_FAILED',
    layer: 'core',
    operation,
    blame: 'local',
    remedy: 'fix',
    cause: thrown,
  });
}

/** The file ends, or ended meanwhile, before what is wanted of it. */
export function fileShortError(operation: string, endsAt: number, wanted: number): SluiceError {
  const message = `${operation}: the file ends at byte ${endsAt}, and bytes up to ${wanted} are wanted; was it changed meanwhile?`;
  return new SluiceError(message, {
    code: 'SLUICE_CORE_FILE_SHORT',
    layer: 'core',
    operation,
    blame: 'local',
    remedy: 'fix',
  });
}

/** A directory, a FIFO, a device: nothing that has a size and can be read from anywhere. */
export function fileKindError(operation: string): SluiceError {
  return new SluiceError(`${operation}: only a regular file has segments; read anything else as a stream`, {
    code: 'SLUICE_CORE_FILE_NOT_REGULAR',
    layer: 'core',
    operation,
    blame: 'local',
    remedy: 'fix',
  });
}

export function segmentClosedError(operation: string): ApiMisuse {
  return new ApiMisuse(`${operation}: the segment was closed; close it after the last call that is given it`, {
    code: 'SLUICE_CORE_FILE_CLOSED',
    layer: 'core',
    operation,
  });
}
