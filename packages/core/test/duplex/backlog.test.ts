import { LimitError } from '@sluice/errors';
import { expect } from 'chai';
import { Backlog, pieceBytes } from '../../src/duplex/backlog.ts';

describe('Backlog', () => {
  it('lets as many bytes through as the cap says, and begins anew when the stream has drained', () => {
    const backlog = new Backlog(1000);
    for (let round = 0; round < 2; round += 1) {
      for (let count = 0; count < 10; count += 1) expect(backlog.add(100)).to.equal(undefined);
      expect(backlog.add(1)).to.be.instanceOf(LimitError).and.to.include({ code: 'SLUICE_CORE_WRITE_CAP' });
      backlog.drained();
    }
  });

  it('counts what a piece costs besides its bytes, and lets one through under any cap', () => {
    expect([pieceBytes(0), pieceBytes(64), pieceBytes(65)]).to.deep.equal([64, 64, 65]);
    const backlog = new Backlog(10);
    expect(backlog.add(10)).to.equal(undefined);
    expect(backlog.add(0)?.message).to.contain('1 pieces (64 bytes of memory)');
  });
});
