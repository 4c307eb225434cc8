/** A peer that is running and can be reached. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { LineProcess } from './line-process.ts';
import { repositoryDirectory } from './paths.ts';
import type { Placement } from './placement.ts';

/** How to start a server. */
export interface ServerCommand {
  name: string;
  /** The program and its arguments, given the port it should listen on (0: its own choice). */
  command(port: number): readonly string[];
  /** It prints no `LISTENING … PORT` line: it is given a port, and is ready when that accepts. */
  silent?: boolean;
}

const START_PATIENCE_MS = 10_000;
const KNOCK_EVERY_MS = 20;

export class ServerProcess {
  readonly port: number;
  readonly #process: LineProcess;

  private constructor(process: LineProcess, port: number) {
    this.#process = process;
    this.port = port;
  }

  static async start(server: ServerCommand, placement: Placement): Promise<ServerProcess> {
    const given = server.silent === true ? await freePort() : 0;
    const command = [...placement.server, ...server.command(given)];
    const process = new LineProcess(server.name, command, repositoryDirectory);
    try {
      if (server.silent === true) await untilAccepting(given);
      const port = server.silent === true ? given : portFrom(await process.line());
      return new ServerProcess(process, port);
    } catch (error) {
      await process.stop();
      throw error;
    }
  }

  get pid(): number {
    return this.#process.pid;
  }

  async stop(): Promise<void> {
    await this.#process.stop();
  }
}

/** The port in `LISTENING 4711`, or in `LISTENING tcp 127.0.0.1 4711`. */
export function portFrom(line: string): number {
  const match = /^LISTENING (?:.* )?(\d+)$/.exec(line);
  if (match === null) throw new Error(`a server said ${JSON.stringify(line)} where it listens`);
  return Number(match[1]);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function untilAccepting(port: number): Promise<void> {
  for (let waited = 0; waited < START_PATIENCE_MS; waited += KNOCK_EVERY_MS) {
    const socket = connect(port, '127.0.0.1');
    const accepted = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (accepted) return;
    await sleep(KNOCK_EVERY_MS);
  }
  throw new Error(`nobody accepts on port ${port}`);
}
