import { copyEntries, copyEntry, DataFlag, type ErrorEntry } from './error-entry.ts';
import type { ErrorStack } from './error-stack.ts';

/**
 * Errors taken off a stack, to be put back there, on another stack, or on another thread's. A plain object: structured
 * clone copies it whole, and nothing of it is shared with where it came from.
 */
export interface ErrorState {
  /** Oldest first. */
  readonly entries: readonly ErrorEntry[];
}

/** Moves all entries of the stack into a state; the stack is empty afterwards, its marks gone. */
export function save(stack: ErrorStack): ErrorState {
  const entries: ErrorEntry[] = [];
  for (let entry = stack.get(); entry !== undefined; entry = stack.get()) entries.push(entry);
  stack.clear();
  return { entries };
}

/** Moves the entries above the last mark into a state. The mark stays; without one all entries are moved. */
export function saveToMark(stack: ErrorStack): ErrorState {
  return { entries: stack.takeToMark() };
}

/**
 * Appends copies of the state's entries to the stack. The state is unchanged, and may be restored again anywhere. Data that
 * cannot be copied, for lack of memory or because it was transferred away, is left out of its entry; it never throws.
 */
export function restore(stack: ErrorStack, state: ErrorState): void {
  for (const entry of state.entries) stack.raise(restored(entry));
}

/** The buffers of a state's data, for the transfer list of `postMessage`: what is transferred is gone from the state. */
export function transferables(state: ErrorState): ArrayBuffer[] {
  return state.entries.flatMap(({ data }) =>
    typeof data !== 'string' && data.buffer instanceof ArrayBuffer ? [data.buffer] : [],
  );
}

/** A deep copy of a state. */
export function copyState(state: ErrorState): ErrorState {
  return { entries: copyEntries(state.entries) };
}

/** A copy always owns its data, whoever owned the original's. */
function restored(entry: ErrorEntry): ErrorEntry {
  if (entry.data === '' && entry.flags === 0) return entry;
  try {
    return { ...copyEntry(entry), flags: entry.flags | DataFlag.owned };
  } catch {
    return { ...entry, data: '', flags: 0 };
  }
}
