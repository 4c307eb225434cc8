import { Observable } from 'rxjs';
import type { BufferEvent } from '../bufferevent.ts';
import { Suspend } from '../suspend.ts';

/** Whether a connection's bounds hold something back. */
export interface Pressure {
  /** The peer is not read from: unread input, bytes on loan, or output (`pauseReadWhenFull`) are at the high watermark. */
  readonly read: boolean;
  /** Output has reached its high watermark, and has not drained to the low one since. */
  readonly write: boolean;
  /** Unread, and not sent, at that moment. */
  readonly inputBytes: number;
  readonly outputBytes: number;
}

const READ_PRESSURE = Suspend.watermark | Suspend.lease | Suspend.output;

/**
 * The pressure as it is, then each time that `read` or `write` changes, as it is at the end of a turn of the loop: what
 * comes and goes within one turn is none. Completes with the connection.
 */
export function pressure$(bev: BufferEvent): Observable<Pressure> {
  return new Observable((subscriber) => {
    let last = pressureOf(bev, false);
    const look = (): void => {
      const now = pressureOf(bev, last.write);
      if (now.read === last.read && now.write === last.write) return;
      last = now;
      subscriber.next(now);
    };
    const done = (): void => subscriber.complete();
    subscriber.next(last);
    if (bev.closed !== undefined) {
      done();
      return undefined;
    }
    const turns = bev.loop.onPrepare(look);
    bev.once('closed', done);
    return () => {
      turns.unsubscribe();
      bev.off('closed', done);
    };
  });
}

function pressureOf({ input, limits, output, suspended }: BufferEvent, write: boolean): Pressure {
  return {
    read: (suspended & READ_PRESSURE) !== 0,
    write: output.length >= limits.writeHigh || (write && output.length > limits.writeLow),
    inputBytes: input.length,
    outputBytes: output.length,
  };
}
