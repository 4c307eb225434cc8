import { type CloseReport, type EvBuffer, Suspend } from '@sluice/core';
import { link, TestLoop } from '@sluice/core/testing';
import { expect } from 'chai';
import { TlsBufferEvent } from '../src/index.ts';
import { contexts, PAIRS } from './support/contexts.ts';
import { Duo } from './support/duo.ts';
import { pattern } from './support/wire.ts';

describe('TlsBufferEvent', () => {
  for (const pairBytes of PAIRS) {
    it(`connects, echoes and ends in order over a pair of ${pairBytes}`, async () => {
      const duo = new Duo(await contexts(), { client: { pairBytes }, server: { pairBytes } });
      duo.client.tls.write('written before the handshake');
      duo.settle();
      expect(duo.server.text).to.equal('written before the handshake');
      duo.server.tls.write('answer');
      duo.settle();
      expect(duo.client.text).to.equal('answer');
      duo.closeInOrder();
      expect(duo.client.story).to.deep.equal(['connected', 'data', 'end', 'closed']);
      expect(duo.server.story).to.deep.equal(['connected', 'data', 'end', 'closed']);
      expect(duo.server.report?.handshake).to.include({ spins: 0 });
      expect(duo.server.report?.bytesIn).to.equal(28);
    });
  }

  it('gives all that had arrived when the transport dies, above the watermark too', async () => {
    const duo = new Duo(await contexts(), { server: { watermarks: { read: { high: 100 } } } }).connect();
    duo.server.reads = false;
    const sent = pattern(40_000);
    duo.client.tls.write(sent);
    duo.settle();
    expect(duo.server.tls.input.length).to.be.below(20_000);
    expect(duo.server.below.input.length).to.be.above(20_000);
    duo.link.cut('reset');
    duo.settle();
    duo.server.tls.unsuspendRead(Suspend.watermark);
    expect(duo.server.report?.end).to.equal('reset');
    expect(duo.server.tls.input.length).to.equal(sent.length);
    expect(duo.server.tls.read()).to.deep.equal(sent);
  });

  it('holds the transport back when input is full, however much the transport would take', async () => {
    const duo = new Duo(await contexts(), {
      server: { watermarks: { read: { high: 1000 } } },
      transport: { watermarks: { read: { high: 10_000_000 } } },
      capacityBytes: 10_000,
    }).connect();
    duo.server.reads = false;
    duo.client.tls.write(pattern(1_000_000));
    duo.settle();
    // What came in one turn, and nothing after it.
    expect(duo.server.below.input.length).to.be.below(100_000);
    expect(duo.server.below.suspended).to.equal(Suspend.filter);
  });

  it('drops what follows close_notify', async () => {
    const duo = new Duo(await contexts(), { server: { halfOpen: true } }).connect();
    duo.client.tls.end();
    duo.turns(1);
    duo.settle();
    const below = duo.server.below.input as EvBuffer;
    below.append(pattern(5000));
    duo.settle();
    expect(below.length).to.equal(0);
    expect(duo.server.tls.input.length).to.equal(0);
    duo.server.tls.end();
    duo.settle();
    expect(duo.server.report?.end).to.equal('end');
  });

  it('feeds every chunk before the end of the transport', async () => {
    const duo = new Duo(await contexts()).connect();
    duo.server.tls.suspendRead(Suspend.rate);
    const sent: Buffer[] = [];
    for (let piece = 0; piece < 5; piece++) {
      sent.push(pattern(3000, piece));
      duo.server.below.unsuspendRead(Suspend.filter);
      duo.client.tls.write(sent[piece] as Buffer);
      duo.settle();
    }
    duo.server.below.unsuspendRead(Suspend.filter);
    duo.client.below.end();
    duo.settle();
    expect(duo.server.below.peerEnded).to.equal(true);
    const below = duo.server.below.input as EvBuffer;
    expect(below.contiguousLength, 'there are several chunks').to.be.below(below.length);
    duo.server.tls.unsuspendRead(Suspend.rate);
    duo.settle();
    expect(Buffer.concat(duo.server.received)).to.deep.equal(Buffer.concat(sent));
    expect(duo.server.report?.end).to.equal('truncated');
  });

  it('writes what there is room for and leaves no record half-written', async () => {
    const duo = new Duo(await contexts(), { client: { watermarks: { write: { cap: 2_000_000 } } } }).connect();
    duo.link.cork(duo.client.below);
    duo.client.tls.write(pattern(1_000_000));
    duo.settle();
    expect(duo.client.tls.session.pendingWriteBytes).to.equal(0);
    expect(duo.client.below.output.length).to.be.at.least(duo.client.below.limits.writeHigh);
    duo.link.uncork(duo.client.below);
    duo.settle();
    expect(duo.server.receivedBytes).to.equal(1_000_000);
  });

  for (const [store, idleBytes] of [
    ['borrowed', 0],
    ['pair', 2 * 17_408],
  ] as const) {
    it(`tells its layers, its memory and its negotiation, store '${store}'`, async () => {
      const duo = new Duo(await contexts(), {
        store,
        transport: { watermarks: { write: { low: 1, high: 100 } } },
      }).connect();
      const { tls, below } = duo.server;
      expect(tls.transport).to.equal('tls');
      expect(tls.underlying).to.equal(below);
      expect(tls.tls?.cipher).to.match(/^TLS_/u);
      expect(tls.memoryBytes).to.equal(idleBytes);
      duo.link.cork(below);
      tls.write(pattern(5000));
      duo.settle();
      const { pendingOut } = tls.session;
      expect(pendingOut).to.be.above(4500);
      expect(tls.memoryBytes - below.output.length).to.equal(store === 'pair' ? idleBytes : pendingOut);
      duo.link.uncork(below);
      duo.settle();
      expect(tls.memoryBytes).to.equal(idleBytes);
      duo.closeInOrder();
      expect(tls.memoryBytes).to.equal(0);
    });
  }

  describe('over another', () => {
    /** TLS over TLS over a link: the inner ends, and over them the outer. */
    async function nested() {
      const loop = new TestLoop();
      const wires = link(loop);
      const { client, server } = await contexts();
      const inner = [
        new TlsBufferEvent(wires.ends[0], client, { servername: 'localhost' }),
        new TlsBufferEvent(wires.ends[1], server),
      ] as const;
      const outer = [
        new TlsBufferEvent(inner[0], client, { servername: 'localhost' }),
        new TlsBufferEvent(inner[1], server, { halfOpen: true }),
      ] as const;
      loop.settle();
      expect(outer.map(({ connected }) => connected)).to.deep.equal([true, true]);
      return { loop, wires, inner, outer };
    }

    it('leaves it its own end: what that still says is no failure at the peer', async () => {
      const { loop, wires, inner, outer } = await nested();
      const told = outer.map((end) => new Promise<CloseReport>((resolve) => end.once('closed', resolve)));
      const [, last] = wires.ends;
      void outer[0].close();
      loop.settle();
      wires.cork(last);
      outer[1].write('the last words');
      outer[1].end();
      loop.settle();
      // When the outer goodbye arrives, the inner one has left but for a byte.
      wires.limit(last, last.output.length - 1);
      wires.uncork(last);
      loop.settle();
      for (const { end, code } of await Promise.all(told)) expect([end, code]).to.deep.equal(['end', null]);
      for (const { closed } of inner) expect([closed?.end, closed?.code]).to.deep.equal(['end', null]);
    });

    it('ended in order, waits for the end of it, closeMs at most, and not once it is destroyed', async () => {
      for (const destroys of [false, true]) {
        const { loop, inner, outer } = await nested();
        const closed: number[] = [];
        outer[0].once('closed', () => closed.push(loop.now()));
        // The peer's inner end never says goodbye.
        inner[1].end = () => {};
        outer[1].end();
        loop.settle();
        expect([outer[0].closed?.end, closed]).to.deep.equal(['end', []]);
        if (destroys) {
          outer[0].destroy();
          loop.settle();
        } else loop.advance(3000);
        expect(closed).to.deep.equal([destroys ? 0 : 3000]);
        expect(outer[0].closed?.end).to.equal('end');
      }
    });
  });

  it('a user who destroys in any callback hears nothing after closed', async () => {
    for (const event of ['connected', 'data', 'end'] as const) {
      const duo = new Duo(await contexts());
      const heard: string[] = [];
      for (const name of ['connected', 'data', 'end', 'closed'] as const) {
        duo.server.tls.on(name, () => {
          heard.push(name);
          if (name === event) duo.server.tls.destroy();
        });
      }
      duo.client.tls.write('x');
      duo.client.tls.end();
      duo.settle();
      expect(heard.at(-1)).to.equal('closed');
      expect(heard.filter((name) => name === 'closed')).to.have.length(1);
      expect(heard.indexOf(event)).to.be.oneOf([heard.length - 2]);
    }
  });
});
