import type { Observable, ObservableInput } from 'rxjs';
import { requireFunction } from '../arguments.ts';
import type { BufferEvent } from '../bufferevent.ts';
import type { IntakeOptions } from './intake.ts';
import { leases } from './leased.ts';
import { settle } from './settle.ts';

export interface PullOptions extends IntakeOptions {
  /** Chunks that are worked on at a time. Default 1: in order. With more, results come as they are done. */
  window?: number;
}

/**
 * Works through what arrives: takes a chunk out of `input` only when `work` has room for one, and emits what the work
 * comes to. What nobody works on yet stays in `input`, where it holds up the peer. Chunks being worked on count as unread
 * input does, so `read.high` is a bound on bytes whatever the window.
 *
 * Hot: one subscriber at a time; a second one gets `ApiMisuse`. Completes when the peer ended in order and all work is
 * done; errors with the work's error, or the report's own. Unsubscribing pauses the connection and leaves in `input` what
 * was not begun, or destroys the connection (`onUnsubscribe`).
 */
export function pull<R>(
  bev: BufferEvent,
  work: (bytes: Buffer) => ObservableInput<R>,
  options: PullOptions = {},
): Observable<R> {
  const { window = 1, ...intake } = options;
  requireFunction('pull', 'work', work);
  return leases(bev, 'pull', { ...intake, chunksMax: window }).pipe(settle(work, window));
}
