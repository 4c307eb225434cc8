import { existsSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { UnsupportedError } from '@sluice/errors';
import type { NativeBinding } from './binding.ts';

/** What decides whether the addon can run here, and which file it is. */
export interface Runtime {
  /** As `process.platform` and `process.arch`. */
  platform: string;
  arch: string;
  /** Linux with musl instead of glibc. */
  musl: boolean;
  /** As `process.versions`: `node`, `uv`, `openssl`, and `bun`, `deno` or `electron` where the runtime is one of these. */
  versions: Readonly<Record<string, string | undefined>>;
  /** Node was built against the system's OpenSSL instead of its own. */
  sharedOpenssl: boolean;
  /** Node was built with BoringSSL. */
  boringssl: boolean;
}

/** Why something does not run here, and what to do about it. */
export interface Refusal {
  reason: string;
  advice: string;
}

const USE_NODE = 'run it on Node 22.20 or later, 24.5 or later, or 26, as nodejs.org distributes them';

/**
 * Loads the addon.
 *
 * The file is `SLUICE_NATIVE_PATH` when that environment variable is set (nothing else is tried then), else the
 * repository's own build, else the prebuilt binary of this platform.
 *
 * @throws UnsupportedError `SLUICE_NATIVE_UNSUPPORTED_RUNTIME` when this runtime cannot carry the addon: the message
 *   names the reason and the remedy; `SLUICE_NATIVE_MISSING` when there is no file for this platform
 */
export function load(runtime: Runtime = describeRuntime()): NativeBinding {
  const refusal = refuseRuntime(runtime);
  if (refusal !== undefined) throw unsupported(refusal);
  const root = fileURLToPath(new URL('..', import.meta.url));
  const candidates = binaryPaths(runtime, root, process.env['SLUICE_NATIVE_PATH']);
  const path = candidates.find((candidate) => existsSync(candidate));
  if (path === undefined) throw missing(runtime, candidates);
  const binding = open(path);
  const mismatch = refuseBinary(binding.versions);
  if (mismatch !== undefined) throw unsupported(mismatch);
  return binding;
}

/** What the running process is. */
export function describeRuntime(): Runtime {
  const { platform, arch, versions, config } = process;
  const variables: Readonly<Record<string, unknown>> = { ...config.variables };
  return {
    platform,
    arch,
    musl: platform === 'linux' && usesMusl(),
    versions,
    sharedOpenssl: isSet(variables['node_shared_openssl']),
    boringssl: isSet(variables['openssl_is_boringssl']),
  };
}

/** Why the addon must not even be loaded into this runtime: it would crash, or miss symbols. */
export function refuseRuntime(runtime: Runtime): Refusal | undefined {
  const { bun, deno, electron, node, uv, openssl } = runtime.versions;
  if (bun !== undefined) return { reason: `Bun ${bun} has neither libuv nor OpenSSL to offer`, advice: USE_NODE };
  if (deno !== undefined) return { reason: `Deno ${deno} has neither libuv nor OpenSSL to offer`, advice: USE_NODE };
  if (electron !== undefined) {
    return {
      reason: `Electron ${electron} has BoringSSL instead of OpenSSL`,
      advice: 'use Sluice in a process of its own: a child process or a service that runs Node',
    };
  }
  if (runtime.boringssl) return { reason: 'this Node was built with BoringSSL instead of OpenSSL', advice: USE_NODE };
  if (!hasOpenssl35(node)) {
    return {
      reason: `Node ${node ?? '(no version)'} brings OpenSSL ${openssl ?? '(no version)'}, and 3.5 or later is needed`,
      advice: 'update to Node 22.20 or later, 24.5 or later, or 26',
    };
  }
  if (runtime.sharedOpenssl) {
    return {
      reason: `this Node ${node ?? ''} was built against the system's OpenSSL, which its addons cannot rely on`,
      advice: USE_NODE,
    };
  }
  if (major(uv) !== 1)
    return { reason: `the libuv of this Node is ${uv ?? 'absent'}, and 1.x is needed`, advice: USE_NODE };
  return undefined;
}

/** Why a binary that could be loaded does not fit the libraries it found. */
export function refuseBinary(versions: NativeBinding['versions']): Refusal | undefined {
  const compiled = opensslMajor(versions.opensslHeaders);
  const running = opensslMajor(versions.openssl);
  if (compiled !== running) {
    return {
      reason: `the addon was compiled for OpenSSL ${compiled} and this Node brings ${versions.opensslText}`,
      advice: 'rebuild it with the headers of this Node (npm run build:native), or update @sluice/native',
    };
  }
  const uv = versions.uv >>> 16;
  if (uv !== 1) return { reason: `the libuv of this Node is ${uv}.x, and 1.x is needed`, advice: USE_NODE };
  return undefined;
}

/** Where the binary may be, best first. */
export function binaryPaths(runtime: Runtime, packageRoot: string, override: string | undefined): string[] {
  if (override !== undefined && override !== '') return [override];
  return [
    join(packageRoot, 'src', 'build', 'Release', 'sluice.node'),
    join(packageRoot, 'prebuilds', `${platformName(runtime)}.node`),
  ];
}

function platformName(runtime: Runtime): string {
  return `${runtime.platform}-${runtime.arch}${runtime.musl ? '-musl' : ''}`;
}

function open(path: string): NativeBinding {
  const addon = { exports: {} };
  try {
    process.dlopen(addon, path);
    return addon.exports as NativeBinding;
  } catch (error) {
    const advice = 'rebuild it with the headers of this Node (npm run build:native), or reinstall @sluice/native';
    throw unsupported({ reason: `${path} cannot be loaded: ${describe(error)}`, advice }, error);
  }
}

function unsupported(refusal: Refusal, cause?: unknown): UnsupportedError {
  return new UnsupportedError(`${refusal.reason}; ${refusal.advice}`, {
    code: 'SLUICE_NATIVE_UNSUPPORTED_RUNTIME',
    layer: 'native',
    operation: 'load',
    blame: 'local',
    remedy: 'fix',
    cause,
  });
}

function missing(runtime: Runtime, candidates: readonly string[]): UnsupportedError {
  const advice = 'build it with npm run build:native, or use a platform that @sluice/native brings a binary for';
  return new UnsupportedError(
    `there is no binary of the addon for ${platformName(runtime)} (looked for ${candidates.join(', ')}); ${advice}`,
    { code: 'SLUICE_NATIVE_MISSING', layer: 'native', operation: 'load', blame: 'local', remedy: 'fix' },
  );
}

/** Node bundles OpenSSL 3.5 since 22.20 and 24.5; the 23 line never did. */
function hasOpenssl35(node: string | undefined): boolean {
  const [majorPart, minorPart] = (node ?? '').split('.').map(Number);
  if (majorPart === undefined || minorPart === undefined) return false;
  if (majorPart === 22) return minorPart >= 20;
  if (majorPart === 24) return minorPart >= 5;
  return majorPart > 24;
}

function major(version: string | undefined): number {
  return Number.parseInt(version ?? '', 10);
}

/** OPENSSL_VERSION_NUMBER is 0xMNN00PP0. */
function opensslMajor(packed: number): number {
  return packed >>> 28;
}

/** Node's build variables are booleans, 'true' and 'false', or numbers, by age and by name. */
function isSet(variable: unknown): boolean {
  return variable === true || variable === 'true' || variable === 1;
}

function usesMusl(): boolean {
  const report = process.report as typeof process.report & { excludeNetwork: boolean };
  const { excludeNetwork } = report;
  // The report would otherwise look up the name of every connection's peer.
  report.excludeNetwork = true;
  const { header } = report.getReport() as { header: { glibcVersionRuntime?: string } };
  report.excludeNetwork = excludeNetwork;
  return header.glibcVersionRuntime === undefined;
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
