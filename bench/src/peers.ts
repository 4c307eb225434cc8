/** The servers that are measured, and how each is started. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { built, repositoryDirectory, runtimes } from './paths.ts';
import type { TransportName } from './transports.ts';

export type Service = 'echo' | 'kv';

export interface Peer {
  name: string;
  title: string;
  service: Service;
  transports: readonly TransportName[];
  /** `extra`: what the transport wants to be said; `port`: 0 lets the peer choose. */
  command(extra: readonly string[], port: number): readonly string[];
  /** See ServerCommand. */
  silent?: boolean;
  version(): string;
}

const peerScript = (name: string): string => join(built.peers, `${name}.js`);

/** Sluice itself; the others are compared with it. */
export const sluiceName = 'sluice';

export const peers: readonly Peer[] = [
  {
    name: sluiceName,
    title: 'Sluice',
    service: 'echo',
    transports: ['tcp', 'tls'],
    command: (extra, port) => [runtimes.node, peerScript('sluice-echo'), '--port', String(port), ...extra],
    version: () => firstLine('git', ['describe', '--always', '--dirty'], repositoryDirectory),
  },
  {
    name: 'node',
    title: 'node:*, same Node',
    service: 'echo',
    transports: ['tcp', 'tls'],
    command: (extra, port) => [runtimes.node, peerScript('node-echo'), '--port', String(port), ...extra],
    version: () => firstLine(runtimes.node, ['--version']),
  },
  {
    name: 'node-26',
    title: 'node:*, Node 26',
    service: 'echo',
    transports: ['tcp', 'tls'],
    command: (extra, port) => [runtimes.node26, peerScript('node-echo'), '--port', String(port), ...extra],
    version: () => firstLine(runtimes.node26, ['--version']),
  },
  {
    name: 'libevent',
    title: 'libevent (C)',
    service: 'echo',
    transports: ['tcp', 'tls'],
    command: (extra, port) => [built.libeventEcho, '--port', String(port), ...extra],
    version: () => firstLine('dpkg-query', ['-W', '-f', '${Version}\n', 'libevent-dev']),
  },
  {
    name: 'bun',
    title: 'Bun',
    service: 'echo',
    transports: ['tcp', 'tls'],
    command: (extra, port) => [runtimes.bun, peerScript('bun-echo'), '--port', String(port), ...extra],
    version: () => firstLine(runtimes.bun, ['--version']),
  },
  {
    name: 'epoll',
    title: 'bare epoll (C)',
    service: 'echo',
    transports: ['tcp'],
    command: (_extra, port) => [built.epollEcho, '--port', String(port)],
    version: () => firstLine('cc', ['--version']),
  },
  {
    name: sluiceName,
    title: 'Sluice',
    service: 'kv',
    transports: ['tcp'],
    command: (_extra, port) => [runtimes.node, kvServerPath, '--port', String(port), '--host', '127.0.0.1'],
    version: () => firstLine('git', ['describe', '--always', '--dirty'], repositoryDirectory),
  },
  {
    name: 'memcached',
    title: 'memcached (C)',
    service: 'kv',
    transports: ['tcp'],
    silent: true,
    command: (_extra, port) => [
      'memcached',
      '-l',
      '127.0.0.1',
      '-p',
      String(port),
      '-U',
      '0',
      '-t',
      '1',
      '-c',
      '20000',
      '-u',
      'nobody',
    ],
    version: () => firstLine('memcached', ['--version']),
  },
];

const kvServerPath = join(repositoryDirectory, 'examples/kv-server/main.ts');

function firstLine(program: string, programArguments: readonly string[], cwd?: string): string {
  const result = spawnSync(program, programArguments, { encoding: 'utf8', ...(cwd === undefined ? {} : { cwd }) });
  return result.status === 0 ? (result.stdout.split('\n')[0]?.trim() ?? '') : 'not installed';
}
