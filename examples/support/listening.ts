import { lstatSync, rmSync } from 'node:fs';
import { connect, type EventLoop, type ListenOptions, type Server } from '@sluice/core';
import { SluiceError } from '@sluice/errors';
import { UsageError } from './usage-error.ts';

/** A place to listen at, and what connections speak there. */
export interface Place extends ListenOptions {
  transport: 'tcp' | 'unix' | 'tls';
}

/**
 * Listens at each place, one after the other, and says so on stdout, one line each:
 * `LISTENING tcp HOST PORT`, `LISTENING tls HOST PORT`, `LISTENING unix PATH`. The file of a Unix socket that nobody
 * listens at any more (a server was killed) is removed first.
 * @throws UsageError that names the place which could not be had
 */
export async function listenAt(
  server: Server,
  places: readonly Place[],
  print: (line: string) => void = printLine,
): Promise<void> {
  for (const { transport, ...options } of places) {
    const where = options.path ?? `${options.host} port ${options.port}`;
    try {
      if (options.path !== undefined && (await isAbandoned(options.path, server.loop))) rmSync(options.path);
      const { address } = await server.listen(options);
      print(listeningLine(transport, address));
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      throw new UsageError(`cannot listen on ${transport} ${where}: ${error.message}`);
    }
  }
}

export function listeningLine(transport: string, address: { address: string; port: number }): string {
  return transport === 'unix'
    ? `LISTENING unix ${address.address}`
    : `LISTENING ${transport} ${address.address} ${address.port}`;
}

/** Whether there is a socket that refuses connections. */
function isAbandoned(path: string, loop: EventLoop): Promise<boolean> {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() !== true) return Promise.resolve(false);
  return new Promise((resolve) => {
    const probe = connect({ path, loop });
    probe.on('connected', () => probe.destroy());
    probe.on('closed', ({ code }) => resolve(code === 'SLUICE_SYSTEM_ECONNREFUSED'));
  });
}

function printLine(line: string): void {
  process.stdout.write(`${line}\n`);
}
