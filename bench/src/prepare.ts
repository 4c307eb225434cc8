/** Makes what a run needs: the programs in C, the peers in JavaScript, other runtimes, certificates. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { serverCertificate } from '../../test/support/certificates.ts';
import {
  buildDirectory,
  built,
  loadSourceDirectory,
  peersDirectory,
  repositoryDirectory,
  runtimePackages,
} from './paths.ts';

/** Certificate files of one size, for `--cert` and `--key`. */
export interface CertificateFiles {
  cert: string;
  key: string;
}

/** Alternative names in the large certificate: about 40 kB of DER. */
const LARGE_CERTIFICATE_NAMES = 1200;

const cFlags = ['-std=c11', '-D_GNU_SOURCE', '-O2', '-Wall', '-Wextra', '-Werror'];

/** Compiles the load generator when its sources are newer than it. */
export function buildLoadGenerator(): void {
  mkdirSync(buildDirectory, { recursive: true });
  const sources = filesIn(loadSourceDirectory, '.c');
  compile(built.load, sources, [...sources, ...filesIn(loadSourceDirectory, '.h')], ['-lssl', '-lcrypto']);
}

/** Compiles every peer. */
export function buildPeers(): void {
  mkdirSync(buildDirectory, { recursive: true });
  const epoll = [join(peersDirectory, 'epoll-echo.c')];
  const libevent = [join(peersDirectory, 'libevent-echo.c')];
  compile(built.epollEcho, epoll, epoll, []);
  compile(built.libeventEcho, libevent, libevent, ['-levent', '-levent_openssl', '-lssl', '-lcrypto']);
  const tsc = join(repositoryDirectory, 'node_modules/typescript/bin/tsc');
  run(process.execPath, [tsc, '-b', peersDirectory], 'the peers in TypeScript do not compile');
}

/** Installs the other runtimes from npm, in a directory of their own. */
export function installRuntimes(): void {
  mkdirSync(built.runtimes, { recursive: true });
  const manifest = `${JSON.stringify({ private: true, dependencies: runtimePackages }, undefined, 2)}\n`;
  const path = join(built.runtimes, 'package.json');
  const installed = Object.keys(runtimePackages).every((name) =>
    existsSync(join(built.runtimes, 'node_modules', name)),
  );
  if (installed && existsSync(path) && readFileSync(path, 'utf8') === manifest) return;
  writeFileSync(path, manifest);
  run(
    'npm',
    ['install', '--no-audit', '--no-fund', '--loglevel=error'],
    'the other runtimes cannot be installed',
    built.runtimes,
  );
}

/** Writes a certificate of the usual size, and one of 40 kB, both with P-256 keys. */
export async function writeCertificates(): Promise<{ small: CertificateFiles; large: CertificateFiles }> {
  mkdirSync(built.certificates, { recursive: true });
  return { small: await write('small', 0), large: await write('large', LARGE_CERTIFICATE_NAMES) };
}

async function write(name: string, names: number): Promise<CertificateFiles> {
  const { certPem, keyPem } = await serverCertificate(names);
  const files = { cert: join(built.certificates, `${name}.crt`), key: join(built.certificates, `${name}.key`) };
  writeFileSync(files.cert, certPem);
  writeFileSync(files.key, keyPem, { mode: 0o600 });
  return files;
}

/** Debian's packages for headers and programs that may be missing. */
const debianPackages: Record<string, string> = {
  'event2/': 'libevent-dev',
  levent: 'libevent-dev',
  'openssl/': 'libssl-dev',
  lssl: 'libssl-dev',
  lcrypto: 'libssl-dev',
};

/** Which Debian packages would satisfy a compiler that said `errors`. */
export function missingPackages(errors: string): string[] {
  const missing = new Set<string>();
  for (const [, header, library] of errors.matchAll(/fatal error: (\w+\/)|cannot find -(\w+)/g)) {
    const name = debianPackages[header ?? library ?? ''];
    if (name !== undefined) missing.add(name);
  }
  return [...missing];
}

function filesIn(directory: string, extension: string): string[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith(extension))
    .map((name) => join(directory, name));
}

function compile(program: string, sources: string[], inputs: string[], libraries: string[]): void {
  const newest = Math.max(...inputs.map((path) => statSync(path).mtimeMs));
  if (existsSync(program) && statSync(program).mtimeMs > newest) return;
  const result = spawnSync('cc', [...cFlags, ...sources, '-o', program, ...libraries], { encoding: 'utf8' });
  if (result.error !== undefined) {
    throw new Error('there is no C compiler; install it with: apt-get install gcc', { cause: result.error });
  }
  if (result.status === 0) return;
  const packages = missingPackages(result.stderr);
  const advice = packages.length === 0 ? '' : `; install it with: apt-get install ${packages.join(' ')}`;
  throw new Error(`${program} does not compile${advice}\n${result.stderr}`);
}

function run(command: string, commandArguments: string[], failure: string, cwd = repositoryDirectory): void {
  const result = spawnSync(command, commandArguments, { cwd, encoding: 'utf8' });
  if (result.error !== undefined) throw new Error(failure, { cause: result.error });
  if (result.status !== 0) throw new Error(`${failure}\n${result.stdout}${result.stderr}`);
}
