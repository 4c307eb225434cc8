import { type TickRate, TokenBucket } from './token-bucket.ts';

/** What a member's direction does when it is told to stand still, or to go on. */
export interface ShareOwner {
  hold(): void;
  release(): void;
  /** Whether it is known to have bytes to move. A reader never knows. */
  wants(): boolean;
}

/** One member's part of a limit that several share. */
export class Share {
  readonly weight: number;
  readonly owner: ShareOwner;
  /** What it may still use in this tick; negative for what it owes. */
  credit = 0;
  /** What it used in this tick. */
  used = 0;
  /** It could have used more than it was given. */
  hungry = false;
  held = false;

  constructor(owner: ShareOwner, weight: number) {
    this.owner = owner;
    this.weight = weight;
  }
}

/**
 * One bucket for many, divided anew at each tick. Members that were busy in the tick before are given what they used,
 * if that is less than their part; the others divide the rest by weight. What members leave unused is divided again
 * in the next tick. A member that was idle may use its part at once, and a part is kept for that, so that whoever wakes
 * is not kept out by those who are always there.
 */
export class FairShare {
  /** What was charged for members and others since the begin; its user may set it back. */
  total = 0;
  readonly #members: Set<Share> = new Set();
  readonly #bucket: TokenBucket;
  #minShareWanted: number;
  #minShare: number;
  /** The bucket is empty: everybody waits until it holds a smallest share. */
  #dry = false;
  #heldCount = 0;
  #kept = false;

  constructor(rate: TickRate, minShare: number, now: number) {
    this.#bucket = new TokenBucket(rate, now);
    this.#minShareWanted = minShare;
    this.#minShare = this.#clip();
  }

  get bucket(): TokenBucket {
    return this.#bucket;
  }

  get dry(): boolean {
    return this.#dry;
  }

  /** The smallest part: as configured, but not more than a tick brings. */
  get minShare(): number {
    return this.#minShare;
  }

  change(rate: TickRate, minShare: number, now: number): void {
    this.#bucket.change(rate, now);
    this.#minShareWanted = minShare;
    this.#minShare = this.#clip();
    this.tick(now, true);
  }

  /** A new member may use its part at once, unless the bucket is dry. */
  add(share: Share, now: number): void {
    this.tick(now);
    this.#members.add(share);
    share.credit = Math.max(this.#minShare, (this.#bucket.level * share.weight) / this.#weight());
    if (this.#dry || this.#bucket.level < 1) this.#runDry();
  }

  delete(share: Share): void {
    if (this.#members.delete(share)) this.#release(share);
  }

  allowance(share: Share): number {
    return this.#dry ? 0 : Math.min(this.#bucket.level, share.credit);
  }

  /** Takes bytes (negative: gives back) for a member, or for somebody who is none. */
  charge(bytes: number, now: number, share?: Share): void {
    this.tick(now);
    this.total += bytes;
    this.#bucket.take(bytes);
    if (share !== undefined) {
      share.used += bytes;
      share.credit -= bytes;
    }
    if (this.#bucket.level < 1) this.#runDry();
    else if (this.#dry && this.#bucket.level >= this.#minShare) this.#divide();
    else if (share !== undefined && share.credit < 1) {
      share.hungry = true;
      this.#hold(share);
    }
  }

  /** Adds what time brought, and divides when it brought something. */
  tick(now: number, always = false): void {
    if (this.#bucket.refill(now) === 0 && !always) return;
    if (this.#bucket.level < (this.#dry ? this.#minShare : 1)) this.#runDry();
    else this.#divide();
  }

  /** Members that stand still. */
  get heldCount(): number {
    return this.#heldCount;
  }

  /** Milliseconds until somebody who waits may go on, perhaps; `Infinity` when nobody waits. */
  waitMs(now: number): number {
    if (this.#heldCount === 0) return Number.POSITIVE_INFINITY;
    return this.#dry ? this.#bucket.msUntil(this.#minShare, now) : this.#bucket.msUntilTick(now);
  }

  // --- Private ---

  #divide(): void {
    const unit = this.#unit();
    this.#dry = false;
    const served: Share[] = [];
    let left = this.#bucket.level - this.#keptForIdle(unit);
    let refused = false;
    for (const share of this.#members) {
      const part = Math.max(this.#minShare, unit * share.weight);
      const busy = isBusy(share);
      share.credit = Math.min(0, share.credit);
      share.used = 0;
      // Parts that were raised to the smallest may be more than there is: then they go round from tick to tick.
      if (busy && left < 1) {
        refused = true;
        share.hungry = true;
        this.#hold(share);
        continue;
      }
      if (busy) {
        left -= part;
        served.push(share);
      }
      share.credit += part;
      share.hungry = share.credit < 1;
      if (share.hungry) this.#hold(share);
      else this.#release(share);
    }
    if (!refused) return;
    for (const share of served) {
      if (this.#members.delete(share)) this.#members.add(share);
    }
  }

  /** Where parts are raised to the smallest, whoever wakes would be kept out: one part is kept for it, in every other tick. */
  #keptForIdle(unit: number): number {
    this.#kept = !this.#kept && unit < this.#minShare;
    return this.#kept && [...this.#members].some((share) => !isBusy(share)) ? this.#minShare : 0;
  }

  /** The part of a member of weight 1: those who need less than theirs leave the rest to the others. */
  #unit(): number {
    const modest = [...this.#members].filter((share) => share.used > 0 && !isHungry(share));
    modest.sort((a, b) => a.used / a.weight - b.used / b.weight);
    let left = this.#bucket.level;
    let weight = this.#weight();
    for (const share of modest) {
      // The last one has nobody to leave anything to.
      const others = weight - share.weight;
      if (share.used * weight >= left * share.weight || others < share.weight * 1e-9) break;
      left -= share.used;
      weight = others;
    }
    return left / weight;
  }

  /**
   * Of all who are busy, and of one who is not: or of as many as are busy, when the bucket ran dry and so nobody knows who
   * would have been.
   */
  #weight(): number {
    let busy = 0;
    let idle = 0;
    let idleMax = 0;
    for (const share of this.#members) {
      if (isBusy(share)) busy += share.weight;
      else {
        idle += share.weight;
        idleMax = Math.max(idleMax, share.weight);
      }
    }
    return busy + (this.#dry ? Math.min(idle, Math.max(busy, idleMax)) : idleMax);
  }

  #runDry(): void {
    this.#dry = true;
    for (const share of this.#members) {
      share.hungry ||= share.used > 0;
      this.#hold(share);
    }
  }

  #hold(share: Share): void {
    if (share.held) return;
    share.held = true;
    this.#heldCount += 1;
    share.owner.hold();
  }

  #release(share: Share): void {
    if (!share.held) return;
    share.held = false;
    this.#heldCount -= 1;
    share.owner.release();
  }

  #clip(): number {
    return Math.max(1, Math.min(this.#minShareWanted, this.#bucket.rate.perTick));
  }
}

function isHungry(share: Share): boolean {
  return share.hungry || share.owner.wants();
}

function isBusy(share: Share): boolean {
  return share.used > 0 || isHungry(share);
}
