/** Bits of a BufferEvent's state. */
export const State = {
  connected: 1,
  readEnabled: 2,
  writeEnabled: 4,
  /** The peer's direction ended. */
  peerEnded: 8,
  /** `end` was called: output is flushed, then our direction ends. */
  ending: 16,
  /** The transport was asked to end our direction. */
  endStarted: 32,
  /** Our direction ended. */
  ended: 64,
  /** `close` was called: what still comes in is dropped. */
  discarding: 128,
  /** The end is decided; the transport is being let go. */
  releasing: 256,
  closed: 512,
  dirty: 1024,
  active: 2048,
  /** The transport was told to read. */
  reading: 4096,
  halfOpen: 8192,
  pauseReadWhenFull: 16384,
  /** A layer above dropped bytes. */
  aborting: 32768,
  /** The user called `destroy`. */
  destroyed: 65536,
} as const;

/** Callbacks that wait for the loop. */
export const Pending = {
  connected: 1,
  data: 2,
  drained: 4,
  end: 8,
  timeoutRead: 16,
  timeoutWrite: 32,
  closed: 64,
  /** `data`, below the low watermark too. */
  anyData: 128,
} as const;
