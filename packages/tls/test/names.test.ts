import { codeHex, defaultNames, errorString, Library, packCode, systemCode } from '@sluice/errors';
import { expect } from 'chai';
import { nativeQueue } from '../../native/test/support/native-queue.ts';
import { opensslNames } from '../src/names.ts';

describe('names of the running OpenSSL', () => {
  it('make the texts that it makes, of reasons and of every errno, those that are none included', () => {
    const codes = [
      ...Array.from({ length: 200 }, (_, errno) => systemCode(errno + 1)),
      ...[Library.ssl, Library.engine, Library.cms].flatMap((library) =>
        Array.from({ length: 120 }, (_, reason) => packCode(library, reason + 90)),
      ),
      packCode(200, 77),
    ];
    for (const code of codes) {
      expect(errorString(code, opensslNames), codeHex(code)).to.equal(nativeQueue.errorStringN(code, 256));
    }
  });

  it('are those of the table for what it does not know', () => {
    const terminated = 0x7f800001;
    expect(opensslNames.reason(terminated)).to.equal(defaultNames.reason(terminated)).and.not.equal('');
    expect(opensslNames.library(terminated)).to.equal('Sluice');
  });
});
