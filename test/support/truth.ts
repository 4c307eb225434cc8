import type { CloseReport } from '@sluice/core';
import type { Blame, Direction, EndKind, Layer } from '@sluice/errors';
import type { TlsCloseReport } from '@sluice/tls';

/** What a report says of an end, as plain values that can be compared at once. */
export interface Truth {
  end: EndKind;
  direction: Direction;
  layer: Layer;
  code: string | null;
  blame: Blame | null;
  /** What was being done. */
  operation: string | undefined;
  /** Packed codes in hex, oldest first. */
  entries: string[];
  /** Alerts in order, as `sent bad_record_mac` or `received close_notify`. */
  alerts: string[];
}

export function truthOf(report: CloseReport | TlsCloseReport): Truth {
  const { end, direction, layer, code, blame, error, entries } = report;
  const alerts = 'alerts' in report ? report.alerts : [];
  return {
    end,
    direction,
    layer,
    code,
    blame,
    operation: error?.operation,
    entries: entries.map((entry) => entry.code.toString(16).toUpperCase().padStart(8, '0')),
    alerts: alerts.map(({ sent, name }) => `${sent ? 'sent' : 'received'} ${name}`),
  };
}
