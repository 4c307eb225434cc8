import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { Program, repositoryRoot } from './support/program.ts';
import { untilTestEnds } from './support/until-test-ends.ts';

const demo = join(repositoryRoot, 'scripts', 'demo.ts');

describe('the demo', function () {
  // A busy machine with two cores runs it in seconds still.
  this.timeout(30_000);

  it('shows real clients, a handshake that meets WANT_WRITE, and a truncated connection, and ends with 0', async () => {
    const program = untilTestEnds(Program.node(demo));
    const { code, stdout, stderr } = await program.exited;
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
    for (const client of ['Sluice', 'node:net', 'node:tls', 'openssl s_client']) {
      expect(stdout).to.match(new RegExp(`^ +${client} .* from `, 'm'));
    }
    const [, bytes = ''] = /a certificate of ([\d,]+) bytes/.exec(stdout) ?? [];
    expect(Number(bytes.replace(',', ''))).to.be.greaterThan(40_000);
    const calls = [...stdout.matchAll(/^ +\d+ {3}(want-write|want-read|done) /gm)].map(([, wanted]) => wanted);
    expect(calls.filter((wanted) => wanted === 'want-write').length).to.be.at.least(40_000 / 8192 - 1);
    expect(calls.at(-1)).to.equal('done');
    expect(stdout).to.contain(', 0 were made in vain');
    expect(stdout).to.match(/^ +end +truncated$/m);
    expect(stdout.match(/unexpected eof while reading at/g)?.length).to.equal(2);
  });

  it('--serve stays up until SIGTERM, and then ends with 0', async () => {
    const program = untilTestEnds(Program.node(demo, ['--serve']));
    const [, port] = await program.line(/TCP port (\d+)/);
    await program.line(/^Ctrl-C ends it\.$/);
    const client = connect(Number(port), '127.0.0.1');
    client.write('version\r\n');
    const [answer] = (await once(client, 'data')) as [Buffer];
    expect(answer.toString()).to.match(/^VERSION /);
    client.resume();
    program.kill('SIGTERM');
    expect((await program.exited).code).to.equal(0);
  });

  it('refuses an option that it does not know', async () => {
    const program = untilTestEnds(Program.node(demo, ['--sevre']));
    const { code, stderr } = await program.exited;
    expect(code).to.equal(2);
    expect(stderr).to.match(/^demo: unknown option --sevre.*\n$/);
  });
});
