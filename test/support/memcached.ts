/** The real memcached, to be compared with. */
import { existsSync, watch } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { Program } from './program.ts';

export interface Memcached extends AsyncDisposable {
  readonly port: number;
}

/** Starts one on a port of the kernel's choice. Rejects, and says what to install, when there is no memcached here. */
export async function startMemcached(): Promise<Memcached> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-memcached-'));
  const portFile = join(directory, 'port');
  const user = process.getuid?.() === 0 ? ['-u', 'root'] : [];
  // Without the threads of "modern", its answers depend on the commands alone.
  const options = ['-l', '127.0.0.1', '-p', '-1', '-U', '0', '-m', '256', '-o', 'no_modern'];
  const program = Program.command('memcached', [...options, ...user], { env: { MEMCACHED_PORT_FILENAME: portFile } });
  const dispose = async (): Promise<void> => {
    await program[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await Promise.race([fileAppears(directory, portFile), failure(program)]);
    const port = /^TCP INET: (\d+)$/m.exec(await readFile(portFile, 'utf8'))?.[1];
    return { port: Number(port), [Symbol.asyncDispose]: dispose };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') await dispose();
    throw error;
  }
}

async function failure(program: Program): Promise<never> {
  try {
    const { code, stderr } = await program.exited;
    throw new Error(`memcached ended with ${code}: ${stderr}`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw Object.assign(
      new Error('this test needs memcached: apt-get install memcached (Debian package "memcached")'),
      {
        code: 'ENOENT',
      },
    );
  }
}

function fileAppears(directory: string, file: string): Promise<void> {
  return new Promise((resolve) => {
    const watcher = watch(directory, look);
    function look(): void {
      if (!existsSync(file)) return;
      watcher.close();
      resolve();
    }
    look();
  });
}
