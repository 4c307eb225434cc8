import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';

/** Milliseconds. */
export interface DurationSummary {
  readonly count: number;
  readonly min: number;
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

/** What a loop did since it is measured, or since `reset`. */
export interface LoopMetricsSnapshot {
  readonly elapsedMs: number;
  readonly turns: number;
  /** Time within turns: callbacks, and moving bytes. */
  readonly busyMs: number;
  /** Time between turns: waiting, and whatever else the thread did. */
  readonly waitMs: number;
  /** busyMs / elapsedMs. */
  readonly utilization: number;
  /** Of single turns. */
  readonly turn: DurationSummary;
  /** Of single times between turns. */
  readonly wait: DurationSummary;
  /** How late the loop was: timers after their deadlines, turns after they were asked for. */
  readonly lag: DurationSummary;
}

const US_PER_MS = 1000;

/** Longer durations are recorded as this: an hour. */
const US_MAX = 3600 * 1000 * US_PER_MS;

/** Two digits: 50 kB per histogram, and errors below one percent. */
const newHistogram = (): RecordableHistogram => createHistogram({ lowest: 1, highest: US_MAX, figures: 2 });

/** Measures a loop: `EventLoop.measure`. Costs two reads of the clock and three histogram entries per turn. */
export class LoopMetrics {
  readonly #turn: RecordableHistogram = newHistogram();
  readonly #wait: RecordableHistogram = newHistogram();
  readonly #lag: RecordableHistogram = newHistogram();
  #since: number;
  #turns = 0;
  #busyMs = 0;
  #begun = Number.NaN;
  #ended = Number.NaN;
  #requested = Number.NaN;

  /** @param now monotonic milliseconds, as everywhere below */
  constructor(now: number) {
    this.#since = now;
  }

  snapshot(now: number): LoopMetricsSnapshot {
    const elapsedMs = now - this.#since;
    return {
      elapsedMs,
      turns: this.#turns,
      busyMs: this.#busyMs,
      waitMs: elapsedMs - this.#busyMs,
      utilization: elapsedMs > 0 ? this.#busyMs / elapsedMs : 0,
      turn: summaryOf(this.#turn),
      wait: summaryOf(this.#wait),
      lag: summaryOf(this.#lag),
    };
  }

  reset(now: number): void {
    this.#since = now;
    this.#turns = 0;
    this.#busyMs = 0;
    for (const histogram of [this.#turn, this.#wait, this.#lag]) histogram.reset();
  }

  // --- What the loop tells. ---

  _turnRequested(now: number): void {
    this.#requested = now;
  }

  /** @param due the earliest timer's deadline that has passed; NaN for none */
  _turnBegan(now: number, due: number): void {
    this.#begun = now;
    if (!Number.isNaN(this.#ended)) record(this.#wait, now - this.#ended);
    const since = Number.isNaN(due) ? this.#requested : due;
    if (!Number.isNaN(since)) record(this.#lag, now - since);
    this.#requested = Number.NaN;
  }

  _turnEnded(now: number): void {
    // The turn in which measuring was switched on has no begin.
    if (Number.isNaN(this.#begun)) return;
    const turnMs = now - this.#begun;
    this.#turns += 1;
    this.#busyMs += turnMs;
    record(this.#turn, turnMs);
    this.#ended = now;
  }
}

function record(histogram: RecordableHistogram, ms: number): void {
  histogram.record(Math.min(US_MAX, Math.max(1, Math.round(ms * US_PER_MS))));
}

function summaryOf(histogram: RecordableHistogram): DurationSummary {
  const { count } = histogram;
  if (count === 0) return { count, min: 0, mean: 0, p50: 0, p90: 0, p99: 0, max: 0 };
  const at = (percentile: number): number => histogram.percentile(percentile) / US_PER_MS;
  return {
    count,
    min: histogram.min / US_PER_MS,
    mean: histogram.mean / US_PER_MS,
    p50: at(50),
    p90: at(90),
    p99: at(99),
    max: histogram.max / US_PER_MS,
  };
}
