import { firstValueFrom, lastValueFrom, toArray } from 'rxjs';
import { expect } from 'chai';
import { contexts } from './support/contexts.ts';
import { Duo } from './support/duo.ts';

describe('handshake$', () => {
  it('emits the trace once, when the handshake is done, and at once to who asks late', async () => {
    const duo = new Duo(await contexts());
    const early = lastValueFrom(duo.server.tls.handshake$.pipe(toArray()));
    duo.connect();
    expect(await early).to.deep.equal([duo.server.tls.handshake]);
    expect(await firstValueFrom(duo.server.tls.handshake$)).to.equal(duo.server.tls.handshake);
    duo.closeInOrder();
    expect((await firstValueFrom(duo.server.tls.handshake$)).done).to.equal(true);
  });

  it('fails with the error of the connection, early and late', async () => {
    const duo = new Duo(await contexts());
    const errors: unknown[] = [];
    duo.server.tls.handshake$.subscribe({ error: (error) => errors.push(error) });
    duo.link.cut('reset');
    duo.settle();
    duo.server.tls.handshake$.subscribe({ error: (error) => errors.push(error) });
    expect(errors).to.deep.equal([duo.server.report?.error, duo.server.report?.error]);
  });

  it('completes without a value when the connection was given up, and holds nothing after unsubscribing', async () => {
    const duo = new Duo(await contexts());
    const seen: string[] = [];
    duo.client.tls.handshake$.subscribe({ next: () => seen.push('next'), complete: () => seen.push('complete') });
    const subscription = duo.server.tls.handshake$.subscribe();
    expect(duo.server.tls.listenerCount('connected')).to.equal(1);
    subscription.unsubscribe();
    expect(duo.server.tls.listenerCount('connected')).to.equal(0);
    duo.client.tls.destroy();
    duo.settle();
    expect(seen).to.deep.equal(['complete']);
  });
});
