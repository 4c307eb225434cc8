import type { BufferEvent } from '../../bufferevent.ts';
import type { EventLoop } from '../../event-loop.ts';
import type { ConnectionOptions } from '../../limits.ts';

/** What the two ends of a connection are to be made with. */
export interface ComplianceOptions {
  first?: ConnectionOptions;
  second?: ConnectionOptions;
}

/** Two ends of one connection of the transport under test, and what a case needs around them. */
export interface ComplianceConnection {
  /** The loop of both ends. */
  readonly loop: EventLoop;
  /** Connected, or connecting by themselves. `connected` may have been told already; nothing else may. */
  readonly ends: readonly [BufferEvent, BufferEvent];
  /** What the loop's `onUncaught` was given. */
  readonly uncaughtErrors: readonly unknown[];
  /** Lets everything happen that can happen without time passing. */
  settle(): Promise<void> | void;
  /** Lets so many milliseconds pass on the loop's virtual clock, and everything that they bring about happen. */
  advance?(ms: number): Promise<void> | void;
  /** Frees what the factory made, the loop included. Both ends are closed by then. */
  dispose(): Promise<void> | void;
}

/** Makes one connection. Called once per case; cases do not share anything. */
export type ComplianceFactory = (options: ComplianceOptions) => ComplianceConnection | Promise<ComplianceConnection>;

/** Where tests are registered: mocha's, `node:test`'s, Vitest's or Jest's functions of these names. */
export interface ComplianceRunner {
  describe(title: string, register: () => void): unknown;
  it(title: string, run: () => Promise<void>): unknown;
}

export interface ComplianceSettings {
  /** Default: the globals `describe` and `it`. */
  runner?: ComplianceRunner;
  /** The factory's loops run on real time, and it has no `advance`: the cases about limits of time are left out. */
  realTime?: boolean;
  /**
   * The transport has no reset: of bytes that were dropped its peer cannot be told, and sees an end in order. So it is
   * with Unix sockets, and with what stands on them and adds no end of its own.
   */
  noReset?: boolean;
  /**
   * Bytes by which the transport may pass `watermarks.read.high` with what it had begun to take: a read from the kernel, a
   * record of a cipher. Default: one slab of the loop, what a poll reads at most.
   */
  overshootBytes?: number;
  /** Real time that something may take which another thread or process has to bring about. Default 8 s. */
  patienceMs?: number;
  /** Of the random cases. Default: a new one each time; a failure says which. */
  seed?: number;
}
