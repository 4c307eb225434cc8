import { ApiMisuse } from '@sluice/errors';
import { requireConnection, requireObject, requireOpenLoop } from './arguments.ts';
import type { BufferEvent } from './bufferevent.ts';
import type { EventLoop } from './event-loop.ts';
import { FairShare, Share, type ShareOwner } from './fair-share.ts';
import { changeLimiter, groupOf, lowestOf, type RateLimitOptions, tickRates } from './rate-limit.ts';
import { Suspend } from './suspend.ts';
import type { Timer } from './timer.ts';
import { type TickRate, unlimitedRate } from './token-bucket.ts';

export interface RateLimitGroupOptions extends RateLimitOptions {
  /** The smallest part that a member is given, so that a crowded group does not move a byte at a time. Default 64. */
  minShareBytes?: number;
}

/** A snapshot of a group: plain values. */
export interface RateLimitGroupStats {
  readonly members: number;
  /** Members that stand still because the group's rate is used up, per direction. */
  readonly readHeld: number;
  readonly writeHeld: number;
  /** See `available`. */
  readonly readAvailable: number;
  readonly writeAvailable: number;
  /** See `totals`. */
  readonly readTotal: number;
  readonly writeTotal: number;
}

export interface GroupMemberOptions {
  /** How much of the group's rate it gets in relation to the others. Default 1. */
  weight?: number;
}

const MIN_SHARE_BYTES = 64;

/**
 * A rate that several connections of one loop share. Each of the busy ones gets its part, by weight; what one leaves
 * unused goes to the others. A member may have a limit of its own as well. Counted are the bytes of its lowest layer:
 * under TLS those on the wire.
 */
export class RateLimitGroup implements Disposable {
  readonly loop: EventLoop;
  readonly #members: Map<BufferEvent, { read: Share; write: Share }> = new Map();
  readonly #shared: { readonly read: FairShare; readonly write: FairShare };
  readonly #timer: Timer;

  /** @throws ApiMisuse that names the number that makes no sense */
  constructor(loop: EventLoop, options: RateLimitGroupOptions) {
    requireOpenLoop('RateLimitGroup', loop);
    const { read, write, minShareBytes } = checked(options);
    const now = loop.now();
    this.loop = loop;
    this.#shared = {
      read: new FairShare(read, minShareBytes, now),
      write: new FairShare(write, minShareBytes, now),
    };
    this.#timer = loop.idleTimer(() => this.#tick()).ref();
  }

  get size(): number {
    return this.#members.size;
  }

  has(bev: BufferEvent): boolean {
    requireConnection('RateLimitGroup.has', bev);
    return this.#members.has(lowestOf(bev));
  }

  /** Bytes that the group may still move; negative for a debt, `Infinity` for a direction without a limit. */
  available(direction: 'read' | 'write'): number {
    const shared = this.#sharedOf(direction);
    shared.tick(this.loop.now());
    return shared.bucket.level;
  }

  /** Bytes that members moved, or that were charged, since the begin or `resetTotals`. */
  get totals(): { readonly read: number; readonly write: number } {
    return { read: this.#shared.read.total, write: this.#shared.write.total };
  }

  get stats(): RateLimitGroupStats {
    const { read, write } = this.#shared;
    return {
      members: this.size,
      readHeld: read.heldCount,
      writeHeld: write.heldCount,
      readAvailable: this.available('read'),
      writeAvailable: this.available('write'),
      readTotal: read.total,
      writeTotal: write.total,
    };
  }

  resetTotals(): void {
    this.#shared.read.total = 0;
    this.#shared.write.total = 0;
  }

  /**
   * Another limit for all. What the buckets hold stays, cut to the new burst.
   * @throws ApiMisuse that names the number that makes no sense, and changes nothing
   */
  setLimit(options: RateLimitGroupOptions): void {
    const { read, write, minShareBytes } = checked(options);
    const now = this.loop.now();
    this.#shared.read.change(read, minShareBytes, now);
    this.#shared.write.change(write, minShareBytes, now);
    this.#arm();
  }

  /**
   * Makes it a member; it leaves the group that it was in. In a group that has nothing left it stands still at once.
   * @throws ApiMisuse for a connection of another loop, or a weight that is none
   */
  add(bev: BufferEvent, options: GroupMemberOptions = {}): this {
    requireConnection('RateLimitGroup.add', bev);
    const lowest = lowestOf(bev);
    const { weight = 1 } = options;
    if (!(weight > 0) || weight === Number.POSITIVE_INFINITY) {
      misuse(`weight must be a finite number above 0, not ${weight}`);
    }
    if (lowest.loop !== this.loop) misuse('a group and its members must be of one loop');
    if (lowest.closed !== undefined) return this;
    groupOf.get(lowest)?.delete(lowest);
    groupOf.set(lowest, this);
    const read = new Share(readerOf(lowest), weight);
    const write = new Share(writerOf(lowest), weight);
    this.#members.set(lowest, { read, write });
    changeLimiter(lowest, (limiter) => {
      limiter.read.share = { of: this.#shared.read, member: read, charged: () => this.#arm() };
      limiter.write.share = { of: this.#shared.write, member: write, charged: () => this.#arm() };
      this.#shared.read.add(read, this.loop.now());
      this.#shared.write.add(write, this.loop.now());
    });
    this.#arm();
    return this;
  }

  /** Answers whether it was a member. It goes on at once, as fast as its own limit lets it. */
  delete(bev: BufferEvent): boolean {
    requireConnection('RateLimitGroup.delete', bev);
    const lowest = lowestOf(bev);
    const shares = this.#members.get(lowest);
    if (shares === undefined) return false;
    this.#members.delete(lowest);
    groupOf.delete(lowest);
    changeLimiter(lowest, (limiter) => {
      limiter.read.share = undefined;
      limiter.write.share = undefined;
      this.#shared.read.delete(shares.read);
      this.#shared.write.delete(shares.write);
    });
    return true;
  }

  /**
   * Takes bytes that somebody outside the group used of its limit, or gives some back with a negative number.
   * @throws ApiMisuse when it is no finite number
   */
  charge(direction: 'read' | 'write', bytes: number): void {
    if (!Number.isFinite(bytes)) misuse(`charge needs a number of bytes, not ${bytes}`);
    this.#sharedOf(direction).charge(bytes, this.loop.now());
    this.#arm();
  }

  /** Lets all members go; they go on without the group's limit. */
  close(): void {
    for (const bev of [...this.#members.keys()]) this.delete(bev);
    this.#timer.stop();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #sharedOf(direction: 'read' | 'write'): FairShare {
    if (direction === 'read' || direction === 'write') return this.#shared[direction];
    return misuse(`the direction must be 'read' or 'write', not ${String(direction)}`);
  }

  /** One timer for both directions, while anybody waits. It keeps the process: stopped sockets do not. */
  #arm(): void {
    const now = this.loop.now();
    const waitMs = Math.min(this.#shared.read.waitMs(now), this.#shared.write.waitMs(now));
    if (waitMs === Number.POSITIVE_INFINITY) return this.#timer.stop();
    if (this.#timer.pending && this.#timer.deadline <= now + waitMs) return;
    this.#timer.start(waitMs);
  }

  #tick(): void {
    const now = this.loop.now();
    this.#shared.read.tick(now);
    this.#shared.write.tick(now);
    this.#arm();
  }
}

function readerOf(bev: BufferEvent): ShareOwner {
  return {
    hold: () => bev.suspendRead(Suspend.group),
    release: () => bev.unsuspendRead(Suspend.group),
    wants: () => false,
  };
}

function writerOf(bev: BufferEvent): ShareOwner {
  return {
    hold: () => bev.suspendWrite(Suspend.group),
    release: () => bev.unsuspendWrite(Suspend.group),
    wants: () => bev.output.length > 0,
  };
}

function checked(options: RateLimitGroupOptions): { read: TickRate; write: TickRate; minShareBytes: number } {
  requireObject('RateLimitGroup', 'options', options);
  const { minShareBytes = MIN_SHARE_BYTES } = options;
  if (!Number.isInteger(minShareBytes) || minShareBytes < 1) {
    misuse(`minShareBytes must be a whole number of 1 or more, not ${minShareBytes}`);
  }
  const { read = unlimitedRate, write = unlimitedRate } = tickRates(options);
  return { read, write, minShareBytes };
}

function misuse(message: string): never {
  throw new ApiMisuse(message, { code: 'SLUICE_CORE_RATE_LIMIT', layer: 'core', operation: 'rateLimitGroup' });
}
