import { map, type Observable, ReplaySubject } from 'rxjs';
import { causeOf, classify } from './classify.ts';
import type { CloseInfo } from './close-info.ts';
import { classifyClose, describeClose } from './close-verdict.ts';
import { CONNECTION_TERMINATED, Library, packCode } from './code.ts';
import type { Direction, EndKind } from './end.ts';
import { copyEntries, createEntry, type ErrorEntry, type ErrorEntryInit } from './error-entry.ts';
import { type Bracket, ErrorStack, STACK_ENTRIES_MAX } from './error-stack.ts';
import type { LastResult, NetworkFate, ResultKind } from './last-result.ts';
import { type ErrorContext, errorFromEntries, join } from './make-error.ts';
import type { NameSource } from './names.ts';
import { classifyQuicClose, quicCodeName } from './quic-close.ts';
import type { Layer, SluiceError } from './sluice-error.ts';
import { sslReasons } from './ssl-reasons.ts';

export interface ChannelErrorStackOptions {
  /** The layer that speaks in the reports; by default 'core'. */
  layer?: Layer;
  /** The thread's stack that operations raise on; by default `ErrorStack.current()`. */
  stack?: ErrorStack;
  /** Names of libraries and reasons for the reports' texts. */
  names?: NameSource;
  /** Runs a task that calls users, outside their calls and in order; by default `queueMicrotask`. */
  deliver?: (task: () => void) => void;
  /** Told of errors that somebody had left on the thread's stack before an operation, once for each find. */
  onStaleErrors?: (entries: readonly ErrorEntry[]) => void;
}

/** What is known of a permanent failure besides its entries. What is given outranks what the entries say. */
export interface FailOptions extends Omit<ErrorContext, 'layer' | 'names'> {
  layer?: Layer;
  /** An entry that covers the others: what the channel was doing, and what it made of them. */
  cover?: ErrorEntryInit;
  /** The network under the channel failed: every last result of it is 'syscall' from now on. */
  network?: boolean;
  /** Entries lost before these. */
  droppedEntries?: number;
}

/** How a channel ended, all told. */
export interface ChannelClosed {
  end: EndKind;
  direction: Direction;
  closeInfo?: CloseInfo;
  /** The report, when it did not end cleanly. */
  error?: SluiceError;
}

type Failure = ErrorContext & { operation: string };

/**
 * Why one channel (a connection, with all its streams) died.
 *
 * The first permanent error wins and is moved in here; later ones are counted. From then on every operation on the channel
 * or on any stream of it gets a report: a copy of its own, ending in CONNECTION_TERMINATED, the same as often as it asks.
 * It cannot be cleared. Errors that only concern one stream, or that pass, never come here.
 */
export class ChannelErrorStack implements NetworkFate {
  readonly #layer: Layer;
  readonly #stack: ErrorStack;
  readonly #names: NameSource | undefined;
  readonly #deliver: (task: () => void) => void;
  readonly #onStaleErrors: ((entries: readonly ErrorEntry[]) => void) | undefined;
  #entries: readonly ErrorEntry[] = [];
  #failure: Failure | undefined;
  #closed: ChannelClosed | undefined;
  #networkFailed = false;
  #suppressedErrors = 0;
  #staleErrors = 0;
  #droppedEntries = 0;
  #failedSubject: ReplaySubject<void> | undefined;
  #closedSubject: ReplaySubject<void> | undefined;

  constructor(options: ChannelErrorStackOptions = {}) {
    this.#layer = options.layer ?? 'core';
    this.#stack = options.stack ?? ErrorStack.current();
    this.#names = options.names;
    this.#deliver = options.deliver ?? queueMicrotask;
    this.#onStaleErrors = options.onStaleErrors;
  }

  /** Whether operations fail now, each with `report`. */
  get failed(): boolean {
    return this.#failure !== undefined;
  }

  /** Whether `close` was called. */
  get closed(): boolean {
    return this.#closed !== undefined;
  }

  /** Whether it was the network under the channel that failed. */
  get networkFailed(): boolean {
    return this.#networkFailed;
  }

  /** Copies of the entries that the failure left, oldest first; none for an end that raised none. */
  get entries(): ErrorEntry[] {
    return copyEntries(this.#entries);
  }

  get closeInfo(): CloseInfo | undefined {
    return this.#failure?.closeInfo;
  }

  /** Permanent errors that came after the first. */
  get suppressedErrors(): number {
    return this.#suppressedErrors;
  }

  /** Errors that somebody else had left before operations of this channel. */
  get staleErrors(): number {
    return this.#staleErrors;
  }

  /** Entries of the failure that were lost because too many were raised. */
  get droppedEntries(): number {
    return this.#droppedEntries;
  }

  /** Emits the report once, when the channel fails, then completes; a late subscriber gets it at once, and its own copy. */
  get failed$(): Observable<SluiceError> {
    this.#failedSubject ??= replaying(this.failed, this.failed || this.closed);
    return this.#failedSubject.pipe(map(() => this.report(this.#operation())));
  }

  /** Emits once, when the channel is closed, then completes; a late subscriber gets it at once, and its own copy. */
  get closed$(): Observable<ChannelClosed> {
    this.#closedSubject ??= replaying(this.closed, this.closed);
    return this.#closedSubject.pipe(map(() => this.#closing()));
  }

  /**
   * The channel fails for good.
   *
   * @param entries what happened, oldest first; copied. At most the newest 15 are kept; a final entry that only says that
   *   the channel has ended is left out, as every report adds one.
   * @returns whether this failure is the one that counts; false when the channel had failed before
   */
  fail(entries: readonly ErrorEntry[], options: FailOptions): boolean {
    if (this.#failure !== undefined) {
      this.#suppressedErrors++;
      return false;
    }
    const { cover, network, droppedEntries = 0, layer = this.#layer, ...context } = options;
    const own = withoutLetters(entries);
    const kept = copyEntries(own.slice(-STACK_ENTRIES_MAX));
    this.#entries = cover === undefined ? kept : [...kept, createEntry(cover)];
    this.#droppedEntries = droppedEntries + own.length - kept.length;
    this.#networkFailed = network ?? false;
    this.#settle({ ...context, layer, names: this.#names });
    return true;
  }

  /**
   * The channel ends in a way that raised no entry: closed by either side, timed out, reset. Its report is the final
   * entry alone, with the close info beside it.
   *
   * @returns whether this end is the one that counts
   */
  closeWith(closeInfo: CloseInfo, options: Partial<FailOptions> = {}): boolean {
    const operation = options.operation ?? 'connection';
    const verdict = this.#layer === 'quic' ? classifyQuicClose(closeInfo) : classifyClose(closeInfo);
    return this.fail([], { verdict, ...options, operation, closeInfo });
  }

  /**
   * What an operation on the failed channel, or on a stream of it, fails with: a deep copy of all entries, ended by
   * CONNECTION_TERMINATED.
   *
   * @param operation what failed now, as its caller would name it
   */
  report(operation: string): SluiceError {
    const failure = this.#failure ?? { layer: this.#layer, operation, names: this.#names };
    const entries = [...this.#entries, LETTER];
    const message = failure.message ?? this.#closeMessage(operation, failure);
    return errorFromEntries(entries, { ...failure, operation, message });
  }

  /** The channel is gone. Its entries stay, for whoever still asks. Idempotent. */
  close(how: { end?: EndKind; direction?: Direction } = {}): void {
    if (this.#closed !== undefined) return;
    const { end = this.#failure === undefined ? 'end' : this.#end(), direction = 'both' } = how;
    this.#closed = { end, direction };
    const failedSubject = this.failed ? undefined : this.#failedSubject;
    const closedSubject = this.#closedSubject;
    if (failedSubject !== undefined) this.#deliver(() => failedSubject.complete());
    if (closedSubject !== undefined) this.#deliver(() => emit(closedSubject));
  }

  /**
   * Runs an operation in a bracket of its own (`begin`). The work closes it with `settle`, `streamError` or `failFrom`; what
   * it leaves open, because nothing happened or because it threw, is closed behind it, and what was raised in it passes.
   *
   * @returns what the work does
   */
  operate<T>(work: (bracket: Bracket) => T, result?: LastResult): T {
    const bracket = this.begin(result);
    try {
      return work(bracket);
    } finally {
      if (this.#stack.isOpen(bracket)) this.#stack.discard(bracket);
    }
  }

  /**
   * An operation begins: errors that somebody left on the thread's stack are cleared away, so that they cannot be taken
   * for its own, and a bracket is opened. Inside another operation's bracket nothing is cleared; that one's errors stay.
   * Whatever happens the bracket must be closed: `operate` sees to it.
   */
  begin(result?: LastResult): Bracket {
    if (this.#stack.openBrackets === 0 && this.#stack.length > 0) this.#clearStale();
    result?.start();
    return this.#stack.open();
  }

  /** The operation came to nothing permanent: what was raised in it passes, and only the result remembers. */
  settle(bracket: Bracket, result?: LastResult, kind: ResultKind = 'none'): void {
    this.#stack.discard(bracket);
    result?.set(kind);
  }

  /** The operation failed for this one stream: its error goes to the caller alone. */
  streamError(bracket: Bracket, context: Omit<ErrorContext, 'layer'>, result?: LastResult): SluiceError {
    result?.set('ssl');
    return errorFromEntries(this.#stack.take(bracket), { layer: this.#layer, names: this.#names, ...context });
  }

  /** The operation failed for the whole channel: what was raised in it is moved in here. See `fail`. */
  failFrom(bracket: Bracket, options: FailOptions): boolean {
    const droppedEntries = this.#stack.droppedIn(bracket);
    return this.fail(this.#stack.take(bracket), { droppedEntries, ...options });
  }

  /** Counts stale errors that native code found and dropped before a call. */
  addStaleErrors(count: number): void {
    this.#staleErrors += count;
  }

  #settle(failure: Failure): void {
    this.#failure = failure;
    const subject = this.#failedSubject;
    if (subject !== undefined) this.#deliver(() => emit(subject));
  }

  #clearStale(): void {
    const stale = this.#stack.toArray();
    this.#stack.clear();
    this.#staleErrors += stale.length;
    const hook = this.#onStaleErrors;
    if (hook !== undefined) this.#deliver(() => hook(stale));
  }

  #operation(): string {
    return this.#failure?.operation ?? 'connection';
  }

  #end(): EndKind {
    const cause = causeOf(this.#entries);
    const verdict = this.#failure?.verdict ?? (cause === undefined ? undefined : classify(cause));
    return this.#failure?.end ?? verdict?.end ?? 'failed';
  }

  #closing(): ChannelClosed {
    const { end, direction } = this.#closed ?? { end: this.#end(), direction: 'both' };
    return {
      end,
      direction,
      ...(this.closeInfo === undefined ? {} : { closeInfo: this.closeInfo }),
      ...(this.failed && end !== 'end' ? { error: this.report(this.#operation()) } : {}),
    };
  }

  #closeMessage(operation: string, failure: Failure): string | undefined {
    const { closeInfo, verdict } = failure;
    if (closeInfo === undefined || verdict === undefined) return undefined;
    const name = this.#layer === 'quic' && closeInfo.transport ? quicCodeName(closeInfo.code) : '';
    return join(operation, verdict, describeClose(closeInfo, name));
  }
}

/** The last entry of every report. */
const LETTER: ErrorEntry = createEntry({ code: CONNECTION_TERMINATED });

/** OpenSSL's own last entry of a QUIC list, which says the same. */
const OPENSSL_LETTER = packCode(Library.ssl, sslReasons.protocolIsShutdown[0]);

function withoutLetters(entries: readonly ErrorEntry[]): readonly ErrorEntry[] {
  let length = entries.length;
  while (length > 0) {
    const code = entries[length - 1]?.code;
    if (code !== LETTER.code && code !== OPENSSL_LETTER) break;
    length--;
  }
  return length === entries.length ? entries : entries.slice(0, length);
}

/** A subject that remembers what has already happened. */
function replaying(happened: boolean, over: boolean): ReplaySubject<void> {
  const subject = new ReplaySubject<void>(1);
  if (happened) subject.next();
  if (over) subject.complete();
  return subject;
}

function emit(subject: ReplaySubject<void>): void {
  subject.next();
  subject.complete();
}
