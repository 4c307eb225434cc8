import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

/** Runs a script in a process of its own, so that a crash is seen as what it is. */
function run(
  script: string,
  argument: string,
): { status: number | null; signal: string | null; stdout: string; stderr: string } {
  const path = fileURLToPath(new URL(`support/${script}`, import.meta.url));
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [...process.execArgv, path, argument], {
    encoding: 'utf8',
  });
  return { status, signal, stdout, stderr };
}

describe('teardown', function () {
  // Each scene starts a process and three workers.
  this.timeout(60_000);

  for (const scene of ['open', 'busy', 'closing', 'destroyed', 'exit', 'abandoned']) {
    it(`ends a worker cleanly: ${scene}`, () => {
      expect(run('teardown.ts', scene)).to.deep.equal({
        status: 0,
        signal: null,
        stdout: '3 workers ended\n',
        stderr: '',
      });
    });
  }

  it('lets the process exit inside a delivery', () => {
    expect(run('main-scene.ts', 'exit')).to.deep.equal({ status: 7, signal: null, stdout: '', stderr: '' });
  });

  it('lets the process run out of work with handles open', () => {
    expect(run('main-scene.ts', 'idle')).to.deep.equal({
      status: 0,
      signal: null,
      stdout: 'out of work\n',
      stderr: '',
    });
  });
});
