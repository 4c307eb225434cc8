import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { ApiMisuse, SystemError } from '@sluice/errors';
import { expect } from 'chai';
import { adopt, EventLoop } from '../src/index.ts';

const program = fileURLToPath(new URL('./support/inherited.ts', import.meta.url));

function fdOf(owner: net.Server | net.Socket): number {
  return (owner as unknown as { _handle: { fd: number } })._handle.fd;
}

/** Runs the program with the descriptors as 3, 4, ...; LISTEN_PID is its own. */
function inherit(mode: string, ...fds: number[]): ChildProcess {
  const script = 'LISTEN_PID=$$ exec "$0" --conditions=@sluice/source "$1" "$2"';
  return spawn('sh', ['-c', script, process.execPath, program, mode], {
    stdio: ['ignore', 'pipe', 'inherit', ...fds],
    env: { ...process.env, LISTEN_FDS: String(fds.length), LISTEN_FDNAMES: 'web:admin' },
  });
}

describe('adopt', () => {
  it('takes over a connected socket that a parent passed on', async () => {
    const server = net.createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1');
    const [accepted] = (await once(server, 'connection')) as [net.Socket];
    const child = inherit('adopt', fdOf(accepted));
    const output = text(child.stdout as NodeJS.ReadableStream);
    await once(child, 'spawn');
    accepted.destroy();
    server.close();
    client.end('over an inherited socket');
    expect(await text(client)).to.equal('over an inherited socket');
    expect(await output).to.equal('tcp end\n');
  });

  it('refuses what it cannot use, and leaves it to the caller', () => {
    const loop = new EventLoop();
    for (const fd of [-1, 1.5, Number.NaN]) expect(() => adopt(fd, { loop })).to.throw(ApiMisuse, /descriptor/);
    expect(() => adopt(9999, { loop })).to.throw(SystemError, /descriptor 9999.*EBADF|EBADF.*descriptor 9999/);
    loop.close();
  });
});

describe('Server with inherited sockets', () => {
  it('listens on what a service manager passed on, and drains at SIGTERM', async () => {
    const servers = [net.createServer(), net.createServer()];
    for (const server of servers) await once(server.listen(0, '127.0.0.1'), 'listening');
    const ports = servers.map((server) => (server.address() as net.AddressInfo).port);
    const child = inherit('listen', ...servers.map(fdOf));
    await once(child, 'spawn');
    for (const server of servers) server.close();
    const lines = createInterface(child.stdout as NodeJS.ReadableStream)[Symbol.asyncIterator]();
    const next = async (): Promise<unknown> => (await lines.next()).value;
    expect(await next()).to.equal(`web tcp ${ports[0]} taken`);
    expect(await next()).to.equal(`admin tcp ${ports[1]} taken`);
    expect(await next()).to.equal('ready');
    const ended = net.connect(ports[0] ?? 0, '127.0.0.1').end('over the first');
    expect(await text(ended)).to.equal('over the first');
    const open = net.connect(ports[1] ?? 0, '127.0.0.1');
    open.write('over the second');
    expect(String((await once(open, 'data'))[0])).to.equal('over the second');
    child.kill('SIGTERM');
    await once(open, 'end');
    expect(await next()).to.equal('drained 1 0');
    expect((await once(child, 'exit'))[0]).to.equal(0);
  });
});
