import { requireMethods } from './arguments.ts';

/**
 * A structured logger of pino's shape; pino itself is one. The four levels are those of a `SluiceError`'s `logLevel`.
 * `child`, where there is one, makes a logger that adds the bindings to each line.
 */
export interface Logger {
  debug(fields: object, message?: string): void;
  info(fields: object, message?: string): void;
  warn(fields: object, message?: string): void;
  error(fields: object, message?: string): void;
  child?(bindings: Record<string, unknown>): Logger;
}

/** @throws ApiMisuse for what is no logger */
export function checkLogger(operation: string, logger: Logger): Logger {
  requireMethods(operation, 'logger', logger, ['debug', 'info', 'warn', 'error'], ['child']);
  return logger;
}

const nothing = (): void => {};

/** Says nothing. */
export const silentLogger: Logger = {
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  child: () => silentLogger,
};

/** `logger.child(bindings)`, or the same with what the logger has: the bindings become fields of each line. */
export function childLogger(logger: Logger, bindings: Record<string, unknown>): Logger {
  if (logger.child !== undefined) return logger.child(bindings);
  return {
    debug: (fields, message) => logger.debug({ ...bindings, ...fields }, message),
    info: (fields, message) => logger.info({ ...bindings, ...fields }, message),
    warn: (fields, message) => logger.warn({ ...bindings, ...fields }, message),
    error: (fields, message) => logger.error({ ...bindings, ...fields }, message),
    child: (more) => childLogger(logger, { ...bindings, ...more }),
  };
}
