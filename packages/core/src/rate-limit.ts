import { ApiMisuse } from '@sluice/errors';
import { requireObject } from './arguments.ts';
import type { BufferEvent } from './bufferevent.ts';
import { FlowLimiter } from './flow-limiter.ts';
import type { RateLimitGroup } from './rate-limit-group.ts';
import { type TickRate, type TokenRate, tickRate } from './token-bucket.ts';

/** Bytes per second, for each direction that is limited. */
export interface RateLimitOptions {
  read?: TokenRate;
  write?: TokenRate;
  /** How often more is allowed. Default 100 ms; whole milliseconds from 1. */
  tickMs?: number;
}

/** Bytes that may move in one turn of the loop, so that one busy connection does not hold up the others. */
export interface TurnLimitOptions {
  readBytes?: number;
  writeBytes?: number;
}

/** What a connection's limits leave it, at the time of asking. */
export interface RateLimitStatus {
  /** The bytes that each of its own buckets holds; negative for a debt, `Infinity` without a limit. */
  readonly readLevel: number;
  readonly writeLevel: number;
  /** What may move now: own rate, part of the group and turn together. */
  readonly readAllowance: number;
  readonly writeAllowance: number;
  readonly readBytesPerTurn: number;
  readonly writeBytesPerTurn: number;
  readonly group: RateLimitGroup | undefined;
}

/** Which group a connection is in, by its lowest layer. */
export const groupOf: WeakMap<BufferEvent, RateLimitGroup> = new WeakMap();

/** The layer that the system, or memory, carries: the bytes of all layers above pass through it. */
export function lowestOf(bev: BufferEvent): BufferEvent {
  let lowest = bev;
  for (let below = lowest.underlying; below !== undefined; below = lowest.underlying) lowest = below;
  return lowest;
}

export function setRateLimit(bev: BufferEvent, options: RateLimitOptions | null): void {
  if (options !== null) requireObject('setRateLimit', 'options', options);
  const { read, write } = tickRates(options ?? {});
  changeLimiter(lowestOf(bev), (limiter) => limiter.setRates(read, write));
}

export function setTurnLimit(bev: BufferEvent, options: TurnLimitOptions | null): void {
  if (options !== null) requireObject('setTurnLimit', 'options', options);
  const readBytes = turnBytes('readBytes', options?.readBytes);
  const writeBytes = turnBytes('writeBytes', options?.writeBytes);
  changeLimiter(lowestOf(bev), (limiter) => {
    limiter.read.setTurnBytes(readBytes);
    limiter.write.setTurnBytes(writeBytes);
  });
}

export function rateLimitStatus(bev: BufferEvent): RateLimitStatus | undefined {
  const lowest = lowestOf(bev);
  const limiter = lowest._limiter;
  if (limiter === undefined) return undefined;
  const { read, write } = limiter;
  const now = lowest.loop.now();
  for (const { bucket } of [read, write]) bucket?.refill(now);
  return {
    readLevel: read.bucket?.level ?? Number.POSITIVE_INFINITY,
    writeLevel: write.bucket?.level ?? Number.POSITIVE_INFINITY,
    readAllowance: read.allowance,
    writeAllowance: write.allowance,
    readBytesPerTurn: read.turnBytesMax,
    writeBytesPerTurn: write.turnBytesMax,
    group: groupOf.get(lowest),
  };
}

/** Changes the limits of a lowest layer; one without any has no limiter. Nothing for a connection that is ending. */
export function changeLimiter(lowest: BufferEvent, change: (limiter: FlowLimiter) => void): void {
  if (lowest.closed !== undefined) return;
  lowest._limiter ??= new FlowLimiter(lowest);
  change(lowest._limiter);
  if (!lowest._limiter.needed) {
    lowest._limiter.close();
    lowest._limiter = undefined;
  }
  lowest._limiterChanged();
}

/** A connection is ending: its limits go. */
export function dropLimiter(lowest: BufferEvent): void {
  groupOf.get(lowest)?.delete(lowest);
  lowest._limiter?.close();
  lowest._limiter = undefined;
}

/** @throws ApiMisuse that names the number that makes no sense */
export function tickRates(options: RateLimitOptions): { read: TickRate | undefined; write: TickRate | undefined } {
  const { read, write, tickMs } = options;
  return {
    read: read === undefined ? undefined : tickRate(read, tickMs, 'read'),
    write: write === undefined ? undefined : tickRate(write, tickMs, 'write'),
  };
}

function turnBytes(name: string, bytes: number = Number.POSITIVE_INFINITY): number {
  if (bytes === Number.POSITIVE_INFINITY || (Number.isInteger(bytes) && bytes >= 1)) return bytes;
  throw new ApiMisuse(`${name} must be a whole number of 1 or more, or Infinity, not ${bytes}`, {
    code: 'SLUICE_CORE_RATE_LIMIT',
    layer: 'core',
    operation: 'turnLimit',
  });
}
