import { expect } from 'chai';
import * as fc from 'fast-check';
import {
  auditTime,
  bufferCount,
  concatMap,
  debounceTime,
  delay,
  endWith,
  exhaustMap,
  filter,
  ignoreElements,
  map,
  mergeAll,
  mergeMap,
  type MonoTypeOperatorFunction,
  type Observable,
  observeOn,
  of,
  type OperatorFunction,
  reduce,
  sampleTime,
  share,
  shareReplay,
  skip,
  switchMap,
  tap,
  take,
  throttleTime,
  timer,
  VirtualTimeScheduler,
  zip,
} from 'rxjs';
import { type BufferEvent, Suspend } from '../../src/index.ts';
import { type Lease, leased$, pull, settle, sink } from '../../src/rx/index.ts';
import { fed } from '../support/fed.ts';
import { Random } from '../support/random.ts';

type Leases = Observable<Lease<Buffer>>;

const KIB = 1024;
const HIGH = 64 * KIB;
const CHUNK = 4 * KIB;
const WORK_MS = 5;

/** Work on something takes a while, then answers it. */
function later<T>(clock: VirtualTimeScheduler, ms: number, value: T): Observable<T> {
  return timer(ms, clock).pipe(map(() => value));
}

/** Watches what is out: taken from the connection and not released. */
class Watch {
  readonly #bev: BufferEvent;
  #out: Lease<Buffer>[] = [];
  outMax = 0;
  /** With what lies unread in the connection. */
  heldMax = 0;
  takenBytes = 0;

  constructor(bev: BufferEvent) {
    this.#bev = bev;
  }

  get over(): MonoTypeOperatorFunction<Lease<Buffer>> {
    return tap((lease) => {
      this.#out.push(lease);
      this.takenBytes += lease.bytes.length;
      this.look();
    });
  }

  readonly look = (): void => {
    this.#out = this.#out.filter((lease) => !lease.released);
    const outBytes = this.#out.reduce((sum, lease) => sum + lease.bytes.length, 0);
    this.outMax = Math.max(this.outMax, outBytes);
    this.heldMax = Math.max(this.heldMax, outBytes + this.#bev.input.length);
  };
}

/** Leases of a mebibyte through a pipeline; what was seen. */
function measure(pipeline: (source: Leases, clock: VirtualTimeScheduler) => Observable<unknown>) {
  const clock = new VirtualTimeScheduler();
  const { bev, run } = fed({ totalBytes: 1024 * KIB, watermarks: { read: { high: HIGH } } });
  const watch = new Watch(bev);
  let doneBytes = 0;
  let completed = false;
  const done = (bytes: unknown): void => {
    for (const each of [bytes].flat()) doneBytes += (each as Uint8Array).length;
  };
  const source = leased$(bev, { bytesMax: CHUNK }).pipe(watch.over);
  const subscription = pipeline(source, clock).subscribe({ next: done, complete: () => void (completed = true) });
  run(clock, watch.look);
  const stalled = (bev.suspended & Suspend.lease) !== 0;
  subscription.unsubscribe();
  return { watch, doneBytes, completed, stalled };
}

describe('leased$: bytes that are out never exceed the high watermark plus one chunk', () => {
  const whole: [string, (source: Leases, clock: VirtualTimeScheduler) => Observable<unknown>][] = [
    ['settle(work)', (source, clock) => source.pipe(settle((bytes) => later(clock, WORK_MS, bytes)))],
    ['settle(work, 8)', (source, clock) => source.pipe(settle((bytes) => later(clock, WORK_MS, bytes), 8))],
    [
      'map, filter, settle(work, 8)',
      (source, clock) =>
        source.pipe(
          map((lease) => lease),
          filter((lease) => lease.bytes.length > 0),
          settle((bytes) => later(clock, WORK_MS, bytes), 8),
        ),
    ],
    [
      'bufferCount(4), concatMap(release all)',
      (source, clock) =>
        source.pipe(
          bufferCount(4),
          concatMap((leases) => later(clock, WORK_MS, leases)),
          map((leases) => leases.map(releaseOf)),
        ),
    ],
    ['delay, release', (source, clock) => source.pipe(delay(WORK_MS, clock), map(releaseOf))],
  ];
  for (const [name, pipeline] of whole) {
    it(`${name}: all of it comes through`, () => {
      const { watch, doneBytes, completed } = measure(pipeline);
      expect(doneBytes).to.equal(1024 * KIB);
      expect(completed).to.equal(true);
      expect(watch.outMax).to.be.within(HIGH, HIGH + CHUNK);
      expect(watch.heldMax).to.be.within(HIGH, HIGH + CHUNK);
    });
  }

  const dropping: [string, (source: Leases, clock: VirtualTimeScheduler) => Observable<unknown>][] = [
    [
      'exhaustMap',
      (source, clock) =>
        source.pipe(
          exhaustMap((lease) => later(clock, WORK_MS, lease)),
          map(releaseOf),
        ),
    ],
    [
      'switchMap',
      (source, clock) =>
        source.pipe(
          switchMap((lease) => later(clock, WORK_MS, lease)),
          map(releaseOf),
        ),
    ],
    ['throttleTime', (source, clock) => source.pipe(throttleTime(WORK_MS, clock), map(releaseOf))],
    ['debounceTime', (source, clock) => source.pipe(debounceTime(WORK_MS, clock), map(releaseOf))],
    ['sampleTime', (source, clock) => source.pipe(sampleTime(WORK_MS, clock), map(releaseOf))],
    ['ignoreElements', (source) => source.pipe(ignoreElements())],
  ];
  for (const [name, pipeline] of dropping) {
    it(`${name} drops leases: the connection stands still where everybody can see it, with no more memory`, () => {
      const { watch, completed, stalled } = measure(pipeline);
      expect(stalled).to.equal(true);
      expect(completed).to.equal(false);
      expect(watch.takenBytes).to.be.below(1024 * KIB);
      expect(watch.outMax).to.be.within(HIGH - CHUNK, HIGH + CHUNK);
      expect(watch.heldMax).to.be.within(HIGH, HIGH + CHUNK);
    });
  }
});

describe('pull: no more chunks are in flight than the window is wide', () => {
  for (const window of [1, 8]) {
    it(`window ${window}: as many at once, and all of it comes through`, () => {
      const clock = new VirtualTimeScheduler();
      const { bev, run } = fed({ totalBytes: 320 * KIB, watermarks: { read: { high: HIGH } } });
      const inFlight = { chunks: 0, chunksMax: 0, bytes: 0, heldMax: 0 };
      let doneBytes = 0;
      const look = (): void => {
        inFlight.heldMax = Math.max(inFlight.heldMax, inFlight.bytes + bev.input.length);
      };
      const work = (bytes: Buffer): Observable<number> => {
        inFlight.chunks += 1;
        inFlight.bytes += bytes.length;
        inFlight.chunksMax = Math.max(inFlight.chunksMax, inFlight.chunks);
        const done = tap<number>(() => {
          inFlight.chunks -= 1;
          inFlight.bytes -= bytes.length;
        });
        return later(clock, WORK_MS, bytes.length).pipe(done);
      };
      pull(bev, work, { window, bytesMax: CHUNK }).subscribe((length) => void (doneBytes += length));
      run(clock, look);
      expect([doneBytes, inFlight.chunksMax]).to.deep.equal([320 * KIB, window]);
      expect(inFlight.heldMax).to.be.within(HIGH, HIGH + CHUNK);
    });
  }
});

function releaseOf(lease: Lease<Buffer>): Buffer {
  lease.release();
  return lease.bytes;
}

/** What may stand between a source of leases and who releases them, by name. */
const between: Record<string, (clock: VirtualTimeScheduler, n: number) => MonoTypeOperatorFunction<Lease<Buffer>>> = {
  map: () => map((lease) => lease),
  filter: (_clock, n) => filter((lease) => lease.bytes.length % n === 0),
  'filter, releasing': (_clock, n) => filter((lease) => lease.bytes.length % n === 0 || releaseOf(lease).length < 0),
  delay: (clock, n) => delay(n, clock),
  observeOn: (clock) => observeOn(clock),
  throttleTime: (clock, n) => throttleTime(n, clock),
  debounceTime: (clock, n) => debounceTime(n, clock),
  auditTime: (clock, n) => auditTime(n, clock),
  sampleTime: (clock, n) => sampleTime(n, clock),
  share: () => share(),
  shareReplay: () => shareReplay(),
  bufferCount: (_clock, n) => (source) => source.pipe(bufferCount(n), mergeAll()),
  concatMap: (clock, n) => concatMap((lease) => later(clock, n, lease)),
  mergeMap: (clock, n) => mergeMap((lease) => later(clock, n, lease), n),
  switchMap: (clock, n) => switchMap((lease) => later(clock, n, lease)),
  exhaustMap: (clock, n) => exhaustMap((lease) => later(clock, n, lease)),
  take: (_clock, n) => take(n * 10),
  skip: (_clock, n) => skip(n),
  reduce: () => reduce((_last, lease) => lease),
  'zip with itself': () => (source) => {
    const shared = source.pipe(share());
    return zip(shared, shared).pipe(map(([lease]) => lease));
  },
};

/** Who stands at the end. */
const finals: Record<string, (clock: VirtualTimeScheduler, n: number) => OperatorFunction<Lease<Buffer>, unknown>> = {
  settle: (clock, n) => settle((bytes) => later(clock, n, bytes)),
  'settle in parallel': (clock, n) => settle((bytes) => later(clock, n, bytes), n),
  'release at once': () => map(releaseOf),
  'never release': () => ignoreElements(),
};

const chains = fc.record({
  high: fc.integer({ min: 1, max: 6000 }),
  bytesMax: fc.integer({ min: 1, max: 3000 }),
  deliveryBytes: fc.integer({ min: 1, max: 2000 }),
  operators: fc.array(fc.tuple(fc.constantFrom(...Object.keys(between)), fc.integer({ min: 1, max: 9 })), {
    maxLength: 5,
  }),
  final: fc.tuple(fc.constantFrom(...Object.keys(finals)), fc.integer({ min: 1, max: 9 })),
});

describe('whatever operators stand between', () => {
  const { seed } = new Random();

  it(`bytes on loan stay below the high watermark and one chunk (seed ${seed})`, function () {
    this.timeout(60_000);
    const property = fc.property(chains, ({ high, bytesMax, deliveryBytes, operators, final }) => {
      const clock = new VirtualTimeScheduler();
      const { bev, run } = fed({ totalBytes: 3 * high + 1000, deliveryBytes, watermarks: { read: { high } } });
      const watch = new Watch(bev);
      let stream: Leases = leased$(bev, { bytesMax }).pipe(watch.over);
      for (const [name, n] of operators) stream = stream.pipe(between[name]?.(clock, n) ?? map((lease) => lease));
      const [end, n] = final;
      const subscription = (finals[end] as (typeof finals)[string])(clock, n)(stream).subscribe();
      run(clock, watch.look);
      subscription.unsubscribe();
      expect(watch.takenBytes).to.be.above(0);
      expect(watch.outMax).to.be.below(high + bytesMax);
      expect(watch.heldMax).to.be.below(high + deliveryBytes);
    });
    fc.assert(property, { seed, numRuns: 300 });
  });

  it(`pull works on a window of chunks, and never on more than the high watermark and one chunk (seed ${seed})`, function () {
    this.timeout(60_000);
    const options = fc.record({
      high: fc.integer({ min: 1, max: 6000 }),
      bytesMax: fc.integer({ min: 1, max: 3000 }),
      deliveryBytes: fc.integer({ min: 1, max: 2000 }),
      window: fc.integer({ min: 1, max: 12 }),
      durations: fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 5 }),
    });
    const property = fc.property(options, ({ high, bytesMax, deliveryBytes, window, durations }) => {
      const totalBytes = 3 * high + 1000;
      const clock = new VirtualTimeScheduler();
      const { bev, run } = fed({ totalBytes, deliveryBytes, watermarks: { read: { high } } });
      const busy = { chunks: 0, bytes: 0, chunksMax: 0, bytesMax: 0, heldMax: 0, done: 0, begun: 0 };
      const look = (): void => {
        busy.chunksMax = Math.max(busy.chunksMax, busy.chunks);
        busy.bytesMax = Math.max(busy.bytesMax, busy.bytes);
        busy.heldMax = Math.max(busy.heldMax, busy.bytes + bev.input.length);
      };
      const work = ({ length }: Buffer): Observable<unknown> => {
        busy.chunks += 1;
        busy.bytes += length;
        look();
        const ms = durations[(busy.begun += 1) % durations.length] as number;
        const over = tap(() => {
          busy.chunks -= 1;
          busy.bytes -= length;
          busy.done += length;
        });
        return ms === 0 ? of(undefined).pipe(over) : later(clock, ms, undefined).pipe(over);
      };
      pull(bev, work, { window, bytesMax }).subscribe();
      run(clock, look);
      expect(busy.done).to.equal(totalBytes);
      expect(busy.chunksMax).to.be.within(1, window);
      expect(busy.bytesMax).to.be.below(high + bytesMax);
      expect(busy.heldMax).to.be.below(high + deliveryBytes);
    });
    fc.assert(property, { seed, numRuns: 200 });
  });

  it(`what sink holds stays below the high watermark and one chunk when the source waits (seed ${seed})`, function () {
    this.timeout(60_000);
    const options = fc.record({
      high: fc.integer({ min: 2, max: 6000 }),
      bytesMax: fc.integer({ min: 1, max: 3000 }),
      perTurnBytes: fc.integer({ min: 1, max: 500 }),
      window: fc.integer({ min: 1, max: 4 }),
    });
    const property = fc.property(options, ({ high, bytesMax, perTurnBytes, window }) => {
      const totalBytes = 3 * high + 1000;
      const { loop, bev, run } = fed({ totalBytes, watermarks: { read: { high } } });
      const out = fed({ totalBytes: 0, deliveryBytes: perTurnBytes, watermarks: { write: { high, low: high >> 1 } } });
      let received = 0;
      let heldMax = 0;
      out.peer.on('data', () => void (received += out.peer.input.drain()));
      const forward = (bytes: Buffer) => of(bytes).pipe(sink(out.bev));
      const written = pull(bev, forward, { window, bytesMax }).pipe(
        tap({ complete: () => out.bev.end() }),
        map(({ bytes }) => bytes),
        endWith(0),
      );
      written.subscribe();
      for (let rounds = 0; loop.pending || out.loop.pending; rounds += 1) {
        run();
        heldMax = Math.max(heldMax, out.bev.output.length);
        out.loop.turn();
        heldMax = Math.max(heldMax, out.bev.output.length);
      }
      expect(received).to.equal(totalBytes);
      expect(heldMax).to.be.below(high + window * bytesMax);
    });
    fc.assert(property, { seed, numRuns: 200 });
  });
});
