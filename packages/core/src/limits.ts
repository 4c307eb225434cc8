import { ApiMisuse } from '@sluice/errors';

/** Marks of one direction, in bytes. */
export interface ReadMarks {
  /** `data` is delivered at this much input or more (or when no more can come). Default 1. */
  low?: number;
  /** Reading stops at this much unread input and goes on below it. Default 64 KiB. `Infinity` for no bound. */
  high?: number;
}

export interface WriteMarks {
  /** `drained` is delivered when output falls to this. Default 16 KiB. */
  low?: number;
  /** `write` answers false from here on. Default 64 KiB. */
  high?: number;
  /** `write` throws past this, and takes nothing. Default 1 MiB. `Infinity` for no bound. */
  cap?: number;
}

/** Limits of time in milliseconds; `Infinity` switches one off, in writing. */
export interface Timeouts {
  /** From asking for a connection to having it. Default 10 s: a lost SYN is sent three times within it. */
  connectMs?: number;
  /** Without a byte in while reading is wanted. Default `Infinity`: `idleMs` covers the silent peer. */
  readMs?: number;
  /** Without progress while output waits. Default 60 s: a peer that stopped reading holds memory no longer than this. */
  writeMs?: number;
  /** Without a byte in either direction. Default 5 min. */
  idleMs?: number;
  /** For the peer's end after ours was sent by `close`. Default 3 s, as nginx and Netty have it. */
  closeMs?: number;
}

export interface Watermarks {
  read?: ReadMarks;
  write?: WriteMarks;
}

/** What can be said of any connection when it is made. */
export interface ConnectionOptions {
  watermarks?: Watermarks;
  timeouts?: Timeouts;
  /** After the peer's end, go on until `end` or `close` is called; else output is flushed and the connection closed. */
  halfOpen?: boolean;
  /** Stop reading while output is at its high mark, until it has drained: a peer that does not read is not read from. */
  pauseReadWhenFull?: boolean;
  /** See `BufferEvent.priority`. Default: none, callbacks in every turn. */
  priority?: number;
}

/** Marks and times of one connection, all present. Shared between connections with equal options; never changed. */
export interface Limits {
  readonly readLow: number;
  readonly readHigh: number;
  readonly writeLow: number;
  readonly writeHigh: number;
  readonly writeCap: number;
  readonly connectMs: number;
  readonly readMs: number;
  readonly writeMs: number;
  readonly idleMs: number;
  readonly closeMs: number;
}

export const defaultLimits: Limits = {
  readLow: 1,
  readHigh: 64 * 1024,
  writeLow: 16 * 1024,
  writeHigh: 64 * 1024,
  writeCap: 1024 * 1024,
  connectMs: 10_000,
  readMs: Number.POSITIVE_INFINITY,
  writeMs: 60_000,
  idleMs: 300_000,
  closeMs: 3_000,
};

/** Lays options over a base and checks them. Throws `ApiMisuse` that names the wrong one. */
export function limitsFrom(
  options: { watermarks?: Watermarks; timeouts?: Timeouts },
  base: Limits = defaultLimits,
): Limits {
  const { watermarks, timeouts } = options;
  if (watermarks === undefined && timeouts === undefined) return base;
  const limits: Limits = {
    readLow: watermarks?.read?.low ?? base.readLow,
    readHigh: watermarks?.read?.high ?? base.readHigh,
    writeLow: watermarks?.write?.low ?? base.writeLow,
    writeHigh: watermarks?.write?.high ?? base.writeHigh,
    writeCap: watermarks?.write?.cap ?? base.writeCap,
    connectMs: timeouts?.connectMs ?? base.connectMs,
    readMs: timeouts?.readMs ?? base.readMs,
    writeMs: timeouts?.writeMs ?? base.writeMs,
    idleMs: timeouts?.idleMs ?? base.idleMs,
    closeMs: timeouts?.closeMs ?? base.closeMs,
  };
  for (const [name, value] of Object.entries(limits)) {
    if (typeof value !== 'number' || !(value >= 0)) misuse(`${name} must be a number of 0 or more, not ${value}`);
  }
  if (limits.readHigh < 1) misuse('read.high must be 1 or more; Infinity means no bound');
  if (limits.readLow > limits.readHigh) {
    misuse(
      `read.low (${limits.readLow}) is above read.high (${limits.readHigh}): reading would stop before data is due`,
    );
  }
  if (limits.writeLow >= limits.writeHigh) {
    misuse(`write.low (${limits.writeLow}) must be below write.high (${limits.writeHigh})`);
  }
  if (limits.writeHigh > limits.writeCap) {
    misuse(`write.high (${limits.writeHigh}) is above write.cap (${limits.writeCap})`);
  }
  return limits;
}

function misuse(message: string): never {
  throw new ApiMisuse(message, { code: 'SLUICE_CORE_LIMITS', layer: 'core', operation: 'limits' });
}
