import { expect } from 'chai';
import { contexts, PAIRS } from './support/contexts.ts';
import { Duo } from './support/duo.ts';

describe('TlsBufferEvent', () => {
  for (const pairBytes of PAIRS) {
    it(`connects, echoes and ends in order over a pair of ${pairBytes}`, async () => {
      const duo = new Duo(await contexts(), { client: { pairBytes }, server: { pairBytes } });
      duo.client.tls.write('written before the handshake');
      duo.settle();
      expect(duo.server.text).to.equal('written before the handshake');
      duo.server.tls.write('answer');
      duo.settle();
      expect(duo.client.text).to.equal('answer');
      duo.closeInOrder();
      expect(duo.client.story).to.deep.equal(['connected', 'data', 'end', 'closed']);
      expect(duo.server.story).to.deep.equal(['connected', 'data', 'end', 'closed']);
      expect(duo.server.report?.handshake).to.include({ spins: 0 });
      expect(duo.server.report?.bytesIn).to.equal(28);
    });
  }
});
