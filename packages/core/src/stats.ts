import type { EndKind } from '@sluice/errors';
import { Counter } from '@sluice/native';
import type { BufferEvent } from './bufferevent.ts';
import { suspendReasons } from './suspend.ts';

/* Snapshots: plain objects that may be kept, sent and printed. Counts are since the object was made. */

export interface BufferEventStats {
  readonly id: number;
  readonly transport: string;
  readonly state: 'connecting' | 'open' | 'closed';
  /** How it ended; null until then. */
  readonly end: EndKind | null;
  readonly ageMs: number;
  /** Of this layer. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Unread, and not accepted below. */
  readonly inputBytes: number;
  readonly outputBytes: number;
  readonly peerEnded: boolean;
  /** Whether its user wants the direction to move. */
  readonly readEnabled: boolean;
  readonly writeEnabled: boolean;
  /** Names of the reasons (`Suspend`) for which a direction stands still. */
  readonly readSuspended: readonly string[];
  readonly writeSuspended: readonly string[];
  /** Of the layer below; null when there is none. */
  readonly underlying: BufferEventStats | null;
}

/** What a loop's system half has done. */
export interface ReactorStats {
  /** Calls from native into JavaScript, and the records that they carried. */
  readonly deliveries: number;
  readonly records: number;
  /** System calls that read, or wrote, something. */
  readonly reads: number;
  readonly bytesRead: number;
  readonly writes: number;
  readonly bytesWritten: number;
  /** Writes that a socket took in part or not at all. */
  readonly writesRefused: number;
  readonly flushes: number;
  /** Sockets and listeners that are open. */
  readonly handles: number;
}

export function bufferEventStats(bev: BufferEvent, ageMs: number): BufferEventStats {
  const { closed } = bev;
  const gone = closed === undefined ? undefined : 'closed';
  return {
    id: bev.id,
    transport: bev.transport,
    state: gone ?? (bev.connected ? 'open' : 'connecting'),
    end: closed?.end ?? null,
    ageMs: closed?.durationMs ?? ageMs,
    bytesIn: bev.bytesIn,
    bytesOut: bev.bytesOut,
    inputBytes: bev.input.length,
    outputBytes: bev.output.length,
    peerEnded: bev.peerEnded,
    readEnabled: bev.readEnabled,
    writeEnabled: bev.writeEnabled,
    readSuspended: suspendReasons(bev.suspended),
    writeSuspended: suspendReasons(bev.writeSuspended),
    underlying: bev.underlying?.stats ?? null,
  };
}

/** @param counters as the native binding's `Counter` says */
export function reactorStats(counters: Float64Array, handles: number): ReactorStats {
  const count = (index: number): number => counters[index] as number;
  return {
    deliveries: count(Counter.deliveries),
    records: count(Counter.records),
    reads: count(Counter.reads),
    bytesRead: count(Counter.bytesRead),
    writes: count(Counter.writes),
    bytesWritten: count(Counter.bytesWritten),
    writesRefused: count(Counter.writesRefused),
    flushes: count(Counter.flushes),
    handles,
  };
}
