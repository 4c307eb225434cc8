/** What the store counts, from its start or from the last reset. */
export interface StoreCounters {
  cmdGet: number;
  cmdSet: number;
  cmdTouch: number;
  cmdFlush: number;
  getHits: number;
  getMisses: number;
  /** Items asked for by any command that had expired. */
  getExpired: number;
  deleteHits: number;
  deleteMisses: number;
  incrHits: number;
  incrMisses: number;
  decrHits: number;
  decrMisses: number;
  casHits: number;
  casMisses: number;
  casBadval: number;
  touchHits: number;
  touchMisses: number;
  /** Values refused because they are over the limit of one, or because there can be no memory for them. */
  storeTooLarge: number;
  storeNoMemory: number;
  /** Items ever stored, replacements included. */
  totalItems: number;
  /** Valid items removed to make room; those nobody had read; those with an expiry time; the age of the last one. */
  evictions: number;
  evictedUnfetched: number;
  evictedNonzero: number;
  evictedAgeMs: number;
  /** Expired items removed to make room; those nobody had read. */
  reclaimed: number;
  expiredUnfetched: number;
  /** Changes that had no room although their item existed. */
  outOfMemory: number;
}

export function storeCounters(): StoreCounters {
  return {
    cmdGet: 0,
    cmdSet: 0,
    cmdTouch: 0,
    cmdFlush: 0,
    getHits: 0,
    getMisses: 0,
    getExpired: 0,
    deleteHits: 0,
    deleteMisses: 0,
    incrHits: 0,
    incrMisses: 0,
    decrHits: 0,
    decrMisses: 0,
    casHits: 0,
    casMisses: 0,
    casBadval: 0,
    touchHits: 0,
    touchMisses: 0,
    storeTooLarge: 0,
    storeNoMemory: 0,
    totalItems: 0,
    evictions: 0,
    evictedUnfetched: 0,
    evictedNonzero: 0,
    evictedAgeMs: 0,
    reclaimed: 0,
    expiredUnfetched: 0,
    outOfMemory: 0,
  };
}
