import type { VirtualTimeScheduler } from 'rxjs';
import type { BufferEvent, Watermarks } from '../../src/index.ts';
import { link, type LinkBufferEvent, TestLoop } from '../../src/testing/index.ts';

/** A connection whose peer sends as fast as it is read from. */
export interface Fed {
  readonly loop: TestLoop;
  readonly bev: LinkBufferEvent;
  readonly peer: LinkBufferEvent;
  /** Turns and virtual time until neither goes on. Calls `look` after each turn. */
  readonly run: (clock?: VirtualTimeScheduler, look?: () => void) => void;
}

/** The peer sends `totalBytes` (0, 1, 2, ... modulo 251) in pieces of `pieceBytes`, then ends. One delivery is `deliveryBytes`. */
export function fed(options: {
  totalBytes: number;
  pieceBytes?: number;
  deliveryBytes?: number;
  watermarks?: Watermarks;
}): Fed {
  const { totalBytes, pieceBytes = 4096, deliveryBytes = 4096, watermarks = {} } = options;
  const loop = new TestLoop();
  const { ends } = link(loop, {
    capacityBytes: deliveryBytes,
    perTurnBytes: deliveryBytes,
    first: { watermarks, halfOpen: true },
    second: {},
  });
  const [bev, peer] = ends;
  feed(peer, totalBytes, pieceBytes);
  return { loop, bev, peer, run: (clock, look) => run(loop, clock, look) };
}

/** The bytes from position `from` on that `fed` sends. */
export function pattern(from: number, length: number): Buffer {
  return Buffer.from(Uint8Array.from({ length }, (_, index) => (from + index) % 251));
}

function feed(peer: BufferEvent, totalBytes: number, pieceBytes: number): void {
  let sent = 0;
  const send = (): void => {
    while (sent < totalBytes) {
      const length = Math.min(pieceBytes, totalBytes - sent);
      const room = peer.write(pattern(sent, length));
      sent += length;
      if (!room) return;
    }
    peer.end();
  };
  peer.on('drained', send);
  send();
}

/** Steps of the clock after which nothing more is expected to come: what is due again and again never ends. */
const QUIET_STEPS_MAX = 300;

function run(loop: TestLoop, clock?: VirtualTimeScheduler, look?: () => void): void {
  for (let quiet = 0; quiet < QUIET_STEPS_MAX; quiet += 1) {
    for (let turns = 0; loop.pending; turns += 1) {
      if (turns > 100_000) throw new Error('the loop never comes to rest');
      quiet = 0;
      loop.turn();
      look?.();
    }
    const next = clock?.actions[0];
    if (clock === undefined || next === undefined) return;
    clock.maxFrames = next.delay;
    clock.flush();
    look?.();
  }
}
