import { LimitError } from '@sluice/errors';
import { concatMap, defer, finalize, Observable, type OperatorFunction, tap } from 'rxjs';
import { endedError } from '../bufferevent-errors.ts';
import type { BufferEvent } from '../bufferevent.ts';
import { pieceBytes } from '../duplex/backlog.ts';
import type { UnsubscribeOptions } from './intake.ts';

/** One chunk that was written, and for which there is room again. */
export interface WriteStatus {
  /** Of the chunk; all were taken. */
  readonly bytes: number;
  /** Output was at its high watermark with it, and has drained since. */
  readonly waited: boolean;
}

/**
 * Writes each chunk to the connection and emits its status when the next may come: at once while output is below its high
 * watermark, else when it has drained. One chunk at a time, in order.
 *
 * A source that waits for the status (`pull`, `settle`) makes that a bound from end to end. One that does not is queued
 * up to `write.cap` bytes, output included (a chunk counts as 64 at least), and then gets a `LimitError`, as if it had
 * called `write`.
 *
 * Errors when the connection ends before a chunk has its status. Completing leaves the connection open; unsubscribing
 * drops what is queued and leaves what was written, or destroys the connection (`onUnsubscribe: 'abort'`).
 */
export function sink(bev: BufferEvent, options: UnsubscribeOptions = {}): OperatorFunction<Uint8Array, WriteStatus> {
  return (source) =>
    defer(() => {
      let queuedBytes = 0;
      let over = false;
      const isOver = (): void => {
        over = true;
      };
      const queue = ({ byteLength }: Uint8Array): void => {
        const held = bev.output.length + queuedBytes + byteLength;
        if (held > bev.limits.writeCap) throw sinkCapError(bev, held);
        queuedBytes += pieceBytes(byteLength);
      };
      const take = (chunk: Uint8Array): Observable<WriteStatus> => {
        queuedBytes -= pieceBytes(chunk.byteLength);
        return writeOne(bev, chunk);
      };
      return source.pipe(
        tap(queue),
        concatMap(take),
        tap({ complete: isOver, error: isOver }),
        finalize(() => {
          if (!over && options.onUnsubscribe === 'abort') bev.destroy();
        }),
      );
    });
}

function writeOne(bev: BufferEvent, chunk: Uint8Array): Observable<WriteStatus> {
  return new Observable((subscriber) => {
    const tell = (waited: boolean): void => {
      subscriber.next({ bytes: chunk.byteLength, waited });
      subscriber.complete();
    };
    if (bev.write(chunk)) {
      tell(false);
      return undefined;
    }
    const drained = (): void => tell(true);
    const closed = (): void => subscriber.error(endedError(bev, 'write'));
    bev.once('drained', drained);
    bev.once('closed', closed);
    return () => {
      bev.off('drained', drained);
      bev.off('closed', closed);
    };
  });
}

function sinkCapError(bev: BufferEvent, held: number): LimitError {
  return new LimitError(
    `sink: ${held} bytes wait for ${bev.transport} connection ${bev.id}, more than its cap of ${bev.limits.writeCap}; ` +
      'let the source wait for each status (pull, settle), or raise watermarks.write.cap',
    { code: 'SLUICE_CORE_SINK_CAP', layer: 'core', operation: 'sink', blame: 'local', remedy: 'fix' },
  );
}
