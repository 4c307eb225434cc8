import { expect } from 'chai';
import { contexts } from './support/contexts.ts';
import { Duo } from './support/duo.ts';

describe('stats', () => {
  it('are plain values that tell of a connection, its session, and what was negotiated', async () => {
    const duo = new Duo(await contexts());
    const before = duo.server.tls.stats;
    expect(before).to.deep.include({ transport: 'tls', state: 'connecting', end: null, negotiated: null });
    expect(before.session).to.include({ handshakeDone: false, calls: 0, bytesIn: 0 });

    duo.connect();
    duo.client.tls.write('hello');
    duo.settle();
    const { tls, below } = duo.server;
    const { stats } = tls;
    expect(JSON.parse(JSON.stringify(stats))).to.deep.equal(stats);
    expect(stats).to.include({ state: 'open', bytesIn: 5, bytesOut: 0, memoryBytes: tls.memoryBytes });
    expect(stats.session).to.include({
      handshakeDone: true,
      spins: 0,
      alerts: 0,
      closeNotifySent: false,
      pairBytes: tls.session.pairBytes,
      bytesIn: below.bytesIn,
      bytesOut: below.bytesOut,
    });
    expect(stats.session.handshake).to.deep.equal(tls.handshake.summary);
    expect(stats.negotiated).to.include({ version: 'TLSv1.3', cipher: tls.tls?.cipher, resumed: false });
    expect(stats.underlying).to.deep.equal(below.stats);

    duo.closeInOrder();
    expect(duo.server.tls.stats).to.include({ state: 'closed', end: 'end' });
    expect(duo.server.tls.stats.session).to.include({ closeNotifySent: true, closeNotifyReceived: true });
    expect(before.session.handshakeDone, 'a snapshot stays what it was').to.equal(false);
  });
});
