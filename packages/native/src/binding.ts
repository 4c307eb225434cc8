/**
 * The shape of the compiled addon. Private to `@sluice/*`: it moves bytes and reports, and holds no policy.
 *
 * Conventions: a call that can fail returns a negative libuv error number (`-errno` on Unix) and never throws for a
 * reason that a peer or the operating system can cause; it throws a `TypeError` only for arguments of a wrong type,
 * which is a bug of the caller's. Handles are small integers, free for reuse after their `closed` record.
 */

/** What one record of the loop's `Int32Array` says. Each record is four numbers: `[type, id, a, b]`. */
export const RecordType = {
  /** A listener accepted a connection: id = listener, a = the new connection's handle. */
  accept: 1,
  /** Bytes were read into the slab: a = offset, b = length (> 0). */
  read: 2,
  /** The peer ended its direction (FIN). Reading has stopped. */
  eof: 3,
  /** Reading failed: a = negative error number, the first that the kernel reported. Reading has stopped. */
  readError: 4,
  /** An outgoing connection was decided: a = 0 or a negative error number. */
  connected: 5,
  /** The bytes given to `writeQueued` were all taken by the kernel (a = 0), or failed (a = negative error number). */
  written: 6,
  /** The write direction was shut down: a = 0 or a negative error number. */
  shutdown: 7,
  /** The handle is gone; its number is free. Always the last record of a handle, exactly once. */
  closed: 8,
  /** Accepting failed: a = negative error number (UV_EMFILE, ...). Whoever waits goes on to: pause, and resume later. */
  acceptError: 9,
  /** A polled file descriptor is ready: a = events (PollEvent bits), or a negative error number. */
  poll: 10,
} as const;

export const RECORD_LENGTH = 4;

export const ListenFlag = { ipv6Only: 1, reusePort: 2 } as const;
export const PollEvent = { readable: 1, writable: 2, disconnect: 4 } as const;

/** Where each counter sits in the `Float64Array` that the loop keeps up to date. */
export const Counter = {
  /** Calls from native into JavaScript that carried records. */
  deliveries: 0,
  /** Records delivered. */
  records: 1,
  /** read(2) results with bytes. */
  reads: 2,
  bytesRead: 3,
  /** Writes tried by `flush` (one gathered system call each). */
  writes: 4,
  bytesWritten: 5,
  /** Writes the socket refused in part or whole (EAGAIN, or a short count). */
  writesRefused: 6,
  /** Calls of `flush`. */
  flushes: 7,
} as const;

export const COUNTERS_LENGTH = 8;

export interface Address {
  family: 'IPv4' | 'IPv6' | 'unix';
  /** Textual address, or the path of a Unix socket ('' when unnamed). */
  address: string;
  /** 0 for Unix sockets. */
  port: number;
}

export interface NativeLoop {
  /** Numeric addresses only; `port` 0 lets the kernel choose. Returns a handle or a negative error number. */
  listenTcp(address: string, port: number, backlog: number, flags: number): number;
  listenPipe(path: string, backlog: number): number;
  /** Listens on a bound (or already listening) stream socket, and owns it unless it returns an error. */
  listenFd(fd: number, backlog: number): number;
  /** Stops taking connections: the kernel's backlog fills. On Windows one of them may be taken already, and is held back. */
  pauseAccept(listener: number): number;
  resumeAccept(listener: number): number;
  connectTcp(address: string, port: number): number;
  connectPipe(path: string): number;
  /** Adopts a connected stream socket or pipe, and owns it unless it returns an error. */
  openFd(fd: number): number;
  readStart(id: number): number;
  /** Reads until `bytes` (1 or more) have come, then stops by itself. Each call, and `readStart`, begins anew. */
  readUpTo(id: number, bytes: number): number;
  readStop(id: number): number;
  /**
   * Writes what it can, without waiting, for many connections in one call.
   *
   * `ops` holds, per connection, `[id, chunkCount, result, (buffer, offset, length) * chunkCount]`, `opsLength` numbers
   * in all. `buffer` is -1 for the slab, -2 for the scratch, else an index into `buffers`. Each `result` is overwritten
   * with the count of bytes taken (0 when the socket is full or a queued write is pending), or a negative error number.
   * One system call is made per connection, of at most 1024 chunks; the rest is not looked at. Throws on an operation
   * that passes its bounds, having done those before it.
   */
  flush(ops: Int32Array, opsLength: number, buffers: readonly Uint8Array[]): void;
  /**
   * Hands bytes to libuv, to be written when the socket has room; a `written` record follows, exactly once. The
   * buffers are pinned until then and must not be changed. Returns 0 or a negative error number (then no record).
   */
  writeQueued(id: number, buffers: readonly Uint8Array[]): number;
  /** Sends FIN once queued writes are done; a `shutdown` record follows. */
  shutdown(id: number): number;
  /** Closes; `reset` sends RST instead of FIN (TCP only; else ignored). Pending requests end without records; `closed` follows. Idempotent. */
  close(id: number, reset: boolean): void;
  localAddress(id: number): Address | number;
  remoteAddress(id: number): Address | number;
  /** The file descriptor, or a negative error number. Still owned by the handle. */
  fd(id: number): number;
  setNoDelay(id: number, on: boolean): number;
  setKeepAlive(id: number, on: boolean, delaySeconds: number): number;
  /** SO_SNDBUF / SO_RCVBUF. */
  setSendBufferSize(id: number, bytes: number): number;
  setReceiveBufferSize(id: number, bytes: number): number;
  pollOpen(fd: number): number;
  /** `events` of `PollEvent`; 0 stops. */
  pollStart(id: number, events: number): number;
  /** Whether a handle keeps the process alive (it does at first). */
  setRef(id: number, on: boolean): void;
  /** Open handles, closing ones included. */
  handleCount(): number;
  /** Closes every handle without further records; the object is of no use afterwards. Idempotent. */
  destroy(): void;
}

export interface NativeLoopConstructor {
  /**
   * @param slab where reads go; reset after each delivery
   * @param scratch a second region that `flush` may name as buffer -2
   * @param records filled before each delivery; its length bounds a delivery's record count
   * @param counters see `Counter`
   * @param deliver called with the count of records, once per turn of the loop, or sooner when slab or records are full
   */
  new (
    slab: Uint8Array,
    scratch: Uint8Array,
    records: Int32Array,
    counters: Float64Array,
    deliver: (count: number) => void,
  ): NativeLoop;
}

/**
 * One OpenSSL error entry, oldest first in any list: [packed code, file, line, function, data, flags]. `data` is text, and
 * `flags` are 0 where there is none, else ERR_TXT_* bits.
 */
export type NativeEntry = readonly [
  code: number,
  file: string,
  line: number,
  func: string,
  data: string,
  flags: number,
];

export interface NativeTlsContextOptions {
  server: boolean;
  /** PEM: leaf first, then its chain. Needs `key`. */
  cert?: string | undefined;
  key?: string | undefined;
  passphrase?: string | undefined;
  /** PEM bundle of trusted roots; absent means OpenSSL's default locations, which do not hold Node's bundled roots. */
  ca?: string | undefined;
  /** 0x0303 (TLS 1.2) or 0x0304 (TLS 1.3). */
  minVersion: number;
  maxVersion: number;
  /** TLS 1.2 cipher list, TLS 1.3 suites, groups: OpenSSL's syntax. */
  ciphers?: string | undefined;
  ciphersuites?: string | undefined;
  groups?: string | undefined;
  /** Wire format (length-prefixed names). A server selects by its own order and refuses with alert 120 when none match. */
  alpn?: Uint8Array | undefined;
  /** Server: 0 none, 1 request, 2 require. Client: 0 accept any certificate, 1 verify. */
  verify: 0 | 1 | 2;
  /** TLS 1.3 session tickets sent after the handshake; OpenSSL's default is 2. */
  tickets: number;
  /** Upper bound of the peer's certificate list in bytes. */
  certListBytesMax: number;
  /** Bytes of plaintext per record, 512 to 16384. */
  sendFragmentBytesMax: number;
  /** Extra SSL_OP_* bits as a decimal string (they are 64 bit); for tests. */
  extraOptions?: string | undefined;
}

/** Which OpenSSL call a step makes. */
export const TlsOp = {
  /** None: only moves ciphertext. */
  move: 0,
  handshake: 1,
  read: 2,
  write: 3,
  shutdown: 4,
  /**
   * No call: tells the engine that the peer's ciphertext ended (BIO_shutdown_wr), once all of `input` is fed; as long
   * as some of it has no room, `ret` is 0 and nothing has ended. Nothing can be fed afterwards.
   */
  eof: 5,
  /** SSL_key_update(SSL_KEY_UPDATE_REQUESTED). The message leaves with the next write or handshake. */
  keyUpdate: 6,
} as const;

/** Where a step's results sit in the engine's `Int32Array`. */
export const TlsResult = {
  /** What the (last) OpenSSL call returned; 1 for `move`. Read and write are SSL_read_ex and SSL_write_ex: 1 or 0. */
  ret: 0,
  /**
   * SSL_get_error of it (0 NONE, 1 SSL, 2 WANT_READ, 3 WANT_WRITE, 4 WANT_X509_LOOKUP, 5 SYSCALL, 6 ZERO_RETURN, ...).
   * A shutdown that returned 0 (close_notify is sent, the peer's has not come) is NONE too: it is no failure.
   */
  sslError: 1,
  /** Ciphertext bytes taken from `input` into the pair. */
  consumed: 2,
  /** Ciphertext bytes moved from the pair to `output`. */
  produced: 3,
  /** Plaintext bytes read into `data` (read), or accepted from it (write). */
  transferred: 4,
  /**
   * Ciphertext waiting in the pair's outward half before the (first) call, after the (last) one, and after the drain.
   */
  pendingBefore: 5,
  pendingAfter: 6,
  pendingOut: 7,
  /** Ciphertext fed but not yet taken by OpenSSL. */
  pendingIn: 8,
  /** Free bytes in the pair's inward half. With input left over, another step will move something. */
  roomIn: 9,
  /** SSL_has_pending: plaintext or undecrypted records inside OpenSSL. */
  hasPending: 10,
  /** SSL_get_shutdown bits: 1 sent, 2 received. */
  shutdownState: 11,
  /** 1 when the handshake is finished (SSL_is_init_finished). */
  initFinished: 12,
  /** Entries found in the thread's queue before the call (somebody else's), dropped. */
  staleEntries: 13,
  /** Alerts noted since the last takeAlerts, those included that it no longer has. */
  alerts: 14,
  /** OpenSSL calls made by this step (read may loop). */
  calls: 15,
} as const;

export const TLS_RESULT_LENGTH = 16;

export interface NativeTlsInfo {
  /** 0x0303, 0x0304, ... */
  version: number;
  cipher: string;
  alpn: string;
  /** SNI: what the client asked for. */
  servername: string;
  /** X509_V_* of the peer's chain, and its text. */
  verifyResult: number;
  verifyText: string;
  resumed: boolean;
  /** DER of the peer's leaf certificate, absent when it sent none. */
  peerCertificate?: Uint8Array;
}

export interface NativeTlsEngine {
  /**
   * One crossing: feeds `input` into the pair as far as it has room; clears the thread's error queue; makes the call;
   * takes every error entry; drains the pair into `output` as far as it has room. Only then returns.
   *
   * `read` repeats feed, SSL_read and drain while each call succeeds and `data` has room; the reported `ret` and
   * `sslError` are the last call's. Returns the entries of the last call, or undefined when there were none.
   *
   * Throws for a caller's bug: a region outside its array, no such operation, a `read` with room for nothing, a freed
   * engine.
   */
  step(
    op: number,
    input: Uint8Array | undefined,
    inputOffset: number,
    inputLength: number,
    data: Uint8Array | undefined,
    dataOffset: number,
    dataLength: number,
    output: Uint8Array | undefined,
    outputOffset: number,
    outputLength: number,
  ): NativeEntry[] | undefined;
  info(): NativeTlsInfo;
  /**
   * Flat triples since the last call, oldest first: [sent (1) or received (0), level, description]. The newest 16 alerts
   * are kept. An alert counts as sent when it is in the pair.
   */
  takeAlerts(): Int32Array;
  /** Ends the SSL object and the pair at once. Idempotent; `step` afterwards throws. */
  free(): void;
}

export interface NativeBinding {
  Loop: NativeLoopConstructor;
  /** Returns the context, or the entries that say why not (`operation` names the failed call). */
  tlsContext(options: NativeTlsContextOptions): NativeTlsContext | { operation: string; entries: NativeEntry[] };
  /**
   * @param storeBytes bytes of ciphertext per direction that may wait between OpenSSL and its caller, 1 or more
   * @param servername client only: SNI (unless it is an IP address) and the name to verify; '' for neither. The check
   *   counts in `verifyResult` even where the context accepts any certificate
   * @param results see `TlsResult`; pinned, so its buffer must not be transferred or resized; may be shared
   * @param pair whether they wait in an OpenSSL BIO pair, as by default, whose two rings are allocated at once; else in a
   *   BIO that reads `input` and writes `output` where they lie, and keeps only output that finds no room. The two behave
   *   alike, except that input which OpenSSL does not take yet stays with the caller
   */
  tlsEngine(
    context: NativeTlsContext,
    storeBytes: number,
    servername: string,
    results: Int32Array,
    pair?: boolean,
  ): NativeTlsEngine | { operation: string; entries: NativeEntry[] };
  /** Library and reason text of a packed code ('' where OpenSSL has none). */
  errorStrings(code: number): readonly [library: string, reason: string];
  /** Name and text of a (positive) system error number. */
  systemError(errno: number): readonly [name: string, message: string];
  versions: {
    /** OPENSSL_VERSION_NUMBER compiled against, OpenSSL_version_num() running, and its text. */
    opensslHeaders: number;
    openssl: number;
    opensslText: string;
    /** uv_version(), packed. */
    uv: number;
  };
}

/** Opaque; freed by the garbage collector, or with the environment. */
export interface NativeTlsContext {
  readonly __context: never;
}
