/** The rules of a channel (R01–R32) where the channel is a TLS connection. What a link cannot do is in `test/`. */
import { readExactly } from '@sluice/core';
import { CONNECTION_TERMINATED, type SluiceError } from '@sluice/errors';
import { expect } from 'chai';
import { contexts } from '../support/contexts.ts';
import { Duo } from '../support/duo.ts';

const UNEXPECTED_EOF = 0x0a000126;

async function reasonOf(promise: Promise<unknown>): Promise<SluiceError> {
  return promise.then(
    () => {
      throw new Error('it was not refused');
    },
    (error: unknown) => error as SluiceError,
  );
}

function codesOf(error: SluiceError): number[] {
  return error.entries.map(({ code }) => code);
}

describe('the rules of a channel, over TLS', () => {
  it('R03 an operation that has to wait leaves its want, and nothing on the channel', async () => {
    const duo = new Duo(await contexts()).connect();
    const { tls } = duo.client;
    expect(tls.lastResult).to.equal('want-read');
    expect(tls.channel).to.include({ failed: false, staleErrors: 0, suppressedErrors: 0 });
    expect(tls.channel.entries).to.deep.equal([]);
    duo.closeInOrder();
  });

  it('R06 the first failure is the one that is told, what follows from it is counted', async () => {
    const duo = new Duo(await contexts()).connect();
    const { tls } = duo.server;
    duo.link.cut('fin');
    duo.settle();
    const before = tls.channel.report('write').toJSON();
    tls._fail(tls.channel.report('write'));
    expect(tls.channel.suppressedErrors).to.equal(1);
    expect(tls.channel.report('write').toJSON()).to.deep.equal(before);
  });

  it('R16 R29 a failure is announced once, when the whole story stands, and to those who ask late', async () => {
    const duo = new Duo(await contexts()).connect();
    const { tls } = duo.server;
    const told: number[][] = [];
    let completed = 0;
    const subscribe = (): unknown =>
      tls.channel.failed$.subscribe({ next: (error) => told.push(codesOf(error)), complete: () => completed++ });
    subscribe();
    duo.link.cut('fin');
    duo.settle();
    subscribe();
    expect(told).to.deep.equal([1, 2].map(() => [UNEXPECTED_EOF, CONNECTION_TERMINATED]));
    expect(completed).to.equal(2);
  });

  it('R22 data that came before the failure is read first', async () => {
    const duo = new Duo(await contexts()).connect();
    const { server, client } = duo;
    server.reads = false;
    client.tls.write('last words');
    duo.settle();
    duo.link.cut('fin');
    duo.settle();
    expect(server.report?.end).to.equal('truncated');
    expect((await readExactly(server.tls, 5))?.toString()).to.equal('last ');
    expect((await readExactly(server.tls, 5))?.toString()).to.equal('words');
    expect(codesOf(await reasonOf(readExactly(server.tls, 1)))).to.deep.equal([UNEXPECTED_EOF, CONNECTION_TERMINATED]);
  });

  it('R23 an end without close_notify is told alike on every read', async () => {
    const duo = new Duo(await contexts()).connect();
    const { tls } = duo.server;
    duo.link.cut('fin');
    duo.settle();
    const reasons = [await reasonOf(readExactly(tls, 1)), await reasonOf(readExactly(tls, 1))];
    for (const reason of reasons) {
      expect(codesOf(reason)).to.deep.equal([UNEXPECTED_EOF, CONNECTION_TERMINATED]);
      expect(reason).to.include({ code: 'SLUICE_TLS_TRUNCATED', end: 'truncated', blame: 'remote', direction: 'read' });
    }
    expect(reasons[0]?.toJSON()).to.deep.equal(reasons[1]?.toJSON());
    expect(reasons[0]).to.not.equal(reasons[1]);
  });

  it('R24 close_notify is an end without entries, on every read', async () => {
    const duo = new Duo(await contexts(), { server: { halfOpen: true } }).connect();
    const { tls } = duo.server;
    duo.client.tls.end();
    duo.settle();
    for (let time = 0; time < 3; time++) expect(await readExactly(tls, 1)).to.equal(undefined);
    expect(tls.lastResult).to.equal('zero-return');
    expect(tls.channel).to.include({ failed: false, closed: false });
    expect(tls.channel.entries).to.deep.equal([]);
  });

  it('R28 R32 what is known outlives the engine, and cannot be cleared', async () => {
    const duo = new Duo(await contexts()).connect();
    const { tls } = duo.server;
    duo.link.cut('reset');
    duo.settle();
    expect(tls.session.memoryBytes).to.equal(0);
    const [first, later] = [tls.channel.report('write'), tls.channel.report('write')];
    expect(first.toJSON()).to.deep.equal(later.toJSON());
    expect(tls.channel.closed).to.equal(true);
    expect(tls.channel.entries).to.have.length(1);
  });
});
