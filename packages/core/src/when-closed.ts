import type { BufferEvent } from './bufferevent.ts';
import type { CloseReport } from './close-report.ts';

/**
 * The report of a connection that is closing, when it is gone. It is destroyed when the signal is aborted, and when its
 * loop is closed: nothing would tell of its end any more.
 *
 * @param wait has a function called with the report
 */
export function whenClosed(
  bev: BufferEvent,
  signal: AbortSignal | undefined,
  wait: (done: (report: CloseReport) => void) => void,
): Promise<CloseReport> {
  return new Promise((resolve) => {
    const cut = (): void => bev.destroy();
    const loopClosed = (): void => {
      cut();
      done(bev.closed as CloseReport);
    };
    const done = (report: CloseReport): void => {
      signal?.removeEventListener('abort', cut);
      bev.loop._closers.delete(loopClosed);
      resolve(report);
    };
    wait(done);
    signal?.addEventListener('abort', cut);
    bev.loop._closers.add(loopClosed);
  });
}
