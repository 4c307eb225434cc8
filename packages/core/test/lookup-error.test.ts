import { SluiceError, SystemError } from '@sluice/errors';
import { expect } from 'chai';
import { lookupError } from '../src/lookup-error.ts';

describe('lookupError', () => {
  it("is the system's error, by number or by name, with the host and the cause", () => {
    const byNumber = Object.assign(new Error('getaddrinfo'), { errno: -2, code: 'ENOENT' });
    const byName = Object.assign(new Error('queryA'), { code: 'ETIMEOUT' });
    expect(lookupError('a.test', byNumber))
      .to.be.instanceOf(SystemError)
      .and.include({ errno: 'ENOENT', cause: byNumber });
    const named = lookupError('a.test', byName);
    expect(named).to.be.instanceOf(SystemError).and.include({ errno: 'ETIMEOUT', operation: 'lookup', cause: byName });
    expect(named.message).to.include('lookup a.test');
  });

  it('says of anything else what it said itself', () => {
    const cause = Object.assign(new TypeError('that is no host'), { code: 'ERR_INVALID_ARG_TYPE', errno: 0 });
    const error = lookupError('a.test', cause);
    expect(error).to.include({
      code: 'SLUICE_CORE_LOOKUP_FAILED',
      blame: 'local',
      remedy: 'fix',
      end: 'failed',
      cause,
    });
    expect(error.message).to.equal('lookup a.test failed: that is no host');
    expect(lookupError('a.test', 'nothing').message).to.equal('lookup a.test failed: nothing');
  });

  it("leaves an error of Sluice's as it is", () => {
    const own = new SluiceError('own', {
      code: 'SLUICE_X',
      layer: 'core',
      operation: 'x',
      blame: 'local',
      remedy: 'fix',
    });
    expect(lookupError('a.test', own)).to.equal(own);
  });
});
