import type { SluiceError } from '@sluice/errors';
import type { Rejection } from './accept-limits.ts';
import type { BufferEvent } from './bufferevent.ts';
import type { CloseReport } from './close-report.ts';
import type { Listener } from './listener.ts';
import { childLogger, type Logger } from './logger.ts';

/**
 * What a server writes to its logger. A connection has a child with its `id`, and ends with a line at the level of its
 * error's `logLevel`: a peer's everyday faults at info, ours at error. Without an error it is debug.
 *
 * A logger that throws ends nothing: `uncaught` gets the exception.
 */
export class ServerLog {
  readonly #logger: Logger;
  readonly #uncaught: (error: unknown) => void;
  readonly #children: WeakMap<BufferEvent, Logger> = new WeakMap();

  constructor(logger: Logger, uncaught: (error: unknown) => void) {
    this.#logger = logger;
    this.#uncaught = uncaught;
  }

  /** The connection's child; for one that is not the server's, the server's own logger. */
  of(bev: BufferEvent): Logger {
    return this.#children.get(bev) ?? this.#logger;
  }

  listening({ address, transport }: Listener): void {
    this.#try(() => this.#logger.info({ transport, address }, 'listening'));
  }

  acceptFailed(err: SluiceError): void {
    this.#try(() => this.#logger[err.logLevel]({ err }, 'accepting failed'));
  }

  notTaken({ reason, address }: Rejection): void {
    this.#try(() => this.#logger.warn({ reason, address }, 'connection not taken'));
  }

  accepted(bev: BufferEvent): void {
    this.#try(() => {
      const logger = childLogger(this.#logger, { id: bev.id });
      this.#children.set(bev, logger);
      logger.debug({ transport: bev.transport, remoteAddress: bev.remoteAddress }, 'connection accepted');
    });
  }

  closed(bev: BufferEvent, report: CloseReport): void {
    const logger = this.of(bev);
    const { error: err, ...fields } = report;
    this.#try(() => {
      if (err === undefined) logger.debug(fields, 'connection closed');
      else
        logger[err.logLevel]({ ...fields, entries: err.describeEntries(), err }, `connection closed: ${err.message}`);
    });
  }

  drained(report: object): void {
    this.#try(() => this.#logger.info({ ...report }, 'drained'));
  }

  #try(log: () => void): void {
    try {
      log();
    } catch (error) {
      this.#uncaught(error);
    }
  }
}
