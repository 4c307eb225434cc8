import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { expect } from 'chai';
import { serverCertificate } from './support/certificates.ts';
import { Program, repositoryRoot } from './support/program.ts';
import { RawClient } from './support/raw-client.ts';
import { untilTestEnds } from './support/until-test-ends.ts';

describe('kv-server on TCP, a Unix socket and TLS at once', () => {
  let directory: string;
  let ca: string;
  let server: Program;
  let ports: { tcp: number; tls: number };
  let path: string;
  let servers = 0;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sluice-kv-'));
    // More than twice the BIO pair: the handshake has to be resumed.
    const { certPem, keyPem, caPem } = await serverCertificate(1200);
    ca = caPem;
    await writeFile(join(directory, 'cert.pem'), certPem);
    await writeFile(join(directory, 'key.pem'), keyPem);
  });

  beforeEach(async () => {
    // A server that is killed leaves its socket behind.
    path = join(directory, `kv-${(servers += 1)}.sock`);
    const options = `--port 0 --unix ${path} --tls-port 0 --memory-limit 4000000`.split(' ');
    const files = ['--cert', join(directory, 'cert.pem'), '--key', join(directory, 'key.pem')];
    server = Program.node(join(repositoryRoot, 'examples/kv-server/main.ts'), options.concat(files));
    const [, tcp] = await server.line(/^LISTENING tcp 127\.0\.0\.1 (\d+)$/);
    const [, tls] = await server.line(/^LISTENING tls 127\.0\.0\.1 (\d+)$/);
    await server.line(new RegExp(`^LISTENING unix ${path}$`));
    ports = { tcp: Number(tcp), tls: Number(tls) };
  });

  afterEach(() => server[Symbol.asyncDispose]());
  after(() => rm(directory, { recursive: true }));

  const clients: Record<string, () => Promise<RawClient>> = {
    tcp: () => RawClient.connect({ port: ports.tcp, host: '127.0.0.1' }),
    unix: () => RawClient.connect({ path }),
    async tls() {
      const socket = connectTls({ port: ports.tls, host: '127.0.0.1', servername: 'localhost', ca });
      await once(socket, 'secureConnect');
      return RawClient.over(socket);
    },
  };

  it('each transport sees what the others stored, values of every size included', async () => {
    const value = 'abcdefghijklmnopqrstuvwxyz'.repeat(40_000).slice(0, 1_000_000);
    for (const [writer, open] of Object.entries(clients)) {
      const client = untilTestEnds(await open());
      client.send(
        `set ${writer} 1 0 ${value.length}\r\n${value}\r\nset small-${writer} 0 0 ${writer.length}\r\n${writer}\r\n`,
      );
      expect(await client.until(/STORED\r\nSTORED\r\n$/), writer).to.equal('STORED\r\nSTORED\r\n');
    }
    for (const [reader, open] of Object.entries(clients)) {
      const client = untilTestEnds(await open());
      client.send('get tcp unix tls small-tcp small-unix small-tls\r\n');
      const answer = await client.until(/END\r\n$/);
      const long = ['tcp', 'unix', 'tls'].map((key) => `VALUE ${key} 1 1000000\r\n${value}\r\n`);
      const short = ['tcp', 'unix', 'tls'].map((key) => `VALUE small-${key} 0 ${key.length}\r\n${key}\r\n`);
      expect(answer === [...long, ...short, 'END\r\n'].join(''), reader).to.equal(true);
    }
  });

  it('quit ends the connection in order on each', async () => {
    for (const [name, open] of Object.entries(clients)) {
      const client = untilTestEnds(await open());
      expect(await client.exchange('get none\r\nquit\r\n'), name).to.equal('END\r\n');
    }
  });

  it('the memory limit holds over all of them, and evictions are counted', async () => {
    for (const open of Object.values(clients)) {
      const client = untilTestEnds(await open());
      for (let key = 0; key < 3; key += 1) {
        client.send(
          `set ${key} 0 0 900000 noreply\r\n${'x'.repeat(900_000)}\r\nset ${key}b 0 0 900000\r\n${'y'.repeat(900_000)}\r\n`,
        );
        await client.until(/STORED\r\n$/);
      }
    }
    const client = untilTestEnds((await clients.tcp?.()) as RawClient);
    client.send('stats\r\n');
    const stats = Object.fromEntries(
      (await client.until(/END\r\n$/)).split('\r\n').map((line) => line.split(' ').slice(1)),
    );
    expect(stats).to.include({ limit_maxbytes: '4000000', curr_items: '4', evictions: '14', total_connections: '4' });
    expect(Number(stats.bytes)).to.be.at.most(4_000_000);
    expect(Number(stats.bytes_read)).to.be.above(18 * 900_000);
  });

  it('SIGTERM ends every connection in order and takes the socket away', async () => {
    const open = await Promise.all(Object.values(clients).map((connect) => connect()));
    for (const client of open) {
      client.send('version\r\n');
      await client.until(/\r\n$/);
    }
    server.kill('SIGTERM');
    // Each gets the end, and ends itself.
    await Promise.all(open.map((client) => client.exchange('')));
    expect(await server.exited).to.include({ code: 0, stderr: '' });
    expect(existsSync(path)).to.equal(false);
    for (const client of open) await client[Symbol.asyncDispose]();
  });
});
