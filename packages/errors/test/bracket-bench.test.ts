import process from 'node:process';
import { expect } from 'chai';
import { Program } from '../../../test/support/program.ts';
import { untilTestEnds } from '../../../test/support/until-test-ends.ts';

describe('the benchmark of a bracket', () => {
  it('shows nanoseconds with and without an error raised, and that none of them leaves anything', async function () {
    this.timeout(30_000);
    const program = untilTestEnds(
      Program.command(process.execPath, ['--expose-gc', 'packages/errors/bench/bracket.ts', '--quick']),
    );
    const { code, stdout, stderr } = await program.exited;
    expect(code, stdout + stderr).to.equal(0);
    const lines = stdout.trim().split('\n');
    const figures = lines.slice(0, -1).map((line) => /^ *(\d+\.\d) ns {2}(.+)$/.exec(line)?.slice(1) ?? [line]);
    expect(figures.map(([, name]) => name)).to.deep.equal([
      'bracket, nothing raised',
      'bracket, one error raised and discarded',
      'operation of a channel, nothing raised',
      'operation of a channel, would block',
    ]);
    expect(lines.at(-1)).to.match(/^ *\d+ bytes left on the heap by 100000 intermittent errors$/);
  });
});
