import { spawnSync } from 'node:child_process';
import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel';
import process from 'node:process';
import { Library, packCode } from '@sluice/errors';
import { expect } from 'chai';
import { nativeQueue } from '../../native/test/support/native-queue.ts';
import { handshakeLine } from '../src/diagnostics.ts';
import type { TlsDiagnosticMessages } from '../src/index.ts';
import { contexts } from './support/contexts.ts';
import { Duo } from './support/duo.ts';

const NAMES = ['sluice.tls.handshake.start', 'sluice.tls.handshake.end', 'sluice.tls.errors.stale'] as const;

describe('diagnostics', () => {
  const ends: (() => void)[] = [];

  afterEach(() => {
    for (const end of ends.splice(0)) end();
  });

  function hear<N extends (typeof NAMES)[number]>(name: N): TlsDiagnosticMessages[N][] {
    const heard: TlsDiagnosticMessages[N][] = [];
    const listener = (message: unknown): void => void heard.push(message as TlsDiagnosticMessages[N]);
    subscribe(name, listener);
    ends.push(() => unsubscribe(name, listener));
    return heard;
  }

  it('tell when a handshake begins, and once that it is done', async () => {
    const [starts, dones] = [hear('sluice.tls.handshake.start'), hear('sluice.tls.handshake.end')];
    const duo = new Duo(await contexts());
    duo.connect();
    const { client, server } = duo;
    expect(new Set(starts.map(({ bev }) => bev))).to.deep.equal(new Set([client.tls, server.tls]));
    expect(starts.length).to.equal(2);
    expect(dones.length).to.equal(2);
    const done = dones.find(({ bev }) => bev === server.tls);
    expect(done).to.deep.include({ done: true, error: undefined });
    expect(done?.handshake).to.include({ spins: 0, acceptCalls: server.tls.handshake.acceptCalls });
    duo.closeInOrder();
    expect(dones.length).to.equal(2);
  });

  it('tell the error of a handshake that fails, and that there is none for one that was given up', async () => {
    const dones = hear('sluice.tls.handshake.end');
    const failing = new Duo(await contexts());
    failing.loop.turn();
    failing.link.cut('reset');
    failing.settle();
    const failed = dones.find(({ bev }) => bev === failing.server.tls);
    expect(failed).to.include({ done: false, error: failing.server.report?.error });
    expect(failed?.error?.code).to.equal('SLUICE_SYSTEM_ECONNRESET');

    const given = new Duo(await contexts());
    given.loop.turn();
    given.client.tls.destroy();
    given.settle();
    expect(dones.find(({ bev }) => bev === given.client.tls)).to.include({ done: false, error: undefined });
  });

  it('tell once of errors that somebody had left in the queue, with the connection that met them', async () => {
    const stale = hear('sluice.tls.errors.stale');
    const duo = new Duo(await contexts()).connect();
    expect(stale).to.have.length(0);
    for (const reason of [100, 101]) nativeQueue.raise(packCode(Library.ssl, reason), 'elsewhere.c', 1, 'somebody');
    duo.client.tls.write('over the junk');
    duo.loop.settle();
    expect(stale).to.deep.equal([{ bev: duo.client.tls, count: 2 }]);
    expect(duo.client.tls.channel.staleErrors).to.equal(2);
    duo.client.tls.write('and on');
    duo.loop.settle();
    expect(stale).to.have.length(1);
  });

  it('have lines for people, with NODE_DEBUG=sluice:tls', async () => {
    const duo = new Duo(await contexts());
    const { tls } = duo.server;
    expect(handshakeLine(tls, undefined)).to.match(
      /^tls \d+ gave its handshake up; 0 calls, 0 wanted input, 0 output, 0 ms$/,
    );
    duo.connect();
    expect(handshakeLine(tls, undefined)).to.match(
      /^tls \d+ has shaken hands: TLSv1\.3 TLS_\w+; \d calls, \d wanted input, \d output, \d+ ms$/,
    );
    const failing = new Duo(await contexts());
    failing.loop.turn();
    failing.link.cut('reset');
    failing.settle();
    const { error } = failing.server.report ?? expect.fail();
    expect(handshakeLine(failing.server.tls, error)).to.match(
      /failed to shake hands, SLUICE_SYSTEM_ECONNRESET: .+; \d+ calls/,
    );
    const program = `
      import { connect, serve } from '@sluice/core';
      import { connectTls, TlsContext } from ${JSON.stringify(new URL('../src/index.ts', import.meta.url).href)};
      const server = await serve({ host: '127.0.0.1', port: 0 }, { data: (bev) => bev.end() });
      const bev = connectTls(TlsContext.client(), { host: '127.0.0.1', port: [...server.listening][0].address.port });
      await new Promise((resolve) => bev.once('closed', resolve));
      await server.close();`;
    const lines = (section: string): string[] => {
      const flags = ['--conditions=@sluice/source', '--disable-warning=ExperimentalWarning', '--input-type=module'];
      const env = { ...process.env, NODE_DEBUG: section };
      const { stderr } = spawnSync(process.execPath, [...flags, '-e', program], { env, encoding: 'utf8' });
      return stderr
        .trim()
        .split('\n')
        .map((line) => line.replace(/^SLUICE:TLS \d+: tls \d+ /, ''));
    };
    const [start, end, ...more] = lines('sluice:tls');
    expect([start, more]).to.deep.equal(['shakes hands', []]);
    expect(end).to.match(/^failed to shake hands, SLUICE_TLS_TRUNCATED: /);
    expect(lines('other')).to.deep.equal(['']);
  }).timeout(60_000);

  it('publish nothing while nobody subscribes', async () => {
    const published: string[] = [];
    for (const name of NAMES) {
      const open = channel(name);
      Object.defineProperty(open, 'publish', { value: () => published.push(name), configurable: true });
      ends.push(() => void Reflect.deleteProperty(open, 'publish'));
    }
    new Duo(await contexts()).connect();
    expect(published).to.deep.equal([]);
    hear('sluice.tls.handshake.end');
    new Duo(await contexts()).connect();
    expect(published.length).to.equal(2);
  });
});
