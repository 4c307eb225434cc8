import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { expect } from 'chai';
import type { Listener } from '../src/index.ts';
import { DebugLog } from '../src/debug-log.ts';
import { capError } from '../src/bufferevent-errors.ts';
import { link, TestLoop } from '../src/testing/index.ts';

describe('DebugLog', () => {
  it('tells of connections by their names, of ends with their reasons', () => {
    const lines: string[] = [];
    const log = new DebugLog((line) => lines.push(line));
    const loop = new TestLoop();
    const wires = link(loop);
    const [bev] = wires.ends;
    const name = `link ${bev.id}`;
    const listener = { address: { family: 'IPv6', address: '::1', port: 80 } } as Listener;
    log.connectStart(bev, { host: 'a.test', port: 1 });
    log.connectStart(bev, { path: '/run/x' });
    log.connectEnd(bev, true, undefined);
    log.connectEnd(bev, false, undefined);
    log.connectEnd(bev, false, capError(1, 2, 3));
    log.accept(bev, listener);
    log.notTaken(listener, 'blocked', { family: 'IPv4', address: '192.0.2.1', port: 5 });
    log.pressure(bev, 'read', 'high', 10);
    log.pressure(bev, 'write', 'low', 0);
    log.limit(bev, capError(1, 2, 3));
    log.note(bev, 'shakes hands');
    wires.cut('reset');
    loop.settle();
    log.close(bev, bev.closed ?? expect.fail());
    const cap = capError(1, 2, 3).message;
    expect(lines).to.deep.equal([
      `${name} connects to a.test:1`,
      `${name} connects to /run/x`,
      `${name} is connected from an unknown peer`,
      `${name} is not connected: given up here`,
      `${name} is not connected: ${cap}`,
      `${name} accepted from an unknown peer at [::1]:80`,
      '192.0.2.1:5 is not taken at [::1]:80: blocked',
      `${name} input is full: 10 bytes`,
      `${name} output has room again: 0 bytes`,
      `${name} met a limit: ${cap}`,
      `${name} shakes hands`,
      `${name} closed: reset, 0 bytes in, 0 out, 0 ms, SLUICE_SYSTEM_ECONNRESET, blame remote: ${bev.closed?.error?.message}`,
    ]);
  });

  it('is there with NODE_DEBUG=sluice, and else not', () => {
    const program = `
      import { connect, serve } from ${JSON.stringify(new URL('../src/index.ts', import.meta.url).href)};
      const server = await serve(
        { host: '127.0.0.1', port: 0, limits: { connectionsMax: 1 } },
        { data: (bev) => void bev.write(bev.read()) },
      );
      const where = { host: '127.0.0.1', port: [...server.listening][0].address.port };
      const client = connect({ ...where, watermarks: { write: { low: 1, high: 3 } } });
      client.write('hello');
      await new Promise((resolve) => client.once('data', resolve));
      const refused = connect(where);
      await new Promise((resolve) => refused.once('closed', resolve));
      try { client.write(Buffer.alloc(2 ** 21)); } catch {}
      await client.close();
      await server.close();`;
    const run = (section: string): string => {
      const { stderr, status } = spawnSync(
        process.execPath,
        ['--conditions=@sluice/source', '--disable-warning=ExperimentalWarning', '--input-type=module', '-e', program],
        { env: { ...process.env, NODE_DEBUG: section }, encoding: 'utf8' },
      );
      expect(status, stderr).to.equal(0);
      return stderr.replaceAll(/127\.0\.0\.1:\d+/g, 'ADDRESS').replaceAll(/^SLUICE \d+: /gm, '');
    };
    const lines = run('sluice').trim().split('\n');
    for (const line of [
      /^tcp 1 connects to ADDRESS$/,
      /^tcp 1 output is full: 5 bytes$/,
      /^tcp 1 is connected from ADDRESS$/,
      /^tcp 2 accepted from ADDRESS at ADDRESS$/,
      /^tcp 1 output has room again: 0 bytes$/,
      /^ADDRESS is not taken at ADDRESS: connections$/,
      /^tcp 1 met a limit: output holds 0 bytes and 2097152 more/,
      /^tcp 1 closed: end, 5 bytes in, 5 out, \d+ ms$/,
    ]) {
      expect(lines.filter((each) => line.test(each)).length, `${line} in ${lines.join('\n')}`).to.equal(1);
    }
    expect(run('other')).to.equal('');
  }).timeout(60_000);
});
