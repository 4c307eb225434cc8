import type { BufferReader, BufferWriter } from './evbuffer.ts';
import type { FilterMode, Transform } from './filter.ts';
import { invalidResultError, noProgressError } from './filter-errors.ts';

/**
 * How far a run came. `hungry`: everything is done that the source and the mode allow. `full`: the destination has no
 * room. `later`: there is more to do, and others have waited long enough. `finished`: the transform is done for good.
 */
export type FilterOutcome = 'hungry' | 'full' | 'later' | 'finished';

/** What a transform works on, and how to see that it did. */
export interface FilterSide {
  readonly direction: 'read' | 'write';
  readonly source: BufferReader;
  readonly destination: BufferWriter;
  /** Bytes that may be added to the destination. */
  room(): number;
  /** Bytes that were ever taken from the source and added to the destination. */
  moved(): number;
}

/** Calls of a transform in one run. A filter of tiny messages leaves the loop to others after as many. */
const CALLS_PER_RUN_MAX = 1024;

/** Calls one transform as often as it has something to do, and never again without progress. */
export class FilterRun {
  readonly side: FilterSide;
  readonly #transform: Transform;
  #running = false;
  #finished = false;

  constructor(transform: Transform, side: FilterSide) {
    this.#transform = transform;
    this.side = side;
  }

  /** The transform is at work: what it does to its own connection must not call it again. */
  get running(): boolean {
    return this.#running;
  }

  /** It answered `finished`, or was told to finish and had nothing left. */
  get finished(): boolean {
    return this.#finished;
  }

  /** @throws what the transform throws; ApiMisuse when it makes no progress or answers anything else */
  run(mode: FilterMode): FilterOutcome {
    if (this.#finished) return 'finished';
    if (this.#running) return 'later';
    this.#running = true;
    try {
      for (let calls = 0; calls < CALLS_PER_RUN_MAX; calls += 1) {
        const outcome = this.#call(mode);
        if (outcome !== undefined) return outcome;
      }
      return 'later';
    } finally {
      this.#running = false;
    }
  }

  /** Answers undefined when it should be called again. */
  #call(mode: FilterMode): FilterOutcome | undefined {
    const { side } = this;
    const { source } = side;
    if (source.length === 0 && mode === 'normal') return 'hungry';
    const room = side.room();
    if (room <= 0) return 'full';
    const before = side.moved();
    const result = this.#transform(source, side.destination, room, mode);
    if (result === 'ok') {
      if (side.moved() > before) return undefined;
      if (source.length > 0) throw noProgressError(side.direction, source.length, room);
    } else if (result === 'finished') {
      this.#finished = true;
      return 'finished';
    } else if (result !== 'need-more') throw invalidResultError(side.direction, result);
    if (mode === 'finished' && source.length === 0) this.#finished = true;
    return this.#finished ? 'finished' : 'hungry';
  }
}
