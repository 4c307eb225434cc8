/**
 * Runs clang-format over the native sources and the benchmark's with the arguments given: `-i` to format them, `--dry-run --Werror` to check.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const files = ['../packages/native/src', '../bench/load', '../bench/peers'].flatMap((path) => {
  const directory = fileURLToPath(new URL(path, import.meta.url));
  const names = readdirSync(directory).filter((name) => /\.(?:cc|c|h)$/.test(name));
  return names.map((name) => join(directory, name));
});

const result = spawnSync('clang-format', [...process.argv.slice(2), ...files], { stdio: 'inherit' });
if (result.error !== undefined) {
  console.error(`sluice: clang-format did not start (${result.error.message}); install Debian's package clang-format`);
  process.exit(2);
}
process.exit(result.status ?? 1);
