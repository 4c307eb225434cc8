import { readFileSync } from 'node:fs';
import { SluiceError } from '@sluice/errors';
import { TlsContext, type TlsOptions, tlsServer, type TlsWrap } from '@sluice/tls';
import { UsageError } from './usage-error.ts';

/**
 * What puts a server's TLS over accepted connections, its certificate and key taken from two PEM files.
 * @throws UsageError that names the file, when it cannot be read or OpenSSL refuses what it holds
 */
export function tlsWrap(certFile: string, keyFile: string, options: TlsOptions): TlsWrap {
  return tlsServer(serverContext(certFile, keyFile), options);
}

function serverContext(certFile: string, keyFile: string): TlsContext {
  const cert = readPem('--cert', certFile);
  const key = readPem('--key', keyFile);
  try {
    return TlsContext.server({ cert, key });
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    throw new UsageError(`--cert ${certFile} and --key ${keyFile} cannot be used: ${error.message}`);
  }
}

function readPem(option: string, file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(`${option} ${file} cannot be read: ${REASONS[code ?? ''] ?? (error as Error).message}`);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
};
