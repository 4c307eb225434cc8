import { Observable } from 'rxjs';
import type { BufferReader, BufferWriter } from '../buffer-ends.ts';
import type { BufferChange } from '../change-listeners.ts';
import type { EventLoop } from '../event-loop.ts';

/**
 * The changes of a buffer's length while it is subscribed to, each as a turn of the loop sums it up: gauges, not bytes.
 * Never completes: a buffer does not end. `takeUntil(bev.closed$)` does.
 */
export function changes$(buffer: BufferReader | BufferWriter, loop: EventLoop): Observable<BufferChange> {
  return new Observable((subscriber) => {
    const changes = buffer.onChange((change) => subscriber.next(change), { deferred: loop });
    return () => changes.unsubscribe();
  });
}
