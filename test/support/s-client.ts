/** OpenSSL's own client, as a program: another implementation's version, and nothing of ours in it. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface SClientExit {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** `openssl s_client -brief`, connected to a port of this machine. */
export class SClient implements AsyncDisposable {
  /** When it has ended. */
  readonly exited: Promise<SClientExit>;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #directory: string;
  #stdout = '';
  #stderr = '';
  #changed: () => void = () => {};

  /** @param caPem the authority that it knows; it leaves when the server's certificate is not good by it */
  constructor(port: number, caPem: string, args: readonly string[] = []) {
    this.#directory = mkdtempSync(join(tmpdir(), 'sluice-s-client-'));
    const caFile = join(this.#directory, 'ca.pem');
    writeFileSync(caFile, caPem);
    const trust = ['-CAfile', caFile, '-verify_return_error'];
    this.#child = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, '-brief', ...trust, ...args]);
    this.#child.stdout.on('data', (text: Buffer) => this.#note((this.#stdout += text.toString('latin1'))));
    this.#child.stderr.on('data', (text: Buffer) => this.#note((this.#stderr += text.toString('latin1'))));
    // It may be gone when something is written.
    this.#child.stdin.on('error', () => {});
    this.exited = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('close', (code) => {
        this.#note('');
        rmSync(this.#directory, { recursive: true });
        resolve({ code, stdout: this.#stdout, stderr: this.#stderr });
      });
    });
  }

  /** Types something. 'Q' on a line of its own ends the connection in order, 'R' asks for a renegotiation, 'K' for new keys. */
  type(text: string): void {
    this.#child.stdin.write(text);
  }

  /** Resolves when the text has come from the server, or stands in what the program says itself. */
  async says(text: string): Promise<void> {
    while (!this.#stdout.includes(text) && !this.#stderr.includes(text)) {
      if (this.#child.exitCode !== null) throw new Error(`s_client ended without "${text}": ${this.#stderr}`);
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.exited;
  }

  #note(_text: string): void {
    this.#changed();
  }
}
