/**
 * Puts this platform's build where consumers look for it: `prebuilds/<platform>-<arch>.node`. Runs before packing, so that
 * whoever installs the tarball needs no compiler and no install script. A release gathers the builds of all platforms here.
 */
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { binaryPaths, describeRuntime } from '../src/load.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const [built, prebuilt] = binaryPaths(describeRuntime(), root, undefined);
if (built === undefined || prebuilt === undefined || !existsSync(built)) {
  console.error(`sluice: there is no ${built} to pack; run npm run build:native first`);
  process.exit(2);
}
mkdirSync(dirname(prebuilt), { recursive: true });
copyFileSync(built, prebuilt);
