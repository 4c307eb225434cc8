import { once } from 'node:events';
import { mkdtempSync, rmSync, existsSync } from 'node:fs';
import net from 'node:net';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { SystemError } from '@sluice/errors';
import { expect } from 'chai';
import { EventLoop, Listener, Reactor, Server, silentLogger } from '../src/index.ts';
import { nextIteration } from './support/driven-loop.ts';

describe('Listener', () => {
  let loop: EventLoop;
  let directory: string;

  beforeEach(() => {
    loop = new EventLoop();
    directory = mkdtempSync(join(tmpdir(), 'sluice-'));
  });

  afterEach(() => {
    loop.close();
    rmSync(directory, { recursive: true });
  });

  function listen(accepted: number[], port = 0): Listener {
    return new Listener(loop, { address: '127.0.0.1', port }, (handle) => {
      accepted.push(handle);
      Reactor.of(loop).native.close(handle, false);
    });
  }

  it('lets the kernel choose a port and knows it, also after close', async () => {
    const listener = listen([]);
    const { port } = listener.address;
    expect(port).to.be.within(1, 65_535);
    await listener.close();
    await listener.close();
    expect(listener.address.port).to.equal(port);
    expect(listener.listening).to.equal(false);
  });

  it('warns of failures to accept when nobody listens for them, once per run', async () => {
    const server = new Server({}, { loop });
    const logged: string[] = [];
    const quiet = new Server(
      {},
      { loop, logger: { ...silentLogger, error: (_fields, text) => logged.push(`${text}`) } },
    );
    const listeners = [
      listen([]),
      await server.listen({ port: 0, host: '127.0.0.1' }),
      await quiet.listen({ port: 0, host: '127.0.0.1' }),
    ];
    const warnings: (string | undefined)[] = [];
    const warned = (warning: Error & { code?: string }): void => void warnings.push(`${warning.name} ${warning.code}`);
    process.on('warning', warned);
    for (const listener of listeners) {
      for (let failures = 0; failures < 3; failures += 1) listener._handleAcceptError(-constants.errno.EMFILE);
    }
    server.on('error', () => {});
    await nextIteration();
    const mine = warnings.filter((warning) => warning?.startsWith('SluiceWarning'));
    expect(mine).to.deep.equal(Array(2).fill('SluiceWarning SLUICE_SYSTEM_EMFILE'));
    expect(logged).to.deep.equal(['accepting failed']);
    process.off('warning', warned);
    await Promise.all([listeners[0]?.close(), server.close(), quiet.close()]);
  });

  it('hands over each accepted handle', async () => {
    const accepted: number[] = [];
    const listener = listen(accepted);
    const sockets = [1, 2, 3].map(() => net.connect(listener.address.port, '127.0.0.1'));
    await Promise.all(sockets.map((socket) => once(socket.resume(), 'close')));
    expect(new Set(accepted).size).to.be.within(1, 3);
    expect(accepted.length).to.equal(3);
    await listener.close();
  });

  it('accepts nothing while paused, and what waited after resume', async () => {
    const accepted: number[] = [];
    const listener = listen(accepted);
    listener.pause();
    const socket = net.connect(listener.address.port, '127.0.0.1');
    await once(socket, 'connect');
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(accepted).to.deep.equal([]);
    listener.resume();
    await once(socket.resume(), 'close');
    expect(accepted.length).to.equal(1);
    await listener.close();
  });

  it('names the address and the reason when it cannot be had', async () => {
    const listener = listen([]);
    const { port } = listener.address;
    expect(() => listen([], port))
      .to.throw(SystemError, new RegExp(`127\\.0\\.0\\.1:${port}.*EADDRINUSE`))
      .that.includes({ blame: 'local', remedy: 'fix', operation: 'listen' });
    expect(() => new Listener(loop, { path: join(directory, 'none/there') }, () => {})).to.throw(
      SystemError,
      /none\/there/,
    );
    await listener.close();
  });

  it('listens on a Unix socket and removes its path when closed', async () => {
    const path = join(directory, 'socket');
    let accepted = 0;
    const listener = new Listener(loop, { path }, (handle) => {
      accepted += 1;
      Reactor.of(loop).native.close(handle, false);
    });
    expect(listener.address).to.deep.equal({ family: 'unix', address: path, port: 0 });
    await once(net.connect(path).resume(), 'close');
    expect(accepted).to.equal(1);
    await listener.close();
    expect(existsSync(path)).to.equal(false);
  });

  it('pauses when accepting fails, tells once, and goes on', async () => {
    const listener = listen([]);
    const errors: string[] = [];
    listener.on('error', (error) => errors.push(error.message));
    const outOfDescriptors = -24;
    listener._handleAcceptError(outOfDescriptors);
    listener._handleAcceptError(outOfDescriptors);
    expect(errors.length).to.equal(1);
    expect(errors[0]).to.match(/EMFILE/);
    const socket = net.connect(listener.address.port, '127.0.0.1');
    await once(socket.resume(), 'close');
    listener._handleAcceptError(outOfDescriptors);
    expect(errors.length).to.equal(2);
    await listener.close();
  });
});
