/** The suite itself: that it finds out transports that do not keep a promise, one by one. */
import type { SluiceError } from '@sluice/errors';
import { ApiMisuse } from '@sluice/errors';
import { expect } from 'chai';
import { type BufferEvent, type ConnectionOptions, FilterBufferEvent } from '../../../src/index.ts';
import { carriers, type ComplianceFactory, layered, transportCompliance } from '../../../src/testing/index.ts';

type Suite = Map<string, () => Promise<void>>;

/** The tests that the suite registers, by title. */
function suiteOf(factory: ComplianceFactory, realTime = false): Suite {
  const suite: Suite = new Map();
  const runner = {
    describe: (_title: string, register: () => void) => register(),
    it: (title: string, run: () => Promise<void>) => void suite.set(title, run),
  };
  transportCompliance('it', factory, { runner, realTime, patienceMs: 20, overshootBytes: 0 });
  return suite;
}

/** A layer that passes bytes as they are, for classes that do something wrong. */
class Layer extends FilterBufferEvent {
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

/** Drops one byte in the middle. */
class LosesAByte extends FilterBufferEvent {
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
const wrong: readonly (readonly [new (below: BufferEvent, options: ConnectionOptions) => BufferEvent, string])[] = [
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
];

describe('transportCompliance', () => {
  for (const [Transport, title] of wrong) {
    it(`finds out ${Transport.name}: ${title}`, async () => {
      const test = suiteOf(layered(carriers.link, (below, options) => new Transport(below, options))).get(title);
      if (test === undefined) throw new Error('there is no such test');
      expect(await test().catch((error: unknown) => error)).to.be.instanceOf(Error);
      const right = suiteOf(layered(carriers.link, (below, options) => new Layer(below, options))).get(title);
      await right?.();
    });
  }

  it('leaves out what is about limits of time for a factory on real time, and asks for advance otherwise', async () => {
    const onRealTime: ComplianceFactory = async (options) => {
      const connection = { ...(await carriers.link(options)) };
      delete connection.advance;
      return connection;
    };
    const [all, some] = [suiteOf(onRealTime), suiteOf(onRealTime, true)];
    const left = [...all.keys()].filter((title) => !some.has(title));
    expect(left.filter((title) => !/Ms|timeout|limit/u.test(title))).to.deep.equal([]);
    expect(some.size).to.be.within(50, all.size - 5);
    const timed = [...all.keys()].find((title) => title.startsWith('readMs')) ?? '';
    const failure = await all
      .get(timed)?.()
      .catch((error: unknown) => error);
    expect(failure)
      .to.have.property('message')
      .that.matches(/has no advance/u);
  });

  it('names the seed of a random case that fails', async () => {
    const factory = layered(carriers.link, (below, options) => new LosesAByte(below, options));
    const title = 'loses and repeats nothing, whatever both users do with marks, pauses, reasons and sizes';
    const failure = await suiteOf(factory)
      .get(title)?.()
      .catch((error: unknown) => error);
    expect(failure)
      .to.have.property('message')
      .that.matches(/^with seed \d+: /u);
  });

  it('needs a runner', () => {
    const { describe: global } = globalThis;
    try {
      Reflect.deleteProperty(globalThis, 'describe');
      expect(() => transportCompliance('it', carriers.link)).to.throw(TypeError, /settings\.runner/u);
    } finally {
      globalThis.describe = global;
    }
  });
});
