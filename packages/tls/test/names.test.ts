import { codeHex, defaultNames } from '@sluice/errors';
import { expect } from 'chai';
import { opensslNames } from '../src/names.ts';

describe('names of the running OpenSSL', () => {
  it('are its own for what only it knows, and the table for what it does not', () => {
    const engineReason = 0x13000064;
    expect(defaultNames.reason(engineReason), codeHex(engineReason)).to.equal('');
    expect(opensslNames.reason(engineReason)).to.equal('already loaded');
    expect(opensslNames.reason(0x0a000126)).to.equal('unexpected eof while reading');
    expect(opensslNames.library(0x0a000126)).to.equal('SSL routines');
    const terminated = 0x7f800001;
    expect(opensslNames.reason(terminated)).to.equal(defaultNames.reason(terminated)).and.not.equal('');
  });
});
