/** The load generator at work. Its phases: `ready` (told to go on, it measures), then `result` or `held`. */
import { LineProcess } from './line-process.ts';
import { built } from './paths.ts';

export interface LoadResult {
  phase: 'result';
  requests: number;
  /** Of requests and answers together. */
  bytes: number;
  errors: number;
  /** TLS handshakes that resumed a session. */
  resumed: number;
  seconds: number;
  /** Its own CPU time. */
  cpuSeconds: number;
  latencyUs: { mean: number; p50: number; p99: number; max: number };
}

export interface LoadHeld {
  phase: 'held';
  connections: number;
  bytesSent: number;
}

interface LoadReady {
  phase: 'ready';
}

type Phases = { ready: LoadReady; result: LoadResult; held: LoadHeld };

export class LoadProcess {
  readonly #process: LineProcess;

  /** `loadArguments`: the case and its options, without port; `prefix`: words before the command. */
  constructor(loadArguments: readonly string[], port: number, prefix: readonly string[] = []) {
    const command = [...prefix, built.load, ...loadArguments, '--port', String(port), '--wait'];
    this.#process = new LineProcess('load', command);
  }

  /** Waits for a phase. Throws when the generator failed, a wrong byte among the reasons, or is in another phase. */
  async reach<P extends keyof Phases>(phase: P): Promise<Phases[P]> {
    const said = JSON.parse(await this.#process.line()) as Phases[keyof Phases];
    if (said.phase !== phase) throw new Error(`the load generator is at ${said.phase}, not at ${phase}`);
    return said as Phases[P];
  }

  /** From `ready` on to the measuring, or from `held` on to the end. */
  proceed(): void {
    this.#process.say('');
  }

  /** From `ready` through one more time of warming up, to `ready`. */
  async warmAgain(): Promise<void> {
    this.#process.say('w');
    await this.reach('ready');
  }

  async stop(): Promise<void> {
    await this.#process.stop();
  }
}
