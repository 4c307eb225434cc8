/** Everything that a BufferEvent promises, of TLS over every transport, itself included. */
import assert from 'node:assert/strict';
import { type BufferEvent, type ConnectionOptions, FilterBufferEvent, fromDuplex, toDuplex } from '@sluice/core';
import { carriers, type ComplianceFactory, layered, slowLink, transportCompliance } from '@sluice/core/testing';
import { TlsBufferEvent, type TlsOptions, type TlsVersion } from '../src/index.ts';
import { contexts } from './support/contexts.ts';

/** TLS over both ends: the first is the client. */
function tlsOver(below: ComplianceFactory, tls: TlsOptions = {}, version: TlsVersion = 'TLSv1.3'): ComplianceFactory {
  return async (options) => {
    const { client, server } = await contexts({ version });
    const wrapped = layered(below, (transport, wanted, side) =>
      side === 'first'
        ? new TlsBufferEvent(transport, client, { ...tls, ...wanted, servername: 'localhost' })
        : new TlsBufferEvent(transport, server, { ...tls, ...wanted }),
    );
    const connection = await wrapped(options);
    return {
      ...connection,
      async dispose() {
        for (const end of connection.ends) assertCalledForReasons(end as TlsBufferEvent);
        await connection.dispose();
      },
    };
  };
}

/** OpenSSL was never called for nothing, and nobody else's errors lay in its queue. */
function assertCalledForReasons({ session }: TlsBufferEvent): void {
  assert.deepEqual([session.spins, session.staleEntries], [0, 0]);
}

/** A record that was begun is taken whole. The machine may be busy. */
const settings = { overshootBytes: 16 * 1024, patienceMs: 25_000 };

for (const [name, carrier] of Object.entries(carriers)) {
  transportCompliance(`TLS over ${name}`, tlsOver(carrier), settings);
}

transportCompliance('TLS 1.2 over link', tlsOver(carriers.link, {}, 'TLSv1.2'), settings);
transportCompliance('TLS over TLS over link', tlsOver(tlsOver(carriers.link)), settings);
transportCompliance('TLS over TLS over tcp', tlsOver(tlsOver(carriers.tcp)), settings);

const slow = slowLink({ capacityBytes: 100_000, perTurnBytes: 10_000 });
for (const store of ['borrowed', 'pair'] as const) {
  const title = `TLS with a pair of 512 bytes over a slow link, store '${store}'`;
  transportCompliance(title, tlsOver(slow, { pairBytes: 512, store }), settings);
}

const passing = (below: BufferEvent, options: ConnectionOptions): BufferEvent =>
  new FilterBufferEvent(below, {}, options);
transportCompliance('filter over TLS over tcp', layered(tlsOver(carriers.tcp), passing), settings);
transportCompliance('TLS over filter over link', tlsOver(layered(carriers.link, passing)), settings);

transportCompliance(
  "Node's Duplex over TLS over link",
  layered(tlsOver(carriers.link), (below, options) => fromDuplex(below.loop, toDuplex(below), options)),
  settings,
);
