import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Program, type ProgramExit, repositoryRoot } from './support/program.ts';
import { untilTestEnds } from './support/until-test-ends.ts';

/** How each example is told to serve TLS, without the certificate. */
const tlsArguments: Readonly<Record<string, readonly string[]>> = {
  'echo-server': ['--tls'],
  'kv-server': ['--tls-port', '0'],
};

const examples = readdirSync(join(repositoryRoot, 'examples')).filter((name) =>
  existsSync(join(repositoryRoot, 'examples', name, 'main.ts')),
);

describe('the examples', () => {
  let directory: string;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sluice-examples-'));
  });

  after(() => rm(directory, { recursive: true }));

  it('are the ones that this test knows', () => {
    expect(examples).to.have.members(Object.keys(tlsArguments));
  });

  for (const name of examples) {
    const main = join(repositoryRoot, 'examples', name, 'main.ts');
    const run = async (...args: string[]): Promise<ProgramExit> => {
      const program = untilTestEnds(Program.node(main, args));
      return await program.exited;
    };

    describe(name, () => {
      it('--help explains its options and ends', async () => {
        const { code, stdout, stderr } = await run('--help');
        expect(code, stderr).to.equal(0);
        for (const option of ['--port', '--host', '--unix', '--cert', '--key', '--help']) {
          expect(stdout).to.contain(option);
        }
        expect(stderr).to.equal('');
      });

      it('says where it listens once it does, and ends with 0 on SIGTERM while a client is idle', async () => {
        const path = join(directory, `${name}.sock`);
        const program = untilTestEnds(Program.node(main, ['--port', '0', '--host', '127.0.0.1', '--unix', path]));
        const [, port] = await program.line(/^LISTENING tcp 127\.0\.0\.1 (\d+)$/);
        await program.line(new RegExp(`^LISTENING unix ${path}$`));
        const clients = [connect(Number(port), '127.0.0.1'), connect(path)];
        // A socket that nobody reads does not see the server's end, and would be cut.
        for (const client of clients) client.resume();
        await Promise.all(clients.map((client) => once(client, 'connect')));
        program.kill('SIGTERM');
        const { code, signal, stderr } = await program.exited;
        expect({ code, signal, stderr }).to.deep.equal({ code: 0, signal: null, stderr: '' });
        expect(existsSync(path)).to.equal(false);
      });

      const bad = 'bad.pem';
      const wrong: Readonly<Record<string, readonly string[]>> = {
        'an unknown option': ['--nonsense'],
        'no option that says where to listen': [],
        'a port that is no number': ['--port', 'http'],
        'a port out of range': ['--port', '65536'],
        'a missing certificate file': [...(tlsArguments[name] ?? []), '--cert', 'absent.pem', '--key', 'absent.pem'],
        'a file that is no certificate': [...(tlsArguments[name] ?? []), '--cert', bad, '--key', bad],
      };
      for (const [what, args] of Object.entries(wrong)) {
        it(`${what}: one clear line on stderr, and exit code 2`, async () => {
          await writeFile(join(directory, bad), 'this is no PEM\n');
          // The port comes last for the example whose --tls is about it.
          const port = args.length > 2 && !args.includes('--tls-port') ? ['--port', '0'] : [];
          const program = untilTestEnds(Program.node(main, [...args, ...port], { cwd: directory }));
          const { code, stdout, stderr } = await program.exited;
          expect(code, stderr).to.equal(2);
          expect(stdout).to.equal('');
          expect(stderr).to.match(/^[^\n]+\n$/);
          const named = args.findLast((arg) => !arg.startsWith('--'));
          if (named !== undefined) expect(stderr).to.contain(named);
        });
      }
    });
  }
});
