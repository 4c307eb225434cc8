import { expect } from 'chai';
import { missingPackages } from '../src/prepare.ts';

describe('missingPackages', () => {
  it('names the Debian packages whose headers or libraries the compiler did not find', () => {
    expect(missingPackages('peers/x.c:2:10: fatal error: event2/buffer.h: No such file or directory')).to.deep.equal([
      'libevent-dev',
    ]);
    expect(
      missingPackages('/usr/bin/ld: cannot find -lssl: No such file\n/usr/bin/ld: cannot find -levent'),
    ).to.deep.equal(['libssl-dev', 'libevent-dev']);
  });

  it('names none for other errors', () => {
    expect(missingPackages("error: 'x' undeclared\nfatal error: own.h: No such file")).to.deep.equal([]);
  });
});
