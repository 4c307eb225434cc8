/** A Sluice client on a real socket, and the server made by hand that it visits. */
import { VirtualClock } from '@sluice/core/testing';
import { type ClientContextOptions, connectTls, TlsContext, type TlsConnectOptions } from '@sluice/tls';
import { context } from '../../packages/native/test/support/engines.ts';
import { serverCertificate } from './certificates.ts';
import { HandPeer, type HandPeerOptions } from './hand-peer.ts';
import { WatchedLoop } from './scene.ts';
import { Witness } from './witness.ts';

export interface VisitOptions {
  client?: ClientContextOptions;
  connect?: TlsConnectOptions;
  /** More for the server's context. */
  server?: Parameters<typeof context>[0];
  peer?: HandPeerOptions;
  virtualTime?: boolean;
}

export class Visit implements AsyncDisposable {
  readonly loop: WatchedLoop;
  readonly clock: VirtualClock | undefined;
  readonly witness: Witness;
  readonly peer: HandPeer;

  private constructor(loop: WatchedLoop, clock: VirtualClock | undefined, witness: Witness, peer: HandPeer) {
    this.loop = loop;
    this.clock = clock;
    this.witness = witness;
    this.peer = peer;
  }

  static async begin(options: VisitOptions = {}): Promise<Visit> {
    const { certPem, keyPem, caPem } = await serverCertificate();
    const clock = options.virtualTime === true ? new VirtualClock() : undefined;
    const loop = new WatchedLoop(clock === undefined ? {} : { clock });
    const clientContext = TlsContext.client({ ca: caPem, ...options.client });
    let witness: Witness | undefined;
    const peer = await HandPeer.accept(
      (port) => {
        const tls = { servername: 'localhost', ...options.connect?.tls };
        const where = { ...options.connect, port, host: '127.0.0.1', loop, tls };
        witness = new Witness(connectTls(clientContext, where), loop);
      },
      { context: context({ server: true, cert: certPem, key: keyPem, ...options.server }), ...options.peer },
    );
    if (witness === undefined) throw new Error('nobody connected');
    return new Visit(loop, clock, witness, peer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.peer[Symbol.asyncDispose]();
    if (this.witness.bev.closed === undefined) this.witness.bev.destroy();
    await this.witness.closed();
    this.loop.close();
    this.witness.check();
    if (this.loop.uncaughtErrors.length > 0) throw this.loop.uncaughtErrors[0];
  }
}
