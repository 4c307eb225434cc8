/**
 * Runs the suite with the addon built for AddressSanitizer, LeakSanitizer and UndefinedBehaviorSanitizer, and fails when
 * a test fails or one of them reports. Arguments go to mocha: `npm run test:asan -- --grep writeQueued`.
 *
 * The runtimes write their reports to files, one per process, because tests start processes of their own and judge what
 * these print. A use of bad memory ends the process at once. Leaks are looked for when a process ends; of these only the
 * stacks that pass through the addon count, since Node and other programs leave some memory to the end on purpose.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

/** Everything takes a few times as long. */
const TEST_TIMEOUT_MS = 120_000;

const root = fileURLToPath(new URL('..', import.meta.url));
const addon = join(root, 'packages/native/src/build-asan/build/Release/sluice.node');

process.exit(main());

function main(): number {
  const built = spawnSync(process.execPath, [join(root, 'packages/native/scripts/build.ts'), '--asan'], {
    stdio: 'inherit',
  });
  if (built.status !== 0) return built.status ?? 1;
  const runtime = runtimeLibrary();
  if (runtime === undefined) {
    console.error("sluice: g++ has no libasan.so; install Debian's package libasan8 (or that of this g++'s version)");
    return 2;
  }
  const logs = mkdtempSync(join(tmpdir(), 'sluice-asan-'));
  try {
    const status = runMocha(runtime, join(logs, 'report'));
    const reports = readdirSync(logs).flatMap((name) => ourReports(readFileSync(join(logs, name), 'utf8')));
    for (const report of reports) console.error(`\n${report}`);
    console.error(`sluice: ${reports.length} sanitizer reports`);
    return status !== 0 || reports.length > 0 ? 1 : 0;
  } finally {
    rmSync(logs, { recursive: true });
  }
}

/** The runtime must come before everything else in a process that was not linked with it. */
function runtimeLibrary(): string | undefined {
  const path = execFileSync('g++', ['-print-file-name=libasan.so'], { encoding: 'utf8' }).trim();
  return existsSync(path) ? path : undefined;
}

/** Returns mocha's exit code. */
function runMocha(runtime: string, logPath: string): number {
  const mocha = createRequire(import.meta.url).resolve('mocha/bin/mocha.js');
  const { status, signal } = spawnSync(
    process.execPath,
    [mocha, '--timeout', String(TEST_TIMEOUT_MS), ...process.argv.slice(2)],
    {
      cwd: root,
      stdio: 'inherit',
      env: {
        ...process.env,
        LD_PRELOAD: runtime,
        SLUICE_NATIVE_PATH: addon,
        // exitcode is for leaks: programs that a test starts must not seem to fail by theirs. Errors abort. Memory that
        // cannot be had is refused as malloc refuses it: a test asks for too much.
        ASAN_OPTIONS: `detect_leaks=1:exitcode=0:abort_on_error=1:allocator_may_return_null=1:log_path=${logPath}`,
        UBSAN_OPTIONS: `halt_on_error=1:print_stacktrace=1:abort_on_error=1:log_path=${logPath}`,
      },
    },
  );
  if (signal !== null) console.error(`sluice: mocha was ended by ${signal}`);
  return status ?? 1;
}

/** Of one process's reports: every error, and the leaks of memory that the addon asked for. */
function ourReports(log: string): string[] {
  return log
    .split(/\n(?==+\n)|\n(?=(?:Direct|Indirect) leak of )|\n(?=SUMMARY: )/)
    .map((part) => part.trim())
    .filter((part) => {
      if (/^(?:Direct|Indirect) leak of /.test(part)) return allocatedByUs(part);
      if (part.startsWith('SUMMARY: ')) return false;
      return /ERROR: AddressSanitizer|runtime error:|FATAL ERROR/.test(part);
    });
}

/** Whether the addon is in a leak's stack, and not just below the JavaScript that it called. */
function allocatedByUs(leak: string): boolean {
  const [native = ''] = leak.split(/^.*(?:<unknown module>|v8::internal::.*Invoke).*$/m);
  return /sluice(?:_test)?\.node|sluice::/.test(native);
}
