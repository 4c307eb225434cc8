import { expect } from 'chai';
import { connect, EventLoop, Server } from '../src/index.ts';

describe('ServerStats', () => {
  it('count what a server and its listeners do, in plain values that stay what they are', async () => {
    const loop = new EventLoop();
    try {
      const server = new Server({ data: (bev) => void bev.write(bev.read()) }, { loop });
      const listener = await server.listen({ port: 0, host: '127.0.0.1' });
      const { port } = listener.address;
      const idle = server.stats;
      const clients = await Promise.all(
        [1, 2, 3].map(async () => {
          const client = connect({ loop, port, host: '127.0.0.1' });
          client.write('hello');
          await new Promise((resolve) => client.once('data', () => resolve(undefined)));
          return client;
        }),
      );
      expect(server.stats).to.deep.equal({
        listeners: [
          { transport: 'tcp', address: listener.address, listening: true, acceptedTotal: 3, acceptErrorsTotal: 0 },
        ],
        connections: 3,
        acceptedTotal: 3,
        rejected: { connections: 0, connectionsPerAddress: 0, blocked: 0 },
        closed: { end: 0, truncated: 0, reset: 0, timeout: 0, aborted: 0, failed: 0 },
        closedBytesIn: 0,
        closedBytesOut: 0,
      });
      listener._handleAcceptError(-24);
      const [first, second, third] = clients;
      await first?.close();
      await second?.close();
      [...server.connections][0]?.destroy();
      await new Promise((resolve) => third?.once('closed', resolve));
      await server.close();
      const { closed, closedBytesIn, closedBytesOut, connections, listeners } = server.stats;
      expect(closed).to.deep.include({ end: 2, aborted: 1, reset: 0 });
      expect([closedBytesIn, closedBytesOut, connections]).to.deep.equal([15, 15, 0]);
      expect(listeners).to.deep.equal([]);
      expect(listener.stats).to.include({ listening: false, acceptedTotal: 3, acceptErrorsTotal: 1 });
      expect(idle.connections + idle.acceptedTotal).to.equal(0);
      expect(JSON.parse(JSON.stringify(server.stats))).to.deep.equal(server.stats);
    } finally {
      loop.close();
    }
  });
});
