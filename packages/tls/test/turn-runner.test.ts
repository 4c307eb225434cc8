import { expect } from 'chai';
import { contexts } from './support/contexts.ts';
import { Duo } from './support/duo.ts';

const RECORD_BYTES = 16 * 1024;

describe('TurnRunner', () => {
  for (const left of [0, 1, 100, 2048, 4000, RECORD_BYTES]) {
    it(`moves out all that was written when ${left} bytes of scratch memory are left`, async () => {
      const duo = new Duo(await contexts()).connect();
      const { scratch } = duo.loop;
      duo.loop.defer(() => {
        scratch.reserve(scratch.free - left);
        duo.client.tls.write(Buffer.alloc(RECORD_BYTES, 'x'));
      });
      duo.settle();
      expect(duo.client.tls.session.pendingOut).to.equal(0);
      expect(duo.server.receivedBytes).to.equal(RECORD_BYTES);
    });
  }
});
