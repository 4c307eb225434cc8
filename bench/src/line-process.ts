/** A child process that speaks in lines. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

/** What the child says on stderr is kept up to here, for the message when it fails. */
const STDERR_CHARACTERS_MAX = 4096;

export class LineProcess {
  readonly name: string;
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #lines: AsyncIterator<string>;
  readonly #exited: Promise<unknown>;
  #stderr = '';

  constructor(name: string, command: readonly string[], cwd?: string) {
    const [program = '', ...programArguments] = command;
    this.name = name;
    this.#child = spawn(program, programArguments, {
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(cwd === undefined ? {} : { cwd }),
    });
    this.#exited = once(this.#child, 'close').catch((error: unknown) => {
      this.#stderr += String(error);
    });
    this.#child.stdin.on('error', () => {}); // the child is gone: `line` tells
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_CHARACTERS_MAX);
    });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** The next line of its stdout. Throws what it said on stderr when it ended instead. */
  async line(): Promise<string> {
    const next = await this.#lines.next();
    if (next.done !== true) return next.value;
    await this.#exited;
    throw new Error(`${this.name} ended: ${this.#stderr.trim() || this.#describeExit()}`);
  }

  /** Sends a line. */
  say(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  /** Asks it to end, and waits until it has. */
  async stop(signal: NodeJS.Signals = 'SIGTERM', patienceMs = 5000): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill(signal);
    const impatience = setTimeout(() => this.#child.kill('SIGKILL'), patienceMs);
    await this.#exited;
    clearTimeout(impatience);
  }

  #describeExit(): string {
    const { exitCode, signalCode } = this.#child;
    return signalCode === null ? `exit code ${exitCode}` : `signal ${signalCode}`;
  }
}
