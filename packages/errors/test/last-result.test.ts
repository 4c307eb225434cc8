import { expect } from 'chai';
import { LastResult, resultFromSslError } from '../src/index.ts';

describe('LastResult', () => {
  it('begins with none and forgets at each start', () => {
    const result = new LastResult();
    expect(result.value).to.equal('none');
    result.set('want-write');
    expect(result.value).to.equal('want-write');
    result.start();
    expect(result.value).to.equal('none');
  });

  it("a network failure of the channel outranks the object's own", () => {
    const channel = { networkFailed: false };
    const result = new LastResult(channel);
    result.set('want-read');
    expect(result.value).to.equal('want-read');
    channel.networkFailed = true;
    expect(result.value).to.equal('syscall');
    result.start();
    expect(result.value).to.equal('syscall');
  });

  it("knows the numbers of OpenSSL's SSL_get_error; a new one is a failure", () => {
    const kinds = [0, 1, 2, 3, 4, 5, 6, 12].map(resultFromSslError);
    expect(kinds).to.deep.equal([
      'none',
      'ssl',
      'want-read',
      'want-write',
      'want-x509-lookup',
      'syscall',
      'zero-return',
      'want-retry-verify',
    ]);
    expect(resultFromSslError(99)).to.equal('ssl');
  });
});
