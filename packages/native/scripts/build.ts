/**
 * Builds the addon with node-gyp against the headers of the Node that runs this script.
 *
 * node-gyp's `--nodedir` loses to a `nodedir` preset in an npmrc under `npm run`, so the environment variable is set
 * here instead. `--asan` builds with AddressSanitizer and UndefinedBehaviorSanitizer.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const asan = process.argv.includes('--asan');
const source = fileURLToPath(new URL('../src', import.meta.url));
const nodeDirectory = resolve(dirname(process.execPath), '..');
if (!existsSync(resolve(nodeDirectory, 'include/node/node_api.h'))) {
  console.error(
    `sluice: no headers beside ${process.execPath} (looked in ${nodeDirectory}/include/node).\n` +
      'Run this through npm, so that the repository\'s own Node is used: npm run build:native',
  );
  process.exit(2);
}
const nodeGyp = createRequire(import.meta.url).resolve('node-gyp/bin/node-gyp.js');
const environment = { ...process.env, npm_config_nodedir: nodeDirectory };
const result = spawnSync(
  process.execPath,
  [nodeGyp, 'configure', 'build', '--silent', `--directory=${source}`, '--jobs=max', '--', `-Dasan=${asan ? 1 : 0}`],
  { stdio: 'inherit', env: environment },
);
process.exit(result.status ?? 1);
