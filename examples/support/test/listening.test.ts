import { mkdtemp, rm } from 'node:fs/promises';
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

  it('names the place that cannot be had', async () => {
    const { address } = await server.listen({ host: '127.0.0.1', port: 0 });
    const error = await listenAt(server, [{ transport: 'tls', host: '127.0.0.1', port: address.port }]).catch((e) => e);
    expect(error).to.be.instanceOf(UsageError);
    expect(error.message).to.match(
      new RegExp(`^cannot listen on tls 127\\.0\\.0\\.1 port ${address.port}: .*EADDRINUSE`),
    );
  });
});
