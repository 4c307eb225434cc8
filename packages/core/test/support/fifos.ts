import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FdReady } from '../../src/index.ts';

/** A pipe with both ends as plain descriptors: something to watch that Node does not read itself. */
export class Fifo {
  readonly reader: number;
  readonly writer: number;
  readonly #open: Set<number>;

  constructor(path: string) {
    this.reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    this.writer = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    this.#open = new Set([this.reader, this.writer]);
  }

  write(text: string): void {
    writeSync(this.writer, text);
  }

  /** Closes one end, or what is still open. */
  close(...ends: number[]): void {
    for (const fd of ends.length > 0 ? ends : [...this.#open]) if (this.#open.delete(fd)) closeSync(fd);
  }
}

/** What is true of a readiness, in words. */
export function wordsOf(ready: FdReady): string {
  return Object.entries(ready)
    .filter(([, on]) => on)
    .map(([word]) => word)
    .join(' ');
}

const held: Fifo[] = [];

/** Pipes that are closed when the test has ended. */
export function fifos(count: number): Fifo[] {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-fifo-'));
  const paths = Array.from({ length: count }, (_, index) => join(directory, `${index}`));
  execFileSync('mkfifo', paths);
  const made = paths.map((path) => new Fifo(path));
  rmSync(directory, { recursive: true });
  held.push(...made);
  return made;
}

export function fifo(): Fifo {
  return fifos(1)[0] as Fifo;
}

// Outside any suite: a hook of all tests.
afterEach(() => {
  for (const pipe of held.splice(0)) pipe.close();
});
