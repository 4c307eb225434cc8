import { inspect } from 'node:util';
import type { CloseInfo } from './close-info.ts';
import type { Direction, EndKind } from './end.ts';
import { copyEntries, type ErrorEntry } from './error-entry.ts';
import { formatEntry, inspectError, jsonOfEntry } from './format.ts';
import { defaultNames, type NameSource } from './names.ts';

/** Which part of the system says so. */
export type Layer = 'errors' | 'native' | 'core' | 'tls' | 'quic' | 'system' | 'application';

/** Whose doing it was: this program's, the peer's, or that of the system between them. */
export type Blame = 'local' | 'remote' | 'system';

/** What to do about it: try again later, give the connection up, or change the program or its configuration. */
export type Remedy = 'retry' | 'close' | 'fix';

/** `SLUICE_<LAYER>_<WHAT>`. */
export type SluiceErrorCode = `SLUICE_${string}`;

/** How loudly a log should say it. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface SluiceErrorOptions {
  code: SluiceErrorCode;
  layer: Layer;
  /** The operation that failed, as its caller would name it: 'read', 'accept', 'tls handshake'. */
  operation: string;
  blame: Blame;
  remedy: Remedy;
  /** What happened underneath, oldest first; copied. */
  entries?: readonly ErrorEntry[] | undefined;
  cause?: unknown;
  /** Default: `info` when the peer is to blame, as nobody here can mend that; else `error`. */
  logLevel?: LogLevel | undefined;
  /** How the connection ended by it, and in which direction; absent when it goes on. */
  end?: EndKind | undefined;
  direction?: Direction | undefined;
  closeInfo?: CloseInfo | undefined;
  /** Names for the entries' codes in texts; by default the built-in table. */
  names?: NameSource | undefined;
}

/** A `SluiceError` as plain values, for a log or another thread. */
export interface SluiceErrorJson {
  name: string;
  message: string;
  code: string;
  layer: Layer;
  operation: string;
  blame: Blame;
  remedy: Remedy;
  logLevel: LogLevel;
  end?: EndKind;
  direction?: Direction;
  closeInfo?: { code: string; frameType: string; reason: string; remote: boolean; transport: boolean };
  entries: { code: string; text: string; func: string; file: string; line: number; data: string }[];
  cause?: unknown;
}

const KIND = Symbol.for('@sluice/errors.kind');
const INSPECT = Symbol.for('nodejs.util.inspect.custom');

/**
 * Whatever Sluice fails with. Its kinds are told apart with `instanceof`, which also knows the errors of another copy of
 * this package, and its cases by `code`.
 */
export class SluiceError extends Error {
  static {
    declareKind(SluiceError, 'SluiceError');
    Object.defineProperty(SluiceError.prototype, INSPECT, { value: inspectSluiceError });
  }

  readonly code: SluiceErrorCode;
  readonly layer: Layer;
  readonly operation: string;
  readonly blame: Blame;
  readonly remedy: Remedy;
  readonly logLevel: LogLevel;
  readonly entries: readonly ErrorEntry[];
  declare readonly end?: EndKind;
  declare readonly direction?: Direction;
  declare readonly closeInfo?: CloseInfo;
  readonly #names: NameSource;

  constructor(message: string, options: SluiceErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code;
    this.layer = options.layer;
    this.operation = options.operation;
    this.blame = options.blame;
    this.remedy = options.remedy;
    this.logLevel = options.logLevel ?? (options.blame === 'remote' ? 'info' : 'error');
    this.entries = copyEntries(options.entries ?? []);
    this.#names = options.names ?? defaultNames;
    if (options.end !== undefined) this.end = options.end;
    if (options.direction !== undefined) this.direction = options.direction;
    if (options.closeInfo !== undefined) this.closeInfo = { ...options.closeInfo };
  }

  /** True for any error of the class's kind, whichever copy of the package made it. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    const kind: unknown = Object.hasOwn(this, KIND) ? Reflect.get(this, KIND) : undefined;
    if (typeof kind !== 'symbol') return Function.prototype[Symbol.hasInstance].call(this, value);
    return typeof value === 'object' && value !== null && Reflect.get(value, kind) === true;
  }

  /** One line: `TlsError: message (code)`. */
  override toString(): string {
    return `${this.name}: ${this.message} (${this.code})`;
  }

  /** Plain values only: no stack trace, 64-bit numbers as decimal text, bytes as hex. */
  toJSON(): SluiceErrorJson {
    const { closeInfo: close } = this;
    return {
      name: this.name,
      message: this.message,
      code: this.code,
      layer: this.layer,
      operation: this.operation,
      blame: this.blame,
      remedy: this.remedy,
      logLevel: this.logLevel,
      ...(this.end === undefined ? {} : { end: this.end }),
      ...(this.direction === undefined ? {} : { direction: this.direction }),
      ...(close === undefined
        ? {}
        : { closeInfo: { ...close, code: String(close.code), frameType: String(close.frameType) } }),
      entries: this.entries.map((entry) => jsonOfEntry(entry, this.#names)),
      ...(this.cause === undefined ? {} : { cause: jsonOfCause(this.cause) }),
    };
  }

  /** The entries as text, oldest first, one line each. */
  describeEntries(): string[] {
    return this.entries.map((entry) => formatEntry(entry, this.#names));
  }
}

/** The operating system refused. */
export class SystemError extends SluiceError {
  static {
    declareKind(SystemError, 'SystemError');
  }

  /** The error's name: 'ECONNRESET'. */
  readonly errno: string;
  /** The system call that failed, '' when unknown. */
  readonly syscall: string;

  constructor(message: string, options: SluiceErrorOptions & { errno: string; syscall?: string | undefined }) {
    super(message, options);
    this.errno = options.errno;
    this.syscall = options.syscall ?? '';
  }

  override toJSON(): SluiceErrorJson & { errno: string; syscall: string } {
    return { ...super.toJSON(), errno: this.errno, syscall: this.syscall };
  }
}

/** TLS failed: in the handshake, in a record, or in the context's configuration. */
export class TlsError extends SluiceError {
  static {
    declareKind(TlsError, 'TlsError');
  }
}

/** QUIC failed: a channel or one of its streams. */
export class QuicError extends SluiceError {
  static {
    declareKind(QuicError, 'QuicError');
  }
}

/** A limit on size or number was met; the message names it and how to raise it. */
export class LimitError extends SluiceError {
  static {
    declareKind(LimitError, 'LimitError');
  }
}

/** A limit on time ran out. */
export class TimeoutError extends SluiceError {
  static {
    declareKind(TimeoutError, 'TimeoutError');
  }
}

/** This side gave the operation up, by an `AbortSignal` or by closing what it ran on. */
export class AbortedError extends SluiceError {
  static {
    declareKind(AbortedError, 'AbortedError');
  }
}

/** This machine cannot do it: the wrong runtime, OpenSSL, or platform. */
export class UnsupportedError extends SluiceError {
  static {
    declareKind(UnsupportedError, 'UnsupportedError');
  }
}

/** The caller broke the rules of a function: a bug in the calling program, never a peer's fault. */
export class ApiMisuse extends SluiceError {
  static {
    declareKind(ApiMisuse, 'ApiMisuse');
  }

  /**
   * @param message what was wrong with the call, and what to do instead
   * @param where the layer whose rule it was, and the function called; the blame is always this program's
   */
  constructor(message: string, where: Partial<SluiceErrorOptions> & Pick<SluiceErrorOptions, 'layer' | 'operation'>) {
    const { code = `SLUICE_${where.layer.toUpperCase()}_API_MISUSE` } = where;
    super(message, { ...where, code, blame: 'local', remedy: 'fix' });
  }
}

/** Gives a class its name, and the mark by which every copy of this package knows its errors. */
function declareKind(errorClass: { prototype: object }, name: string): void {
  const kind = Symbol.for(`@sluice/errors.${name}`);
  Object.defineProperty(errorClass, KIND, { value: kind });
  Object.defineProperty(errorClass.prototype, kind, { value: true });
  Object.defineProperty(errorClass.prototype, 'name', { value: name, writable: true, configurable: true });
}

/** The many-line form that `console.log` and `util.inspect` show. */
function inspectSluiceError(
  this: SluiceError,
  depth: number,
  options: object,
  inspectValue?: (value: unknown, options: object) => string,
): string {
  const cause = this.cause === undefined || depth < 0 ? undefined : inspectValue?.(this.cause, options);
  return inspectError(this, this.describeEntries(), cause);
}

/** Causes of causes that are told. A chain that is longer, or that bites its own tail, ends there. */
const CAUSES_MAX = 8;
let causesTold = 0;

function jsonOfCause(cause: unknown): unknown {
  if (causesTold >= CAUSES_MAX) return 'and so on';
  causesTold++;
  try {
    if (cause instanceof SluiceError) return cause.toJSON();
    return cause instanceof Error ? jsonOfError(cause) : plain(cause);
  } finally {
    causesTold--;
  }
}

function jsonOfError(error: Error): unknown {
  const code: unknown = Reflect.get(error, 'code');
  return {
    name: error.name,
    message: error.message,
    ...(typeof code === 'string' ? { code } : {}),
    ...(error.cause === undefined ? {} : { cause: jsonOfCause(error.cause) }),
  };
}

/** What was thrown and is no error, if JSON has a form for it, or else as text: a log must not fail by it. */
function plain(thrown: unknown): unknown {
  try {
    if (JSON.stringify(thrown) !== undefined) return thrown;
  } catch {
    // A bigint, or what refers to itself.
  }
  return inspect(thrown);
}
