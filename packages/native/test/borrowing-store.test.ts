import { expect } from 'chai';
import { serverCertificate } from '../../../test/support/certificates.ts';
import { context, Endpoint, handshake, SslError, wire } from './support/engines.ts';
import { nativeQueue } from './support/native-queue.ts';

const STORE_BYTES = 4096;

/** Two ends after their handshake, over stores that borrow. */
async function connected(storeBytes = STORE_BYTES): Promise<{ client: Endpoint; server: Endpoint }> {
  const { certPem: cert, keyPem: key } = await serverCertificate();
  const ends = {
    client: new Endpoint(context({}), storeBytes, '', false),
    server: new Endpoint(context({ server: true, cert, key }), storeBytes, '', false),
  };
  wire(ends.client, ends.server);
  handshake(ends.client, ends.server);
  ends.client.readAll();
  return ends;
}

describe('BorrowingStore', () => {
  for (const storeBytes of [1, 17, 64, 512, 4096, 8192, 17_408]) {
    it(`carries a connection, both ways, at ${storeBytes} bytes`, async () => {
      const { client, server } = await connected(storeBytes);
      const bytes = Buffer.from(Uint8Array.from({ length: storeBytes < 64 ? 3000 : 100_000 }, (_, at) => at % 251));
      client.writeAll(bytes);
      expect(bytes.equals(server.readAll())).to.equal(true);
      server.writeAll(bytes);
      expect(bytes.equals(client.readAll())).to.equal(true);
    });
  }

  it('holds no more than its bound for a peer that takes a little at a time, for ever', async () => {
    const held: number[] = [];
    // V8's compiler has memory of its own, and gives it back whenever it likes: the least of three is the engine's.
    for (let round = 0; round < 3; round++) {
      const { client } = await connected();
      // Nobody takes what is sent, so that nothing but the engine holds memory.
      client.peer = undefined;
      const piece = Buffer.alloc(1000, 'x');
      client.outputBytes = 0;
      client.step('write', piece);
      client.outputBytes = 300;
      while (client.sent < 250_000) {
        // What waits never runs out: more comes as soon as there is room.
        if (client.result('pendingOut') + 1100 <= STORE_BYTES) client.step('write', piece);
        client.step('move');
      }
      expect(client.result('pendingOut')).to.be.within(1, STORE_BYTES);
      const before = nativeQueue.heapBytes();
      client.engine.free();
      held.push(before - nativeQueue.heapBytes());
    }
    expect(Math.min(...held), 'native heap').to.be.at.most(80_000);
  });

  it('refuses what is over its bound, whatever room the caller has', async () => {
    const { client } = await connected(512);
    client.step('write', Buffer.alloc(1000));
    expect([client.result('sslError'), client.result('pendingAfter'), client.result('produced')]).to.deep.equal([
      SslError.wantWrite,
      512,
      512,
    ]);
  });
});
