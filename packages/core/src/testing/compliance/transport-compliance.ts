import { bytesCases } from './bytes-cases.ts';
import { callbackCases } from './callback-cases.ts';
import type { ComplianceFactory, ComplianceRunner, ComplianceSettings } from './contract.ts';
import { directionCases } from './direction-cases.ts';
import { endCases, failureCases } from './end-cases.ts';
import { readMarkCases, writeMarkCases } from './mark-cases.ts';
import { type ComplianceCase, Scene } from './scene.ts';
import { timeCases } from './time-cases.ts';

const groups: Readonly<Record<string, readonly ComplianceCase[]>> = {
  bytes: bytesCases,
  "the writer's marks": writeMarkCases,
  "the reader's marks": readMarkCases,
  directions: directionCases,
  'ends in order': endCases,
  failures: failureCases,
  callbacks: callbackCases,
  'limits of time': timeCases,
};

/**
 * Registers tests of everything that a BufferEvent promises, for a transport or a layer of your own: order and wholeness of
 * bytes, watermarks and the hard cap, directions and suspend reasons, how a connection ends and what it tells of that,
 * limits of time, and what may be done in callbacks.
 *
 * Each test takes one connection from the factory, looks at it from both ends, and holds no matter which end accepted.
 *
 * @throws TypeError when there is neither a runner nor the globals `describe` and `it`
 */
export function transportCompliance(name: string, factory: ComplianceFactory, settings: ComplianceSettings = {}): void {
  const runner = settings.runner ?? globalRunner();
  runner.describe(`${name}, as a transport`, () => {
    for (const [group, cases] of Object.entries(groups)) {
      const played = cases.filter(({ timed }) => timed !== true || settings.realTime !== true);
      runner.describe(group, () => {
        for (const one of played) register(one, factory, settings, runner);
      });
    }
  });
}

function register(
  one: ComplianceCase,
  factory: ComplianceFactory,
  settings: ComplianceSettings,
  runner: ComplianceRunner,
): void {
  runner.it(one.title, () => Scene.play(one, factory, false, settings));
  if (one.eachWay) runner.it(`${one.title} (the other way round)`, () => Scene.play(one, factory, true, settings));
}

function globalRunner(): ComplianceRunner {
  const { describe, it } = globalThis as Partial<ComplianceRunner>;
  if (typeof describe !== 'function' || typeof it !== 'function') {
    throw new TypeError('transportCompliance needs describe and it: run it in a test runner, or give settings.runner');
  }
  return { describe, it };
}
