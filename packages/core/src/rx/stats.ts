import { Observable } from 'rxjs';
import { misuse, nameOf } from '../arguments.ts';
import { EventLoop } from '../event-loop.ts';

/** Anything of Sluice's that counts: a server, listener, group or connection; and a loop, which is its own. */
export interface Counting<S> {
  readonly stats: S;
  readonly loop?: EventLoop;
}

/**
 * A snapshot of the counts every `intervalMs`, on the loop's clock. Keeps no process alive, and never completes: use
 * `takeUntil(bev.closed$)`.
 */
export function stats$<S>(source: Counting<S>, intervalMs: number): Observable<S> {
  const loop = source instanceof EventLoop ? source : source.loop;
  if (loop === undefined) misuse('stats$', `something that counts is needed, not ${nameOf(source)}`);
  return new Observable((subscriber) => {
    const timer = loop.interval(intervalMs, () => subscriber.next(source.stats)).unref();
    return () => timer.stop();
  });
}
