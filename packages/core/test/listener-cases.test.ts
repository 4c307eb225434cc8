import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, openSync, closeSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { ApiMisuse, SystemError } from '@sluice/errors';
import { expect } from 'chai';
import { EventLoop, Listener, type ListenerBinding, Reactor, serve } from '../src/index.ts';
import { DrivenLoop, iterationsUntil, nextIteration } from './support/driven-loop.ts';

const EMFILE = -24;

const lackingProgram = fileURLToPath(new URL('./support/out-of-descriptors.ts', import.meta.url));

describe("Listener: libevent's cases", () => {
  let loop: EventLoop;
  const sockets: net.Socket[] = [];
  const children: ChildProcess[] = [];

  beforeEach(() => {
    loop = new EventLoop();
  });

  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
    for (const child of children.splice(0)) child.kill();
    loop.close();
  });

  function listen(accept: (listener: Listener) => void, binding: ListenerBinding = {}): Listener {
    const listener: Listener = new Listener(loop, { address: '127.0.0.1', ...binding }, (handle) => {
      Reactor.of(loop).native.close(handle, false);
      accept(listener);
    });
    return listener;
  }

  async function dial(port: number): Promise<net.Socket> {
    const socket = net.connect(port, '127.0.0.1');
    sockets.push(socket);
    await once(socket, 'connect');
    return socket;
  }

  it('listener/randport, listener/randport_ts: two listeners get different ports, and each its own connections', async () => {
    const left = [2, 1];
    const done = [0, 1].map(
      (index) =>
        new Promise<Listener>((resolve) => {
          const listener = listen(() => {
            left[index] = (left[index] ?? 0) - 1;
            if (left[index] === 0) listener.pause();
            if (left[index] === 0) resolve(listener);
          });
          const clients = index === 0 ? 2 : 1;
          for (let count = 0; count < clients; count += 1) void dial(listener.address.port);
        }),
    );
    const [first, second] = await Promise.all(done);
    expect(first?.address.port).not.to.equal(second?.address.port);
    expect(left).to.deep.equal([0, 0]);
  });

  it("listener/error, listener/error_ts: what cannot listen is refused at once, by name, and stays its owner's", async () => {
    const file = openSync(process.execPath, 'r');
    // A socket that is connected, with bytes to read: libevent's listener takes it, and fails when it accepts.
    const accepted = new Promise<net.Socket>((resolve) => {
      const server = net.createServer((socket) => {
        server.close();
        resolve(socket);
      });
      server.listen(0, '127.0.0.1', () => void dial((server.address() as net.AddressInfo).port));
    });
    const socket = await accepted;
    sockets.push(socket);
    sockets[0]?.write('readable');
    const { fd: connected } = (socket as unknown as { _handle: { fd: number } })._handle;
    for (const fd of [file, connected, 9999]) {
      expect(() => new Listener(loop, { fd }, () => {})).to.throw(SystemError, new RegExp(`descriptor ${fd}`));
    }
    closeSync(file);
    expect(String(await once(socket, 'data'))).to.equal('readable');
    for (const fd of [-1, 0.5]) expect(() => new Listener(loop, { fd }, () => {})).to.throw(ApiMisuse, /fd/);
    expect(loop.handles()).to.deep.equal([]);
  });

  it('listener/error_unlock: out of descriptors it tells once, burns no time, and takes connections when there are some', async () => {
    const script = 'ulimit -n 64; exec "$0" --conditions=@sluice/source "$1"';
    const child = spawn('sh', ['-c', script, process.execPath, lackingProgram], { stdio: ['pipe', 'pipe', 'ignore'] });
    children.push(child);
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    const next = async (): Promise<string> => String((await lines.next()).value);
    const port = Number(await next());
    let freed = false;
    const greetings = [1, 2, 3].map(() => {
      const socket = net.connect(port, '127.0.0.1');
      sockets.push(socket);
      socket.on('data', () => expect(freed, 'there was no descriptor left').to.equal(true));
      return text(socket);
    });
    expect(await next()).to.equal('error SLUICE_SYSTEM_EMFILE');
    child.stdin.write('wait\n');
    expect(await next()).to.equal('tried 5 times and told 1, idle true');
    freed = true;
    child.stdin.write('free them\n');
    // Nobody was turned away: they have waited.
    expect(await Promise.all(greetings)).to.deep.equal(['hello', 'hello', 'hello']);
  }).timeout(30_000);

  it('listener/close_accepted_fd: a listener may be closed in its own callback', async () => {
    let accepted = 0;
    const closed = new Promise<void>((resolve) => {
      const listener = listen((self) => {
        accepted += 1;
        void self.close().then(resolve);
      });
      for (let count = 0; count < 3; count += 1) {
        const socket = net.connect(listener.address.port, '127.0.0.1');
        socket.on('error', () => {});
        sockets.push(socket);
      }
    });
    await closed;
    expect(accepted).to.equal(1);
  });

  it('listener/immediate_close: of those who wait it takes one, when that one pauses it', async () => {
    let accepted = 0;
    const listener = listen((self) => {
      accepted += 1;
      self.pause();
    });
    listener.pause();
    const clients = await Promise.all([1, 2, 3].map(() => dial(listener.address.port)));
    for (let expected = 1; expected <= 3; expected += 1) {
      listener.resume();
      while (accepted < expected) await new Promise((resolve) => setImmediate(resolve));
      for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      expect(accepted).to.equal(expected);
    }
    expect(clients.length).to.equal(3);
  });

  it('listener/immediate_close: what came in the same delivery waits, in order, and is closed with the listener', () => {
    const native = Reactor.of(loop).native;
    const accepted: number[] = [];
    const listener: Listener = new Listener(loop, { address: '127.0.0.1', port: 0 }, (handle) => {
      accepted.push(handle);
      listener.pause();
    });
    const handles = [1, 2, 3].map(() => native.connectTcp('127.0.0.1', listener.address.port));
    for (const handle of handles) listener._handleAccepted(handle);
    expect(accepted).to.deep.equal(handles.slice(0, 1));
    listener.resume();
    loop.turn();
    expect(accepted).to.deep.equal(handles.slice(0, 2));
    expect(native.fd(handles[2] ?? -1)).to.be.at.least(0);
    void listener.close();
    expect(native.fd(handles[2] ?? -1)).to.be.below(0);
    for (const handle of handles) native.close(handle, true);
  });

  it('listener/disable_in_thread: paused while a handler awaits something, it takes nobody until it is resumed', async () => {
    let [begun, done] = [0, 0];
    let goOn = (): void => {};
    const handle = async (self: Listener): Promise<void> => {
      begun += 1;
      await new Promise<void>((resolve) => {
        goOn = resolve;
      });
      self.pause();
      done += 1;
    };
    const listener = listen((self) => void handle(self));
    await dial(listener.address.port);
    await iterationsUntil(() => begun === 1);
    goOn();
    await iterationsUntil(() => done === 1);
    await dial(listener.address.port);
    for (let turn = 0; turn < 20; turn += 1) await nextIteration();
    expect(begun).to.equal(1);
    listener.resume();
    await iterationsUntil(() => begun === 2);
    goOn();
    await iterationsUntil(() => done === 2);
  });

  it('listener/disable_in_thread_error: paused when accepting fails, it goes on when both pauses are over', async () => {
    const driven = new DrivenLoop();
    loop.close();
    loop = driven;
    let accepted = 0;
    const listener = listen(() => {
      accepted += 1;
    });
    const errors: string[] = [];
    listener.on('error', (error) => {
      errors.push(error.code);
      listener.pause();
    });
    listener._handleAcceptError(EMFILE);
    const socket = await dial(listener.address.port);
    // The pause after the failure ends by itself, the user's does not.
    await driven.pass(150);
    expect([errors, accepted]).to.deep.equal([['SLUICE_SYSTEM_EMFILE'], 0]);
    listener.resume();
    await once(socket.resume(), 'close');
    expect(accepted).to.equal(1);
  });

  it('listener/reuseport_on_unix_socket', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'sluice-'));
    const path = join(directory, 'socket');
    expect(() => listen(() => {}, { path, reusePort: true })).to.throw(ApiMisuse, /reusePort/);
    expect(() => listen(() => {}, { path, ipv6Only: true })).to.throw(ApiMisuse, /ipv6Only/);
    expect(() => listen(() => {}, { path: join(directory, 'x'.repeat(200)) })).to.throw(SystemError, /ENAMETOOLONG/);
    expect(existsSync(path)).to.equal(false);
    await listen(() => {}, { path }).close();
    rmSync(directory, { recursive: true });
  });

  it('shares a port with reusePort, and each of both is given connections', async () => {
    const counts = [0, 0];
    const first = listen(() => void (counts[0] = (counts[0] ?? 0) + 1), { reusePort: true });
    const { port } = first.address;
    listen(() => void (counts[1] = (counts[1] ?? 0) + 1), { port, reusePort: true });
    expect(() => listen(() => {}, { port })).to.throw(SystemError, /EADDRINUSE/);
    // That the kernel gives 64 to one of two is as likely as 64 times heads.
    const clients = await Promise.all(Array.from({ length: 64 }, () => dial(port)));
    await Promise.all(clients.map((client) => once(client.resume(), 'close')));
    expect((counts[0] ?? 0) + (counts[1] ?? 0)).to.equal(64);
    expect(Math.min(...counts)).to.be.above(0);
  });

  it('keeps to IPv6 with ipv6Only, so that another may have the port on IPv4', async () => {
    const both = await serve({ host: '::', port: 0, loop }, { connected: (bev) => bev.end() });
    const only = await both.listen({ host: '::', port: 0, ipv6Only: true });
    await both.listen({ host: '127.0.0.1', port: only.address.port });
    const [dual] = both.listening;
    const mapped = await dial(dual?.address.port ?? 0);
    await once(mapped.resume(), 'close');
    expect(both.acceptedTotal).to.equal(1);
    await both.close();
  });

  it('has the backlog that it was given: what passes it is not completed', async () => {
    const listener = listen(() => {}, { backlog: 1 });
    listener.pause();
    // One is held by the system half, two (the backlog and one) by the kernel.
    const clients = Array.from({ length: 8 }, () => net.connect(listener.address.port, '127.0.0.1'));
    sockets.push(...clients);
    let connected = 0;
    for (const client of clients) client.on('connect', () => (connected += 1));
    while (connected < 2) await new Promise((resolve) => setImmediate(resolve));
    for (let turn = 0; turn < 100; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(connected).to.be.within(2, 4);
    for (const backlog of [0, -1, 1.5, 2 ** 31]) {
      expect(() => listen(() => {}, { backlog })).to.throw(ApiMisuse, /backlog/);
    }
  });
});
