/**
 * The transports that are measured. A new one is added here, and its peers say in `peers.ts` that they speak it; the
 * cases follow by themselves.
 */
import type { CertificateFiles } from './prepare.ts';

export type TransportName = 'tcp' | 'tls';

export interface Transport {
  name: TransportName;
  title: string;
  /** What the load generator is told. */
  load: readonly string[];
  /** What a peer is told. */
  peer(certificate: CertificateFiles): readonly string[];
  /** A connection begins with a handshake of its own, full or resumed, with a certificate. */
  handshakes: boolean;
}

export const transports: readonly Transport[] = [
  { name: 'tcp', title: 'TCP', load: [], peer: () => [], handshakes: false },
  {
    name: 'tls',
    title: 'TLS',
    load: ['--tls'],
    peer: ({ cert, key }) => ['--cert', cert, '--key', key],
    handshakes: true,
  },
];
