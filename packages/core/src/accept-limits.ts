import type { BlockList } from 'node:net';
import { misuse, nameOf, requireObject } from './arguments.ts';
import type { Address } from '@sluice/native';
import type { BufferEvent } from './bufferevent.ts';
import type { EventLoop } from './event-loop.ts';
import { type Listener, Pause } from './listener.ts';
import type { Timer } from './timer.ts';
import { TokenBucket, type TokenRate, tickRate } from './token-bucket.ts';

/** Whom a server takes, and how many. What is left out is not limited. */
export interface AcceptLimitOptions {
  /** Open connections, of all listeners together. More are reset as soon as they are accepted. */
  connectionsMax?: number;
  /** Open connections of one peer: an IPv4 address, or the /64 network of an IPv6 address. Unix sockets have no peers. */
  connectionsPerAddressMax?: number;
  /** Connections accepted per second. What comes faster waits in the kernel's backlog, and is not refused. */
  acceptRate?: TokenRate;
  /** Peers that are reset at once. It may be changed at any time. */
  blockList?: BlockList;
}

export type RejectReason = 'connections' | 'connectionsPerAddress' | 'blocked';

/** A connection that was not taken. */
export interface Rejection {
  readonly reason: RejectReason;
  /** `undefined` when the peer was gone before it could be asked for. */
  readonly address: Address | undefined;
}

interface Peer {
  connections: number;
  /** Somebody was told that this peer has reached its limit. */
  told: boolean;
}

const RATE_TICK_MS = 10;

/** A server's door: decides about each accepted connection, counts them, and pauses the listeners when they come too fast. */
export class AcceptLimits {
  readonly rejected: Record<RejectReason, number> = { connections: 0, connectionsPerAddress: 0, blocked: 0 };
  readonly #loop: EventLoop;
  readonly #listeners: ReadonlySet<Listener>;
  readonly #connectionsMax: number;
  readonly #perAddressMax: number;
  readonly #blockList: BlockList | undefined;
  readonly #bucket: TokenBucket | undefined;
  readonly #timer: Timer | undefined;
  /** Open connections, each with its peer. */
  readonly #open: Map<BufferEvent, string> = new Map();
  readonly #peers: Map<string, Peer> = new Map();
  readonly #told: Set<RejectReason> = new Set();

  /** @throws ApiMisuse that names the limit that makes no sense */
  constructor(loop: EventLoop, listeners: ReadonlySet<Listener>, options: AcceptLimitOptions) {
    requireObject(OPERATION, 'limits', options);
    this.#loop = loop;
    this.#listeners = listeners;
    this.#connectionsMax = countOf('connectionsMax', options.connectionsMax);
    this.#perAddressMax = countOf('connectionsPerAddressMax', options.connectionsPerAddressMax);
    this.#blockList = checkedBlockList(options.blockList);
    if (options.acceptRate === undefined) return;
    this.#bucket = new TokenBucket(tickRate(options.acceptRate, RATE_TICK_MS, 'acceptRate'), loop.now());
    // Paused listeners do not keep the process.
    this.#timer = loop.idleTimer(() => this.#refill()).ref();
  }

  /** Counts an accepted connection against the rate, and says why it is not taken; `undefined` when it is. */
  check(address: Address | undefined): Rejection | undefined {
    this.#countRate();
    const reason = this.#reason(address);
    if (reason === undefined) return undefined;
    this.rejected[reason] += 1;
    return { reason, address };
  }

  /** Whether it begins a run: none was rejected for its reason (and of its peer, if that is it) since one was taken. */
  beginsRun({ reason, address }: Rejection): boolean {
    const peer = reason === 'connectionsPerAddress' ? this.#peers.get(peerOf(address)) : undefined;
    if (peer !== undefined) {
      const first = !peer.told;
      peer.told = true;
      return first;
    }
    const first = !this.#told.has(reason);
    this.#told.add(reason);
    return first;
  }

  /** A connection was taken. */
  opened(bev: BufferEvent, address: Address | undefined): void {
    const key = peerOf(address);
    const peer = this.#peers.get(key);
    this.#told.clear();
    this.#open.set(bev, key);
    if (peer === undefined) this.#peers.set(key, { connections: 1, told: false });
    else {
      peer.connections += 1;
      peer.told = false;
    }
  }

  closed(bev: BufferEvent): void {
    const key = this.#open.get(bev);
    const peer = key === undefined ? undefined : this.#peers.get(key);
    if (key === undefined || peer === undefined) return;
    this.#open.delete(bev);
    peer.connections -= 1;
    if (peer.connections === 0) this.#peers.delete(key);
  }

  /** A listener was added: it waits like the others. */
  listening(listener: Listener): void {
    if (this.#timer?.pending === true) listener._pause(Pause.rate);
  }

  /** Nothing is accepted any more. */
  close(): void {
    this.#timer?.stop();
  }

  #reason(address: Address | undefined): RejectReason | undefined {
    if (this.#blockList !== undefined && address !== undefined && isBlocked(this.#blockList, address)) return 'blocked';
    if (this.#open.size >= this.#connectionsMax) return 'connections';
    const ofPeer = this.#peers.get(peerOf(address))?.connections ?? 0;
    const hasPeer = address !== undefined && address.family !== 'unix';
    return hasPeer && ofPeer >= this.#perAddressMax ? 'connectionsPerAddress' : undefined;
  }

  #countRate(): void {
    if (this.#bucket === undefined) return;
    this.#bucket.refill(this.#loop.now());
    this.#bucket.take(1);
    if (this.#bucket.level >= 1 || this.#timer?.pending === true) return;
    for (const listener of this.#listeners) listener._pause(Pause.rate);
    this.#timer?.start(this.#bucket.msUntil(1, this.#loop.now()));
  }

  #refill(): void {
    const now = this.#loop.now();
    this.#bucket?.refill(now);
    const waitMs = this.#bucket?.msUntil(1, now) ?? 0;
    if (waitMs > 0) this.#timer?.start(waitMs);
    else for (const listener of this.#listeners) listener._resume(Pause.rate);
  }
}

/** What counts as one peer. */
export function peerOf(address: Address | undefined): string {
  if (address === undefined) return '';
  const plain = unmapped(address);
  if (plain.family !== 'IPv6') return plain.address;
  // Who has one address of a /64 has all of them.
  const [head = '', tail] = (plain.address.split('%')[0] ?? '').split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array<string>(Math.max(0, 8 - front.length - back.length)).fill('0');
  return `${[...front, ...zeros, ...back].slice(0, 4).join(':')}::/64`;
}

function isBlocked(blockList: BlockList, address: Address): boolean {
  const plain = unmapped(address);
  if (plain.family === 'unix') return false;
  return blockList.check(plain.address.split('%')[0] ?? '', plain.family === 'IPv4' ? 'ipv4' : 'ipv6');
}

/** An IPv4 peer of a socket that takes both families is an IPv4 peer. */
function unmapped(address: Address): Address {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address.address)?.[1];
  return mapped === undefined ? address : { ...address, family: 'IPv4', address: mapped };
}

function countOf(name: string, count: number = Number.POSITIVE_INFINITY): number {
  if (count === Number.POSITIVE_INFINITY || (Number.isInteger(count) && count >= 1)) return count;
  return wrong(`limits.${name} must be a whole number of 1 or more, or Infinity, not ${nameOf(count)}`);
}

function checkedBlockList(blockList: BlockList | undefined): BlockList | undefined {
  if (blockList === undefined || typeof blockList?.check === 'function') return blockList;
  return wrong(`limits.blockList must be a BlockList of node:net, not ${nameOf(blockList)}`);
}

const OPERATION = 'listen';

function wrong(message: string): never {
  return misuse(OPERATION, message, 'SLUICE_CORE_ACCEPT_LIMITS');
}
