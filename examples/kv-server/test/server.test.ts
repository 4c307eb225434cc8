import { type BufferEvent, connect, EventLoop } from '@sluice/core';
import { expect } from 'chai';
import { createKvServer, type KvServer } from '../server.ts';

describe('kv-server server', () => {
  let loop: EventLoop;
  let kv: KvServer;
  let port: number;

  beforeEach(async () => {
    loop = new EventLoop();
    kv = createKvServer({ memoryLimitBytes: 4_000_000, loop, wallNow: () => 1_700_000_000_000 });
    port = (await kv.server.listen({ port: 0, host: '127.0.0.1' })).address.port;
  });

  afterEach(async () => {
    await kv.server.close();
    loop.close();
  });

  /** One command over a connection of its own, and the answer up to its end. */
  async function ask(command: string): Promise<string> {
    const bev: BufferEvent = connect({ port, host: '127.0.0.1', loop });
    bev.write(`${command}\r\nquit\r\n`);
    await new Promise((resolve) => bev.on('closed', resolve));
    return bev.read().toString('latin1');
  }

  it('serves connections from one store', async () => {
    expect(await ask('set k 0 0 1\r\nx')).to.equal('STORED\r\n');
    expect(await ask('get k')).to.equal('VALUE k 0 1\r\nx\r\nEND\r\n');
    expect(kv.store.memoryLimitBytes).to.equal(4_000_000);
  });

  it('reads expiry dates by the clock it was given', async () => {
    await ask('set past 0 1699999999 1\r\nx');
    await ask('set future 0 1700000100 1\r\nx');
    expect(await ask('get past future')).to.equal('VALUE future 0 1\r\nx\r\nEND\r\n');
  });

  it('counts connections and bytes, those of closed connections included', async () => {
    const first = 'version\r\nquit\r\n'.length;
    await ask('version');
    const stats = await ask('stats');
    expect(stats).to.contain('STAT curr_connections 1\r\n').and.to.contain('STAT total_connections 2\r\n');
    expect(stats).to.contain(`STAT bytes_read ${first + 'stats\r\nquit\r\n'.length}\r\n`);
    expect(stats).to.contain(`STAT bytes_written ${'VERSION 1.6.18-sluice\r\n'.length}\r\n`);
  });

  it('tells its settings', async () => {
    kv.settings.unixPath = '/tmp/kv.sock';
    expect(await ask('stats settings'))
      .to.contain('STAT domain_socket /tmp/kv.sock\r\n')
      .and.to.match(/END\r\n$/);
  });
});
