import type { SluiceError } from '@sluice/errors';
import { expect } from 'chai';
import { nativeQueue } from '../../native/test/support/native-queue.ts';
import { contexts } from './support/contexts.ts';
import { Duo } from './support/duo.ts';

describe('the last result of a TLS connection', () => {
  it('R12 is that of the network once it failed, whatever the engine had said', async () => {
    const duo = new Duo(await contexts()).connect();
    expect(duo.client.tls.lastResult).to.equal('want-read');
    duo.link.cut('reset');
    duo.settle();
    expect(duo.client.tls.closed?.end).to.equal('reset');
    expect([duo.client.tls.lastResult, duo.client.tls.lastResult]).to.deep.equal(['syscall', 'syscall']);
    expect(duo.client.tls.channel.networkFailed).to.equal(true);
  });

  it("R13 is each connection's own, asked in any order and twice, with garbage in the queue", async () => {
    const waiting = new Duo(await contexts()).connect();
    const ended = new Duo(await contexts(), { client: { halfOpen: true } }).connect();
    ended.server.tls.end();
    ended.settle();
    nativeQueue.raise(0x0a000064, 'garbage.c', 1, 'junk', 'of nobody');
    for (let asked = 0; asked < 2; asked++) {
      expect(ended.client.tls.lastResult).to.equal('zero-return');
      expect(waiting.client.tls.lastResult).to.equal('want-read');
    }
    nativeQueue.clear();
  });

  it("R01 counts what somebody left in the queue on the connection's channel, and is not changed by it", async () => {
    const duo = new Duo(await contexts()).connect();
    nativeQueue.raise(0x0a000064, 'garbage.c', 1, 'junk', 'of nobody');
    duo.client.tls.write('over the junk');
    duo.loop.settle();
    expect(duo.server.tls.bytesIn).to.equal(13);
    expect(duo.client.tls.channel.staleErrors).to.equal(1);
    expect(duo.server.tls.channel.staleErrors).to.equal(0);
    expect(duo.client.tls.closed).to.equal(undefined);
  });

  it('R07 R08 a failed connection reports copies that end alike, as often as it is asked', async () => {
    const duo = new Duo(await contexts()).connect();
    duo.link.cut('fin');
    duo.settle();
    const reports = [1, 2, 3].map(() => {
      try {
        duo.client.tls.write('x');
      } catch (error) {
        return error as SluiceError;
      }
      throw new Error('write was taken');
    });
    const texts = reports.map((report) => JSON.stringify(report.entries));
    expect(new Set(texts).size).to.equal(1);
    expect(reports[0]?.entries.at(0)?.code).to.equal(0x0a000126);
    expect(reports[0]?.entries.length).to.equal(2);
    expect(reports[0]?.entries).not.to.equal(reports[1]?.entries);
  });
});
