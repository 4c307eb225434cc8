import { Observable } from 'rxjs';
import type { TlsBufferEvent } from './bufferevent-tls.ts';
import type { HandshakeTrace } from './handshake-trace.ts';

/**
 * The trace of a connection's handshake, once, when it is done; late subscribers get it at once. When the connection ends
 * before, its error, or nothing when it was given up here. Holds nothing while nobody subscribes.
 */
export function handshakeOf(bev: TlsBufferEvent): Observable<HandshakeTrace> {
  return new Observable((subscriber) => {
    const done = (): void => {
      subscriber.next(bev.handshake);
      subscriber.complete();
    };
    const ended = (): void => {
      const error = bev.closed?.error;
      if (error === undefined) subscriber.complete();
      else subscriber.error(error);
    };
    if (bev.handshake.done) {
      done();
      return undefined;
    }
    if (bev.closed !== undefined) {
      ended();
      return undefined;
    }
    bev.once('connected', done);
    bev.once('closed', ended);
    return () => {
      bev.off('connected', done);
      bev.off('closed', ended);
    };
  });
}
