/** Two error queues behind one interface: the model of this package, and the real one of Node's OpenSSL. */
import { nativeQueue } from '../../../native/test/support/native-queue.ts';
import {
  DataFlag,
  defaultNames,
  type ErrorEntry,
  type ErrorState,
  ErrorStack,
  errorString,
  type NameSource,
  namesFrom,
  packCode,
  printErrors,
  restore,
  save,
  saveToMark,
} from '../../src/index.ts';

/** An entry as both queues can tell it. */
export type Entry = readonly [code: number, file: string, line: number, func: string, data: string, flags: number];

/** Where an entry was raised. */
export interface Where {
  file: string;
  line: number;
  func: string;
}

export interface SavedState {
  readonly saved: unknown;
}

export interface Queue {
  readonly name: string;
  raise(code: number, data?: string, where?: Where): void;
  /** Library, reason and details, as `ERR_raise_data` takes them. */
  raiseData(library: number, reason: number, data: string, where?: Where): void;
  /** An entry whose data is not its own (`DataFlag.owned`), or not text (`DataFlag.text`). */
  raiseFlagged(code: number, data: string, flags: number): void;
  get(): Entry | undefined;
  getCode(): number;
  peek(): Entry | undefined;
  peekLast(): Entry | undefined;
  pop(): boolean;
  clear(): void;
  hideLast(): void;
  setMark(): boolean;
  popToMark(): boolean;
  clearLastMark(): boolean;
  countToMark(): number;
  appendData(first: string, second: string): void;
  appendText(separator: string, text: string): void;
  /** undefined when nothing is written. */
  errorString(code: number, bytesMax: number): string | undefined;
  /** Lines without the thread's id. */
  print(linesMax: number): string[];
  /** Into an old state, if there is one, in place of what it holds. */
  save(old?: SavedState): SavedState;
  saveToMark(old?: SavedState): SavedState;
  restore(state: SavedState): void;
  /** The same state, of whose data no copies can be made any more. */
  spoil(state: SavedState): SavedState;
}

/** A fresh queue of each kind. The real one is the thread's, emptied. */
export const queues: readonly (() => Queue)[] = [() => modelQueue(), realQueue];

/** Names as the running OpenSSL has them. */
export const openSslNames: NameSource = namesFrom((code) => {
  const [, library = '', reason = ''] =
    /^error:[0-9A-F]{8}:(.*)::(.*)$/s.exec(nativeQueue.errorStringN(code, 512) ?? '') ?? [];
  return [library, reason];
});

export function modelQueue(names: NameSource = defaultNames): Queue {
  const stack = new ErrorStack();
  return {
    name: 'model',
    raise: (code, data, where) =>
      stack.raise({ code, ...where, ...(data === undefined ? {} : { data, flags: DataFlag.owned | DataFlag.text }) }),
    raiseData: (library, reason, data, where) => stack.raiseData(library, reason, data, where),
    raiseFlagged: (code, data, flags) => stack.raise({ code, data, flags }),
    get: () => asEntry(stack.get()),
    getCode: () => stack.get()?.code ?? 0,
    peek: () => asEntry(stack.peek()),
    peekLast: () => asEntry(stack.peekLast()),
    pop: () => stack.pop(),
    clear: () => stack.clear(),
    hideLast: () => stack.hideLast(),
    setMark: () => stack.setMark(),
    popToMark: () => stack.popToMark(),
    clearLastMark: () => stack.clearLastMark(),
    countToMark: () => stack.countToMark(),
    appendData: (first, second) => {
      stack.appendData(first, second);
    },
    appendText: (separator, text) => stack.appendText(separator, text),
    errorString: (code, bytesMax) => (bytesMax === 0 ? undefined : errorString(code, names, bytesMax)),
    print: (linesMax) => {
      const lines: string[] = [];
      const show = (line: string): boolean => lines.push(line.slice(THREAD.length + 1)) < linesMax;
      printErrors(stack, THREAD, show, names);
      return lines;
    },
    save: () => ({ saved: save(stack) }),
    saveToMark: () => ({ saved: saveToMark(stack) }),
    restore: (state) => restore(stack, state.saved as ErrorState),
    spoil: (state) => ({ saved: spoiled(state.saved as ErrorState) }),
  };
}

/** As long as OpenSSL's: an id of eight bytes in hexadecimal. */
const THREAD = '0123456789ABCDEF';

type NativeSaved = ReturnType<typeof nativeQueue.newState>;

export function realQueue(): Queue {
  const native = nativeQueue;
  native.clear();
  const saved = (old: SavedState | undefined, move: (state: NativeSaved) => void): SavedState => {
    const state = (old?.saved as NativeSaved | undefined) ?? native.newState();
    move(state);
    return { saved: state };
  };
  const raise: Queue['raise'] = (code, data, where) =>
    native.raise(code, where?.file, where?.line ?? 0, where?.func ?? '', data);
  return {
    name: "Node's OpenSSL",
    raise,
    raiseData: (library, reason, data, where) => raise(packCode(library, reason), data, where),
    raiseFlagged: (code, data, flags) => {
      raise(code);
      native.setErrorData(data, flags);
    },
    get: () => plain(native.get()),
    getCode: () => native.getCode(),
    peek: () => plain(native.peek()),
    peekLast: () => plain(native.peekLast()),
    pop: () => native.pop() === 1,
    clear: () => native.clear(),
    hideLast: () => native.clearLastConstantTime(),
    setMark: () => native.setMark() === 1,
    popToMark: () => native.popToMark() === 1,
    clearLastMark: () => native.clearLastMark() === 1,
    countToMark: () => native.countToMark(),
    appendData: (first, second) => native.addErrorData(first, second),
    appendText: (separator, text) => native.addErrorText(separator, text),
    errorString: (code, bytesMax) => native.errorStringN(code, bytesMax),
    print: (linesMax) => native.printErrors(linesMax).map((line) => line.slice(line.indexOf(':') + 1)),
    save: (old) => saved(old, (state) => native.saveState(state)),
    saveToMark: (old) => saved(old, (state) => native.saveStateToMark(state)),
    restore: (state) => native.restoreState(state.saved as NativeSaved),
    spoil: (state) => {
      native.spoilState(state.saved as NativeSaved);
      return state;
    },
  };
}

/** Bytes that were transferred away cannot be copied, whatever memory there is. */
function spoiled(state: ErrorState): ErrorState {
  const gone = new Uint8Array(1);
  structuredClone(gone, { transfer: [gone.buffer] });
  return { entries: state.entries.map((entry) => (entry.data === '' ? entry : { ...entry, data: gone })) };
}

/** All that is left, oldest first. */
export function drain(queue: Queue): Entry[] {
  const entries: Entry[] = [];
  for (let entry = queue.get(); entry !== undefined; entry = queue.get()) entries.push(entry);
  return entries;
}

/** The codes of all that is left, oldest first. */
export function codes(queue: Queue): number[] {
  return drain(queue).map(([code]) => code);
}

function asEntry(entry: ErrorEntry | undefined): Entry | undefined {
  if (entry === undefined) return undefined;
  const isText = (entry.flags & DataFlag.text) !== 0;
  return [entry.code, entry.file, entry.line, entry.func, isText ? String(entry.data) : '', isText ? entry.flags : 0];
}

/** Of data that is not text native code tells nothing: its length is nowhere, and the flags may be the slot's, of old. */
function plain(entry: Entry | undefined): Entry | undefined {
  if (entry === undefined) return undefined;
  const [code, ...rest] = entry;
  return [code >>> 0, ...rest];
}
