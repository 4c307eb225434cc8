import { once } from 'node:events';
import { connect as connectNodeTls, type TLSSocket } from 'node:tls';
import { Counter } from '@sluice/native';
import { expect } from 'chai';
import { serverCertificate } from './support/certificates.ts';
import { SClient } from './support/s-client.ts';
import { Scene } from './support/scene.ts';
import { untilTestEnds } from './support/until-test-ends.ts';

/** More than 64 kB of certificate. */
const SAN_COUNT = 2000;
const RECORD_BYTES = 16 * 1024;

async function servedNodeTls(scene: Scene, version: 'TLSv1.2' | 'TLSv1.3', caPem: string): Promise<TLSSocket> {
  const client = connectNodeTls({ ...scene.where, ca: caPem, minVersion: version, maxVersion: version });
  await once(client, 'secureConnect');
  client.write('hello');
  const [data] = (await once(client, 'data')) as [Buffer];
  expect(data.toString()).to.equal('hello');
  return client;
}

describe('A certificate of 64 kB', () => {
  for (const [version, store] of [
    ['TLSv1.2', 'pair'],
    ['TLSv1.2', 'borrowed'],
    ['TLSv1.3', 'pair'],
    ['TLSv1.3', 'borrowed'],
  ] as const) {
    for (const pairBytes of [1, 64, 8192]) {
      for (const client of ['openssl s_client', 'node:tls'] as const) {
        it(`over a pair of ${pairBytes} reaches ${client}, ${version}, store '${store}'`, async () => {
          const { certPem, keyPem, caPem } = await serverCertificate(SAN_COUNT);
          const scene = untilTestEnds(
            await Scene.listen({
              tls: { cert: certPem, key: keyPem },
              tlsOptions: { pairBytes, store },
              echo: true,
            }),
          );
          if (client === 'node:tls') {
            const socket = await servedNodeTls(scene, version, caPem);
            socket.end();
          } else {
            const program = untilTestEnds(
              new SClient(scene.port, caPem, [version === 'TLSv1.2' ? '-tls1_2' : '-tls1_3']),
            );
            program.type('hello\n');
            await program.says('hello');
            program.type('Q\n');
            await program.exited;
          }
          const witness = await scene.witness();
          const report = await witness.closed();
          expect(report).to.include({ end: 'end', code: null });
          const { handshake, underlying } = witness.tls;
          expect(report.handshake).to.include({ spins: 0, wantRead: handshake.wantRead });
          expect(handshake.bytesOut).to.be.above(64_000);
          // However large the certificate: the pair, what the socket has not taken, and what is being read.
          const bound = 2 * pairBytes + (underlying?.limits.writeHigh ?? 0) + 2 * RECORD_BYTES;
          expect(witness.memoryBytesMost).to.be.at.most(bound);
          if (pairBytes === 8192) {
            const results = handshake.calls.map(({ result }) => result);
            expect(results).to.deep.equal([...Array<string>(8).fill('want-write'), 'want-read', 'done']);
            expect(report.handshake.acceptCalls).to.equal(10);
          } else {
            // As many calls as the pair had to be emptied and filled, and a few for the client's two flights.
            const filled = handshake.bytesOut / pairBytes + handshake.bytesIn / pairBytes;
            expect(report.handshake.acceptCalls).to.be.below(filled + 10);
          }
        });
      }
    }
  }

  it('costs no more memory than one of 26 kB, at a small socket', async () => {
    const most: number[] = [];
    for (const sanCount of [800, SAN_COUNT]) {
      const { certPem, keyPem, caPem } = await serverCertificate(sanCount);
      const scene = untilTestEnds(
        await Scene.listen({
          tls: { cert: certPem, key: keyPem },
          tlsOptions: { pairBytes: 4096, store: 'pair' },
          // On loopback TCP takes 64 kB at once, whatever its buffer; a Unix socket does not.
          unix: true,
          socket: { sendBufferBytes: 4096, watermarks: { write: { high: 16_384, low: 4096 } } },
          echo: true,
        }),
      );
      const socket = await servedNodeTls(scene, 'TLSv1.3', caPem);
      expect(scene.counters[Counter.writesRefused], 'writes refused').to.be.above(0);
      socket.end();
      const witness = await scene.witness();
      await witness.closed();
      most.push(witness.memoryBytesMost);
    }
    expect(most[1]).to.be.at.most(2 * 4096 + 16_384 + RECORD_BYTES);
    expect(most[1]).to.be.at.most((most[0] as number) + 100);
  });

  it('of 13 kB takes three calls over a pair of 8192, the last flight included', async () => {
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const { certPem, keyPem, caPem } = await serverCertificate(400);
      const scene = untilTestEnds(
        await Scene.listen({
          tls: { cert: certPem, key: keyPem },
          tlsOptions: { pairBytes: 8192 },
          echo: true,
        }),
      );
      (await servedNodeTls(scene, version, caPem)).end();
      const witness = await scene.witness();
      const { handshake } = await witness.closed();
      expect(handshake).to.include({ acceptCalls: 3, wantWrite: 1, wantRead: 1, spins: 0 });
    }
  });
});
