/**
 * Checks what would be published: packs every package, lints the tarballs, installs them into a folder of their own without
 * running any install script, and there type-checks and runs a program that uses each of them.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const programs = join(root, 'node_modules', '.bin');
const directory = mkdtempSync(join(tmpdir(), 'sluice-packages-'));
try {
  checkTarballs();
  installConsumer();
  run('tsc', ['--project', directory], directory);
  run('node', ['consumer.ts'], directory);
} catch (error) {
  console.error(`sluice: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  rmSync(directory, { recursive: true });
}

function checkTarballs(): void {
  for (const name of readdirSync(join(root, 'packages'))) {
    run('publint', ['--strict', join(root, 'packages', name)], root);
  }
  mkdirSync(join(directory, 'tarballs'));
  run('npm', ['pack', '--silent', '--workspace=packages', '--pack-destination', join(directory, 'tarballs')], root);
}

function installConsumer(): void {
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ name: 'consumer', private: true, type: 'module' }));
  writeFileSync(
    join(directory, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: {
        target: 'ES2023',
        lib: ['ES2023', 'ESNext.Disposable'],
        module: 'nodenext',
        types: ['node'],
        // Not installed there: only the compiler wants them.
        typeRoots: [join(root, 'node_modules', '@types')],
        strict: true,
        noEmit: true,
        exactOptionalPropertyTypes: true,
        erasableSyntaxOnly: true,
      },
      files: ['consumer.ts'],
    }),
  );
  copyFileSync(fileURLToPath(new URL('consumer.ts', import.meta.url)), join(directory, 'consumer.ts'));
  const tarballs = readdirSync(join(directory, 'tarballs')).map((name) => join(directory, 'tarballs', name));
  run('npm', ['install', '--silent', '--ignore-scripts', '--no-audit', '--no-fund', ...tarballs], directory);
}

/** Runs a program of the repository's, and throws when it fails. */
function run(command: string, args: readonly string[], cwd: string): void {
  console.log(`$ ${command} ${args.map((arg) => arg.replace(directory, '.')).join(' ')}`);
  const env = { ...process.env, PATH: `${programs}:${process.env['PATH'] ?? ''}` };
  const { status, error } = spawnSync(command, args, { cwd, env, stdio: 'inherit' });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${command} ended with ${status}`);
}
