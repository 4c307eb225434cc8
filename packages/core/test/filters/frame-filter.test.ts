import { ApiMisuse, LimitError } from '@sluice/errors';
import { expect } from 'chai';
import { FilterBufferEvent, frameFilter, PairBufferEvent } from '../../src/index.ts';
import { link, TestLoop } from '../../src/testing/index.ts';
import { pattern } from '../support/filters.ts';

/** One end with frames, the other as it is. */
function framed(options = {}) {
  const loop = new TestLoop();
  const [below, wire] = PairBufferEvent.create(loop);
  return { loop, wire, framed: new FilterBufferEvent(below, frameFilter(options)) };
}

describe('frameFilter', () => {
  it('puts the length before what was written, and a frame of length 0 at the end', () => {
    const { loop, wire, framed: bev } = framed({ frameBytesMax: 4 });
    bev.write('hello');
    loop.settle();
    expect(wire.read().toString('latin1')).to.equal('\0\0\0\u0004hell\0\0\0\u0001o');
    bev.end();
    loop.settle();
    expect(wire.read().toString('latin1')).to.equal('\0\0\0\0');
    expect(wire.peerEnded).to.equal(true);
  });

  it('gives the user what is in the frames, however they are cut, and the end', () => {
    const bytes = pattern(1000);
    for (const cut of [1, 3, 4, 5, 7, 500]) {
      const { loop, wire, framed: bev } = framed();
      const all = Buffer.concat([Buffer.from([0, 0, 3, 0xe8]), bytes, Buffer.from([0, 0, 0, 0])]);
      let ended = false;
      bev.on('end', () => {
        ended = true;
      });
      for (let at = 0; at < all.length; at += cut) {
        wire.write(all.subarray(at, at + cut));
        loop.settle();
      }
      expect(bev.read().equals(bytes), `cut by ${cut}`).to.equal(true);
      expect(ended).to.equal(true);
    }
  });

  it('is truncated when the transport ends without the last frame, between frames and inside', () => {
    for (const sent of ['', '\0\0', '\0\0\0\u0005abc', '\0\0\0\u0003abc']) {
      const { loop, wire, framed: bev } = framed();
      if (sent !== '') wire.write(Buffer.from(sent, 'latin1'));
      wire.end();
      loop.settle();
      expect(bev.closed).to.include({
        end: 'truncated',
        direction: 'read',
        code: 'SLUICE_CORE_FRAME_TRUNCATED',
        blame: 'remote',
      });
      expect(bev.read().toString()).to.equal(sent.slice(4));
    }
  });

  it('refuses a frame that is too long before any of it has come', () => {
    const { loop, wire, framed: bev } = framed({ frameBytesMax: 100 });
    wire.write(Buffer.from([0, 0, 0, 101]));
    loop.settle();
    expect(bev.closed).to.include({ end: 'failed', code: 'SLUICE_CORE_FRAME_TOO_LONG', blame: 'remote' });
    expect(bev.closed?.error).to.be.instanceOf(LimitError);
  });

  it('refuses a length that is none', () => {
    for (const frameBytesMax of [0, 1.5, Number.NaN, 2 ** 32]) {
      expect(() => frameFilter({ frameBytesMax })).to.throw(ApiMisuse, /frameBytesMax must be an integer/);
    }
  });

  it('drops what follows the end, goes on sending, and ends the connection below in order', () => {
    const { loop, wire, framed: bev } = framed();
    bev.halfOpen = true;
    wire.halfOpen = true;
    wire.write(Buffer.from('\0\0\0\u0002ok\0\0\0\0', 'latin1'));
    wire.write(Buffer.alloc(500_000));
    loop.settle();
    expect([bev.read().toString(), bev.peerEnded, bev.closed]).to.deep.equal(['ok', true, undefined]);
    expect([wire.output.length, bev.underlying?.input.length]).to.deep.equal([0, 0]);
    bev.write('fine');
    bev.end();
    loop.settle();
    expect(wire.read().toString('latin1')).to.equal('\0\0\0\u0004fine\0\0\0\0');
    expect([bev.closed?.end, wire.peerEnded, bev.underlying?.closed]).to.deep.equal(['end', true, undefined]);
    wire.end();
    loop.settle();
    expect([bev.underlying?.closed?.end, wire.closed?.end]).to.deep.equal(['end', 'end']);
  });

  it('carries both ways through a slow link with little room', () => {
    const loop = new TestLoop();
    const { ends } = link(loop, { capacityBytes: 10, perTurnBytes: 7 });
    const [a, b] = [new FilterBufferEvent(ends[0], frameFilter()), new FilterBufferEvent(ends[1], frameFilter())];
    const bytes = pattern(5000);
    const got: Buffer[] = [];
    b.on('data', () => b.output.appendFrom(b.input));
    a.on('data', () => got.push(a.read()));
    a.write(bytes);
    a.end();
    loop.settle();
    expect(Buffer.concat(got).equals(bytes)).to.equal(true);
    expect([a.closed?.end, b.closed?.end]).to.deep.equal(['end', 'end']);
  });
});
