import { Observable } from 'rxjs';
import type { EventLoop } from '../event-loop.ts';

/** Anything of Sluice's that counts: a loop, server, listener or connection. */
export interface Counting<S> {
  readonly stats: S;
  readonly loop: EventLoop;
}

/**
 * A snapshot of the counts every `intervalMs`, on the loop's clock. Keeps no process alive, and never completes: use
 * `takeUntil(bev.closed$)`.
 */
export function stats$<S>(source: Counting<S>, intervalMs: number): Observable<S> {
  return new Observable((subscriber) => {
    const timer = source.loop.interval(intervalMs, () => subscriber.next(source.stats)).unref();
    return () => timer.stop();
  });
}
