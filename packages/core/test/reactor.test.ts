import net from 'node:net';
import { once } from 'node:events';
import { Counter } from '@sluice/native';
import { expect } from 'chai';
import { type BufferEvent, connect, EvBuffer, EventLoop, Reactor, serve } from '../src/index.ts';

describe('Reactor', () => {
  const loops: EventLoop[] = [];

  afterEach(() => {
    for (const loop of loops.splice(0)) loop.close();
  });

  function newLoop(): EventLoop {
    const loop = new EventLoop();
    loops.push(loop);
    return loop;
  }

  it('is made once per loop', () => {
    const loop = newLoop();
    expect(Reactor.of(loop)).to.equal(Reactor.of(loop));
    expect(Reactor.of(loop)).not.to.equal(Reactor.of(newLoop()));
  });

  it('carries many connections through one call in and one call out per turn', async () => {
    const loop = newLoop();
    const server = await serve(
      { port: 0, host: '127.0.0.1', loop },
      { data: (bev) => void bev.output.appendFrom(bev.input) },
    );
    const port = [...server.listening][0]?.address.port ?? 0;
    const sockets = await Promise.all(
      Array.from({ length: 40 }, async () => {
        const socket = net.connect(port, '127.0.0.1');
        await once(socket, 'connect');
        return socket;
      }),
    );
    while (server.connections.size < 40) await new Promise((resolve) => setImmediate(resolve));
    const { counters } = Reactor.of(loop);
    const before = counters.slice();
    for (const socket of sockets) socket.write('ping');
    await Promise.all(sockets.map((socket) => once(socket, 'data')));
    const since = (counter: number): number => (counters[counter] as number) - (before[counter] as number);
    expect(since(Counter.reads)).to.equal(40);
    expect(since(Counter.writes)).to.equal(40);
    expect(since(Counter.deliveries)).to.be.below(20);
    expect(since(Counter.flushes)).to.be.below(20);
    for (const socket of sockets) socket.destroy();
    await server.close();
  });

  it("sends the bytes of another loop's slab as they were read, not its own", async () => {
    const reading = newLoop();
    const writing = newLoop();
    const sink = net.createServer().listen(0, '127.0.0.1');
    await once(sink, 'listening');
    const target = connect({ port: (sink.address() as net.AddressInfo).port, host: '127.0.0.1', loop: writing });
    const [[peer]] = (await Promise.all([once(sink, 'connection'), once(target as never, 'connected')])) as [
      [net.Socket],
      unknown,
    ];
    const relayed = new Promise<BufferEvent>((resolve) => {
      void serve(
        { port: 0, host: '127.0.0.1', loop: reading },
        {
          data: (bev) => {
            const held = new EvBuffer();
            held.appendFrom(bev.input);
            target.write(held);
            writing.turn();
            resolve(bev);
          },
        },
      ).then((server) => net.connect([...server.listening][0]?.address.port ?? 0, '127.0.0.1').end('over two loops'));
    });
    await relayed;
    const [got] = (await once(peer, 'data')) as [Buffer];
    expect(got.toString()).to.equal('over two loops');
    target.destroy();
    peer.destroy();
    sink.close();
  });
});
