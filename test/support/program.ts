/** Programs of this repository, run as a user runs them: a process of its own, told apart by what it prints. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

/** The repository's root, without a slash at its end. */
export const repositoryRoot: string = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

export interface ProgramExit {
  /** null when a signal ended it. */
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface ProgramOptions {
  /** Default: the repository's root. */
  cwd?: string;
  env?: Readonly<Record<string, string>>;
}

/** A running program. Disposing of it (see `untilTestEnds`) kills it if it still runs. */
export class Program implements AsyncDisposable {
  /** Resolves when it has ended and its output is complete. Rejects only if it could not be started. */
  readonly exited: Promise<ProgramExit>;
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  #watchers: ((line: string) => void)[] = [];
  #stderr = '';

  private constructor(command: string, args: readonly string[], options: ProgramOptions) {
    this.#child = spawn(command, args, {
      cwd: options.cwd ?? repositoryRoot,
      env: { ...environmentOf(command), NO_COLOR: '1', ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const { stdout, stderr } = this.#child;
    if (stdout === null || stderr === null) throw new Error('a piped child process has no pipes');
    createInterface({ input: stdout }).on('line', (line) => this.#line(line));
    stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    this.exited = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('close', (code, signal) => {
        resolve({ code, signal, stdout: this.stdout, stderr: this.#stderr });
      });
    });
  }

  /** Runs a TypeScript file on the Node that runs the tests, with the packages taken from their sources. */
  static node(file: string, args: readonly string[] = [], options: ProgramOptions = {}): Program {
    return new Program(process.execPath, ['--conditions=@sluice/source', file, ...args], options);
  }

  static command(command: string, args: readonly string[], options: ProgramOptions = {}): Program {
    return new Program(command, args, options);
  }

  /** What it has printed so far, in whole lines. */
  get stdout(): string {
    return this.#lines.map((line) => `${line}\n`).join('');
  }

  /** The first line of stdout that matches, printed already or to come. Rejects when the program ends without it. */
  line(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const look = (line: string): boolean => {
        const match = pattern.exec(line);
        if (match !== null) resolve(match);
        return match !== null;
      };
      if (this.#lines.some(look)) return;
      this.#watchers.push(look);
      this.exited.then(({ code, signal, stdout, stderr }) => {
        reject(new Error(`ended with ${signal ?? code} before printing ${pattern}\n${stdout}${stderr}`));
      }, reject);
    });
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGKILL');
    await this.exited;
  }

  #line(line: string): void {
    this.#lines.push(line);
    for (const watcher of this.#watchers) watcher(line);
  }
}

/** Sanitizers that the tests run under watch this repository's programs, and not other people's. */
function environmentOf(command: string): NodeJS.ProcessEnv {
  const { LD_PRELOAD, ...rest } = process.env;
  return command === process.execPath ? { ...rest, ...(LD_PRELOAD === undefined ? {} : { LD_PRELOAD }) } : rest;
}
