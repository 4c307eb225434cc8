/**
 * The calling thread's real OpenSSL error queue, call by call, from an addon that is only for tests: it is built beside
 * `sluice.node` and shares that thread's queue with it.
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { NativeEntry } from '../../src/binding.ts';

/** An ERR_STATE. Freed by `freeState`, or by the garbage collector. */
export interface NativeState {
  readonly __state: never;
}

/** Strings must not contain NUL characters. Numbers that OpenSSL answers with are passed on as they are. */
export interface NativeQueue {
  /** ERR_new, ERR_set_debug (unless `file` is undefined), ERR_set_error. Only library and reason of `code` count. */
  raise(code: number, file: string | undefined, line: number, func: string, data?: string): void;
  /** ERR_get_error_all; undefined when the queue is empty, as for the next two. */
  get(): NativeEntry | undefined;
  /** ERR_peek_error_all */
  peek(): NativeEntry | undefined;
  /** ERR_peek_last_error_all */
  peekLast(): NativeEntry | undefined;
  /** ERR_get_error: removes the oldest entry and answers with its code, 0 when there is none. */
  getCode(): number;
  /** ERR_pop */
  pop(): number;
  /** ERR_clear_error */
  clear(): void;
  /** Marks the newest entry as cleared (ERR_FLAG_CLEAR): readers and restore skip it. */
  clearLastConstantTime(): void;
  /** ERR_set_mark */
  setMark(): number;
  /** ERR_pop_to_mark */
  popToMark(): number;
  /** ERR_clear_last_mark */
  clearLastMark(): number;
  /** ERR_count_to_mark */
  countToMark(): number;
  /** ERR_add_error_data with two strings. */
  addErrorData(first: string, second: string): void;
  /** ERR_set_error_data: what the newest entry has to say, and ERR_TXT_* flags. */
  setErrorData(data: string, flags: number): void;
  /** ERR_add_error_txt */
  addErrorText(separator: string, text: string): void;
  /** ERR_error_string_n with a buffer of `size` bytes; undefined when nothing was written to it. */
  errorStringN(code: number, size: number): string | undefined;
  /** ERR_print_errors_cb: the lines shown until its callback, at line `linesMax`, asks to stop. */
  printErrors(linesMax: number): string[];
  /** OSSL_ERR_STATE_new, _save, _save_to_mark, _restore and _free. */
  newState(): NativeState;
  saveState(state: NativeState): void;
  saveStateToMark(state: NativeState): void;
  restoreState(state: NativeState): void;
  freeState(state: NativeState): void;
  /** What a thread made for it finds after restoring the state and appending ' on another thread' to the newest entry. */
  restoreElsewhere(state: NativeState): NativeEntry[];
  /** From now on there is no memory for copies of the data of its entries. */
  spoilState(state: NativeState): void;
  /** What errno is set to right before each of the operations above (0 at first). */
  setErrno(value: number): void;
  /** What errno was right after the last one. */
  getErrno(): number;
  /** Bytes that the C library has given out in this process; 0 where it does not tell (glibc does). */
  heapBytes(): number;
  /** Bytes outside its heap that V8 was told of (`process.memoryUsage` knows only those of ArrayBuffers). */
  externalBytes(): number;
}

const addonPath: string =
  process.env['SLUICE_NATIVE_PATH'] ?? fileURLToPath(new URL('../../src/build/Release/sluice.node', import.meta.url));

/** Loads it beside the addon proper, whose place SLUICE_NATIVE_PATH may have changed. */
export const nativeQueue = createRequire(import.meta.url)(join(dirname(addonPath), 'sluice_test.node')) as NativeQueue;
