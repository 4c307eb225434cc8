import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { expect } from 'chai';
import { serverCertificate } from './support/certificates.ts';
import { Program, repositoryRoot } from './support/program.ts';
import { untilTestEnds } from './support/until-test-ends.ts';

interface LogLine {
  transport: string;
  end: string;
  blame: string | null;
  bytesIn: number;
  bytesOut: number;
  handshake: { acceptCalls: number; wantWrite: number; wantRead: number; spins: number; durationMs: number } | null;
  entries: { code: string; text: string }[];
}

describe('echo-server --log json', () => {
  let directory: string;
  let ca: string;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sluice-echo-'));
    const { certPem, keyPem, caPem } = await serverCertificate(1200);
    ca = caPem;
    await writeFile(join(directory, 'cert.pem'), certPem);
    await writeFile(join(directory, 'key.pem'), keyPem);
  });

  after(() => rm(directory, { recursive: true }));

  /** Starts it; `stop` ends it and tells what it logged. */
  async function start(...options: string[]): Promise<{ port: number; stop: () => Promise<LogLine[]> }> {
    const main = join(repositoryRoot, 'examples/echo-server/main.ts');
    const program = untilTestEnds(Program.node(main, ['--port', '0', '--log', 'json', ...options], { cwd: directory }));
    const [, port] = await program.line(/^LISTENING (?:tcp|tls) 127\.0\.0\.1 (\d+)$/);
    return {
      port: Number(port),
      stop: async () => {
        program.kill('SIGTERM');
        const { code, stderr } = await program.exited;
        expect(code, stderr).to.equal(0);
        return stderr
          .split('\n')
          .filter(Boolean)
          .map((line) => JSON.parse(line) as LogLine);
      },
    };
  }

  async function tls(port: number): Promise<TLSSocket> {
    const socket = connectTls({ port, host: '127.0.0.1', servername: 'localhost', ca });
    await once(socket, 'secureConnect');
    return socket;
  }

  async function echo(socket: Socket, text: string): Promise<void> {
    socket.write(text);
    let received = '';
    while (received.length < text.length) received += String((await once(socket, 'data'))[0]);
    expect(received === text).to.equal(true);
  }

  it('a client that says goodbye: a clean end, and no handshake without TLS', async () => {
    const { port, stop } = await start();
    const socket = connect(port, '127.0.0.1');
    await echo(socket, 'x'.repeat(100_000));
    socket.end();
    await once(socket, 'close');
    const [line] = await stop();
    expect(line).to.deep.include({ transport: 'tcp', end: 'end', blame: null, bytesIn: 100_000, bytesOut: 100_000 });
    expect(line).to.deep.include({ handshake: null, entries: [] });
  });

  for (const bioBytes of [64, 512, 8192]) {
    it(`a certificate of 40 kB over a pair of ${bioBytes} bytes: what the handshake's calls wanted, and a clean end`, async () => {
      const { port, stop } = await start(...`--tls --cert cert.pem --key key.pem --bio-bytes ${bioBytes}`.split(' '));
      const socket = await tls(port);
      await echo(socket, 'hello');
      socket.end();
      await once(socket, 'close');
      const [line] = await stop();
      expect(line).to.deep.include({ transport: 'tls', end: 'end', blame: null, bytesIn: 5, bytesOut: 5, entries: [] });
      expect(line?.handshake).to.include({ spins: 0 });
      expect(line?.handshake?.wantWrite).to.be.at.least(Math.floor(40_000 / bioBytes));
      expect(line?.handshake?.wantRead).to.be.at.least(1);
      expect(line?.handshake?.durationMs).to.be.above(0);
    });
  }

  it('a client that vanishes without close_notify: truncated, whose fault it was, and what OpenSSL says', async () => {
    const { port, stop } = await start('--tls', '--cert', 'cert.pem', '--key', 'key.pem');
    const raw = connect(port, '127.0.0.1');
    const socket = connectTls({ socket: raw, servername: 'localhost', ca });
    await once(socket, 'secureConnect');
    await echo(socket, 'hello');
    // The server answers with an alert.
    socket.on('error', () => {});
    raw.end();
    await once(raw, 'close');
    const [line] = await stop();
    expect(line).to.include({ end: 'truncated', blame: 'remote', bytesIn: 5 });
    expect(line?.entries.at(-1)?.text).to.equal('error:0A000126:SSL routines::unexpected eof while reading');
  });
});
