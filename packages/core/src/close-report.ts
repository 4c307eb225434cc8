import type { Blame, Direction, EndKind, ErrorEntry, Layer, Remedy, SluiceError } from '@sluice/errors';

/** How and why a connection ended. Made once per connection, delivered with `closed`, kept as `BufferEvent.closed`. */
export interface CloseReport {
  /**
   * `end`: both directions ended in order. `truncated`: the peer's bytes stopped without the end that its protocol asks
   * for. `reset`: the peer or the network tore it down. `timeout`: a limit of time passed. `aborted`: given up,
   * here (`destroy`) or by the peer, who said so: see `blame`. `failed`: anything else; see `error`.
   */
  readonly end: EndKind;
  readonly direction: Direction;
  /** The layer in which the end was found. */
  readonly layer: Layer;
  /** Absent for `end`, and for `aborted` without a reason. */
  readonly error: SluiceError | undefined;
  /** The error's, or null. */
  readonly code: string | null;
  readonly blame: Blame | null;
  readonly remedy: Remedy | null;
  /** Oldest first. */
  readonly entries: readonly ErrorEntry[];
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly durationMs: number;
}

/** What a report counts. */
interface Counted {
  readonly bytesIn: number;
  readonly bytesOut: number;
}

export function closeReport(
  counted: Counted,
  end: EndKind,
  direction: Direction,
  error: SluiceError | undefined,
  durationMs: number,
): CloseReport {
  return {
    end,
    direction,
    layer: error?.layer ?? 'core',
    error,
    code: error?.code ?? null,
    blame: error?.blame ?? (end === 'aborted' ? 'local' : null),
    remedy: error?.remedy ?? null,
    entries: error?.entries ?? [],
    bytesIn: counted.bytesIn,
    bytesOut: counted.bytesOut,
    durationMs,
  };
}
