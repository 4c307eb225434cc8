import { VERSION } from './commands.ts';
import { type Store, VALUE_BYTES_MAX } from './store.ts';

/** What `stats settings` tells of how the server was started. */
export interface Settings {
  /** 0 when there is no TCP listener. */
  tcpPort: number;
  host: string;
  unixPath: string | undefined;
  tlsPort: number | undefined;
}

/** What only the server knows, asked for when `stats` is. */
export interface ServerFigures {
  uptimeMs: number;
  connections: number;
  connectionsTotal: number;
  bytesRead: number;
  bytesWritten: number;
}

/**
 * The lines of `stats PART` ('' is the plain command), each with its line end, without the END; undefined when there is
 * no such part. Names and order are memcached's; what has no meaning here (threads' buffers, slab moves) is left out.
 */
export function statsLines(
  part: string,
  store: Store,
  settings: Settings,
  figures: () => ServerFigures,
): string | undefined {
  switch (part) {
    case '':
      return format('', generalStats(store, figures()));
    case 'items':
      return format('items:1:', itemStats(store));
    case 'slabs':
      return (
        format('1:', slabStats(store)) +
        format('', { active_slabs: store.size > 0 ? 1 : 0, total_malloced: store.bytes })
      );
    case 'settings':
      return format('', settingsStats(store, settings));
    case 'sizes':
      return format('', { sizes_status: 'disabled' });
    default:
      return undefined;
  }
}

type Figures = Record<string, number | string>;

function format(prefix: string, figures: Figures): string {
  return Object.entries(figures)
    .map(([name, value]) => `STAT ${prefix}${name} ${value}\r\n`)
    .join('');
}

function generalStats(store: Store, figures: ServerFigures): Figures {
  const { counters } = store;
  const usage = process.resourceUsage();
  return {
    pid: process.pid,
    uptime: seconds(figures.uptimeMs),
    time: seconds(Date.now()),
    version: VERSION,
    pointer_size: 64,
    rusage_user: (usage.userCPUTime / 1e6).toFixed(6),
    rusage_system: (usage.systemCPUTime / 1e6).toFixed(6),
    curr_connections: figures.connections,
    total_connections: figures.connectionsTotal,
    cmd_get: counters.cmdGet,
    cmd_set: counters.cmdSet,
    cmd_flush: counters.cmdFlush,
    cmd_touch: counters.cmdTouch,
    get_hits: counters.getHits,
    get_misses: counters.getMisses,
    get_expired: counters.getExpired,
    delete_misses: counters.deleteMisses,
    delete_hits: counters.deleteHits,
    incr_misses: counters.incrMisses,
    incr_hits: counters.incrHits,
    decr_misses: counters.decrMisses,
    decr_hits: counters.decrHits,
    cas_misses: counters.casMisses,
    cas_hits: counters.casHits,
    cas_badval: counters.casBadval,
    touch_hits: counters.touchHits,
    touch_misses: counters.touchMisses,
    store_too_large: counters.storeTooLarge,
    store_no_memory: counters.storeNoMemory,
    bytes_read: figures.bytesRead,
    bytes_written: figures.bytesWritten,
    limit_maxbytes: store.memoryLimitBytes,
    threads: 1,
    bytes: store.bytes,
    curr_items: store.size,
    total_items: counters.totalItems,
    expired_unfetched: counters.expiredUnfetched,
    evicted_unfetched: counters.evictedUnfetched,
    evictions: counters.evictions,
    reclaimed: counters.reclaimed,
  };
}

/** One class of items: there are no slabs here. An empty class is not listed, as in memcached. */
function itemStats(store: Store): Figures {
  if (store.size === 0) return {};
  const { counters } = store;
  return {
    number: store.size,
    age: seconds(store.oldestAgeMs),
    mem_requested: store.bytes,
    evicted: counters.evictions,
    evicted_nonzero: counters.evictedNonzero,
    evicted_time: seconds(counters.evictedAgeMs),
    outofmemory: counters.outOfMemory,
    reclaimed: counters.reclaimed,
    expired_unfetched: counters.expiredUnfetched,
    evicted_unfetched: counters.evictedUnfetched,
  };
}

function slabStats(store: Store): Figures {
  if (store.size === 0) return {};
  const { counters } = store;
  return {
    used_chunks: store.size,
    get_hits: counters.getHits,
    cmd_set: counters.cmdSet,
    delete_hits: counters.deleteHits,
    incr_hits: counters.incrHits,
    decr_hits: counters.decrHits,
    cas_hits: counters.casHits,
    cas_badval: counters.casBadval,
    touch_hits: counters.touchHits,
  };
}

function settingsStats(store: Store, settings: Settings): Figures {
  return {
    maxbytes: store.memoryLimitBytes,
    tcpport: settings.tcpPort,
    udpport: 0,
    inter: settings.host,
    verbosity: 0,
    evictions: 'on',
    domain_socket: settings.unixPath ?? 'NULL',
    num_threads: 1,
    cas_enabled: 'yes',
    binding_protocol: 'ascii',
    auth_enabled_sasl: 'no',
    auth_enabled_ascii: 'no',
    item_size_max: VALUE_BYTES_MAX,
    flush_enabled: 'yes',
    idle_timeout: 0,
    ssl_enabled: settings.tlsPort === undefined ? 'no' : 'yes',
  };
}

function seconds(ms: number): number {
  return Math.floor(ms / 1000);
}
