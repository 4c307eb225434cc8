import { once } from 'node:events';
import net from 'node:net';
import { ApiMisuse } from '@sluice/errors';
import { expect } from 'chai';
import { drainOnSignal, EventLoop, type Server, serve } from '../src/index.ts';

describe('drainOnSignal', () => {
  let loop: EventLoop;
  let server: Server;
  const sockets: net.Socket[] = [];

  beforeEach(async () => {
    loop = new EventLoop();
    const timeouts = { closeMs: Number.POSITIVE_INFINITY };
    server = await serve({ port: 0, host: '127.0.0.1', loop, timeouts }, {});
  });

  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
    loop.close();
    for (const signal of ['SIGUSR2', 'SIGHUP', 'SIGTERM', 'SIGINT'] as const) {
      expect(process.listenerCount(signal), signal).to.equal(0);
    }
  });

  async function dial(allowHalfOpen: boolean): Promise<net.Socket> {
    const port = [...server.listening][0]?.address.port ?? 0;
    const accepted = new Promise((resolve) => server.once('connection', resolve));
    const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen });
    sockets.push(socket);
    await Promise.all([once(socket, 'connect'), accepted]);
    return socket.resume();
  }

  it('drains at the first signal', async () => {
    await dial(false);
    const drain = drainOnSignal(server, { signals: ['SIGUSR2', 'SIGHUP', 'SIGHUP'] });
    process.emit('SIGHUP', 'SIGHUP');
    expect(await drain.drained).to.deep.equal({ closed: 1, cut: 0 });
    expect(server.listening.size).to.equal(0);
    expect([process.listenerCount('SIGUSR2'), process.listenerCount('SIGHUP')]).to.deep.equal([0, 0]);
  });

  it('cuts what is left at the second', async () => {
    const stubborn = await dial(true);
    const ended = once(stubborn, 'end');
    const drain = drainOnSignal(server, { signals: ['SIGUSR2'], deadlineMs: 1_000_000 });
    process.emit('SIGUSR2', 'SIGUSR2');
    await ended;
    process.emit('SIGUSR2', 'SIGUSR2');
    expect(await drain.drained).to.deep.equal({ closed: 0, cut: 1 });
  });

  it('cuts what is left at the deadline', async () => {
    await dial(true);
    const drain = drainOnSignal(server, { signals: ['SIGUSR2'], deadlineMs: 5 });
    process.emit('SIGUSR2', 'SIGUSR2');
    expect(await drain.drained).to.deep.equal({ closed: 0, cut: 1 });
  });

  it('watches SIGTERM and SIGINT when not told otherwise, until it is stopped or disposed of', () => {
    const drain = drainOnSignal(server);
    expect([process.listenerCount('SIGTERM'), process.listenerCount('SIGINT')]).to.deep.equal([1, 1]);
    drain.stop();
    drain[Symbol.dispose]();
    expect(server.listening.size).to.equal(1);
  });

  it('refuses what is no signal, and watches none of the others then', () => {
    expect(() => drainOnSignal(server, { signals: ['SIGTERM', 'SIGKILL'] })).to.throw(ApiMisuse, /SIGKILL/);
  });
});
