import { execFileSync } from 'node:child_process';
import net from 'node:net';
import { inspect } from 'node:util';
import { once } from 'node:events';
import { expect } from 'chai';
import { KeepAlive } from '../src/loop-handles.ts';
import { serve } from '../src/index.ts';
import { TestLoop, VirtualClock } from '../src/testing/index.ts';
import { DrivenLoop } from './support/driven-loop.ts';

describe('KeepAlive', () => {
  it('holds one alarm while anything holds it, and asks for it again in time', () => {
    const clock = new VirtualClock();
    let dropped = 0;
    const alive = new KeepAlive(clock, () => (dropped += 1));
    const first = alive.hold('first');
    const second = alive.hold('second');
    expect([clock.pending, alive.count]).to.deep.equal([1, 2]);
    clock.advance(0x7fffffff);
    expect(clock.pending).to.equal(1);
    first.unref();
    first.unref();
    expect([clock.pending, alive.count, dropped]).to.deep.equal([1, 1, 0]);
    second[Symbol.dispose]();
    expect([clock.pending, alive.count, dropped]).to.deep.equal([0, 0, 1]);
  });

  it('holds nothing once it is closed', () => {
    const clock = new VirtualClock();
    const alive = new KeepAlive(clock, () => {});
    const early = alive.hold('early');
    alive.close();
    const late = alive.hold('late');
    expect([clock.pending, alive.count]).to.deep.equal([0, 0]);
    early.unref();
    late.unref();
    expect([clock.pending, alive.count]).to.deep.equal([0, 0]);
  });
});

describe('EventLoop.handles', () => {
  it('lists listeners and connections until they are gone', async () => {
    const loop = new DrivenLoop();
    const server = await serve({ port: 0, host: '127.0.0.1', loop }, {});
    const { port } = [...server.listening][0]?.address ?? { port: 0 };
    const client = net.connect(port, '127.0.0.1');
    await once(server as never, 'connection');
    const [bev] = [...server.connections];
    expect(loop.handles()).to.deep.equal([
      { kind: 'listener', name: `tcp 127.0.0.1:${port}`, hasRef: true, pending: true },
      { kind: 'connection', name: `tcp ${bev?.id}`, hasRef: true, pending: true },
    ]);
    client.destroy();
    await server.close();
    expect(loop.handles()).to.deep.equal([]);
    expect((await loop.run()).reason).to.equal('idle');
  });

  it('lists what is queued as well as what is waiting, and dump and inspect show it', () => {
    const loop = new TestLoop({ priorities: 2 });
    loop.timer(5, () => {}, { priority: 1 });
    loop.interval(7, () => {}, { priority: 0 });
    loop.idleTimer(() => {}).start(3);
    loop.deferNext(() => {});
    loop.ref('database');
    loop.defer(() => {}, 0);
    // The first turn runs what is urgent only: the timer stays queued.
    loop.virtual.advance(5);
    loop.turn();
    const dump = loop.dump();
    expect(dump).to.deep.include({ turns: 1, now: 5, queued: [0, 2], later: 0, active: 0, dirty: 0, running: false });
    expect(dump.handles).to.deep.equal([
      { kind: 'timer', name: 'timer', hasRef: true, pending: true, priority: 1, deadline: 5 },
      { kind: 'timer', name: 'every 7 ms', hasRef: true, pending: true, priority: 0, deadline: 7 },
      { kind: 'ref', name: 'database', hasRef: true, pending: false },
    ]);
    expect(inspect(loop))
      .to.match(/^EventLoop \{\s+turns: 1,/)
      .and.to.include("name: 'every 7 ms'");
    expect(inspect({ deep: { loop } }, { depth: 0 })).not.to.include('turns');
    expect(loop.close().length).to.equal(3);
    expect(loop.close()).to.deep.equal([]);
  });

  it('tells who made each, with SLUICE_DEBUG', () => {
    const program = `
      import { connect, EventLoop, Listener } from ${JSON.stringify(new URL('../src/index.ts', import.meta.url).href)};
      const loop = new EventLoop();
      function makeThem() {
        loop.timer(1, () => {});
        loop.userEvent(() => {});
        loop.ref('mine');
        const listener = new Listener(loop, { address: '127.0.0.1' }, () => {});
        connect({ loop, host: '127.0.0.1', port: listener.address.port });
      }
      makeThem();
      console.log(JSON.stringify(loop.handles().map(({ origin }) => origin?.includes('makeThem'))));
      loop.close();`;
    const run = (debug: string): string =>
      execFileSync(process.execPath, ['--conditions=@sluice/source', '--input-type=module', '-e', program], {
        env: { ...process.env, SLUICE_DEBUG: debug },
        encoding: 'utf8',
      });
    expect(run('1')).to.equal('[true,true,true,true,true]\n');
    expect(run('')).to.equal('[null,null,null,null,null]\n');
  }).timeout(20_000);
});
