import { expect } from 'chai';
import { FairShare, Share } from '../src/fair-share.ts';
import { tickRate } from '../src/token-bucket.ts';

/** A member that moves up to `demand` bytes per tick, as far as it is let. */
class Member {
  readonly share: Share;
  demand: number;
  moved = 0;
  #now = 0;

  constructor(demand: number, weight = 1) {
    this.demand = demand;
    this.share = new Share({ hold() {}, release() {}, wants: () => false }, weight);
  }

  move(shared: FairShare, now: number): void {
    this.#now = now;
    const bytes = Math.floor(Math.min(this.demand, shared.allowance(this.share)));
    if (this.share.held || bytes < 1) return;
    shared.charge(bytes, this.#now, this.share);
    this.moved += bytes;
  }
}

/** Runs ticks of 100 ms; members move in the same order in each. */
function run(shared: FairShare, members: readonly Member[], ticks: number, from = 0): void {
  for (let tick = 0; tick < ticks; tick += 1) {
    const now = (from + tick) * 100;
    shared.tick(now);
    for (const member of members) member.move(shared, now);
  }
}

function shareOf(perSecond: number, members: readonly Member[], burst = perSecond, minShare = 1): FairShare {
  const shared = new FairShare(tickRate({ perSecond, burst }, 100), minShare, 0);
  for (const member of members) shared.add(member.share, 0);
  return shared;
}

const LOUD = 1e9;

describe('FairShare', () => {
  it('divides among the busy alone: idle members waste nothing', () => {
    const loud = [new Member(LOUD), new Member(LOUD)];
    const idle = Array.from({ length: 50 }, () => new Member(0));
    const members = [...loud, ...idle];
    const shared = shareOf(10_000, members);
    run(shared, members, 110);
    for (const member of loud) member.moved = 0;
    run(shared, members, 100, 110);
    for (const member of loud) expect(member.moved).to.be.closeTo(50_000, 500);
  });

  it('lets one busy member use all of it', () => {
    const members = [new Member(LOUD), new Member(0), new Member(0)];
    const shared = shareOf(10_000, members);
    run(shared, members, 100);
    expect(members[0]?.moved).to.be.closeTo(100_000, 10_000);
  });

  it('divides by weight', () => {
    const members = [new Member(LOUD, 3), new Member(LOUD, 1), new Member(LOUD, 1)];
    run(shareOf(10_000, members), members, 200);
    const total = members.reduce((sum, member) => sum + member.moved, 0);
    expect(total).to.be.closeTo(200_000, 2000);
    expect((members[0]?.moved ?? 0) / total).to.be.closeTo(0.6, 0.02);
    expect((members[1]?.moved ?? 0) / total).to.be.closeTo(0.2, 0.02);
  });

  it('gives those who need less what they need, and the rest to the others', () => {
    const members = [new Member(100), new Member(LOUD), new Member(LOUD)];
    run(shareOf(10_000, members), members, 200);
    expect(members[0]?.moved).to.be.closeTo(20_000, 500);
    expect(members[1]?.moved).to.be.closeTo(90_000, 2000);
    expect(members[2]?.moved).to.be.closeTo(90_000, 2000);
  });

  it('does not let whoever moves first keep out one that wakes', () => {
    const first = new Member(LOUD);
    const late = new Member(0);
    const shared = shareOf(10_000, [first, late]);
    run(shared, [first, late], 50);
    late.demand = LOUD;
    first.moved = 0;
    run(shared, [first, late], 100, 50);
    expect(late.moved).to.be.closeTo(first.moved, 3000);
  });

  it('goes round from tick to tick when the smallest part does not suffice for all', () => {
    const members = Array.from({ length: 30 }, () => new Member(LOUD));
    const shared = shareOf(3200, members, 3200, 64);
    run(shared, members, 100);
    for (const member of members) expect(member.moved).to.be.above(0);
    for (const member of members) member.moved = 0;
    run(shared, members, 300, 100);
    const moved = members.map((member) => member.moved);
    expect(moved.reduce((sum, bytes) => sum + bytes)).to.be.closeTo(96_000, 700);
    expect(Math.max(...moved) - Math.min(...moved)).to.be.at.most(128);
  });

  it('lets a member that took too much wait until its parts have paid for it, and not the others', () => {
    const members = [new Member(LOUD), new Member(LOUD)];
    const shared = shareOf(10_000, members);
    const [greedy, other] = members as [Member, Member];
    shared.charge(5000, 0, greedy.share);
    expect(greedy.share.held).to.equal(true);
    expect(shared.dry).to.equal(true);
    run(shared, members, 100, 1);
    expect(other.moved - greedy.moved).to.be.closeTo(5000, 1000);
    expect(greedy.moved + other.moved + 5000).to.be.closeTo(100_000, 1100);
  });

  it('runs dry for all at once, and goes on when it holds a smallest share', () => {
    const members = [new Member(LOUD), new Member(LOUD)];
    const shared = shareOf(1000, members, 1000, 64);
    shared.charge(150, 0);
    expect(members.every(({ share }) => share.held)).to.equal(true);
    expect(shared.waitMs(0)).to.equal(200);
    shared.tick(100);
    expect(shared.bucket.level).to.equal(50);
    expect(shared.dry).to.equal(true);
    shared.tick(200);
    expect(members.some(({ share }) => share.held)).to.equal(false);
    expect(shared.waitMs(200)).to.equal(Number.POSITIVE_INFINITY);
  });

  it('clips the smallest share to a tick, and remembers what was asked for', () => {
    const shared = new FairShare(tickRate({ perSecond: 100 }, 100), 64, 0);
    expect(shared.minShare).to.equal(10);
    shared.change(tickRate({ perSecond: 10_000 }, 100), 64, 0);
    expect(shared.minShare).to.equal(64);
  });
});
