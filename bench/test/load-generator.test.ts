import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { expect } from 'chai';
import { serverCertificate } from '../../test/support/certificates.ts';
import { LoadProcess, type LoadResult } from '../src/load-process.ts';
import { built } from '../src/paths.ts';
import { buildLoadGenerator } from '../src/prepare.ts';

interface Run {
  status: number;
  result: LoadResult;
  stderr: string;
}

describe('load generator', () => {
  let server: Server;
  const sockets = new Set<Socket>();

  before(function () {
    this.timeout(60_000); // it may have to be compiled
    buildLoadGenerator();
  });

  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
    server.close();
    await once(server, 'close');
  });

  async function serve(handler: (socket: Socket) => void, made: Server = createServer()): Promise<void> {
    server = made;
    server.on(made instanceof createTlsServer().constructor ? 'secureConnection' : 'connection', (socket: Socket) => {
      sockets.add(socket.on('error', () => {}));
      handler(socket);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  }

  async function load(...words: string[]): Promise<Run> {
    const port = String((server.address() as AddressInfo).port);
    const child = spawn(built.load, [...words, '--port', port, '--warm-seconds', '0']);
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (text: Buffer) => (stdout += text.toString()));
    child.stderr.on('data', (text: Buffer) => (stderr += text.toString()));
    const [status] = (await once(child, 'close')) as [number];
    return { status, stderr, result: (stdout === '' ? {} : JSON.parse(stdout)) as LoadResult };
  }

  const echo = (socket: Socket): void => void socket.on('data', (bytes) => socket.write(bytes));

  /** Echoes, but for one bit of the byte at `at`, counted from the connection's begin. */
  const corruptAt =
    (at: number) =>
    (socket: Socket): void => {
      let seen = 0;
      socket.on('data', (bytes) => {
        if (at >= seen && at < seen + bytes.length) bytes[at - seen] = (bytes[at - seen] ?? 0) ^ 1;
        seen += bytes.length;
        socket.write(bytes);
      });
    };

  it('counts requests, bytes and times', async () => {
    await serve(echo);
    const { status, result } = await load(
      'echo',
      '--connections',
      '3',
      '--bytes',
      '100',
      '--depth',
      '4',
      '--count',
      '50',
    );
    expect(status).to.equal(0);
    expect(result).to.include({ phase: 'result', requests: 150, bytes: 150 * 200, errors: 0 });
    const { p50, p99, max } = result.latencyUs;
    expect(p50).to.be.within(1, p99);
    expect(p99).to.be.at.most(max);
    expect(max / 1e6).to.be.at.most(result.seconds);
  });

  it('sends what it says it sends, each message another', async () => {
    const seen: Buffer[] = [];
    await serve(
      (socket) => void socket.on('data', (bytes) => seen.push(bytes)).on('data', (bytes) => socket.write(bytes)),
    );
    await load('echo', '--bytes', '64', '--count', '100');
    const bytes = Buffer.concat(seen);
    const messages = Array.from({ length: 100 }, (_, index) => bytes.toString('latin1', index * 64, index * 64 + 64));
    expect(bytes).to.have.lengthOf(6400);
    expect(new Set(messages).size).to.equal(100);
  });

  it('ends at a wrong byte, and names it', async () => {
    await serve(corruptAt(64 * 7 + 13));
    const { status, stderr } = await load('echo', '--bytes', '64', '--count', '20');
    expect(stderr).to.match(/^load: connection 0: byte 13 of answer 7 is 0x\w\w, not 0x\w\w\n$/);
    expect(status).to.equal(1);
  });

  it('finds a wrong byte in the middle of a large message, with others in flight', async () => {
    await serve(corruptAt(1_500_000));
    const { status, stderr } = await load('echo', '--bytes', '1000000', '--depth', '3', '--count', '3');
    expect(stderr).to.match(/byte 500000 of answer 1 is/);
    expect(status).to.equal(1);
  });

  it('finds bytes that nobody asked for', async () => {
    await serve(
      (socket) => void socket.on('data', (bytes) => socket.write(Buffer.concat([bytes, bytes.subarray(0, 1)]))),
    );
    const { status, stderr } = await load('echo', '--count', '1');
    expect(stderr).to.match(/1 bytes came that nobody asked for/);
    expect(status).to.equal(1);
  });

  it('tells that the server closed a connection', async () => {
    await serve((socket) => void socket.on('data', () => socket.destroy()));
    const { status, stderr } = await load('echo', '--count', '5');
    expect(stderr).to.match(
      /^load: connection 0: (closed by the server|read: Connection reset by peer) after 0 answers\n$/,
    );
    expect(status).to.equal(1);
  });

  it('tells that the server does not answer', async () => {
    await serve((socket) => void socket.resume());
    const { status, stderr } = await load('echo', '--count', '1', '--stall-ms', '30');
    expect(stderr).to.match(/no answer for 30 ms; 1 are missing/);
    expect(status).to.equal(1);
  });

  it('connects, echoes and closes, over and over', async () => {
    let ended = 0;
    await serve((socket) => echo(socket.on('end', () => (ended += 1))));
    const { status, result } = await load('connect', '--connections', '4', '--seconds', '0.05');
    expect(status).to.equal(0);
    expect(result.requests).to.be.greaterThan(3).and.to.equal(ended);
  });

  it('makes full TLS handshakes, and resumes sessions when told to', async () => {
    const { certPem, keyPem } = await serverCertificate();
    await serve(echo, createTlsServer({ cert: certPem, key: keyPem }));
    const full = await load('connect', '--tls', '--connections', '2', '--seconds', '0.05');
    expect(full.result.requests).to.be.greaterThan(1);
    expect(full.result.resumed).to.equal(0);
    const resumed = await load('connect', '--tls', '--resume', '--connections', '2', '--seconds', '0.05');
    expect(resumed.result.resumed).to.equal(resumed.result.requests - 2); // each of the two has a first time
  });

  it('finds a wrong byte under TLS', async () => {
    const { certPem, keyPem } = await serverCertificate();
    await serve(corruptAt(20_000), createTlsServer({ cert: certPem, key: keyPem }));
    const { status, stderr } = await load('echo', '--tls', '--bytes', '40000', '--count', '2');
    expect(stderr).to.match(/byte 20000 of answer 0 is/);
    expect(status).to.equal(1);
  });

  it('compares the values of a key-value server', async () => {
    const values = new Map<string, string>();
    let forget = false;
    await serve((socket) => void socket.on('data', (bytes) => socket.write(answer(bytes.toString()))));
    const answer = (requests: string): string =>
      requests.replace(
        /get (\S+)\r\n|set (\S+) 0 0 (\d+)\r\n(.*)\r\n/g,
        (_, get?: string, set?: string, size?: string, value?: string) => {
          if (get !== undefined)
            return `VALUE ${get} 0 ${(values.get(get) ?? '').length}\r\n${values.get(get)}\r\nEND\r\n`;
          if (set !== undefined && value?.length === Number(size))
            values.set(set, forget ? `${value.slice(1)}?` : value);
          return 'STORED\r\n';
        },
      );
    const good = await load('kv', '--keys', '20', '--bytes', '30', '--count', '200');
    expect(good).to.deep.include({ status: 0, stderr: '' });
    expect(good.result.requests).to.equal(200);
    forget = true;
    expect((await load('kv', '--keys', '20', '--bytes', '30', '--count', '200')).status).to.equal(1);
  });

  it('warms up again as often as it is told to, then measures', async () => {
    await serve(echo);
    const child = new LoadProcess(
      ['echo', '--warm-seconds', '0', '--count', '5'],
      (server.address() as AddressInfo).port,
    );
    try {
      await child.reach('ready');
      await child.warmAgain();
      await child.warmAgain();
      child.proceed();
      expect(await child.reach('result')).to.include({ requests: 5 });
    } finally {
      await child.stop();
    }
  });

  it('keeps a pace', async () => {
    await serve(echo);
    const { result } = await load('echo', '--connections', '5', '--pace-us', '10000', '--seconds', '0.1');
    expect(result.requests).to.equal(50);
  });

  it('refuses what it does not know', async () => {
    await serve(echo);
    expect(await load('echo', '--colour', '1')).to.deep.include({ status: 2 });
    expect((await load('dance')).stderr).to.match(/there is no case dance/);
    expect((await load('echo', '--depth', '65')).stderr).to.match(/--depth needs a number from 1 to 64, not 65/);
  });
});
