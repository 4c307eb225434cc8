import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileSegment, sendFile } from '@sluice/core';
import { expect } from 'chai';
import { expectReport } from '../../core/test/support/expect-report.ts';
import { contexts } from './support/contexts.ts';
import { Duo } from './support/duo.ts';

/** Turns, and lets Node's threads read the file, until the promise is settled. */
async function settled<T>(duo: Duo, promise: Promise<T>): Promise<T> {
  let over = false;
  const end = (): void => {
    over = true;
  };
  promise.then(end, end);
  while (!over) {
    duo.settle();
    await new Promise((resolve) => setImmediate(resolve));
  }
  duo.settle();
  return promise;
}

describe('sendFile over TLS', () => {
  const bytes = randomBytes(300_000);
  let directory: string;
  let path: string;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sluice-tls-'));
    path = join(directory, 'file');
    await writeFile(path, bytes);
  });

  after(() => rm(directory, { recursive: true }));

  for (const pairBytes of [64, 8192]) {
    it(`sends one segment to two clients, encrypted for each, over a slow link and a pair of ${pairBytes}`, async () => {
      const { server, client, certificate } = await contexts();
      const segment = await FileSegment.open(path);
      const duos = [30_000, 90_000].map(
        (perTurnBytes) =>
          new Duo(
            { server, client, certificate },
            {
              capacityBytes: 100_000,
              perTurnBytes,
              server: { pairBytes, watermarks: { write: { low: 5000, high: 20_000, cap: 40_000 } } },
            },
          ),
      );
      const most = duos.map(() => 0);
      for (const [index, duo] of duos.entries()) {
        const { output } = duo.server.tls;
        output.onChange(() => {
          most[index] = Math.max(most[index] ?? 0, output.length);
        });
      }
      // The first is written before the handshake.
      const sends = duos.map((duo) => sendFile(duo.server.tls, segment));
      for (const [index, duo] of duos.entries()) {
        expect(await settled(duo, sends[index] as Promise<number>)).to.equal(bytes.length);
        expect(Buffer.concat(duo.client.received).equals(bytes)).to.equal(true);
      }
      for (const bytesMost of most) expect(bytesMost).to.be.within(20_000, 40_000);
      await segment.close();
    });
  }

  it('ends when the connection does, with its error', async () => {
    const duo = new Duo(await contexts(), { server: { watermarks: { write: { low: 1, high: 1000 } } } }).connect();
    duo.link.cork(duo.server.below);
    const sending = sendFile(duo.server.tls, path).then(
      () => undefined,
      (error: unknown) => error,
    );
    while (duo.server.tls.output.length < 1000) {
      duo.settle();
      await new Promise((resolve) => setImmediate(resolve));
    }
    duo.link.cut('reset');
    const error = await settled(duo, sending);
    expectReport(error, duo.server.tls, 'sendFile');
    expect(error).to.have.property('end', 'reset');
  });
});
