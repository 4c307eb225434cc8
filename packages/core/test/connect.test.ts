import { mkdtempSync, rmSync } from 'node:fs';
import type { LookupFunction } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiMisuse } from '@sluice/errors';
import { expect } from 'chai';
import { type BufferEvent, type CloseReport, connect, connected, EventLoop, type Server, serve } from '../src/index.ts';
import { iterationsUntil } from './support/driven-loop.ts';
import { UNKNOWN_HOST } from './support/unknown-host.ts';

describe('connect', () => {
  let loop: EventLoop;
  let server: Server;

  beforeEach(async () => {
    loop = new EventLoop();
    server = await serve(
      { port: 0, host: '127.0.0.1', loop },
      { data: (bev) => void bev.output.appendFrom(bev.input) },
    );
  });

  afterEach(async () => {
    await server.close();
    loop.close();
  });

  const port = (): number => [...server.listening][0]?.address.port ?? 0;
  const closed = (bev: BufferEvent) => new Promise<CloseReport>((resolve) => bev.once('closed', resolve));

  it('keeps a run of its loop going while a name is looked up', async () => {
    const alone = new EventLoop();
    const client = connect({ port: port(), host: 'localhost', loop: alone });
    expect(alone.handles()).to.deep.equal([{ kind: 'ref', name: 'lookup of localhost', hasRef: true, pending: false }]);
    client.on('connected', () => client.end());
    expect((await alone.run()).reason).to.equal('idle');
    expect(client.closed?.end).to.equal('end');
    alone.close();
  });

  it('takes bytes at once and sends them when it is connected; nothing happens inside the call', async () => {
    const client = connect({ port: port(), host: '127.0.0.1', loop });
    const log: string[] = [];
    client.on('connected', () => log.push('connected'));
    client.on('data', () => {
      log.push(client.read().toString());
      client.end();
    });
    client.write('early');
    expect(client.connected).to.equal(false);
    expect(log).to.deep.equal([]);
    expect((await closed(client)).end).to.equal('end');
    expect(log).to.deep.equal(['connected', 'early']);
  });

  it('looks a name up and tries its addresses in turn', async () => {
    const client = connect({ port: port(), host: 'localhost', loop });
    client.on('connected', () => client.end());
    expect((await closed(client)).end).to.equal('end');
  });

  it('races the addresses of both families, and gives the losers up', async () => {
    const asked: number[] = [];
    const lookup: LookupFunction = (_host, { family }, done) => {
      asked.push(family as number);
      done(null, family === 6 ? [{ address: '::1', family: 6 }] : [{ address: '127.0.0.1', family: 4 }]);
    };
    const client = connect({ port: port(), host: 'name.test', loop, lookup });
    let address: string | undefined;
    client.on('connected', () => {
      address = client.remoteAddress?.address;
      client.end();
    });
    expect((await closed(client)).end).to.equal('end');
    expect(address).to.equal('127.0.0.1');
    expect(asked).to.deep.equal([6, 4]);
    const only = connect({ port: port(), host: 'name.test', loop, lookup, family: 6 });
    expect((await closed(only)).error?.message).to.match(/ECONNREFUSED|EADDRNOTAVAIL/);
    expect(asked).to.deep.equal([6, 4, 6]);
    // A socket that lost is closed by the system a poll later.
    const ours = [client, only].map(({ id }) => `tcp ${id}`);
    await iterationsUntil(() => !loop.handles().some(({ name }) => ours.includes(name)));
  });

  it('names a host that is not known', async () => {
    const report = await closed(connect({ port: port(), host: UNKNOWN_HOST, loop }));
    expect(report.end).not.to.equal('end');
    expect(report.error?.message).to.match(/no-such\.\.host/);
    expect(report.error?.operation).to.equal('lookup');
  });

  it('can be destroyed while it looks up or connects', async () => {
    const lookingUp = connect({ port: port(), host: 'localhost', loop });
    lookingUp.destroy();
    const connecting = connect({ port: port(), host: '127.0.0.1', loop });
    connecting.destroy();
    expect((await closed(connecting)).end).to.equal('aborted');
    expect(lookingUp.closed?.end).to.equal('aborted');
  });

  it('is given up by its signal while it does not stand, and not later', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const stands = connect({ port: port(), host: '127.0.0.1', loop, signal });
    await connected(stands);
    const waiting: [string, BufferEvent][] = [
      ['looked up', connect({ port: port(), host: 'slow.test', loop, signal, lookup: () => {} })],
      ['connecting', connect({ port: port(), host: '127.0.0.1', loop, signal })],
    ];
    controller.abort();
    waiting.push(['aborted before', connect({ port: port(), host: '127.0.0.1', loop, signal })]);
    const reports = await Promise.all(waiting.map(async ([what, bev]) => [what, await closed(bev)] as const));
    for (const [what, report] of reports) {
      expect(report, what).to.include({ end: 'aborted', code: 'SLUICE_CORE_ABORTED', blame: 'local' });
    }
    expect(stands.connected).to.equal(true);
    expect(
      loop.handles().filter(({ kind }) => kind === 'ref'),
      'nobody waits for an answer',
    ).to.deep.equal([]);
    expect((await stands.close()).end).to.equal('end');
  });

  it("ends with what a lookup of the user's did wrong", async () => {
    const wrong: [LookupFunction, RegExp][] = [
      [
        () => {
          throw new Error('no resolver');
        },
        /lookup odd.test failed: no resolver/,
      ],
      [(_host, _options, done) => done(new Error('refused'), ''), /refused/],
      [(_host, _options, done) => done(null, undefined as never), /no addresses/],
      [(_host, _options, done) => done(null, [{ address: 5 }] as never), /no addresses/],
    ];
    for (const [lookup, message] of wrong) {
      const report = await closed(connect({ port: port(), host: 'odd.test', loop, lookup }));
      expect(report).to.include({ end: 'failed', code: 'SLUICE_CORE_LOOKUP_FAILED', blame: 'local' });
      expect(report.error?.message).to.match(message);
    }
    const plain = connect({
      port: port(),
      host: 'odd.test',
      loop,
      family: 4,
      // Twice, and without an object around the address.
      lookup: (_host, _options, done) => {
        done(null, ['127.0.0.1'] as never);
        done(new Error('too late'), '');
      },
    });
    await connected(plain);
    await plain.close();
    expect(loop.handles().filter(({ kind }) => kind === 'ref')).to.deep.equal([]);
  });

  it('connects to a Unix socket, and says so when there is none', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'sluice-'));
    const path = join(directory, 'socket');
    await server.listen({ path });
    const client = connect({ path, loop });
    expect(client.transport).to.equal('unix');
    client.on('connected', () => client.end());
    expect((await closed(client)).end).to.equal('end');
    const report = await closed(connect({ path: join(directory, 'nothing'), loop }));
    expect(report.error?.message).to.match(/ENOENT/);
    await server.close();
    rmSync(directory, { recursive: true });
  });

  it('refuses a port that cannot be one', () => {
    expect(() => connect({ port: 0, loop })).to.throw(ApiMisuse, /port from 1/);
    expect(() => connect({ loop })).to.throw(ApiMisuse);
  });
});
