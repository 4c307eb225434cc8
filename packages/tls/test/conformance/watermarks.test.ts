import { expect } from 'chai';
import { contexts, describeStores, PAIRS } from '../support/contexts.ts';
import { Duo } from '../support/duo.ts';
import { pattern, RECORD_OVERHEAD } from '../support/wire.ts';

describeStores('TLS watermarks', (store) => {
  for (const pairBytes of PAIRS) {
    it(`T38 read high watermark: plaintext stays below it and a record, pair of ${pairBytes}`, async () => {
      const high = 10_240;
      const duo = new Duo(await contexts(), {
        store,
        server: { pairBytes, watermarks: { read: { low: 1, high } } },
        capacityBytes: 4096,
        transport: { watermarks: { read: { high: 8192 }, write: { low: 1000, high: 4096 } } },
      }).connect();
      duo.server.reads = false;
      const sent = pattern(65_536);
      duo.client.tls.write(sent);
      duo.settle();
      const { tls, below } = duo.server;
      expect(tls.input.length).to.be.within(high, high + 16_384);
      expect(below.input.length).to.be.at.most(8192);
      expect(below._mayRead).to.equal(false);
      expect(duo.client.tls.session.bytesOut).to.be.below(60_000);

      const full = tls.input.length;
      duo.server.take(full - high);
      duo.settle();
      expect(tls.input.length, 'still at the mark').to.equal(high);
      duo.server.take(1);
      duo.settle();
      expect(tls.input.length, 'a byte below it').to.be.above(high - 1);
      duo.server.reads = true;
      duo.server.take();
      duo.settle();
      expect(Buffer.concat(duo.server.received)).to.deep.equal(sent);
      duo.closeInOrder();
    });
  }

  for (const pairBytes of PAIRS) {
    it(`T39 read low watermark: data at a whole frame, or when no more can come, pair of ${pairBytes}`, async () => {
      const options = { pairBytes, watermarks: { read: { low: 24 } } };
      const duo = new Duo(await contexts(), { store, server: options }).connect();
      duo.server.reads = false;
      const count = (): number => duo.server.events.filter((event) => event === 'data').length;
      duo.client.tls.write(pattern(23));
      duo.settle();
      expect(count()).to.equal(0);
      duo.client.tls.write(pattern(1));
      duo.settle();
      expect(count()).to.equal(1);
      duo.server.tls.setWatermarks({ read: { low: 100 } });
      duo.client.tls.write(pattern(75));
      duo.settle();
      expect(count()).to.equal(1);
      duo.client.tls.end();
      duo.settle();
      expect(duo.server.events).to.deep.equal(['connected', 'data', 'data', 'end', 'closed']);
      expect(duo.server.tls.input.length).to.equal(99);
    });

    it(`T40 drained at the low mark, and flushed when pair and transport are empty, pair of ${pairBytes}`, async () => {
      const low = 5000;
      const duo = new Duo(await contexts(), {
        store,
        client: { pairBytes, watermarks: { write: { low, high: 20_000 } } },
        transport: { watermarks: { write: { low: 1000, high: 4000 } } },
        capacityBytes: 2000,
      }).connect();
      const { client, server } = duo;
      server.tls.pause();
      server.below.pause();
      expect(client.tls.write(pattern(60_000))).to.equal(false);
      let flushed = false;
      void client.tls.flush().then(() => (flushed = true));
      duo.settle();
      expect(client.events).to.not.include('drained');
      const marks: number[] = [];
      client.tls.on('drained', () => marks.push(client.tls.output.length));
      server.below.resume();
      server.tls.resume();
      for (let turn = 0; turn < 10_000 && duo.loop.pending; turn++) {
        const { length } = client.tls.output;
        duo.loop.turn();
        await Promise.resolve();
        // It is told in the turn after the one in which the mark was reached, at the latest.
        expect(marks, `output of ${length}`).to.have.length(length <= low ? 1 : marks.length);
        const { pendingOut, pendingWriteBytes } = client.tls.session;
        const held = pendingWriteBytes + pendingOut + client.below.output.length + client.tls.output.length;
        if (flushed) expect(held, 'flushed with bytes left').to.equal(0);
      }
      await Promise.resolve();
      expect(flushed).to.equal(true);
      expect(marks).to.have.length(1);
      expect(marks[0]).to.be.at.most(low);
      expect(server.receivedBytes).to.equal(60_000);
      duo.closeInOrder();
    });

    it(`T41 ten thousand small writes in a turn become whole records, pair of ${pairBytes}`, async () => {
      const duo = new Duo(await contexts({ version: 'TLSv1.3' }), {
        store,
        client: { pairBytes },
        transport: { watermarks: { write: { high: 500_000 } } },
      }).connect();
      const { session } = duo.client.tls;
      const before = session.bytesOut;
      for (let index = 0; index < 10_000; index++) duo.client.tls.write(`${index}`.padStart(10, ' '));
      duo.settle();
      expect(duo.server.receivedBytes).to.equal(100_000);
      expect(duo.server.text.slice(-10)).to.equal('      9999');
      const records = (session.bytesOut - before - 100_000) / RECORD_OVERHEAD;
      expect(records).to.equal(Math.round(records));
      expect(records).to.be.at.most(Math.ceil(100_000 / session.sliceBytesMax) + 1);
      duo.closeInOrder();
    });
  }

  it('T41 pieces of any size and kind of memory become whole records', async () => {
    const duo = new Duo(await contexts({ version: 'TLSv1.3' }), {
      store,
      transport: { watermarks: { write: { high: 500_000 } } },
    }).connect();
    const before = duo.client.tls.session.bytesOut;
    const sent: Buffer[] = [];
    for (let index = 0; index < 40; index++) {
      const piece = pattern(5000 + index, index);
      sent.push(piece);
      duo.client.tls.output.appendRef(piece);
    }
    const { length } = Buffer.concat(sent);
    duo.settle();
    expect(Buffer.concat(duo.server.received)).to.deep.equal(Buffer.concat(sent));
    const records = (duo.client.tls.session.bytesOut - before - length) / RECORD_OVERHEAD;
    expect(records).to.be.at.most(Math.ceil(length / 16_384) + 1);
    duo.closeInOrder();
  });
});
