import type { BufferEvent } from './bufferevent.ts';
import type { CloseReport } from './close-report.ts';

/** What a BufferEvent emits. Always from the loop, and within one delivery in this order. */
export interface BufferEventEvents {
  /** Ready for the application's bytes: connected, and every handshake below is done. Once. */
  connected: [];
  /** `input` holds `read.low` bytes or more, or the last there will be. Again only when more has come. */
  data: [];
  /** `output` fell to `write.low` after having been above it. */
  drained: [];
  /** The peer ended its direction in order; all it sent has been delivered. At most once. */
  end: [];
  /** A direction made no progress for its limit, and was disabled. Without a listener the connection is closed. */
  timeout: [direction: 'read' | 'write'];
  /** The connection is gone. Exactly once, and nothing after it. */
  closed: [report: CloseReport];
}

/** The same as one object, shared by any number of connections. Every member is optional. */
export interface Handlers {
  /** A connection was accepted; handshakes are still to come. The place to set limits and `userData`. */
  open?(bev: BufferEvent): void;
  connected?(bev: BufferEvent): void;
  data?(bev: BufferEvent): void;
  drained?(bev: BufferEvent): void;
  end?(bev: BufferEvent): void;
  timeout?(bev: BufferEvent, direction: 'read' | 'write'): void;
  closed?(bev: BufferEvent, report: CloseReport): void;
}
