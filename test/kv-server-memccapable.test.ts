import { join } from 'node:path';
import { expect } from 'chai';
import { Program, type ProgramExit, repositoryRoot } from './support/program.ts';
import { untilTestEnds } from './support/until-test-ends.ts';

describe('kv-server and memccapable', () => {
  it('passes every ASCII test of memccapable', async function () {
    // The program itself waits half a second here and there.
    this.timeout(30_000);
    const server = untilTestEnds(Program.node(join(repositoryRoot, 'examples/kv-server/main.ts'), ['--port', '0']));
    const [, port] = await server.line(/^LISTENING tcp 127\.0\.0\.1 (\d+)$/);
    const { code, stdout, stderr } = await memccapable('-h', '127.0.0.1', '-p', String(port), '-a');
    const results = stdout.split('\n').filter((line) => /\[\w+\]$/.test(line));
    expect(results, stdout + stderr).to.have.length.of.at.least(27);
    expect(results.filter((line) => !line.endsWith('[pass]'))).to.deep.equal([]);
    expect(stdout).to.contain('All tests passed');
    expect(code).to.equal(0);
  });
});

async function memccapable(...args: string[]): Promise<ProgramExit> {
  const program = Program.command('memccapable', args);
  try {
    return await program.exited;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new Error('this test needs memccapable: apt-get install libmemcached-tools (Debian package)', {
      cause: error,
    });
  }
}
