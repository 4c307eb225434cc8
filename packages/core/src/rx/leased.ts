import { Observable } from 'rxjs';
import { misuse, nameOf, requireConnection } from '../arguments.ts';
import type { BufferEvent } from '../bufferevent.ts';
import { debugOrigin } from '../loop-event.ts';
import { Intake, type IntakeOptions } from './intake.ts';
import { Lease } from './lease.ts';
import { LeaseLeaks } from './lease-leaks.ts';

/**
 * What arrives, as leases. While leases of `read.high` bytes are not released, the peer is not read from; so the bound
 * holds under every operator, and one that drops leases without releasing them ends in a connection that visibly stands
 * still (`SLUICE_DEBUG=1` names the leak), not in memory that grows. `settle` releases for you.
 *
 * Hot: one subscriber at a time, who gets what comes from now on; a second one gets `ApiMisuse`. Values come from the
 * loop. Completes when the peer ended in order and everything was lent; errors with the report's own error, after what
 * came before it. Unsubscribing releases all and pauses the connection, or destroys it (`onUnsubscribe`).
 */
export function leased$(bev: BufferEvent, options: IntakeOptions = {}): Observable<Lease<Buffer>> {
  return leases(bev, 'leased$', { ...options, chunksMax: Number.POSITIVE_INFINITY });
}

/** As `leased$`, with at most `chunksMax` leases at a time. */
export function leases(
  bev: BufferEvent,
  operation: string,
  options: IntakeOptions & { chunksMax: number },
): Observable<Lease<Buffer>> {
  requireConnection(operation, bev);
  const { onUnsubscribe = 'pause' } = options;
  if (onUnsubscribe !== 'pause' && onUnsubscribe !== 'abort') {
    misuse(operation, `onUnsubscribe must be 'pause' or 'abort', not ${nameOf(onUnsubscribe)}`);
  }
  const origin = debugOrigin();
  return new Observable((subscriber) => {
    const leaks = origin === undefined ? undefined : new LeaseLeaks(`${bev.transport} connection ${bev.id}`, origin);
    const intake = new Intake(bev, operation, options, {
      chunk: (bytes) => subscriber.next(leaks === undefined ? lend(intake, bytes) : lendWatched(intake, bytes, leaks)),
      ended: () => subscriber.complete(),
      failed: (error) => subscriber.error(error),
    });
    return () => intake.stop();
  });
}

function lend(intake: Intake, bytes: Buffer): Lease<Buffer> {
  const { length } = bytes;
  return new Lease(bytes, () => intake.giveBack(length));
}

function lendWatched(intake: Intake, bytes: Buffer, leaks: LeaseLeaks): Lease<Buffer> {
  const { length } = bytes;
  const token = {};
  const lease = new Lease(bytes, () => {
    leaks.released(token);
    intake.giveBack(length);
  });
  leaks.lent(lease, token);
  return lease;
}
