import { appendSplit } from './append-text.ts';
import { packCode } from './code.ts';
import { copyEntry, createEntry, DataFlag, type ErrorEntry, type ErrorEntryInit, withData } from './error-entry.ts';
import { ApiMisuse } from './sluice-error.ts';
import { cutUtf8 } from './utf8.ts';

/** Slots of the ring; one is always free, so that full and empty differ. OpenSSL's `ERR_NUM_ERRORS`. */
export const STACK_SLOTS = 16;

/** Entries that the stack can hold; raising more drops the oldest. */
export const STACK_ENTRIES_MAX: number = STACK_SLOTS - 1;

/** Details that `raiseData` keeps, in bytes of UTF-8: enough for a sentence, whatever a peer makes of it. OpenSSL's number. */
export const RAISED_DATA_BYTES_MAX = 1023;

/** Brackets open at once. Code nests a few deep; more means that brackets are opened and never closed. */
export const OPEN_BRACKETS_MAX = 64;

/** A place in the stack's history, from `open`. To be handed back to `discard`, `keep` or `take`, once. */
export type Bracket = number;

const TEXT_FLAGS = DataFlag.owned | DataFlag.text;

const CURRENT = Symbol.for('@sluice/errors.current-stack.1');

/**
 * The stack of errors of one thread. OpenSSL's word is stack, but it is read as a queue: `get` gives the oldest first.
 *
 * A ring of 16 slots that holds 15 entries; when it is full the oldest makes room. Marks are counters on entries, brackets
 * are sequence numbers: a mark goes when its entry does, as OpenSSL's do, a bracket does not.
 */
export class ErrorStack {
  readonly #entries: (ErrorEntry | undefined)[] = Array.from({ length: STACK_SLOTS });
  readonly #marks = new Uint32Array(STACK_SLOTS);
  readonly #hidden = new Uint8Array(STACK_SLOTS);
  readonly #sequence = new Float64Array(STACK_SLOTS);
  #top = 0;
  #bottom = 0;
  #nextSequence = 1;
  #dropped = 0;
  readonly #open: number[] = [];
  readonly #openDropped: number[] = [];

  /**
   * The calling thread's own stack: one per worker, and one for all copies of this package in it.
   *
   * It is kept on `globalThis`, under a registered symbol with a version in its name, because a variable of this module
   * would be two variables when two copies of the package are loaded. The version counts changes of the stack's methods.
   */
  static current(): ErrorStack {
    const present: unknown = Reflect.get(globalThis, CURRENT);
    if (isErrorStack(present)) return present;
    const stack = new ErrorStack();
    Object.defineProperty(globalThis, CURRENT, { value: stack });
    return stack;
  }

  /** Entries on the stack. */
  get length(): number {
    this.#sweep();
    let length = 0;
    for (let slot = this.#top; slot !== this.#bottom; slot = previous(slot)) length += this.#isHidden(slot) ? 0 : 1;
    return length;
  }

  /** Entries that were lost, ever, because newer ones needed their room. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Puts an entry on top; the stack keeps a copy of its own. */
  raise(entry: ErrorEntry | ErrorEntryInit): void {
    this.#push(createEntry(entry));
  }

  /**
   * Puts an entry with details of its one case on top.
   *
   * @param data cut to 1023 bytes of UTF-8, as OpenSSL's `ERR_raise_data` cuts it
   */
  raiseData(
    library: number,
    reason: number,
    data: string,
    where: Pick<ErrorEntryInit, 'func' | 'file' | 'line'> = {},
  ): void {
    this.raise({
      ...where,
      code: packCode(library, reason),
      data: cutUtf8(data, RAISED_DATA_BYTES_MAX),
      flags: TEXT_FLAGS,
    });
  }

  /** Removes and returns the oldest entry; `undefined` when there is none. */
  get(): ErrorEntry | undefined {
    this.#sweep();
    if (this.#top === this.#bottom) return undefined;
    this.#bottom = next(this.#bottom);
    const entry = this.#entries[this.#bottom];
    this.#entries[this.#bottom] = undefined;
    return entry;
  }

  /** A copy of the oldest entry. */
  peek(): ErrorEntry | undefined {
    this.#sweep();
    return this.#top === this.#bottom ? undefined : this.#copy(next(this.#bottom));
  }

  /** A copy of the newest entry. */
  peekLast(): ErrorEntry | undefined {
    this.#sweep();
    return this.#top === this.#bottom ? undefined : this.#copy(this.#top);
  }

  /** Removes the newest entry; false when there was none. */
  pop(): boolean {
    if (this.#top === this.#bottom) return false;
    this.#dropTop();
    return true;
  }

  /** Empties the stack; marks go with their entries. */
  clear(): void {
    while (this.#top !== this.#bottom) this.#dropTop();
    this.#top = 0;
    this.#bottom = 0;
  }

  /** Copies of all entries, oldest first. */
  toArray(): ErrorEntry[] {
    this.#sweep();
    const entries: ErrorEntry[] = [];
    for (let slot = this.#bottom; slot !== this.#top; ) {
      slot = next(slot);
      const entry = this.#isHidden(slot) ? undefined : this.#copy(slot);
      if (entry !== undefined) entries.push(entry);
    }
    return entries;
  }

  /** Marks the newest entry, once more if it is marked already; false on an empty stack, which has nothing to mark. */
  setMark(): boolean {
    if (this.#top === this.#bottom) return false;
    this.#marks[this.#top] = this.#markOf(this.#top) + 1;
    return true;
  }

  /** Removes the entries above the last mark, and the mark. False when there was none: then all entries are gone. */
  popToMark(): boolean {
    while (this.#top !== this.#bottom && this.#markOf(this.#top) === 0) this.#dropTop();
    return this.#unmark(this.#top);
  }

  /** Takes the last mark away and leaves the entries; false when there was none. */
  clearLastMark(): boolean {
    return this.#unmark(this.#lastMarked());
  }

  /** Entries above the last mark; all of them when there is no mark. */
  countToMark(): number {
    return this.#distance(this.#top) - this.#distance(this.#lastMarked());
  }

  /** Removes and returns the entries above the last mark, oldest first; all when there is no mark, which stays. */
  takeToMark(): ErrorEntry[] {
    return this.#takeWhile(() => this.#markOf(this.#top) === 0);
  }

  /** Appends to the text of the newest entry, in place of what else it had; false on an empty stack. */
  appendData(...parts: readonly string[]): boolean {
    const entry = this.#entries[this.#top];
    if (this.#top === this.#bottom || entry === undefined) return false;
    // Text that the entry does not own stays as it is: OpenSSL begins anew then.
    const data = (entry.flags & TEXT_FLAGS) === TEXT_FLAGS && typeof entry.data === 'string' ? entry.data : '';
    this.#entries[this.#top] = withData(entry, data + parts.join(''));
    return true;
  }

  /**
   * Appends a long text, split at `separator` over as many entries of the same code as it takes; on an empty stack it
   * first raises an entry of no library.
   */
  appendText(separator: string, text: string): void {
    appendSplit(this, separator, text);
  }

  /**
   * Hides the newest entry: no reader sees it and it is never copied, but it keeps its slot until a reader passes by.
   * What OpenSSL does where removing an entry at once would tell an observer of time which way a secret went.
   */
  hideLast(): void {
    if (this.#top !== this.#bottom) this.#hidden[this.#top] = 1;
  }

  /**
   * Back to the beginning: no entries, and no brackets, which code that threw may have left open. For an event loop to
   * call between turns, when no operation is under way.
   *
   * @returns how many brackets were open; more than 0 is a bug of whoever opened them
   */
  reset(): number {
    const open = this.#open.length;
    this.#open.length = 0;
    this.#openDropped.length = 0;
    this.clear();
    return open;
  }

  /** Begins a bracket: what is raised from now on is told apart from what was there. */
  open(): Bracket {
    if (this.#open.length >= OPEN_BRACKETS_MAX) {
      throw misuse('open', `${OPEN_BRACKETS_MAX} brackets are open already: close each with discard, keep or take`);
    }
    const bracket = this.#nextSequence++;
    this.#open.push(bracket);
    this.#openDropped.push(0);
    return bracket;
  }

  /** Ends a bracket and forgets what was raised in it. */
  discard(bracket: Bracket): void {
    this.#close(bracket, 'discard');
    while (this.#topIsOf(bracket)) this.#dropTop();
  }

  /** Ends a bracket and leaves what was raised in it on the stack. */
  keep(bracket: Bracket): void {
    this.#close(bracket, 'keep');
  }

  /** Ends a bracket and removes and returns what was raised in it, oldest first: the newest 15 of them. */
  take(bracket: Bracket): ErrorEntry[] {
    this.#close(bracket, 'take');
    return this.#takeWhile(() => this.#topIsOf(bracket));
  }

  /** Entries raised in an open bracket and lost to newer ones. */
  droppedIn(bracket: Bracket): number {
    return this.#openDropped[this.#positionOf(bracket, 'droppedIn')] ?? 0;
  }

  /** Whether a bracket is not closed yet. */
  isOpen(bracket: Bracket): boolean {
    return this.#open.includes(bracket);
  }

  /** Brackets that are open. */
  get openBrackets(): number {
    return this.#open.length;
  }

  #push(entry: ErrorEntry): void {
    this.#top = next(this.#top);
    if (this.#top === this.#bottom) this.#overflow();
    this.#entries[this.#top] = entry;
    this.#marks[this.#top] = 0;
    this.#hidden[this.#top] = 0;
    this.#sequence[this.#top] = this.#nextSequence++;
  }

  #overflow(): void {
    this.#bottom = next(this.#bottom);
    this.#entries[this.#bottom] = undefined;
    this.#dropped++;
    const lost = this.#sequence[this.#bottom] ?? 0;
    for (const [position, bracket] of this.#open.entries()) {
      if (bracket < lost) this.#openDropped[position] = (this.#openDropped[position] ?? 0) + 1;
    }
  }

  #dropTop(): void {
    this.#entries[this.#top] = undefined;
    this.#marks[this.#top] = 0;
    this.#hidden[this.#top] = 0;
    this.#top = previous(this.#top);
  }

  /** Removes entries from the top as long as the condition holds of the one there. */
  #takeWhile(condition: () => boolean): ErrorEntry[] {
    const taken: ErrorEntry[] = [];
    while (this.#top !== this.#bottom && condition()) {
      const entry = this.#entries[this.#top];
      if (entry !== undefined && !this.#isHidden(this.#top)) taken.push(entry);
      this.#dropTop();
    }
    return taken.toReversed();
  }

  /** Removes hidden entries at both ends, as a reader does before it looks. */
  #sweep(): void {
    while (this.#top !== this.#bottom) {
      if (this.#isHidden(this.#top)) {
        this.#dropTop();
      } else if (this.#isHidden(next(this.#bottom))) {
        this.#bottom = next(this.#bottom);
        this.#entries[this.#bottom] = undefined;
      } else {
        return;
      }
    }
  }

  #copy(slot: number): ErrorEntry | undefined {
    const entry = this.#entries[slot];
    return entry === undefined ? undefined : copyEntry(entry);
  }

  #isHidden(slot: number): boolean {
    return this.#hidden[slot] === 1;
  }

  #markOf(slot: number): number {
    return this.#marks[slot] ?? 0;
  }

  /** The slot of the newest marked entry; the bottom when there is none. */
  #lastMarked(): number {
    let slot = this.#top;
    while (slot !== this.#bottom && this.#markOf(slot) === 0) slot = previous(slot);
    return slot;
  }

  #unmark(slot: number): boolean {
    if (slot === this.#bottom) return false;
    this.#marks[slot] = this.#markOf(slot) - 1;
    return true;
  }

  #distance(slot: number): number {
    return (slot - this.#bottom + STACK_SLOTS) % STACK_SLOTS;
  }

  #topIsOf(bracket: Bracket): boolean {
    return this.#top !== this.#bottom && (this.#sequence[this.#top] ?? 0) > bracket;
  }

  /** Closes the bracket, and those left open inside it. */
  #close(bracket: Bracket, operation: string): void {
    const position = this.#positionOf(bracket, operation);
    // Popping is many times faster than setting the length.
    while (this.#open.length > position) {
      this.#open.pop();
      this.#openDropped.pop();
    }
  }

  #positionOf(bracket: Bracket, operation: string): number {
    let position = this.#open.length - 1;
    while (position >= 0 && this.#open[position] !== bracket) position--;
    if (position < 0)
      throw misuse(operation, 'the bracket is not open: close each bracket of open() once, inner first');
    return position;
  }
}

/** By what it can do, not by its class: it may be of another copy of this package. */
function isErrorStack(value: unknown): value is ErrorStack {
  return typeof value === 'object' && value !== null && 'takeToMark' in value;
}

function next(slot: number): number {
  return (slot + 1) % STACK_SLOTS;
}

function previous(slot: number): number {
  return slot > 0 ? slot - 1 : STACK_SLOTS - 1;
}

function misuse(operation: string, message: string): ApiMisuse {
  return new ApiMisuse(`ErrorStack.${operation}: ${message}`, {
    layer: 'errors',
    operation: `ErrorStack.${operation}`,
  });
}
