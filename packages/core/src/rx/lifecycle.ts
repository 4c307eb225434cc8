import { Observable } from 'rxjs';
import { endedError } from '../bufferevent-errors.ts';
import type { BufferEvent } from '../bufferevent.ts';

/*
 * A connection's life as observables, beside its own `closed$` and `failed$`. Facts, at a low rate: none of them carries
 * bytes. They hold nothing while nobody subscribes. A handler that subscribes must not mind that others do, too.
 */

/**
 * The connection, once it is ready for the application's bytes; late subscribers get it at once. When it ends before, its
 * error, or nothing when it was given up here.
 */
export function connected$(bev: BufferEvent): Observable<BufferEvent> {
  return new Observable((subscriber) => {
    const connected = (): void => {
      subscriber.next(bev);
      subscriber.complete();
    };
    const ended = (): void => {
      if (bev.closed?.error === undefined) subscriber.complete();
      else subscriber.error(endedError(bev, 'connect'));
    };
    if (bev.connected) connected();
    else if (bev.closed !== undefined) ended();
    else return listen(bev, { connected, closed: ended });
    return undefined;
  });
}

/**
 * The connection, when its peer has ended in order and all it sent was delivered. Completes with that, or with the
 * connection; who subscribes after it sees the completion only (`bev.peerEnded` tells).
 */
export function ended$(bev: BufferEvent): Observable<BufferEvent> {
  return new Observable((subscriber) => {
    const end = (): void => {
      subscriber.next(bev);
      subscriber.complete();
    };
    return listen(bev, { end, closed: () => subscriber.complete() });
  });
}

/** The connection, each time output has fallen to its low watermark. Completes with the connection. */
export function drained$(bev: BufferEvent): Observable<BufferEvent> {
  return new Observable((subscriber) =>
    listen(bev, { drained: () => subscriber.next(bev), closed: () => subscriber.complete() }),
  );
}

type Listeners = Partial<Record<'connected' | 'drained' | 'end' | 'closed', () => void>>;

/** Listens until the teardown that it answers. A connection that is gone has only `closed` to tell. */
function listen(bev: BufferEvent, listeners: Listeners): () => void {
  const entries = Object.entries(listeners) as [keyof Listeners, () => void][];
  if (bev.closed !== undefined) bev.loop.defer(() => listeners.closed?.());
  for (const [event, listener] of entries) bev.on(event, listener);
  return () => {
    for (const [event, listener] of entries) bev.off(event, listener);
  };
}
