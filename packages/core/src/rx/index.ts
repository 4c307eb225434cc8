/**
 * Connections as rxjs observables. Events are plain observables; bytes are not, as nothing in rxjs holds back a source:
 * they cross by three bridges that keep the connection's bounds (`pull`, `leased$`, `sink`). See docs/guide/rx.md.
 */
export { changes$ } from './changes.ts';
export type { IntakeOptions, UnsubscribeOptions } from './intake.ts';
export { Lease } from './lease.ts';
export { leased$ } from './leased.ts';
export { connected$, drained$, ended$ } from './lifecycle.ts';
export { type Pressure, pressure$ } from './pressure.ts';
export { pull, type PullOptions } from './pull.ts';
export { settle } from './settle.ts';
export { sink, type WriteStatus } from './sink.ts';
export { type Counting, stats$ } from './stats.ts';
