import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventLoop, Server } from '@sluice/core';
import { expect } from 'chai';
import { listenAt, listeningLine } from '../listening.ts';
import { UsageError } from '../usage-error.ts';

describe('the examples: listening', () => {
  let loop: EventLoop;
  let server: Server;

  beforeEach(() => {
    loop = new EventLoop();
    server = new Server({}, { loop });
  });

  afterEach(async () => {
    await server.close();
    loop.close();
  });

  it('is told in one line per transport', () => {
    expect(listeningLine('tcp', { address: '127.0.0.1', port: 11_211 })).to.equal('LISTENING tcp 127.0.0.1 11211');
    expect(listeningLine('tls', { address: '::1', port: 1 })).to.equal('LISTENING tls ::1 1');
    expect(listeningLine('unix', { address: '/tmp/a socket', port: 0 })).to.equal('LISTENING unix /tmp/a socket');
  });

  it('prints the line of each place, with the port that the kernel chose', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'sluice-listening-'));
    const path = join(directory, 'sock');
    const printed: string[] = [];
    await listenAt(
      server,
      [
        { transport: 'tcp', host: '127.0.0.1', port: 0 },
        { transport: 'unix', path },
      ],
      (line) => printed.push(line),
    );
    const [listener] = server.listening;
    expect(printed).to.deep.equal([`LISTENING tcp 127.0.0.1 ${listener?.address.port}`, `LISTENING unix ${path}`]);
    await server.close();
    await rm(directory, { recursive: true });
  });

  it('takes the place of a server that was killed, and of nothing else', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'sluice-listening-'));
    const [abandoned, used, other] = ['abandoned', 'used', 'other'].map((name) => join(directory, name));
    const leave = `require('node:net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;
    expect(spawnSync(process.execPath, ['-e', leave, abandoned ?? '']).signal).to.equal('SIGKILL');
    expect(existsSync(abandoned ?? '')).to.equal(true);
    await writeFile(other ?? '', 'text');
    await server.listen({ path: used ?? '' });

    const listen = (path = ''): Promise<unknown> =>
      listenAt(server, [{ transport: 'unix', path }], () => {}).catch((error) => error);
    expect(await listen(abandoned)).to.equal(undefined);
    for (const path of [used, other])
      expect(await listen(path))
        .to.be.instanceOf(UsageError)
        .with.match(/EADDRINUSE/);
    expect(await listen(join(directory, 'no such directory', 'x'))).to.match(/ENOENT/);
    expect(server.listening).to.have.length(2);
    await server.close();
    await rm(directory, { recursive: true });
  });

  it('names the place that cannot be had', async () => {
    const { address } = await server.listen({ host: '127.0.0.1', port: 0 });
    const error = await listenAt(server, [{ transport: 'tls', host: '127.0.0.1', port: address.port }]).catch((e) => e);
    expect(error).to.be.instanceOf(UsageError);
    expect(error.message).to.match(
      new RegExp(`^cannot listen on tls 127\\.0\\.0\\.1 port ${address.port}: .*EADDRINUSE`),
    );
  });
});
