import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { connect, EventLoop, Listener, Reactor } from '@sluice/core';
import { SluiceError } from '@sluice/errors';
import { native, type NativeTlsEngine, TLS_RESULT_LENGTH } from '@sluice/native';
import { connectTls, TlsContext, tlsClient } from '@sluice/tls';
import { expect } from 'chai';
import { context, tls12, tls13 } from '../packages/native/test/support/engines.ts';
import { nativeQueue } from '../packages/native/test/support/native-queue.ts';
import { expiredCertificate, serverCertificate } from './support/certificates.ts';
import { FOREIGN, ForeignErrors, junk } from './support/foreign-errors.ts';
import { clearAlert, flipped, HandPeer } from './support/hand-peer.ts';
import { Scene, type SceneOptions } from './support/scene.ts';
import { truthOf } from './support/truth.ts';
import { untilTestEnds } from './support/until-test-ends.ts';
import { Witness } from './support/witness.ts';

/** Does something that calls native code, and answers with all that a user can see of it. */
type Scenario = () => Promise<unknown>;

async function listen(options: SceneOptions): Promise<Scene> {
  return untilTestEnds(await Scene.listen({ ...options, foreignErrors: true, virtualTime: true }));
}

/** What a server tells of a peer made by hand. */
function peerOf(tls: SceneOptions['tls'], version: number, act: (peer: HandPeer) => Promise<void> | void): Scenario {
  return async () => {
    const scene = await listen({ ...(tls === undefined ? {} : { tls }), echo: true });
    const client = context({ minVersion: version, maxVersion: version });
    const peer = untilTestEnds(await HandPeer.connect(scene.where, { context: client }));
    await act(peer);
    const { plain, alerts } = await peer.farewell();
    peer.fin();
    const witness = await scene.witness();
    return [truthOf(await witness.closed()), witness.story, witness.receivedBytes, plain.toString(), alerts];
  };
}

/** A connection of our own client to our own server, over a socket. */
function ownClient(unix: boolean, sanCount: number, pairBytes: number): Scenario {
  return async () => {
    const { certPem, keyPem, caPem } = await serverCertificate(sanCount);
    const tlsOptions = { pairBytes };
    const scene = await listen({ tls: { cert: certPem, key: keyPem }, tlsOptions, unix, echo: true });
    const context_ = TlsContext.client({ ca: caPem });
    const tls = { ...tlsOptions, servername: 'localhost' };
    const bev = connectTls(context_, { ...scene.where, loop: scene.loop, tls });
    const witness = new Witness(bev, scene.loop, { foreignErrors: true });
    bev.write('hello');
    await scene.loop.until('the echo', () => witness.receivedBytes === 5);
    const { version, cipher, verifyResult } = witness.tls.tls ?? {};
    const { acceptCalls, spins } = witness.tls.handshake;
    void bev.close();
    const served = await scene.witness();
    const reports = [truthOf(await witness.closed()), truthOf(await served.closed())];
    const { handshake } = served.tls;
    return [reports, version, cipher, verifyResult, acceptCalls, spins, handshake.acceptCalls, handshake.spins];
  };
}

/** The error of something that must fail, as a log has it, without what differs from run to run. */
async function failureOf(run: () => unknown): Promise<unknown> {
  try {
    await run();
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    const told = JSON.parse(JSON.stringify(error)) as Record<string, unknown>;
    delete told['stack'];
    return told;
  }
  throw new Error('it did not fail');
}

const scenarios: Record<string, Scenario> = {
  'an echo over TCP': peerOf(undefined, tls13, async (peer) => {
    peer.send('hello');
    await peer.takeRaw(5);
    peer.fin();
  }),
  'an echo over TLS 1.2': peerOf({}, tls12, async (peer) => {
    await peer.handshake();
    peer.send(peer.seal('hello'));
    await peer.take(5);
    peer.send(peer.sealEnd());
  }),
  'an echo over TLS 1.3, with new keys': peerOf({}, tls13, async (peer) => {
    await peer.handshake();
    peer.send(peer.sealKeyUpdate('hello'));
    await peer.take(5);
    peer.send(peer.sealEnd());
  }),
  'our own client over TCP': ownClient(false, 0, 17_408),
  'our own client over a Unix socket, a large certificate and a small pair': ownClient(true, 400, 512),
  'a truncated connection': peerOf({}, tls13, async (peer) => {
    await peer.handshake();
    peer.send(peer.seal('hello'));
    await peer.take(5);
    peer.fin();
  }),
  'a truncated handshake': peerOf({}, tls12, (peer) => {
    peer.send(peer.shake().subarray(0, 50));
    peer.fin();
  }),
  'a damaged record': peerOf({}, tls12, async (peer) => {
    await peer.handshake();
    peer.send(flipped(peer.seal('damaged'), 12));
  }),
  'a stranger': peerOf({}, tls12, (peer) => peer.send('GET / HTTP/1.1\r\n\r\n')),
  'an alert': peerOf({}, tls12, async (peer) => {
    peer.send(peer.shake());
    await peer.more();
    peer.send(clearAlert(2, 48));
  }),
  'a canceled handshake': peerOf({}, tls13, async (peer) => {
    peer.send(peer.shake());
    await peer.more();
    peer.send(clearAlert(1, 90), clearAlert(1, 0));
  }),
  'no common version': peerOf({ minVersion: 'TLSv1.3' }, tls12, (peer) => peer.send(peer.shake())),
  'a missing client certificate': peerOf(
    { clientCertificate: 'require' },
    tls12,
    async (peer) => void (await peer.handshake().catch(() => {})),
  ),
  'a reset': async () => {
    const scene = await listen({ tls: {} });
    const peer = untilTestEnds(await HandPeer.connect(scene.where, { context: context({}) }));
    await peer.handshake();
    const witness = await scene.witness();
    await witness.connected();
    await scene.settled();
    peer.reset();
    return [truthOf(await witness.closed()), witness.story];
  },
  'an expired server': async () => {
    const { certPem, keyPem, caPem } = await expiredCertificate();
    const scene = await listen({ tls: { cert: certPem, key: keyPem } });
    const tls = { servername: '' };
    const bev = connectTls(TlsContext.client({ ca: caPem }), { ...scene.where, loop: scene.loop, tls });
    const witness = new Witness(bev, scene.loop, { foreignErrors: true });
    const report = await witness.closed();
    const served = await scene.witness();
    return [truthOf(report), report.entries[0]?.data, truthOf(await served.closed())];
  },
  'nobody at the port': async () => {
    const scene = await listen({});
    const { port } = scene;
    await scene.server.close();
    const witness = new Witness(connect({ port, host: '127.0.0.1', loop: scene.loop }), scene.loop);
    return truthOf(await witness.closed());
  },
  'an address in use': async () => {
    const scene = await listen({});
    return [(await failureOf(() => scene.server.listen(scene.where))) === undefined, scene.server.listening.size];
  },
  'a context that cannot be': async () => {
    const { certPem, keyPem } = await serverCertificate();
    const { keyPem: otherKeyPem } = await expiredCertificate();
    const rubbish = '-----BEGIN CERTIFICATE-----\nrubbish\n-----END CERTIFICATE-----\n';
    return [
      await failureOf(() => TlsContext.server({ cert: certPem, key: otherKeyPem })),
      await failureOf(() => TlsContext.server({ cert: rubbish, key: keyPem })),
      await failureOf(() => TlsContext.server({ cert: certPem, key: keyPem, ciphers: 'NO-SUCH-CIPHER' })),
      await failureOf(() => TlsContext.client({ groups: 'no-such-group' })),
      await failureOf(() => TlsContext.client({ ca: rubbish })),
    ];
  },
  'a name that cannot be': async () => {
    const scene = await listen({});
    const transport = connect({ ...scene.where, loop: scene.loop });
    const error = await failureOf(() => tlsClient(TlsContext.client(), { servername: 'x'.repeat(300) })(transport));
    transport.destroy();
    await scene.witness();
    return error;
  },
  'the calls that packages rarely make': async () => {
    const directory = mkdtempSync(join(tmpdir(), 'sluice-calls-'));
    const loop = new EventLoop();
    const listener = new Listener(loop, { path: join(directory, 's') }, () => {});
    const raw = Reactor.of(loop).native;
    const handle = raw.listenTcp('127.0.0.1', 0, 1, 0);
    const answers = [
      raw.pauseAccept(handle),
      raw.resumeAccept(handle),
      raw.setRef(handle, false),
      raw.fd(handle) > 0,
      raw.setKeepAlive(handle, true, 1),
      raw.setNoDelay(9999, true),
      raw.setSendBufferSize(9999, 4096),
      raw.setReceiveBufferSize(handle, 4096),
      raw.readStart(handle),
      raw.readStop(handle),
      raw.readUpTo(handle, 10),
      raw.writeQueued(9999, [Buffer.from('x')]),
      raw.shutdown(9999),
      raw.openFd(-1),
      raw.listenFd(-1, 1),
      raw.pollOpen(-1),
      raw.pollStart(9999, 1),
      raw.connectPipe(join(directory, 'nobody')) > 0,
      typeof raw.localAddress(handle),
      raw.remoteAddress(handle),
      raw.handleCount(),
      native().errorStrings(0x0a000126),
      native().systemError(104),
    ];
    raw.close(handle, false);
    await listener.close();
    loop.close();
    rmSync(directory, { recursive: true });
    return answers;
  },
};

describe('Errors of somebody else in the thread queue', () => {
  const called = new Set<string>();

  for (const [kind, put] of Object.entries(junk)) {
    for (const [name, scenario] of Object.entries(scenarios)) {
      it(`change nothing: ${kind} before every call of ${name}`, async () => {
        const clean = await scenario();
        const { result, foreign } = await ForeignErrors.during(put, scenario);
        expect(result).to.deep.equal(clean);
        expect(inspect(result, { depth: 20 })).to.not.include(FOREIGN);
        expect([...foreign.leftovers], 'left in the queue').to.deep.equal([]);
        for (const function_ of foreign.calls.keys()) called.add(function_);
        expect(foreign.calls.size).to.be.above(0);
      });
    }
  }

  it('were there before every function of native code', () => {
    const results = new Int32Array(TLS_RESULT_LENGTH);
    const engine = native().tlsEngine(context({}), 64, '', results) as NativeTlsEngine;
    engine.free();
    const functions = [
      ...Object.keys(native()).filter((name) => name !== 'versions' && name !== 'Loop'),
      ...[native().Loop.prototype as object, Object.getPrototypeOf(engine) as object].flatMap((prototype) =>
        Object.getOwnPropertyNames(prototype).filter((name) => name !== 'constructor'),
      ),
    ];
    expect([...called].sort()).to.deep.equal([...new Set(functions)].sort());
  });

  it('are noticed, and dropped, by the engine that meets them', async () => {
    const scenario: Scenario = async () => {
      const scene = await listen({ tls: {} });
      const peer = untilTestEnds(await HandPeer.connect(scene.where, { context: context({}) }));
      await peer.handshake();
      const witness = await scene.witness();
      await witness.connected();
      return witness.tls.session.staleEntries;
    };
    expect(await scenario()).to.equal(0);
    const { result } = await ForeignErrors.during(junk['a full ring'] as () => void, scenario);
    expect(result).to.be.above(10);
    expect(nativeQueue.peek()).to.equal(undefined);
  });
});
