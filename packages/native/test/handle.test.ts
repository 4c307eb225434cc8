import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, fstatSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { ListenFlag, native, PollEvent } from '../src/index.ts';
import { bytes, destroyFixtures, fixture, type LoopFixture, pattern, turns } from './support/loop-fixture.ts';

/** The name of a negative error number. */
function errorName(result: unknown): string {
  if (typeof result !== 'number' || result >= 0) throw new Error(`not an error: ${JSON.stringify(result)}`);
  return native().systemError(-result)[0];
}

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sluice-native-'));
});
afterEach(async () => {
  await destroyFixtures();
  rmSync(directory, { recursive: true });
});

describe('Handle: listen and accept', () => {
  it('accepts on an address of each family, with names on both sides', async () => {
    for (const [host, family] of [
      ['127.0.0.1', 'IPv4'],
      ['::1', 'IPv6'],
    ] as const) {
      const { loop } = fixture();
      const listener = loop.listenTcp(host, 0, 8, 0);
      expect(listener).to.be.at.least(0);
      expect(loop.localAddress(listener)).to.include({ family, address: host });
    }
    const world = fixture();
    const { client, server, listener } = await world.pair();
    expect(world.loop.remoteAddress(client)).to.deep.equal(world.loop.localAddress(listener));
    expect(world.loop.remoteAddress(server)).to.deep.equal(world.loop.localAddress(client));
  });

  it('does not read from an accepted connection by itself', async () => {
    const world = fixture();
    const { client, server } = await world.pair();
    world.write(client, bytes('early'));
    await turns();
    expect(world.story(server)).to.deep.equal([]);
    world.loop.readStart(server);
    expect((await world.receive(server, 5)).toString()).to.equal('early');
  });

  it('refuses what is no numeric address or no port', () => {
    const { loop } = fixture();
    expect(errorName(loop.listenTcp('localhost', 0, 8, 0))).to.equal('EINVAL');
    expect(errorName(loop.listenTcp('127.0.0.1', 65_536, 8, 0))).to.equal('EINVAL');
    expect(errorName(loop.listenTcp('127.0.0.1', -1, 8, 0))).to.equal('EINVAL');
    expect(errorName(loop.connectTcp('::1::', 80))).to.equal('EINVAL');
    expect(errorName(loop.connectTcp('fe80::1%no-such-interface', 80))).to.equal('EINVAL');
    expect(errorName(loop.connectTcp('', 80))).to.equal('EINVAL');
    expect(loop.handleCount()).to.equal(0);
  });

  it('reports an address in use at once, and keeps no handle', async () => {
    const world = fixture();
    const { port } = world.listen();
    expect(errorName(world.loop.listenTcp('127.0.0.1', port, 8, 0))).to.equal('EADDRINUSE');
    await turns();
    expect(world.loop.handleCount()).to.equal(1);
    expect(world.happened).to.deep.equal([]);
  });

  it('shares a port with reusePort', () => {
    const world = fixture();
    const { port } = world.listen(ListenFlag.reusePort);
    expect(world.loop.listenTcp('127.0.0.1', port, 8, ListenFlag.reusePort)).to.be.at.least(0);
  });

  it('keeps to IPv6 with ipv6Only, and takes both families without', async () => {
    const world = fixture();
    const only = world.loop.listenTcp('::', 0, 8, ListenFlag.ipv6Only);
    const refused = world.connect(world.port(only));
    expect(errorName((await world.next('connected', refused)).a)).to.equal('ECONNREFUSED');
    const both = world.loop.listenTcp('::', 0, 8, 0);
    const client = world.connect(world.port(both));
    expect((await world.next('connected', client)).a).to.equal(0);
  });

  it('takes none while accepting is paused, and those who waited afterwards', async () => {
    const world = fixture();
    const { listener, port } = world.listen();
    expect(world.loop.pauseAccept(listener)).to.equal(0);
    const clients = [world.connect(port), world.connect(port), world.connect(port)];
    for (const client of clients) expect((await world.next('connected', client)).a).to.equal(0);
    await turns();
    expect(world.story(listener)).to.deep.equal([]);
    // 3 clients and the listener.
    expect(world.loop.handleCount()).to.equal(4);
    expect(world.loop.resumeAccept(listener)).to.equal(0);
    const accepted = [
      await world.next('accept', listener),
      await world.next('accept', listener),
      await world.next('accept', listener),
    ];
    expect(new Set(accepted.map(({ a }) => a)).size).to.equal(3);
    expect(world.loop.pauseAccept(clients[0] as number)).to.equal(world.loop.resumeAccept(clients[0] as number));
    expect(errorName(world.loop.pauseAccept(clients[0] as number))).to.equal('ENOTSUP');
  });

  it('may close a paused listener that connections wait for', async () => {
    const world = fixture();
    const { listener, port } = world.listen();
    world.loop.pauseAccept(listener);
    const client = world.connect(port);
    await world.next('connected', client);
    await turns();
    world.loop.readStart(client);
    await world.close(listener);
    // The kernel lets them go with it.
    await Promise.race([world.next('eof', client), world.next('readError', client)]);
    expect(world.story(listener)).to.deep.equal(['closed']);
  });

  it('takes two hundred connections', async () => {
    const world = fixture();
    const listener = world.loop.listenTcp('127.0.0.1', 0, 512, 0);
    const port = world.port(listener);
    const clients = Array.from({ length: 200 }, () => world.connect(port));
    const servers: number[] = [];
    while (servers.length < 200) servers.push((await world.next('accept', listener)).a);
    expect(new Set([...servers, ...clients, listener]).size).to.equal(401);
    expect(world.loop.handleCount()).to.equal(401);
    for (const [index, client] of clients.entries()) {
      await world.next('connected', client);
      world.write(client, bytes(`client ${index}`));
    }
    for (const server of servers) world.loop.readStart(server);
    await Promise.all(servers.map((server) => world.next('read', server)));
    const texts = new Set(servers.map((server) => world.received(server).toString()));
    expect(texts.size).to.equal(200);
  });
});

describe('Handle: connect', () => {
  it('tells that a connection was refused', async () => {
    const world = fixture();
    const { listener, port } = world.listen();
    await world.close(listener);
    const client = world.connect(port);
    expect(errorName((await world.next('connected', client)).a)).to.equal('ECONNREFUSED');
    await world.close(client);
    expect(world.story(client)).to.deep.equal(['connected', 'closed']);
  });

  it('has only a closed record when it is closed while connecting', async () => {
    const world = fixture();
    const { port } = world.listen();
    const client = world.connect(port);
    world.loop.close(client, false);
    await world.next('closed', client);
    await turns();
    expect(world.story(client)).to.deep.equal(['closed']);
  });

  it('keeps nothing of a connection that fails at once', async () => {
    const world = fixture();
    // TCP knows no broadcast: connect(2) refuses.
    expect(errorName(world.loop.connectTcp('255.255.255.255', 9))).to.equal('ENETUNREACH');
    const long = 'x'.repeat(500);
    expect(errorName(world.loop.connectPipe(`/tmp/${long}`))).to.equal('ENAMETOOLONG');
    expect(errorName(world.loop.listenPipe(`/tmp/${long}`, 1))).to.equal('ENAMETOOLONG');
    expect(errorName(world.loop.listenPipe('/no/such/directory/socket', 1))).to.equal('ENOENT');
    expect(errorName(world.loop.connectPipe(''))).to.equal('EINVAL');
    await turns();
    expect(world.loop.handleCount()).to.equal(0);
    expect(world.happened).to.deep.equal([]);
  });

  it('writes nothing before it is connected, and says so with 0', async () => {
    const world = fixture();
    const { port } = world.listen();
    const client = world.connect(port);
    expect(world.write(client, bytes('too early'))).to.equal(0);
    expect(world.count('writesRefused')).to.equal(1);
    await world.next('connected', client);
    expect(world.write(client, bytes('now'))).to.equal(3);
  });
});

describe('Handle: read', () => {
  it('tells of the end after the data, once, and stops', async () => {
    const world = fixture();
    const { client, server } = await world.pair();
    world.loop.readStart(server);
    world.write(client, bytes('last words'));
    expect(world.loop.shutdown(client)).to.equal(0);
    expect((await world.next('shutdown', client)).a).to.equal(0);
    await world.next('eof', server);
    await turns();
    expect(world.story(server)).to.deep.equal(['read', 'eof']);
    // The other direction still works.
    world.loop.readStart(client);
    expect(world.write(server, bytes('reply'))).to.equal(5);
    expect((await world.receive(client, 5)).toString()).to.equal('reply');
  });

  it('tells of a reset with its error number', async () => {
    const world = fixture();
    const { client, server } = await world.pair();
    world.loop.readStart(server);
    await world.close(client, true);
    expect(errorName((await world.next('readError', server)).a)).to.equal('ECONNRESET');
    await turns();
    expect(world.story(server)).to.deep.equal(['readError']);
  });

  it('tells of a reset that came together with the last bytes', async () => {
    const world = fixture();
    const { client, server } = await world.pair();
    expect(world.write(client, bytes('last words'))).to.equal(10);
    await world.close(client, true);
    await turns();
    world.loop.readStart(server);
    expect(errorName((await world.next('readError', server)).a)).to.equal('ECONNRESET');
    expect(world.story(server).at(-1)).to.equal('readError');
  });

  it('stops and starts, as often as one likes', async () => {
    const world = fixture();
    const { client, server } = await world.pair();
    for (let index = 0; index < 2; index += 1) expect(world.loop.readStart(server)).to.equal(0);
    for (let index = 0; index < 2; index += 1) expect(world.loop.readStop(server)).to.equal(0);
    world.write(client, bytes('waits'));
    await turns();
    expect(world.story(server)).to.deep.equal([]);
    world.loop.readStart(server);
    await world.next('read', server);
  });

  it('reads up to a limit and stops by itself, until the next call begins anew', async () => {
    const world = fixture();
    const { client, server } = await world.pair();
    world.write(client, bytes('0123456789'));
    expect(world.loop.readUpTo(server, 4)).to.equal(0);
    expect(Buffer.from((await world.next('read', server)).bytes ?? []).toString()).to.equal('0123');
    await turns();
    expect(world.story(server)).to.deep.equal(['read']);
    world.loop.readUpTo(server, 5);
    expect((await world.next('read', server)).b).to.equal(5);
    await turns();
    expect(world.story(server)).to.deep.equal(['read', 'read']);
    world.loop.readStart(server);
    expect((await world.next('read', server)).b).to.equal(1);
    world.write(client, bytes('as much as there is'));
    expect((await world.next('read', server)).b).to.equal(19);
    expect(errorName(world.loop.readUpTo(server, 0))).to.equal('EINVAL');
  });

  it('refuses to read from a listener', () => {
    const world = fixture();
    const { listener } = world.listen();
    expect(errorName(world.loop.readStart(listener))).to.equal('ENOTSUP');
    expect(errorName(world.loop.shutdown(listener))).to.equal('ENOTSUP');
    expect(errorName(world.loop.writeQueued(listener, [bytes('x')]))).to.equal('ENOTSUP');
    expect(errorName(world.write(listener, bytes('x')))).to.equal('ENOTSUP');
  });
});

describe('Handle: close', () => {
  it('is told once, however often it is asked for', async () => {
    const world = fixture();
    const { client } = await world.pair();
    world.loop.close(client, false);
    world.loop.close(client, true);
    world.loop.close(client, false);
    await world.next('closed', client);
    world.loop.close(client, false);
    await turns();
    expect(world.story(client)).to.deep.equal(['connected', 'closed']);
  });

  it('sends FIN, or RST when asked to', async () => {
    for (const reset of [false, true]) {
      const world = fixture();
      const { client, server } = await world.pair();
      world.loop.readStart(server);
      world.loop.close(client, reset);
      await world.next(reset ? 'readError' : 'eof', server);
    }
  });

  it('resets even while a shutdown waits behind a peer that does not read', async () => {
    const world = fixture();
    const { client, server } = await world.pair();
    world.loop.setSendBufferSize(client, 4096);
    world.loop.writeQueued(client, [pattern(4_000_000)]);
    expect(world.loop.shutdown(client)).to.equal(0);
    await world.close(client, true);
    expect(world.story(client)).to.deep.equal(['connected', 'closed']);
    world.loop.readStart(server);
    expect(errorName((await world.next('readError', server)).a)).to.equal('ECONNRESET');
  });

  it('ends waiting writes and shutdowns without records', async () => {
    const world = fixture();
    const { client } = await world.pair();
    world.loop.writeQueued(client, [pattern(8_000_000)]);
    world.loop.shutdown(client);
    await world.close(client);
    await turns();
    expect(world.story(client)).to.deep.equal(['connected', 'closed']);
  });

  it('may be asked for in any record of the handle, and no other follows', async () => {
    const scenes: Record<string, (world: LoopFixture, pair: { client: number; server: number }) => void> = {
      read: (world, { client }) => void world.write(client, bytes('x')),
      eof: (world, { client }) => void world.loop.shutdown(client),
      readError: (world, { client }) => world.loop.close(client, true),
      written: (world, { server }) => void world.loop.writeQueued(server, [bytes('x')]),
      shutdown: (world, { server }) => void world.loop.shutdown(server),
    };
    for (const [type, act] of Object.entries(scenes)) {
      for (const records of [1, 256]) {
        const world = fixture({ records });
        const pair = await world.pair();
        world.loop.readStart(pair.server);
        world.onHappening = (happening) => {
          if (happening.type === type && happening.id === pair.server) world.loop.close(pair.server, false);
        };
        act(world, pair);
        await world.next('closed', pair.server);
        await turns();
        expect(world.story(pair.server), type).to.deep.equal([type, 'closed']);
      }
    }
  });

  it('may be asked for in accept (both handles) and in connected', async () => {
    const world = fixture();
    const { listener, port } = world.listen();
    const client = world.connect(port);
    world.onHappening = ({ type, id, a }) => {
      if (type === 'accept') {
        world.loop.close(id, false);
        world.loop.close(a, true);
      }
      if (type === 'connected') world.loop.close(id, false);
    };
    await Promise.all([world.next('closed', client), world.next('closed', listener)]);
    while (world.loop.handleCount() > 0) await turns(1);
    expect(world.story(client)).to.deep.equal(['connected', 'closed']);
    expect(world.story(listener)).to.deep.equal(['accept', 'closed']);
  });

  it('of another handle in a delivery leaves that one with what was told already', async () => {
    const world = fixture();
    const { client, server } = await world.pair();
    const other = await world.pair();
    for (const id of [server, other.server]) world.loop.readStart(id);
    world.onHappening = ({ type }) => {
      if (type !== 'read') return;
      world.loop.close(server, false);
      world.loop.close(other.server, false);
    };
    world.write(client, bytes('x'));
    world.write(other.client, bytes('x'));
    await Promise.all([world.next('closed', server), world.next('closed', other.server)]);
    for (const id of [server, other.server]) expect(world.story(id)).to.deep.equal(['read', 'closed']);
  });
});

describe('Handle: pipes', () => {
  it('listens and connects by path, with FIN both ways', async () => {
    const world = fixture();
    const path = join(directory, 'socket');
    const listener = world.loop.listenPipe(path, 8);
    expect(listener).to.be.at.least(0);
    expect(statSync(path).isSocket()).to.equal(true);
    expect(world.loop.localAddress(listener)).to.deep.equal({ family: 'unix', address: path, port: 0 });
    const client = world.loop.connectPipe(path);
    const { a: server } = await world.next('accept', listener);
    expect((await world.next('connected', client)).a).to.equal(0);
    expect(world.loop.remoteAddress(client)).to.deep.equal({ family: 'unix', address: path, port: 0 });
    expect(world.loop.localAddress(client)).to.deep.equal({ family: 'unix', address: '', port: 0 });
    for (const id of [client, server]) world.loop.readStart(id);
    expect(world.write(client, bytes('to server'))).to.equal(9);
    expect(world.write(server, bytes('to client'))).to.equal(9);
    expect((await world.receive(server, 9)).toString()).to.equal('to server');
    expect((await world.receive(client, 9)).toString()).to.equal('to client');
    world.loop.shutdown(client);
    await world.next('eof', server);
    world.loop.close(server, true);
    await world.next('eof', client);
    await world.close(listener);
    expect(() => statSync(path)).to.throw('ENOENT');
  });

  it('tells why a path cannot be connected to', async () => {
    const world = fixture();
    const client = world.loop.connectPipe(join(directory, 'nobody'));
    expect(errorName((await world.next('connected', client)).a)).to.equal('ENOENT');
  });

  it('has no options of TCP', async () => {
    const world = fixture();
    const listener = world.loop.listenPipe(join(directory, 'socket'), 8);
    expect(errorName(world.loop.setNoDelay(listener, true))).to.equal('ENOTSUP');
    expect(errorName(world.loop.setKeepAlive(listener, true, 1))).to.equal('ENOTSUP');
  });
});

describe('Handle: options', () => {
  it('sets TCP options and buffer sizes', async () => {
    const made = fixture();
    const { client } = await made.pair();
    expect(made.loop.setNoDelay(client, true)).to.equal(0);
    expect(made.loop.setKeepAlive(client, true, 60)).to.equal(0);
    expect(made.loop.setKeepAlive(client, false, 0)).to.equal(0);
    expect(made.loop.setSendBufferSize(client, 16_384)).to.equal(0);
    expect(made.loop.setReceiveBufferSize(client, 16_384)).to.equal(0);
    for (const bad of [0, -1]) {
      expect(errorName(made.loop.setSendBufferSize(client, bad))).to.equal('EINVAL');
      expect(errorName(made.loop.setReceiveBufferSize(client, bad))).to.equal('EINVAL');
    }
    expect(errorName(made.loop.setKeepAlive(client, true, -1))).to.equal('EINVAL');
    expect(made.loop.fd(client)).to.be.above(2);
  });
});

describe('Handle: descriptors', () => {
  it('listens on a socket that another process bound', async () => {
    const server = net.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as net.AddressInfo;
    const child = spawnWithFd('listen', (server as unknown as { _handle: { fd: number } })._handle.fd);
    // From here on only the child has it.
    server.close();
    const client = net.connect(port, '127.0.0.1');
    client.end('over an inherited listener');
    expect(await text(client)).to.equal('over an inherited listener');
    expect(await exitCode(child)).to.equal(0);
  });

  it('adopts a connected socket, of a pipe as well', async () => {
    const child = spawnWithFd('open', 'pipe');
    const stream = child.stdio[3] as net.Socket;
    stream.end('over an inherited socket');
    expect(await text(stream)).to.equal('over an inherited socket');
    expect(await exitCode(child)).to.equal(0);
  });

  it('refuses a descriptor that the event loop watches already', async () => {
    const world = fixture();
    const { client, listener } = await world.pair();
    world.loop.readStart(client);
    expect(errorName(world.loop.openFd(world.loop.fd(client)))).to.equal('EEXIST');
    expect(errorName(world.loop.listenFd(world.loop.fd(listener), 8))).to.equal('EEXIST');
    await turns();
    expect(world.write(client, bytes('unharmed'))).to.equal(8);
  });

  it('refuses what is no stream socket', () => {
    const { loop } = fixture();
    const file = openSync(process.execPath, 'r');
    expect(errorName(loop.openFd(file))).to.equal('ENOTSUP');
    expect(errorName(loop.listenFd(file, 8))).to.equal('ENOTSUP');
    expect(errorName(loop.openFd(-1))).to.equal('EBADF');
    expect(errorName(loop.openFd(9999))).to.equal('EBADF');
    expect(errorName(loop.pollOpen(file))).to.equal('EPERM');
    expect(errorName(loop.pollOpen(-1))).to.equal('EBADF');
    expect(loop.handleCount()).to.equal(0);
    closeSync(file);
  });

  it('watches any descriptor for readiness, and never closes it', async () => {
    const world = fixture();
    const path = join(directory, 'fifo');
    execFileSync('mkfifo', [path]);
    const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    const poll = world.loop.pollOpen(fd);
    expect(errorName(world.loop.pollStart(poll, 8))).to.equal('EINVAL');
    expect(world.loop.pollStart(poll, PollEvent.readable)).to.equal(0);
    await turns();
    expect(world.story(poll)).to.deep.equal([]);
    writeSync(fd, 'ready');
    expect((await world.next('poll', poll)).a).to.equal(PollEvent.readable);
    // Level-triggered: told again as long as it lasts.
    await world.next('poll', poll);
    expect(world.loop.pollStart(poll, 0)).to.equal(0);
    const told = world.story(poll).length;
    await turns();
    expect(world.story(poll)).to.have.lengthOf(told);
    expect(world.loop.pollStart(poll, PollEvent.writable)).to.equal(0);
    while ((await world.next('poll', poll)).a !== PollEvent.writable);
    expect(errorName(world.loop.readStart(poll))).to.equal('ENOTSUP');
    expect(errorName(world.loop.localAddress(poll))).to.equal('ENOTSUP');
    await world.close(poll);
    expect(fstatSync(fd).isFIFO()).to.equal(true);
    closeSync(fd);
  });

  it('keeps the process alive only while it is asked to', async () => {
    const child = spawn(process.execPath, [...process.execArgv, support('unref.ts')], { stdio: 'inherit' });
    expect(await exitCode(child)).to.equal(0);
  });
});

function support(name: string): string {
  return fileURLToPath(new URL(`support/${name}`, import.meta.url));
}

/** A process that echoes what comes over its descriptor 3. */
function spawnWithFd(mode: 'listen' | 'open', fd: number | 'pipe'): ChildProcess {
  return spawn(process.execPath, [...process.execArgv, support('inherited-fd.ts'), mode], {
    stdio: ['ignore', 'inherit', 'inherit', fd],
  });
}

async function exitCode(child: ChildProcess): Promise<number | NodeJS.Signals | null> {
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  return code ?? signal;
}
