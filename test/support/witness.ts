/** What a connection told its user. */
import type { BufferEvent, CloseReport } from '@sluice/core';
import type { SluiceError } from '@sluice/errors';
import { TlsBufferEvent, type TlsCloseReport } from '@sluice/tls';
import type { WatchedLoop } from './scene.ts';

export interface WitnessOptions {
  /** What arrives is sent back. */
  echo?: boolean;
  /** The test itself puts errors into the thread's queue. */
  foreignErrors?: boolean;
}

export class Witness {
  readonly bev: BufferEvent;
  /** Events in order, without repetitions of `data` and `drained`. */
  readonly story: string[] = [];
  /** How often `closed` came. */
  closedCount = 0;
  /** What `failed$` told. */
  readonly failures: SluiceError[] = [];
  receivedBytes = 0;
  /** Input is consumed as it comes; false leaves it there. */
  reads = true;
  /** The most that was held for the connection at the end of a turn. */
  memoryBytesMost = 0;
  readonly #loop: WatchedLoop;
  readonly #foreignErrors: boolean;
  readonly #received: Buffer[] = [];
  #report: CloseReport | undefined;

  constructor(bev: BufferEvent, loop: WatchedLoop, options: WitnessOptions = {}) {
    const { echo = false, foreignErrors = false } = options;
    this.bev = bev;
    this.#loop = loop;
    this.#foreignErrors = foreignErrors;
    bev.failed$.subscribe((error) => this.failures.push(error));
    bev.on('connected', () => this.#note('connected'));
    bev.on('data', () => {
      this.#note('data');
      if (!this.reads) return;
      if (echo) {
        this.receivedBytes += bev.input.length;
        bev.output.appendFrom(bev.input);
      } else this.take();
    });
    bev.on('drained', () => this.#note('drained'));
    bev.on('end', () => this.#note('end'));
    const look = (): void => void (this.memoryBytesMost = Math.max(this.memoryBytesMost, memoryBytesOf(bev)));
    loop.afterTurn.add(look);
    bev.on('closed', (report) => {
      this.#note('closed');
      this.closedCount += 1;
      this.#report = report;
      loop.afterTurn.delete(look);
    });
  }

  get tls(): TlsBufferEvent {
    if (!(this.bev instanceof TlsBufferEvent)) throw new Error('the connection is not a TLS one');
    return this.bev;
  }

  /** All that was read, unless it was echoed. */
  get received(): Buffer {
    return Buffer.concat(this.#received);
  }

  /** Reads what there is. */
  take(): void {
    const bytes = this.bev.read();
    this.receivedBytes += bytes.length;
    this.#received.push(bytes);
  }

  connected(): Promise<void> {
    return this.#loop.until('connected', () => this.story.includes('connected') || this.closedCount > 0);
  }

  /** The report, when the connection is gone. */
  async closed(): Promise<TlsCloseReport> {
    await this.#loop.until(`closed (so far: ${this.story.join(', ')})`, () => this.closedCount > 0);
    return this.#report as TlsCloseReport;
  }

  /**
   * Exactly one `closed`, nothing after it, data and end before, and the failure told exactly once if there was one; and no
   * call of the engine was for nothing.
   */
  check(): void {
    const { bev, story } = this;
    const told = story.join(', ');
    const failed = this.#report?.error?.code ?? '';
    const failures = this.failures.map(({ code }) => code).join();
    if (failures !== failed) throw new Error(`failed$ told '${failures}' of '${failed}': ${told}`);
    if (this.closedCount !== 1) throw new Error(`closed came ${this.closedCount} times: ${told}`);
    if (story.at(-1) !== 'closed') throw new Error(`something came after closed: ${told}`);
    if (story.filter((event) => event === 'end').length > 1) throw new Error(`more than one end: ${told}`);
    if (story.includes('end') && story.lastIndexOf('data') > story.indexOf('end')) {
      throw new Error(`data after end: ${told}`);
    }
    if (!(bev instanceof TlsBufferEvent)) return;
    const { spins, staleEntries } = bev.session;
    if (spins !== 0) throw new Error(`the engine was called ${spins} times for nothing`);
    if (staleEntries !== 0 && !this.#foreignErrors)
      throw new Error(`${staleEntries} entries of the error queue were left behind by somebody`);
  }

  #note(event: string): void {
    if (this.story.at(-1) !== event || !['data', 'drained'].includes(event)) this.story.push(event);
  }
}

function memoryBytesOf(bev: BufferEvent): number {
  return bev instanceof TlsBufferEvent ? bev.memoryBytes : bev.input.length + bev.output.length;
}
