import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { URL } from 'node:url';
import { allowFunction, misuse, nameOf, requireCount, requireSignal } from '../arguments.ts';
import { signalError, untilAborted } from '../until-aborted.ts';
import { fileError, fileKindError, fileShortError, segmentClosedError } from './file-errors.ts';

/** A file by its path, or one that is open for reading. */
export type FileSource = string | URL | FileHandle;

export interface FileSegmentOptions {
  /** The first byte, counted from the file's begin. Default 0. */
  start?: number | undefined;
  /** The byte behind the last. Default the size that the file has now: what is added to it later is not sent. */
  end?: number | undefined;
  /** Whether the descriptor is closed in the end. Default true for a path, false for a handle, which is its maker's. */
  autoClose?: boolean;
  /** Called once, from no call of yours, when the segment was closed and its last use is over. */
  onRelease?: () => void;
  /** Gives up opening it: rejects with an AbortedError, and nothing stays open. */
  signal?: AbortSignal | undefined;
}

/** FIFOs are opened at once, to be refused, and do not hold one of Node's threads until somebody writes to them. */
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/**
 * A part of a file to be sent, to any number of connections at once, each at its own pace: `sendFile(bev, segment)`.
 * It holds a descriptor and no bytes. Its maker closes it; the descriptor is closed when the last send is over too.
 */
export class FileSegment implements AsyncDisposable {
  /** Where it begins in the file, and how long it is, in bytes. */
  readonly start: number;
  readonly length: number;
  readonly #handle: FileHandle;
  readonly #ownsHandle: boolean;
  readonly #onRelease: (() => void) | undefined;
  #uses = 1;
  #released: Promise<void> | undefined;
  #release: (outcome: Promise<void>) => void = () => {};

  private constructor(handle: FileHandle, start: number, end: number, owns: boolean, onRelease?: () => void) {
    this.#handle = handle;
    this.start = start;
    this.length = end - start;
    this.#ownsHandle = owns;
    this.#onRelease = onRelease;
  }

  /**
   * Opens a file, or takes an open one, and looks how large it is.
   * @throws SystemError (`SLUICE_SYSTEM_ENOENT`, ...) when it cannot be opened; SluiceError when it is not regular
   * (`SLUICE_CORE_FILE_NOT_REGULAR`) or shorter than `start` or `end` say (`SLUICE_CORE_FILE_SHORT`); ApiMisuse for a
   * range that is none. Nothing stays open then.
   */
  static async open(source: FileSource, options: FileSegmentOptions = {}): Promise<FileSegment> {
    const { start = 0, end, onRelease, signal } = options;
    requireRange('FileSegment.open', start, end ?? start);
    allowFunction('FileSegment.open', 'onRelease', onRelease);
    requireSignal('FileSegment.open', signal);
    const opened = typeof source === 'string' || isUrl(source);
    const handle = opened ? await openFile(source, signal) : requireHandle(source);
    const owns = options.autoClose ?? opened;
    try {
      const stat = await attempt('open', handle.stat());
      if (signal?.aborted === true) throw signalError('open', signal);
      if (!stat.isFile()) throw fileKindError('open');
      if (Math.max(start, end ?? 0) > stat.size) throw fileShortError('open', stat.size, end ?? start);
      return new FileSegment(handle, start, end ?? stat.size, owns, onRelease);
    } catch (error) {
      // The cause is told; that closing failed as well would only hide it.
      if (owns) await handle.close().catch(() => {});
      throw error;
    }
  }

  /** Sends that are going on. */
  get users(): number {
    return this.#uses - (this.#released === undefined ? 1 : 0);
  }

  get closed(): boolean {
    return this.#released !== undefined;
  }

  /**
   * Lets nobody use it any more. Resolves when the sends that are going on are over, and the descriptor is closed if it
   * is the segment's; rejects when the system cannot close it, the same to every call. An aborted signal ends the waiting,
   * and nothing else.
   */
  async close(options: { signal?: AbortSignal } = {}): Promise<void> {
    const { signal } = options;
    requireSignal('FileSegment.close', signal);
    if (this.#released === undefined) {
      this.#released = new Promise((resolve) => {
        this.#release = resolve;
      });
      // Those who wait for it hear of a failure; there need not be any.
      this.#released.catch(() => {});
      this.#drop();
    }
    return untilAborted('FileSegment.close', this.#released, signal);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @internal Keeps it open until `use` is over. */
  async _with<T>(operation: string, use: () => Promise<T>): Promise<T> {
    if (this.closed) throw segmentClosedError(operation);
    this.#uses += 1;
    try {
      return await use();
    } finally {
      this.#drop();
    }
  }

  /** @internal From 1 to `n` bytes at `position`, counted from the segment's begin, in memory that is the caller's. */
  async _read(operation: string, position: number, n: number): Promise<Buffer> {
    const at = this.start + position;
    const bytes = Buffer.allocUnsafeSlow(n);
    const { bytesRead } = await attempt(operation, this.#handle.read(bytes, 0, n, at));
    if (bytesRead === 0) throw fileShortError(operation, at, this.start + this.length);
    return bytes.subarray(0, bytesRead);
  }

  #drop(): void {
    this.#uses -= 1;
    if (this.#uses > 0) return;
    this.#release(this.#ownsHandle ? attempt('close', this.#handle.close()) : Promise.resolve());
    const onRelease = this.#onRelease;
    if (onRelease === undefined) return;
    // Not from within the promise: what it throws is the program's uncaught exception, as with any callback.
    const tell = (): void => queueMicrotask(onRelease);
    this.#released?.then(tell, tell);
  }
}

/** Checks a range of bytes. */
export function requireRange(operation: string, start: number, end: number): void {
  requireCount(operation, 'start', start);
  requireCount(operation, 'end', end);
  if (start > end) misuse(operation, `start (${start}) is behind end (${end}), which is the byte behind the last`);
}

/** A file that is opened when nobody wants it any more is closed. */
async function openFile(source: string | URL, signal: AbortSignal | undefined): Promise<FileHandle> {
  const opening = open(source, OPEN_FLAGS);
  try {
    return await attempt('open', untilAborted('open', opening, signal));
  } catch (error) {
    opening.then((handle) => handle.close()).catch(() => {});
    throw error;
  }
}

async function attempt<T>(operation: string, promise: Promise<T>): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    throw fileError(operation, error);
  }
}

function isUrl(source: object): source is URL {
  return source instanceof globalThis.URL;
}

function requireHandle(source: unknown): FileHandle {
  const isHandle =
    typeof source === 'object' && source !== null && 'fd' in source && 'read' in source && 'stat' in source;
  if (isHandle) return source as FileHandle;
  return misuse('FileSegment.open', `source must be a path, a file URL or a FileHandle, not ${nameOf(source)}`);
}
