import { constants } from 'node:os';
import { expect } from 'chai';
import { systemErrorMessage, systemErrorName, systemErrorNumber } from '../src/index.ts';
import { systemVerdict } from '../src/system-verdicts.ts';

describe('system errors', () => {
  it('name and number find each other, of either sign', () => {
    const { ECONNRESET } = constants.errno;
    expect([systemErrorName(ECONNRESET), systemErrorName(-ECONNRESET)]).to.deep.equal(['ECONNRESET', 'ECONNRESET']);
    expect(systemErrorNumber('ECONNRESET')).to.equal(ECONNRESET);
    expect(systemErrorMessage('ECONNRESET')).to.equal('connection reset by peer');
  });

  it('those that only the system knows have a name, a number and a text, too', () => {
    const { EINPROGRESS, EAGAIN, EWOULDBLOCK } = constants.errno;
    expect([systemErrorName(EINPROGRESS), systemErrorNumber('EINPROGRESS')]).to.deep.equal([
      'EINPROGRESS',
      EINPROGRESS,
    ]);
    expect(systemErrorMessage('EINPROGRESS')).to.equal('operation now in progress');
    expect(systemVerdict(systemErrorName(EINPROGRESS))).to.include({ remedy: 'retry' });
    expect([systemErrorName(EWOULDBLOCK), systemErrorNumber('EWOULDBLOCK')]).to.deep.equal(['EAGAIN', EAGAIN]);
  });

  it('unknown ones are empty, not wrong', () => {
    expect([systemErrorName(98765), systemErrorNumber('ENOSUCH'), systemErrorMessage('ENOSUCH')]).to.deep.equal([
      '',
      0,
      '',
    ]);
    expect(systemVerdict('ENOSUCH')).to.include({ what: 'ENOSUCH', blame: 'system', remedy: 'close' });
    expect(systemVerdict('')).to.include({ what: 'UNKNOWN' });
  });
});
