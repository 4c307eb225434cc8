import process from 'node:process';
import { expect } from 'chai';
import { portFrom, ServerProcess } from '../src/server-process.ts';

const nowhere = { pinned: false, server: [], load: [] };
const script =
  (text: string): (() => string[]) =>
  () => [process.execPath, '--input-type=module', '-e', text];

describe('ServerProcess', () => {
  it('finds the port in either form of the line', () => {
    expect(portFrom('LISTENING 4711')).to.equal(4711);
    expect(portFrom('LISTENING tcp 127.0.0.1 4712')).to.equal(4712);
    expect(() => portFrom('Listening on 4711')).to.throw(/said "Listening on 4711"/);
  });

  it('is there once the server says so, and gone once stopped', async () => {
    const server = await ServerProcess.start(
      { name: 'one', command: script("console.log('LISTENING 5'); setInterval(() => {}, 1e6)") },
      nowhere,
    );
    expect(server.port).to.equal(5);
    const { pid } = server;
    await server.stop();
    expect(() => process.kill(pid, 0)).to.throw(/ESRCH/);
  });

  it('tells what a server said that could not start', async () => {
    const start = ServerProcess.start(
      { name: 'two', command: script("console.error('no such certificate'); process.exitCode = 2") },
      nowhere,
    );
    const error = await start.then(
      () => undefined,
      (reason: Error) => reason,
    );
    expect(error?.message).to.equal('two ended: no such certificate');
  });
});
