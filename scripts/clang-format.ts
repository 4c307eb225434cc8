/**
 * Runs clang-format over the native sources with the arguments given: `-i` to format them, `--dry-run --Werror` to check.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const directory = fileURLToPath(new URL('../packages/native/src', import.meta.url));
const files = readdirSync(directory)
  .filter((name) => /\.(?:cc|h)$/.test(name))
  .map((name) => join(directory, name));

const result = spawnSync('clang-format', [...process.argv.slice(2), ...files], { stdio: 'inherit' });
if (result.error !== undefined) {
  console.error(`sluice: clang-format did not start (${result.error.message}); install Debian's package clang-format`);
  process.exit(2);
}
process.exit(result.status ?? 1);
