/** What every echo peer is started with. */
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { parseArgs } from 'node:util';

export interface PeerOptions {
  port: number;
  host: string;
  /** With both a certificate and a key: TLS. */
  tls: { cert: string; key: string } | undefined;
}

export function peerOptions(): PeerOptions {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '0' },
      host: { type: 'string', default: '127.0.0.1' },
      cert: { type: 'string' },
      key: { type: 'string' },
    },
  });
  const { cert, key } = values;
  const tls =
    cert === undefined || key === undefined
      ? undefined
      : { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
  return { port: Number(values.port), host: values.host, tls };
}

/** Tells the harness that the server can be reached, and ends in order when asked, so that profiles are written. */
export function announce(port: number): void {
  console.log(`LISTENING ${port}`);
  process.on('SIGTERM', () => process.exit(0));
}
