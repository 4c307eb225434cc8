import type { BufferEvent, CloseReport } from '@sluice/core';
import type { HandshakeSummary } from '@sluice/tls';

/** A line of the log, without its end: how a connection ended, whose fault it was, what to do, and how its handshake went. */
export function closeLine(bev: Pick<BufferEvent, 'id' | 'transport'>, report: CloseReport): string {
  const { end, direction, layer, code, blame, remedy, bytesIn, bytesOut, error } = report;
  return JSON.stringify({
    id: bev.id,
    transport: bev.transport,
    end,
    direction,
    layer,
    code,
    blame,
    remedy,
    bytesIn,
    bytesOut,
    handshake: handshakeOf(report),
    entries: error?.toJSON().entries ?? [],
  });
}

/** Only a TLS connection's report has one. */
function handshakeOf(report: CloseReport & { readonly handshake?: HandshakeSummary }): HandshakeSummary | null {
  return report.handshake ?? null;
}
