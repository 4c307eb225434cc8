/** Transports that do not keep one promise each, and the test of the compliance suite that finds each of them out. */
import { ApiMisuse, type Direction, errorFromErrno, type SluiceError } from '@sluice/errors';
import {
  type BufferEvent,
  type CloseReport,
  type ConnectionOptions,
  FilterBufferEvent,
  Suspend,
} from '../../src/index.ts';

/** A layer that passes bytes as they are, for classes that do something wrong. */
export class Layer extends FilterBufferEvent {
  constructor(below: BufferEvent, options: ConnectionOptions = {}) {
    super(below, {}, options);
  }
}

class NoCap extends Layer {
  override admit(): void {}
}

class ReadsOn extends Layer {
  override suspendRead(): void {}
}

class NeverGoesOn extends Layer {
  override unsuspendRead(): void {}
}

class TellsInside extends Layer {
  override write(data: Uint8Array): boolean {
    const below = super.write(data);
    this.emit('drained');
    return below;
  }
}

class ClosesTwice extends Layer {
  override _deliver(): void {
    if (this.closed !== undefined) this.emit('closed', this.closed);
    super._deliver();
  }
}

class EndsFirst extends Layer {
  override _deliver(): void {
    if (this.peerEnded && this.input.length > 0) this.emit('end');
    super._deliver();
  }
}

class RepeatsData extends Layer {
  override _deliver(): void {
    super._deliver();
    this.loop.deferNext(() => {
      if (this.input.length > 0) this.emit('data');
    });
  }
}

class FlushesAtOnce extends Layer {
  override flush(): Promise<void> {
    return Promise.resolve();
  }
}

class CutsQuietly extends Layer {
  protected override _release(): void {
    super._release(false);
  }
}

class EndsBothWays extends Layer {
  override _peerEnded(): void {
    super._peerEnded();
    this.end();
  }
}

class HearsNoPause extends Layer {
  override disable(): void {}
}

class HidesTheReason extends Layer {
  override _fail(_error: SluiceError): void {
    super._fail(new ApiMisuse('something went wrong', { layer: 'core', operation: 'test' }));
  }
}

class DropsInput extends Layer {
  override _released(): void {
    this._input.clear();
    super._released();
  }
}

class Miscounts extends Layer {
  override get bytesIn(): number {
    return super.bytesIn + 1;
  }
}

class SharesEntries extends Layer {
  #thrown: Error | undefined;

  override write(data: Uint8Array): boolean {
    if (this.#thrown !== undefined) throw this.#thrown;
    try {
      return super.write(data);
    } catch (error) {
      this.#thrown = error as Error;
      throw error;
    }
  }
}

class Forgetful extends Layer {
  constructor(below: BufferEvent, { timeouts: _forgotten, ...options }: ConnectionOptions) {
    super(below, options);
  }
}

/** Its layer below takes bytes without bound. */
class ReadsBelow extends Layer {
  constructor(below: BufferEvent, options: ConnectionOptions) {
    super(below, options);
    below.unsuspendRead(Suspend.filter);
    below.suspendRead = () => {};
  }
}

class EnablesBelow extends Layer {
  override enable(direction: Direction): void {
    this.underlying.enable(direction);
    super.enable(direction);
  }
}

class ClearsAllReasonsBelow extends Layer {
  protected override _setReading(): void {
    super._setReading();
    this.underlying.unsuspendRead(~0);
  }
}

class HasNoLimits extends Layer {
  constructor(below: BufferEvent, options: ConnectionOptions) {
    const never = Number.POSITIVE_INFINITY;
    super(below, { ...options, timeouts: { writeMs: never, idleMs: never, ...options.timeouts } });
  }
}

class TellsOutsideOfTurns extends Layer {
  override _deliver(): void {
    queueMicrotask(() => super._deliver());
  }
}

class TellsDataLast extends Layer {
  #delivering = false;
  #data = false;

  constructor(below: BufferEvent, options: ConnectionOptions) {
    super(below, options);
    const tell = this.emit.bind(this) as (event: string, ...rest: unknown[]) => boolean;
    this.emit = (event: string, ...rest: unknown[]) => {
      if (event !== 'data' || !this.#delivering) return tell(event, ...rest);
      this.#data = true;
      return true;
    };
  }

  override _deliver(): void {
    this.#delivering = true;
    super._deliver();
    this.#delivering = false;
    if (this.#data) this.emit('data');
    this.#data = false;
  }
}

class EndsTwice extends Layer {
  override _deliver(): void {
    const { peerEnded } = this;
    super._deliver();
    if (peerEnded && this.closed === undefined) this.emit('end');
  }
}

class DropsWhatIsUnread extends Layer {
  override _peerEnded(): void {
    this._input.clear();
    super._peerEnded();
  }
}

class NeverCloses extends Layer {
  override _released(): void {}
}

class TakesAnEndForAReset extends Layer {
  override _peerEnded(): void {
    this._fail(errorFromErrno('ECONNRESET', { operation: 'read', direction: 'read' }));
  }
}

class TakesAResetForAnEnd extends Layer {
  override _fail(): void {
    super._peerEnded();
    this.end();
  }
}

class ForgetsTheDirection extends Layer {
  protected override _describe(report: CloseReport): CloseReport {
    return { ...super._describe(report), direction: 'both' };
  }
}

export class Spins extends Layer {
  override _flush(): void {
    super._flush();
    this._markDirty();
  }
}

/** Lends its user memory that it uses again. */
class ReusesMemory extends FilterBufferEvent {
  constructor(below: BufferEvent, options: ConnectionOptions) {
    const memory = Buffer.alloc(64 * 1024);
    super(
      below,
      {
        input(source, destination, limit) {
          const length = source.readInto(memory.subarray(0, limit));
          destination.appendRef(memory.subarray(0, length));
          return 'ok';
        },
      },
      options,
    );
  }
}

/** Drops one byte in the middle. */
export class LosesAByte extends FilterBufferEvent {
  constructor(below: BufferEvent, options: ConnectionOptions) {
    let passed = 0;
    super(
      below,
      {
        output(source, destination, limit) {
          const moved = source.moveTo(destination, Math.min(limit, 20_000));
          passed += moved;
          if (passed >= 20_000 && source.length > 0) {
            source.drain(1);
            passed = Number.NEGATIVE_INFINITY;
          }
          return 'ok';
        },
      },
      options,
    );
  }
}

/** Each wrong transport, and the test that finds it out. */
export const wrong: readonly (readonly [
  new (below: BufferEvent, options: ConnectionOptions) => BufferEvent,
  string,
])[] = [
  [LosesAByte, 'carries bytes in order and unchanged, both ways, in pieces of any size'],
  [LosesAByte, 'carries 10 MB both ways at once without deadlock, within the bounds of both ends'],
  [Miscounts, 'counts the bytes of its own layer: bytesIn, bytesOut, and the same in the report'],
  [NoCap, 'write throws a LimitError past the cap and takes nothing; the connection goes on'],
  [NoCap, 'a producer that never waits for a peer that never reads meets the hard cap as a typed error'],
  [ReadsOn, 'reading stops at the high mark, and goes on below it without loss'],
  [ReadsOn, 'a producer that never waits for a peer that never reads meets the hard cap as a typed error'],
  [ReadsOn, 'reading stands still while there is one reason to, and no reason takes away another'],
  [NeverGoesOn, 'a high mark that is met exactly stops reading, and one byte less goes on'],
  [NeverGoesOn, 'loses and repeats nothing, whatever both users do with marks, pauses, reasons and sizes'],
  [RepeatsData, 'data is not told again for what was left, only when more has come'],
  [TellsInside, 'write answers false from the high mark on, and drained is told once, at the low one'],
  [EndsFirst, 'input is told before the end that follows it, though nobody takes it'],
  [HearsNoPause, 'tells nothing while paused, and everything after resume'],
  [HearsNoPause, "disable('write') keeps output, and enable lets it go"],
  [EndsBothWays, 'half close: after end() the peer hears end after all data, and can still send'],
  [FlushesAtOnce, 'flush() waits for a peer that does not read, and rejects when the connection ends first'],
  [CutsQuietly, 'destroy() ends at once: aborted, once; a peer that is owed bytes does not see an end in order'],
  [ClosesTwice, 'end() lets all output out first, is idempotent, and nothing can be written after it'],
  [
    DropsInput,
    'after closed, input is still readable, nothing else has an effect, and writing is refused with a reason',
  ],
  [HidesTheReason, 'the first failure counts: a second destroy changes nothing'],
  [
    SharesEntries,
    'destroy(error): the report is that error, and every later operation gets a copy of its own of all entries',
  ],
  [Forgetful, 'readMs: timeout is told once, for reading, which is disabled until it is enabled again'],
  [Forgetful, 'writeMs: a peer that does not read is told of once, and progress begins it anew'],
  [Forgetful, 'idleMs: bytes in either direction begin it anew; then the connection ends by it'],
  [Forgetful, 'closeMs: close() gives up on a peer that does not end, whatever it sends'],
  [ReadsBelow, 'a producer that never waits for a peer that never reads meets the hard cap as a typed error'],
  [EnablesBelow, 'what somebody wants or has set at the lowest layer stays, whatever the layers above it do'],
  [ClearsAllReasonsBelow, 'what somebody wants or has set at the lowest layer stays, whatever the layers above it do'],
  [HasNoLimits, 'what nobody has limited is limited all the same'],
  [TellsOutsideOfTurns, 'carries bytes in order and unchanged, both ways, in pieces of any size'],
  [TellsDataLast, 'what is due together is told in order: data, then drained'],
  [EndsTwice, 'half close: after end() the peer hears end after all data, and can still send'],
  [DropsWhatIsUnread, 'the end waits for a paused user with unread input'],
  [NeverCloses, 'both ends may close at once, and one that is paused may close'],
  [TakesAnEndForAReset, 'end() lets all output out first, is idempotent, and nothing can be written after it'],
  [
    TakesAResetForAnEnd,
    'destroy() ends at once: aborted, once; a peer that is owed bytes does not see an end in order',
  ],
  [ForgetsTheDirection, 'readMs: without a listener the connection ends by it'],
  [ForgetsTheDirection, 'writeMs: without a listener the connection ends by it'],
  [
    ForgetsTheDirection,
    'destroy() ends at once: aborted, once; a peer that is owed bytes does not see an end in order',
  ],
  [ReusesMemory, 'what was read stays what it was, and so do views of what was not'],
];
