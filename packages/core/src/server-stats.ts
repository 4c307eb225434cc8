import type { EndKind } from '@sluice/errors';
import type { Address } from '@sluice/native';
import type { RejectReason } from './accept-limits.ts';
import type { CloseReport } from './close-report.ts';
import type { Server } from './server.ts';

export interface ListenerStats {
  readonly transport: 'tcp' | 'unix';
  readonly address: Address;
  readonly listening: boolean;
  readonly acceptedTotal: number;
  /** Times that accepting failed. */
  readonly acceptErrorsTotal: number;
}

/** A snapshot of a server: plain values, counted since it was made. */
export interface ServerStats {
  /** Those that listen now. */
  readonly listeners: readonly ListenerStats[];
  /** Open now. */
  readonly connections: number;
  readonly acceptedTotal: number;
  /** Connections that were not taken, by reason. */
  readonly rejected: Readonly<Record<RejectReason, number>>;
  /** Connections that are gone, by how they ended, and their bytes. */
  readonly closed: Readonly<Record<EndKind, number>>;
  readonly closedBytesIn: number;
  readonly closedBytesOut: number;
}

/** What a server counts. */
export class ServerCounts {
  acceptedTotal = 0;
  readonly #closed: Record<EndKind, number> = { end: 0, truncated: 0, reset: 0, timeout: 0, aborted: 0, failed: 0 };
  #bytesIn = 0;
  #bytesOut = 0;

  closed({ end, bytesIn, bytesOut }: CloseReport): void {
    this.#closed[end] += 1;
    this.#bytesIn += bytesIn;
    this.#bytesOut += bytesOut;
  }

  snapshot({ connections, listening, rejected }: Server): ServerStats {
    return {
      listeners: [...listening].map((listener) => listener.stats),
      connections: connections.size,
      acceptedTotal: this.acceptedTotal,
      rejected: { ...rejected },
      closed: { ...this.#closed },
      closedBytesIn: this.#bytesIn,
      closedBytesOut: this.#bytesOut,
    };
  }
}
