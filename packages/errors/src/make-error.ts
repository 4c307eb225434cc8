import { causeOf, classify } from './classify.ts';
import type { CloseInfo } from './close-info.ts';
import { Library, systemCode } from './code.ts';
import type { Direction, EndKind } from './end.ts';
import { createEntry, type ErrorEntry } from './error-entry.ts';
import { dataText } from './format.ts';
import { defaultNames, type NameSource } from './names.ts';
import {
  AbortedError,
  ApiMisuse,
  type Blame,
  type Layer,
  LimitError,
  type LogLevel,
  QuicError,
  type Remedy,
  SluiceError,
  type SluiceErrorCode,
  type SluiceErrorOptions,
  SystemError,
  TimeoutError,
  TlsError,
  UnsupportedError,
} from './sluice-error.ts';
import { systemErrorMessage, systemErrorName, systemErrorNumber } from './system-errors.ts';
import { systemVerdict } from './system-verdicts.ts';
import { type Verdict, verdicts } from './verdicts.ts';

/** The class of an error, by its name. */
export type ErrorKind =
  | 'SluiceError'
  | 'SystemError'
  | 'TlsError'
  | 'QuicError'
  | 'LimitError'
  | 'TimeoutError'
  | 'AbortedError'
  | 'UnsupportedError'
  | 'ApiMisuse';

/** What the maker of an error knows besides the entries. What is given here outranks the table. */
export interface ErrorContext {
  layer: Layer;
  /** The operation that failed, as its caller would name it; begins the message. */
  operation: string;
  /** What the operation was about, for the message: an address, a path, a name. */
  subject?: string | undefined;
  /** The last part of the code. */
  what?: string | undefined;
  /** The whole code, in place of one made of `layer` and `what`. */
  code?: SluiceErrorCode | undefined;
  blame?: Blame | undefined;
  remedy?: Remedy | undefined;
  logLevel?: LogLevel | undefined;
  end?: EndKind | undefined;
  direction?: Direction | undefined;
  closeInfo?: CloseInfo | undefined;
  /** What else led to it; becomes the error's `cause`. */
  cause?: unknown;
  /** The verdict, in place of what the entries say. */
  verdict?: Verdict | undefined;
  /** The whole message, in place of what the table says. */
  message?: string | undefined;
  /** By default what the cause says, the end, and the layer, in this order. */
  kind?: ErrorKind | undefined;
  /** Of a system error: its name, and the call that failed; by default what the cause says. */
  errno?: string | undefined;
  syscall?: string | undefined;
  names?: NameSource | undefined;
}

/**
 * The error for a queue of entries. Its cause is picked from the whole queue (`causeOf`), and by that the one table of
 * verdicts gives code, blame, remedy, log level, end and words. A reason that the table does not know comes through whole.
 *
 * @param entries oldest first; copied
 */
export function errorFromEntries(entries: readonly ErrorEntry[], context: ErrorContext): SluiceError {
  const cause = causeOf(entries);
  const verdict = context.verdict ?? (cause === undefined ? verdicts.internal : classify(cause));
  const options = optionsOf(verdict, entries, context);
  const message = context.message ?? sentence(spoken(context), verdict, cause, context.names ?? defaultNames);
  return makeError(message, options, context, cause);
}

/**
 * All that an error says besides its entries, to make another of it: one that says the same, with what the new context
 * changes. A copy's kind is that of this package's class, when the error is of a class of somebody else's.
 */
export function contextOf(error: SluiceError): ErrorContext {
  const { layer, operation, code, blame, remedy, logLevel, end, direction, closeInfo, message, cause, name } = error;
  const system = error instanceof SystemError ? { errno: error.errno, syscall: error.syscall } : {};
  const kind = isKind(name) ? name : undefined;
  return {
    layer,
    operation,
    code,
    blame,
    remedy,
    logLevel,
    end,
    direction,
    closeInfo,
    message,
    cause,
    kind,
    ...system,
  };
}

/**
 * The error for a failed system call.
 *
 * @param errno the number, of either sign (libuv's are negative), or the name
 */
export function errorFromErrno(
  errno: number | string,
  context: Partial<ErrorContext> & { operation: string; syscall?: string | undefined },
): SystemError {
  const name = typeof errno === 'string' ? errno : systemErrorName(errno) || `ERRNO_${Math.abs(errno)}`;
  const number = typeof errno === 'string' ? systemErrorNumber(errno) : Math.abs(errno);
  const verdict = systemVerdict(name);
  const entry = createEntry({ code: systemCode(number), func: context.syscall ?? '' });
  const text = systemErrorMessage(name);
  const message = context.message ?? join(spoken(context), verdict, text === '' ? name : `${name}, ${text}`);
  const { layer = 'system', ...rest } = context;
  const options = optionsOf(verdict, number === 0 ? [] : [entry], { ...rest, layer });
  return new SystemError(message, { ...options, errno: name, syscall: context.syscall });
}

/** `operation failed: what happened (detail). Advice.` */
export function join(operation: string, verdict: Pick<Verdict, 'says' | 'advice'>, detail: string): string {
  const advice = verdict.advice === '' ? '' : `. ${verdict.advice}`;
  return `${operation} failed: ${verdict.says}${detail === '' ? '' : ` (${detail})`}${advice}`;
}

function spoken(context: { operation: string; subject?: string | undefined }): string {
  return context.subject === undefined ? context.operation : `${context.operation} ${context.subject}`;
}

function sentence(operation: string, verdict: Verdict, cause: ErrorEntry | undefined, names: NameSource): string {
  if (cause === undefined) return join(operation, verdict, 'no entry was recorded');
  const reason = names.reason(cause.code) || `reason ${cause.reason} of library ${cause.library}`;
  const data = dataText(cause);
  return join(operation, verdict, data === '' ? reason : `${reason}: ${data}`);
}

function optionsOf(verdict: Verdict, entries: readonly ErrorEntry[], context: ErrorContext): SluiceErrorOptions {
  return {
    code: context.code ?? `SLUICE_${context.layer.toUpperCase()}_${context.what ?? verdict.what}`,
    layer: context.layer,
    operation: context.operation,
    blame: context.blame ?? verdict.blame,
    remedy: context.remedy ?? verdict.remedy,
    logLevel: context.logLevel ?? verdict.logLevel,
    end: context.end ?? verdict.end,
    direction: context.direction,
    closeInfo: context.closeInfo,
    cause: context.cause,
    entries,
    names: context.names,
  };
}

/** All but `SystemError`, which needs more. */
const kinds: Readonly<
  Record<Exclude<ErrorKind, 'SystemError'>, new (message: string, options: SluiceErrorOptions) => SluiceError>
> = {
  SluiceError,
  TlsError,
  QuicError,
  LimitError,
  TimeoutError,
  AbortedError,
  UnsupportedError,
  ApiMisuse,
};

function isKind(name: string): name is ErrorKind {
  return name === 'SystemError' || Object.hasOwn(kinds, name);
}

function makeError(
  message: string,
  options: SluiceErrorOptions,
  context: ErrorContext,
  cause: ErrorEntry | undefined,
): SluiceError {
  const kind = context.kind ?? kindOf(options, cause);
  if (kind !== 'SystemError') return new kinds[kind](message, options);
  const errno = context.errno ?? systemErrorName(cause?.errno ?? 0);
  return new SystemError(message, { ...options, errno, syscall: context.syscall ?? cause?.func });
}

function kindOf(options: SluiceErrorOptions, cause: ErrorEntry | undefined): ErrorKind {
  if (cause?.library === Library.system && options.layer !== 'quic') return 'SystemError';
  if (options.code.endsWith('_API_MISUSE')) return 'ApiMisuse';
  if (options.end === 'timeout') return 'TimeoutError';
  if (options.end === 'aborted' && options.blame === 'local') return 'AbortedError';
  if (options.layer === 'tls') return 'TlsError';
  if (options.layer === 'quic') return 'QuicError';
  return 'SluiceError';
}
