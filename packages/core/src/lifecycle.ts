import type { ChannelErrorStack, SluiceError } from '@sluice/errors';
import { filter, map, Observable } from 'rxjs';
import type { CloseReport } from './close-report.ts';

/** What can be observed closing: anything with one `closed` event and its report kept. */
interface Closable {
  readonly closed: CloseReport | undefined;
  once(event: 'closed', listener: (report: CloseReport) => void): unknown;
  off(event: 'closed', listener: (report: CloseReport) => void): unknown;
}

/** The report, then complete; late subscribers get it at once. Holds nothing while nobody subscribes. */
export function closedOf(closable: Closable, isClosed: () => boolean): Observable<CloseReport> {
  return new Observable((subscriber) => {
    const tell = (report: CloseReport): void => {
      subscriber.next(report);
      subscriber.complete();
    };
    if (isClosed()) {
      tell(closable.closed as CloseReport);
      return undefined;
    }
    closable.once('closed', tell);
    return () => closable.off('closed', tell);
  });
}

/** What can be observed failing. */
interface Failable {
  readonly closed$: Observable<CloseReport>;
  readonly channel: ChannelErrorStack;
}

/** The error of a connection that ended by one: for each subscriber a report of its own, as for each operation. */
export function failedOf(failable: Failable): Observable<SluiceError> {
  return failable.closed$.pipe(
    filter((report) => report.error !== undefined),
    map((report) => failable.channel.report(report.error?.operation ?? '')),
  );
}
