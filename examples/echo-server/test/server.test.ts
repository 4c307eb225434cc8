import { PairBufferEvent } from '@sluice/core';
import { link, TestLoop } from '@sluice/core/testing';
import { expect } from 'chai';
import { connectionOptions, echoHandlers } from '../server.ts';

describe('echo-server connections', () => {
  let loop: TestLoop;

  beforeEach(() => {
    loop = new TestLoop();
  });

  afterEach(() => {
    expect(loop.uncaughtErrors).to.deep.equal([]);
    loop.close();
  });

  it('send back what they receive, to the last byte, then end', () => {
    const [server, client] = PairBufferEvent.create(loop, connectionOptions, {
      watermarks: { read: { high: Number.POSITIVE_INFINITY }, write: { cap: Number.POSITIVE_INFINITY } },
    });
    const ends: string[] = [];
    server.setHandlers(echoHandlers((bev, report) => ends.push(`${bev.id} ${report.end}`)));
    const sent = Buffer.alloc(1_000_000, 'abcdefghijklmnopqrstuvwxyz0123456789');
    client.write(sent);
    client.end();
    loop.settle();
    expect(client.read().equals(sent)).to.equal(true);
    expect(ends).to.deep.equal([`${server.id} end`]);
  });

  it('stop reading from a peer that does not read, and go on when it does', () => {
    const [server, client] = PairBufferEvent.create(loop, connectionOptions, {
      watermarks: { write: { cap: Number.POSITIVE_INFINITY } },
    });
    server.setHandlers(echoHandlers());
    client.pause();
    client.write(Buffer.alloc(10_000_000));
    loop.settle();
    expect(server.output.length + server.input.length).to.be.at.most(2 * 64 * 1024);
    expect(client.output.length).to.be.above(9_000_000);
    let received = 0;
    client.on('data', () => {
      received += client.input.drain();
    });
    client.resume();
    loop.settle(100_000);
    expect(received).to.equal(10_000_000);
  });

  it('take what came before a reset, and say so', () => {
    const wire = link(loop, { first: connectionOptions });
    const [server, client] = wire.ends;
    const ends: string[] = [];
    server.setHandlers(echoHandlers((_, report) => ends.push(report.end)));
    client.write('unheard');
    loop.turn();
    wire.cut('reset');
    loop.settle();
    expect(ends).to.deep.equal(['reset']);
    expect([server.bytesIn, server.input.length]).to.deep.equal([7, 0]);
  });
});
