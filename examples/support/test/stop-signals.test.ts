import { once } from 'node:events';
import { connect } from 'node:net';
import { expect } from 'chai';
import { Program } from '../../../test/support/program.ts';
import { untilTestEnds } from '../../../test/support/until-test-ends.ts';

/** A server whose connections may take as long as they like to end. */
const SCRIPT = `
  import { Server } from '@sluice/core';
  import { drainOnStopSignals } from '${new URL('../stop-signals.ts', import.meta.url).href}';
  const server = new Server({ open: (bev) => bev.write('hello') }, { timeouts: { closeMs: Infinity } });
  drainOnStopSignals(server);
  const { address } = await server.listen({ host: '127.0.0.1', port: 0 });
  console.log(address.port);
`;

describe('the examples: stop signals', () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`${signal}: connections end in order, then the process does, with 0`, async () => {
      const program = untilTestEnds(start());
      const [port] = await program.line(/^\d+$/);
      const client = connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true });
      const [hello] = await once(client, 'data');
      program.kill(signal);
      await once(client, 'end');
      client.end();
      const { code, signal: killedBy } = await program.exited;
      expect({ hello: String(hello), code, killedBy }).to.deep.equal({ hello: 'hello', code: 0, killedBy: null });
    });
  }

  it('the same signal again ends it at once', async () => {
    const program = untilTestEnds(start());
    const [port] = await program.line(/^\d+$/);
    const client = connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true });
    client.on('error', () => {});
    await once(client, 'data');
    program.kill('SIGTERM');
    await once(client, 'end');
    program.kill('SIGTERM');
    expect(await program.exited).to.include({ code: null, signal: 'SIGTERM' });
    client.destroy();
  });
});

function start(): Program {
  return Program.command(process.execPath, ['--conditions=@sluice/source', '--input-type=module', '--eval', SCRIPT]);
}
