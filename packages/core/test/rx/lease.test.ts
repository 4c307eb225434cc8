import { expect } from 'chai';
import { Lease } from '../../src/rx/index.ts';

describe('Lease', () => {
  it('is given back once, by whichever release comes first', () => {
    let given = 0;
    const lease = new Lease(Buffer.from('x'), () => void (given += 1));
    expect(lease.released).to.equal(false);
    lease[Symbol.dispose]();
    expect(lease.released).to.equal(true);
    lease.release();
    expect(given).to.equal(1);
    expect(lease.bytes.toString()).to.equal('x');
  });
});
