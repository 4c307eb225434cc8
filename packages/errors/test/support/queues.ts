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

export interface Where {
  file?: string;
  line?: number;
  func?: string;
  data?: string;
}

export interface SavedState {
  readonly saved: unknown;
}

export interface Queue {
  readonly name: string;
  raise(code: number, where?: Where): void;
  /** Library, reason and details, as `ERR_raise_data` takes them. */
  raiseData(library: number, reason: number, data: string, where?: Omit<Where, 'data'>): void;
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
  save(): SavedState;
  saveToMark(): SavedState;
  restore(state: SavedState): void;
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
    raise: (code, { data, ...where } = {}) =>
      stack.raise({ code, line: 0, ...where, ...(data === undefined ? {} : { data, flags: 3 }) }),
    raiseData: (library, reason, data, where) => stack.raiseData(library, reason, data, where),
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
  };
}

/** As long as OpenSSL's: an id of eight bytes in hexadecimal. */
const THREAD = '0123456789ABCDEF';

type NativeSaved = ReturnType<typeof nativeQueue.newState>;

export function realQueue(): Queue {
  const native = nativeQueue;
  native.clear();
  const saved = (move: (state: NativeSaved) => void): SavedState => {
    const state = native.newState();
    move(state);
    return { saved: state };
  };
  return {
    name: "Node's OpenSSL",
    raise: (code, { file = '', line = 0, func = '', data } = {}) => native.raise(code, file, line, func, data),
    raiseData: (library, reason, data, { file = '', line = 0, func = '' } = {}) =>
      native.raise(packCode(library, reason), file, line, func, data),
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
    save: () => saved((state) => native.saveState(state)),
    saveToMark: () => saved((state) => native.saveStateToMark(state)),
    restore: (state) => native.restoreState(state.saved as NativeSaved),
  };
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
  return [entry.code, entry.file, entry.line, entry.func, String(entry.data), entry.flags];
}

/** A slot that had data before keeps its memory, and says so in the flags of the next entry that has none. */
function plain(entry: Entry | undefined): Entry | undefined {
  if (entry === undefined) return undefined;
  const [code, file, line, func, data, flags] = entry;
  return [code >>> 0, file, line, func, data, (flags & DataFlag.text) === 0 ? 0 : flags];
}
