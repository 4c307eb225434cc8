import { expect } from 'chai';
import { Program, type ProgramExit } from '../../../test/support/program.ts';
import { oneLine } from '../run.ts';
import { untilTestEnds } from '../../../test/support/until-test-ends.ts';

describe('the examples: run', () => {
  it('ends by itself when there is nothing to wait for', async () => {
    const { code, stdout, stderr } = await script(
      "await run('prog', async (argv) => console.log(argv.join('+')));",
      'a',
      'b',
    );
    expect({ code, stdout, stderr }).to.deep.equal({ code: 0, stdout: 'a+b\n', stderr: '' });
  });

  it('tells a usage error in one line and exits with 2, whatever is still open', async () => {
    const { code, stdout, stderr } = await script(
      "await run('prog', async () => { setInterval(() => {}, 1000); throw new UsageError('first\\n  second\\n'); });",
    );
    expect({ code, stdout, stderr }).to.deep.equal({ code: 2, stdout: '', stderr: 'prog: first second\n' });
  });

  it('does the same for an error of the packages', async () => {
    const { code, stderr } = await script(
      "await run('prog', async () => { throw new SystemError('no luck', { code: 'SLUICE_X', layer: 'system', operation: 'x', blame: 'system', remedy: 'retry' }); });",
    );
    expect({ code, stderr }).to.deep.equal({ code: 2, stderr: 'prog: no luck\n' });
  });

  it("leaves the program's own faults their stack", async () => {
    const { code, stderr } = await script("await run('prog', async () => { undefined.x; });");
    expect(code).to.equal(1);
    expect(stderr).to.contain('TypeError').and.to.contain('    at ');
  });

  it('joins lines', () => expect(oneLine(' a\r\n\n b\nc ')).to.equal('a b c'));
});

async function script(code: string, ...args: string[]): Promise<ProgramExit> {
  const imports = [
    "import { SystemError } from '@sluice/errors';",
    `import { run } from '${new URL('../run.ts', import.meta.url).href}';`,
    `import { UsageError } from '${new URL('../usage-error.ts', import.meta.url).href}';`,
  ].join('\n');
  const options = [
    '--conditions=@sluice/source',
    '--input-type=module',
    '--eval',
    `${imports}\n${code}`,
    '--',
    'script',
  ];
  const program = untilTestEnds(Program.command(process.execPath, [...options, ...args]));
  return await program.exited;
}
