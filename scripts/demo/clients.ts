/** Every kind of client that the demo connects to kv-server. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect as netConnect } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import { type BufferEvent, connect } from '@sluice/core';
import { connectTls, type TlsContext } from '@sluice/tls';
import type { KvProcess } from './kv-process.ts';
import { programWire, sluiceWire, streamWire, type Wire } from './wire.ts';

export interface Client {
  name: string;
  /** 'TCP', 'Unix socket', 'TLSv1.3', ... */
  transport: string;
  wire: Wire;
}

export interface ClientOptions {
  /** For Sluice's own: trusts the demo's authority. */
  context: TlsContext;
  /** The same root for the others, as text and as a file. */
  ca: string;
  caFile: string;
}

/** Connects them all; none is returned before its connection stands. */
export async function connectClients(server: KvProcess, options: ClientOptions): Promise<Client[]> {
  const { context, ca, caFile } = options;
  const host = '127.0.0.1';
  const clients = [
    sluiceClient('TCP', connect({ host, port: server.tcpPort })),
    sluiceClient('Unix socket', connect({ path: server.unixPath })),
    sluiceClient('TLS 1.3', connectTls(context, { host, port: server.tlsPort, tls: { servername: 'localhost' } })),
    nodeClient(netConnect(server.unixPath), 'connect', 'Unix socket'),
    nodeClient(
      tlsConnect({ host, port: server.tlsPort, servername: 'localhost', ca, minVersion: 'TLSv1.3' }),
      'secureConnect',
      'TLS 1.3',
    ),
    nodeClient(
      tlsConnect({ host, port: server.tlsPort, servername: 'localhost', ca, maxVersion: 'TLSv1.2' }),
      'secureConnect',
      'TLS 1.2',
    ),
  ];
  if (hasOpenssl()) clients.push(Promise.resolve(opensslClient(server.tlsPort, caFile)));
  return Promise.all(clients);
}

/** Debian's package openssl, or whatever brings the program. */
export function hasOpenssl(): boolean {
  return spawnSync('openssl', ['version'], { stdio: 'ignore' }).status === 0;
}

async function sluiceClient(transport: string, bev: BufferEvent): Promise<Client> {
  const wire = sluiceWire(bev);
  await new Promise<void>((resolve, reject) => {
    bev.on('connected', () => resolve());
    bev.on('closed', (report) => reject(report.error ?? new Error('closed before it was connected')));
  });
  return { name: 'Sluice', transport, wire };
}

async function nodeClient(
  stream: Parameters<typeof streamWire>[0],
  connected: string,
  transport: string,
): Promise<Client> {
  await once(stream, connected);
  return { name: transport.startsWith('TLS') ? 'node:tls' : 'node:net', transport, wire: streamWire(stream) };
}

function opensslClient(port: number, caFile: string): Client {
  const child = spawn(
    'openssl',
    // `-quiet`: nothing but the application's bytes on stdout, and no commands taken from stdin.
    [
      ...['s_client', '-quiet', '-verify_quiet', '-verify_return_error', '-CAfile', caFile],
      ...['-servername', 'localhost', '-connect', `127.0.0.1:${port}`],
    ],
    { stdio: ['pipe', 'pipe', 'ignore'] },
  );
  return { name: 'openssl s_client', transport: 'TLS 1.3', wire: programWire(child) };
}
