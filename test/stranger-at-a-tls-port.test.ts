import { expect } from 'chai';
import { context, tls12, tls13 } from '../packages/native/test/support/engines.ts';
import { HandPeer } from './support/hand-peer.ts';
import { Scene, type SceneOptions } from './support/scene.ts';
import { truthOf } from './support/truth.ts';
import { untilTestEnds } from './support/until-test-ends.ts';

const truth = { end: 'failed', direction: 'both', layer: 'tls', blame: 'remote' };

describe('A stranger at a TLS port', () => {
  for (const [name, bytes, code, entries, alert] of [
    // Before the stranger has named a version of TLS there is none to send an alert in.
    ['that speaks HTTP', 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n', 'NOT_TLS', ['0A00009C'], ''],
    ['that speaks HTTP to a proxy', 'CONNECT localhost:443 HTTP/1.1\r\n\r\n', 'NOT_TLS', ['0A00009B'], ''],
    ['that speaks SSH', 'SSH-2.0-OpenSSH_9.2p1\r\n', 'NOT_TLS', ['0A00010B'], ''],
    ['that sends zeros', Buffer.alloc(64), 'NOT_TLS', ['0A00010B'], ''],
    ['that sends too long a record', Buffer.from('1603017fff01', 'hex'), 'TOO_MUCH', ['0A000092', '0A000139'], '16'],
  ] as const) {
    it(`${name} is told apart at once`, async () => {
      const scene = untilTestEnds(await Scene.listen({ tls: {}, virtualTime: true }));
      const peer = untilTestEnds(await HandPeer.connect(scene.where));
      peer.send(bytes);
      expect((await peer.farewell()).how).to.equal('fin');
      const sent = Buffer.concat(peer.wire).toString('hex');
      expect(sent).to.equal(alert === '' ? '' : `150303000202${alert}`);
      peer.fin();
      const witness = await scene.witness();
      const { alerts, operation, ...told } = truthOf(await witness.closed());
      expect(told).to.deep.equal({ ...truth, code: `SLUICE_TLS_${code}`, entries });
      expect(operation).to.match(/^tls handshake\//);
      expect(alerts).to.have.lengthOf(alert === '' ? 0 : 1);
      expect(witness.tls.session.calls).to.be.below(4);
    });
  }

  const refusals: [
    name: string,
    tls: NonNullable<SceneOptions['tls']>,
    client: Parameters<typeof context>[0],
    code: string,
    entry: string,
    alert: number,
  ][] = [
    ['version', { minVersion: 'TLSv1.3' }, { maxVersion: tls12 }, 'NO_AGREEMENT', '0A000102', 70],
    [
      'cipher',
      { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' },
      { ciphers: 'ECDHE-ECDSA-CHACHA20-POLY1305', maxVersion: tls12 },
      'NO_AGREEMENT',
      '0A0000C1',
      40,
    ],
    ['group', { groups: 'P-384' }, { groups: 'X25519', minVersion: tls13 }, 'NO_AGREEMENT', '0A000065', 40],
    [
      'application protocol',
      { alpn: ['memcached'] },
      { alpn: Buffer.from('\u0002h2') },
      'NO_APPLICATION_PROTOCOL',
      '0A0000EB',
      120,
    ],
  ];
  for (const [name, tls, client, code, entry, alert] of refusals) {
    it(`that offers no ${name} of ours is refused with an alert, and blamed`, async () => {
      const scene = untilTestEnds(await Scene.listen({ tls, virtualTime: true }));
      const peer = untilTestEnds(await HandPeer.connect(scene.where, { context: context(client) }));
      await peer.handshake().catch(() => {});
      expect(await peer.farewell()).to.deep.include({ how: 'fin', alerts: [alert] });
      peer.fin();
      const witness = await scene.witness();
      const { alerts, operation, ...told } = truthOf(await witness.closed());
      expect(told).to.deep.equal({ ...truth, code: `SLUICE_TLS_${code}`, entries: [entry] });
      expect(operation).to.match(/^tls handshake\//);
      expect(alerts).to.have.lengthOf(1);
    });
  }
});
