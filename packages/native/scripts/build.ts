/**
 * Builds the addon with node-gyp against the headers of the Node that runs this script.
 *
 * node-gyp's `--nodedir` loses to a `nodedir` preset in an npmrc under `npm run`, so the environment variable is set
 * here instead.
 *
 * `--asan` builds with AddressSanitizer and UndefinedBehaviorSanitizer, from a copy of the sources in `src/build-asan`,
 * because node-gyp knows no other build directory than the one beside `binding.gyp`.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const SOURCES = /\.(?:cc|h|gyp)$/;

const asan = process.argv.includes('--asan');
const source = fileURLToPath(new URL('../src', import.meta.url));
const nodeDirectory = resolve(dirname(process.execPath), '..');
if (!existsSync(join(nodeDirectory, 'include/node/node_api.h'))) {
  console.error(
    `sluice: no headers beside ${process.execPath} (looked in ${nodeDirectory}/include/node).\n` +
      "Run this through npm, so that the repository's own Node is used: npm run build:native",
  );
  process.exit(2);
}
process.exit(build(asan ? mirror(source, join(source, 'build-asan')) : source));

/** Runs node-gyp in a directory with a `binding.gyp`; returns its exit code. */
function build(directory: string): number {
  const nodeGyp = createRequire(import.meta.url).resolve('node-gyp/bin/node-gyp.js');
  const result = spawnSync(
    process.execPath,
    [
      nodeGyp,
      'configure',
      'build',
      '--silent',
      `--directory=${directory}`,
      '--jobs=max',
      // An option that node-gyp does not know becomes a variable of the build. (What follows `--` would go to make too.)
      `--sluice_asan=${asan ? 1 : 0}`,
    ],
    { stdio: 'inherit', env: { ...process.env, npm_config_nodedir: nodeDirectory } },
  );
  if (result.error !== undefined) console.error(`sluice: node-gyp did not start: ${result.error.message}`);
  return result.status ?? 1;
}

/** Brings the native sources in `to` up to those in `from`; the same content is left alone, and not compiled again. */
function mirror(from: string, to: string): string {
  mkdirSync(to, { recursive: true });
  const names = readdirSync(from).filter((name) => SOURCES.test(name));
  for (const name of names) {
    const content = readFileSync(join(from, name));
    const copy = join(to, name);
    if (!existsSync(copy) || !content.equals(readFileSync(copy))) writeFileSync(copy, content);
  }
  for (const name of readdirSync(to)) {
    if (SOURCES.test(name) && !names.includes(name)) rmSync(join(to, name));
  }
  return to;
}
