/**
 * `npm run demo`: a key-value server with a certificate of 40 kB behind a TLS buffer of 8 kB, real clients of three kinds, the
 * handshake call by call, and a connection that is cut. Ends by itself.
 *
 * `npm run demo -- --serve` starts the same server, says how to reach it, and stays until Ctrl-C.
 */
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { TlsContext } from '@sluice/tls';
import { serverCertificate, type TestCertificate } from '../test/support/certificates.ts';
import { read, store } from './demo/cache.ts';
import { type Client, connectClients, hasOpenssl } from './demo/clients.ts';
import { cutConnection } from './demo/cut.ts';
import { traceHandshake } from './demo/handshake.ts';
import { type KvProcess, startKvServer } from './demo/kv-process.ts';
import { facts, good, remark, step, table, tell, thousands, verbatim } from './demo/story.ts';

const ALTERNATIVE_NAMES = 1200;
/** Half of the default, so that there is more to see. */
const PAIR_BYTES = 8192;

interface Files {
  ca: string;
  cert: string;
  key: string;
  socket: string;
}

const directory = mkdtempSync(join(tmpdir(), 'sluice-demo-'));
process.once('exit', () => rmSync(directory, { recursive: true, force: true }));

const unknown = process.argv.slice(2).find((arg) => arg !== '--serve');
if (unknown !== undefined) {
  console.error(`demo: unknown option ${unknown}; there is only --serve`);
  process.exit(2);
}
const certificate = await makeCertificate();
const files = writeFiles(certificate);
if (process.argv.includes('--serve')) await serveOn();
else await tellAll();

async function tellAll(): Promise<void> {
  const server = await start();
  await useClients(server);
  await showHandshake();
  await showCut();
  step('The server ends');
  const code = await server.stop();
  tell(`SIGTERM: it drained its connections and exited with ${code}`);
  if (code !== 0) process.exitCode = 1;
  console.log(`\n${good('All of it worked.')} Next: README.md has a server in 20 lines, docs/guide the rest.`);
}

async function makeCertificate(): Promise<TestCertificate> {
  step('An authority, and a server certificate with many names');
  const made = await serverCertificate(ALTERNATIVE_NAMES);
  const bytes = new X509Certificate(made.certPem).raw.length;
  tell(`${thousands(ALTERNATIVE_NAMES)} subject alternative names make a certificate of ${thousands(bytes)} bytes.`);
  remark(
    'The buffer between OpenSSL and the socket holds 17,408 bytes by default, and 8,192 further below: no server can ' +
      'write this certificate into it in one go. OpenSSL answers WANT_WRITE then, which is no error.',
  );
  return made;
}

function writeFiles({ caPem, certPem, keyPem }: TestCertificate): Files {
  const paths = {
    ca: join(directory, 'ca.pem'),
    cert: join(directory, 'server.pem'),
    key: join(directory, 'server-key.pem'),
    socket: join(directory, 'kv.sock'),
  };
  writeFileSync(paths.ca, caPem);
  writeFileSync(paths.cert, certPem);
  writeFileSync(paths.key, keyPem, { mode: 0o600 });
  return paths;
}

async function start(): Promise<KvProcess> {
  step('kv-server: the memcached protocol over TCP, a Unix socket and TLS, one set of handlers');
  const server = await startKvServer({ certFile: files.cert, keyFile: files.key, unixPath: files.socket });
  tell(`TCP port ${server.tcpPort}, TLS port ${server.tlsPort}, Unix socket ${server.unixPath}`);
  return server;
}

async function useClients(server: KvProcess): Promise<void> {
  step('Clients: each stores a value, and reads what the one before it has stored');
  const context = TlsContext.client({ ca: certificate.caPem });
  const clients = await connectClients(server, { context, ca: certificate.caPem, caFile: files.ca });
  for (const [index, { wire, name, transport }] of clients.entries()) {
    await store(wire, `key-${index}`, `from ${name} over ${transport}`);
  }
  const rows: string[][] = [];
  for (const [index, client] of clients.entries()) rows.push(await readPrevious(client, index, clients.length));
  table(['client', 'transport', 'it read'], rows);
  for (const { wire } of clients) await wire.end();
  if (!hasOpenssl()) remark('openssl s_client is not installed here, and was left out (Debian: apt install openssl)');
}

async function readPrevious({ name, transport, wire }: Client, index: number, count: number): Promise<string[]> {
  return [name, transport, await read(wire, `key-${(index + count - 1) % count}`)];
}

async function showHandshake(): Promise<void> {
  step('The handshake, call by call');
  const context = TlsContext.server({ cert: certificate.certPem, key: certificate.keyPem });
  const trace = await traceHandshake({ context, ca: certificate.caPem, pairBytes: PAIR_BYTES });
  tell(
    `A server in this process with a buffer of ${thousands(PAIR_BYTES)} bytes, and a node:tls client. Each row is one call ` +
      'of SSL_accept; the numbers are bytes of ciphertext: read for the call, in the buffer when it returned, and taken ' +
      'out of it at once. What is still in it then follows as the socket takes more.',
  );
  table(
    ['call', 'it wanted', 'read', 'in buffer', 'taken out'],
    trace.calls.map(({ result, bytesIn, pending, bytesOut }, index) => [index + 1, result, bytesIn, pending, bytesOut]),
  );
  const { acceptCalls, wantWrite, wantRead, spins } = trace;
  tell(`${acceptCalls} calls: ${wantWrite} wanted to write, ${wantRead} wanted to read, ${spins} were made in vain.`);
  tell(`${thousands(trace.bytesIn)} bytes came in and ${thousands(trace.bytesOut)} went out.`);
  remark('After every call the buffer is emptied first, and only then is the answer looked at.');
}

async function showCut(): Promise<void> {
  step('A connection is cut: TCP ends in order, but TLS has not said goodbye (close_notify)');
  const { report, later } = await cutConnection(
    TlsContext.server({ cert: certificate.certPem, key: certificate.keyPem }),
    TlsContext.client({ ca: certificate.caPem }),
  );
  const { end, direction, layer, code, blame, remedy, error } = report;
  tell('`closed` came once, with this report:');
  facts({ end, direction, layer, code, blame, remedy, message: error?.message });
  remark('To plain TCP this was a clean end; half a value would have passed for all of it.');
  tell('The error stack, oldest first, as two later writes on the connection are told it:');
  for (const each of later) {
    verbatim(each.code);
    for (const entry of each.describeEntries()) verbatim(`  ${entry}`);
  }
  remark('The first permanent error is the reason and stays it; everybody who asks gets a copy of their own.');
}

async function serveOn(): Promise<void> {
  const server = await start();
  step('Try it');
  verbatim(`printf 'set greeting 0 0 5\\r\\nhello\\r\\nget greeting\\r\\nquit\\r\\n' | openssl s_client -quiet \\`);
  verbatim(`  -CAfile ${files.ca} -servername localhost -connect 127.0.0.1:${server.tlsPort}`);
  verbatim(`telnet 127.0.0.1 ${server.tcpPort}`);
  verbatim(`memccapable -h 127.0.0.1 -p ${server.tcpPort} -a      (Debian: libmemcached-tools)`);
  console.log('\nCtrl-C ends it.');
  await new Promise((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
  process.exitCode = await server.stop();
}
