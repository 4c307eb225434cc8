import type { Value } from './value.ts';

/** What the store keeps of one key. */
export interface Item {
  readonly key: string;
  value: Value;
  flags: number;
  /** When it is gone, in the store's milliseconds; `Infinity` for never. */
  expiresAt: number;
  /** Changes with every change of the item; never 0. */
  casUnique: number;
  /** When it was last stored, fetched or touched, in the store's milliseconds. */
  usedAt: number;
  /** Whether anybody has read it since it was stored. */
  fetched: boolean;
  /** What it counts against the memory limit. */
  bytes: number;
  /** Neighbours in the order of use: `newer` was used after it. */
  newer: Item | undefined;
  older: Item | undefined;
}

/** Items in the order of their last use. All operations take constant time. */
export class ItemList {
  #newest: Item | undefined;
  #oldest: Item | undefined;

  get oldest(): Item | undefined {
    return this.#oldest;
  }

  /** Adds an item that is not in the list, as the newest. */
  add(item: Item): void {
    item.older = this.#newest;
    item.newer = undefined;
    if (this.#newest === undefined) this.#oldest = item;
    else this.#newest.newer = item;
    this.#newest = item;
  }

  remove(item: Item): void {
    if (item.newer === undefined) this.#newest = item.older;
    else item.newer.older = item.older;
    if (item.older === undefined) this.#oldest = item.newer;
    else item.older.newer = item.newer;
    item.newer = undefined;
    item.older = undefined;
  }

  /** Makes an item of the list its newest. */
  bump(item: Item): void {
    if (this.#newest === item) return;
    this.remove(item);
    this.add(item);
  }

  clear(): void {
    this.#newest = undefined;
    this.#oldest = undefined;
  }
}
