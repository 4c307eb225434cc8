import { ApiMisuse } from '@sluice/errors';
import { requireMs, requireObject, requireSignal } from './arguments.ts';
import type { EventLoop } from './event-loop.ts';
import type { LoopRef } from './loop-handles.ts';
import { DeferredTask } from './task-queue.ts';
import type { Timer } from './timer.ts';

export interface RunOptions {
  /** End after the first turn in which callbacks ran and none are left. */
  once?: boolean;
  /** End after one turn, whatever it found: what is ready now is done, and nothing is waited for. */
  nonBlocking?: boolean;
  /** Go on, and keep the process alive, when nothing else does; until `exit`, `break` or the signal. */
  keepAlive?: boolean;
  /** Ends the run as `exit` does. */
  signal?: AbortSignal;
}

export interface RunResult {
  /**
   * `idle`: nothing is left that could bring about a callback and keeps the process alive. `turn`: what `once` or
   * `nonBlocking` asked for is done. `closed`: the loop was closed.
   */
  readonly reason: 'idle' | 'exit' | 'break' | 'turn' | 'closed';
  readonly turns: number;
}

/**
 * The runs of a loop. A loop turns whenever there is something to do, run or not: `run` is how a program waits for it to
 * be done, and `exit` and `break` are how a callback ends that waiting.
 */
export class RunControl {
  last: RunResult['reason'] | undefined;
  readonly #loop: EventLoop;
  #run: Run | undefined;
  #exitTimer: Timer | undefined;
  readonly #exitTask: DeferredTask;
  /** `exit` was due while nothing ran: the next run ends with its first turn. */
  #exitDue = false;

  constructor(loop: EventLoop) {
    this.#loop = loop;
    this.#exitTask = new DeferredTask(() => this.#exit(), loop.defaultPriority);
  }

  get running(): boolean {
    return this.#run !== undefined;
  }

  async start(options: RunOptions): Promise<RunResult> {
    requireObject('run', 'options', options);
    requireSignal('run', options.signal);
    if (this.#run !== undefined) throw reentryError();
    if (this.#loop.closed) return { reason: 'closed', turns: 0 };
    return new Promise((resolve) => this.#begin(options, resolve));
  }

  exit(afterMs: number | undefined): void {
    if (afterMs === undefined) return this.#loop._post(this.#exitTask);
    requireMs('exit', 'afterMs', afterMs);
    this.#exitTimer ??= this.#loop._newTimer(() => this.#exit());
    const remaining = this.#exitTimer.remainingMs;
    if (remaining === undefined || afterMs < remaining) this.#exitTimer.start(afterMs);
  }

  /** Answers whether a run was ended by it. */
  break(): boolean {
    if (this.#run === undefined) return false;
    if (this.#loop.inTurn) this.#run.ending = 'break';
    else this.#end('break');
    return true;
  }

  close(): void {
    this.#end('closed');
  }

  #begin(options: RunOptions, resolve: (result: RunResult) => void): void {
    const loop = this.#loop;
    this.last = undefined;
    const run: Run = { options, resolve, turnsBefore: loop.turns, ranAny: false };
    if (options.keepAlive === true) run.ref = loop.ref('run');
    if (options.signal !== undefined) {
      run.aborted = () => this.#end('exit');
      options.signal.addEventListener('abort', run.aborted, { once: true });
    }
    this.#run = run;
    loop._turnEnded = (callbacks) => this.#turnEnded(callbacks);
    if (options.signal?.aborted === true) this.#end('exit');
    else loop.requestTurn();
  }

  #turnEnded(callbacks: number): void {
    const run = this.#run;
    if (run === undefined) return;
    if (callbacks > 0) run.ranAny = true;
    const { once, nonBlocking } = run.options;
    if (run.ending !== undefined) this.#end(run.ending);
    else if (this.#exitDue) this.#end('exit');
    else if (nonBlocking === true || (once === true && run.ranAny && !this.#loop.pending)) this.#end('turn');
    else if (!this.#loop.alive) this.#end('idle');
  }

  #exit(): void {
    if (this.#run === undefined) this.#exitDue = true;
    else this.#run.ending ??= 'exit';
  }

  #end(reason: RunResult['reason']): void {
    const run = this.#run;
    if (run === undefined) return;
    this.#run = undefined;
    this.#loop._turnEnded = undefined;
    this.#exitTimer?.stop();
    this.#loop._cancel(this.#exitTask);
    this.#exitDue = false;
    this.last = reason;
    run.ref?.unref();
    if (run.aborted !== undefined) run.options.signal?.removeEventListener('abort', run.aborted);
    run.resolve({ reason, turns: this.#loop.turns - run.turnsBefore });
  }
}

interface Run {
  readonly options: RunOptions;
  readonly resolve: (result: RunResult) => void;
  readonly turnsBefore: number;
  ref?: LoopRef;
  aborted?: () => void;
  ranAny: boolean;
  ending?: 'exit' | 'break';
}

function reentryError(): ApiMisuse {
  return new ApiMisuse('run: this loop is being run already; wait for that run, or end it with exit or break', {
    code: 'SLUICE_CORE_LOOP_REENTRY',
    layer: 'core',
    operation: 'run',
  });
}
