import { ApiMisuse, type SluiceErrorCode } from '@sluice/errors';

/*
 * What this package checks of its callers' arguments. Each throws `ApiMisuse` that names the operation and the argument:
 * at the call that is wrong, not later in a turn of the loop, where nobody knows any more whose call it was.
 */

export function misuse(operation: string, message: string, code?: SluiceErrorCode): never {
  throw new ApiMisuse(`${operation}: ${message}`, {
    layer: 'core',
    operation,
    ...(code === undefined ? {} : { code }),
  });
}

/** A value as messages show it: the class of an object, and anything else itself. */
export function nameOf(value: unknown): string {
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object' || value === null) return String(value);
  const maker: unknown = Reflect.get(value, 'constructor');
  return typeof maker === 'function' ? maker.name : 'object';
}

/** A count or position in bytes. */
export function requireCount(operation: string, name: string, value: number): void {
  if (value >= 0 && Number.isSafeInteger(value)) return;
  misuse(operation, `${name} must be an integer of 0 or more, not ${nameOf(value)}; leave it out for the default`);
}

/** A number of something of which there has to be one at least. */
export function requirePositive(operation: string, name: string, value: number | undefined): void {
  if (value === undefined || (value >= 1 && Number.isSafeInteger(value))) return;
  misuse(operation, `${name} must be an integer of 1 or more, not ${nameOf(value)}; leave it out for the default`);
}

/** A time to wait. `Infinity` is one; that it stands there is what makes it one. */
export function requireMs(operation: string, name: string, value: number): void {
  if (typeof value === 'number' && value >= 0) return;
  misuse(operation, `${name} must be a number of milliseconds, 0 or more, not ${nameOf(value)}`);
}

export function requireFunction(operation: string, name: string, value: unknown): void {
  if (typeof value === 'function') return;
  misuse(operation, `${name} must be a function, not ${nameOf(value)}`);
}

/** As `requireFunction`, for what may be left out. */
export function allowFunction(operation: string, name: string, value: unknown): void {
  if (value !== undefined) requireFunction(operation, name, value);
}

/** An object of options, handlers or transforms. */
export function requireObject(operation: string, name: string, value: unknown): void {
  if (typeof value === 'object' && value !== null) return;
  misuse(operation, `${name} must be an object, not ${nameOf(value)}`);
}

/** An object with certain methods, and others that may be left out. */
export function requireMethods(
  operation: string,
  name: string,
  value: object,
  methods: readonly string[],
  optional: readonly string[] = [],
): void {
  requireObject(operation, name, value);
  for (const method of methods) requireFunction(operation, `${name}.${method}`, Reflect.get(value, method));
  for (const method of optional) allowFunction(operation, `${name}.${method}`, Reflect.get(value, method));
}

/** A signal, or none. */
export function requireSignal(operation: string, signal: unknown): void {
  if (signal === undefined || signal instanceof AbortSignal) return;
  misuse(operation, `signal must be an AbortSignal, not ${nameOf(signal)}`);
}

/** A BufferEvent, of whichever copy of this package. */
export function requireConnection(operation: string, value: unknown): void {
  const isOne = typeof value === 'object' && value !== null && 'input' in value && 'output' in value && 'loop' in value;
  if (!isOne) misuse(operation, `a BufferEvent is needed, not ${nameOf(value)}`);
}

/** A loop on which something can still happen. */
export function requireOpenLoop(operation: string, loop: { readonly closed: boolean }): void {
  if (typeof loop !== 'object' || loop === null || typeof loop.closed !== 'boolean') {
    misuse(operation, `an EventLoop is needed, not ${nameOf(loop)}`);
  }
  if (loop.closed) {
    misuse(operation, 'the loop was closed, and nothing happens on it any more', 'SLUICE_CORE_LOOP_CLOSED');
  }
}

const HANDLERS = ['open', 'connected', 'data', 'drained', 'end', 'timeout', 'closed'] as const;

/** An object of handlers, each of which may be left out. */
export function requireHandlers(operation: string, handlers: object): void {
  requireMethods(operation, 'handlers', handlers, [], HANDLERS);
}
