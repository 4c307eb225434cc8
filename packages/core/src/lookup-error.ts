import { errorFromErrno, SluiceError, systemErrorName } from '@sluice/errors';

/** A failed lookup of a name, whoever did it: the system, or a function of the user's. */
export function lookupError(host: string, thrown: unknown): SluiceError {
  if (thrown instanceof SluiceError) return thrown;
  const context = { operation: 'lookup', subject: host, cause: thrown };
  const { errno, code } = (thrown instanceof Error ? thrown : {}) as NodeJS.ErrnoException;
  if (typeof errno === 'number' && systemErrorName(errno) !== '') return errorFromErrno(errno, context);
  if (typeof code === 'string' && /^E[A-Z][A-Z0-9_]*$/.test(code) && !code.startsWith('ERR_')) {
    return errorFromErrno(code, context);
  }
  const what = thrown instanceof Error ? thrown.message : String(thrown);
  return new SluiceError(`lookup ${host} failed: ${what}`, {
    code: 'SLUICE_CORE_LOOKUP_FAILED',
    layer: 'core',
    operation: 'lookup',
    blame: 'local',
    remedy: 'fix',
    end: 'failed',
    cause: thrown,
  });
}
