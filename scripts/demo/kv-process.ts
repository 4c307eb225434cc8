/** kv-server as a process of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

export interface KvProcess {
  /** Of 127.0.0.1. */
  readonly tcpPort: number;
  readonly tlsPort: number;
  readonly unixPath: string;
  /** SIGTERM; resolves with its exit code when it has drained. */
  stop(): Promise<number>;
}

export interface KvProcessOptions {
  certFile: string;
  keyFile: string;
  unixPath: string;
  /** Kernel's choice when absent. */
  tcpPort?: number;
  tlsPort?: number;
}

/** Starts it and waits for its three LISTENING lines. */
export async function startKvServer(options: KvProcessOptions): Promise<KvProcess> {
  const main = fileURLToPath(new URL('../../examples/kv-server/main.ts', import.meta.url));
  const { unixPath, certFile, keyFile, tcpPort = 0, tlsPort = 0 } = options;
  const tcp = ['--host', '127.0.0.1', '--port', String(tcpPort), '--unix', unixPath];
  const tls = ['--tls-port', String(tlsPort), '--cert', certFile, '--key', keyFile];
  const child = spawn(process.execPath, [...process.execArgv, main, ...tcp, ...tls], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  // However the demo ends, the server does not stay behind.
  const abandon = (): void => void child.kill('SIGKILL');
  process.once('exit', abandon);
  const exited = once(child, 'exit').then(([code]) => {
    process.off('exit', abandon);
    return typeof code === 'number' ? code : 1;
  });

  const ports = new Map<string, number>();
  for await (const line of createInterface({ input: child.stdout })) {
    const [word, transport = '', , port] = line.split(' ');
    if (word === 'LISTENING') ports.set(transport, Number(port));
    if (ports.size === 3) break;
  }
  child.stdout.resume();
  const found = { tcpPort: ports.get('tcp'), tlsPort: ports.get('tls') };
  if (found.tcpPort === undefined || found.tlsPort === undefined) throw new Error('kv-server ended before it listened');
  return {
    tcpPort: found.tcpPort,
    tlsPort: found.tlsPort,
    unixPath,
    stop() {
      child.kill('SIGTERM');
      return exited;
    },
  };
}
