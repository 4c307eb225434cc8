import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { serverCertificate, wrongAuthorityCertificate } from '../../../test/support/certificates.ts';
import { tlsWrap } from '../tls-files.ts';
import { UsageError } from '../usage-error.ts';

describe('the examples: certificate files', () => {
  let directory: string;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sluice-tls-files-'));
    const { certPem, keyPem } = await serverCertificate();
    await writeFile(join(directory, 'cert.pem'), certPem);
    await writeFile(join(directory, 'key.pem'), keyPem);
    await writeFile(join(directory, 'other.pem'), (await wrongAuthorityCertificate()).keyPem);
    await writeFile(join(directory, 'text.pem'), 'this is no PEM\n');
    await writeFile(join(directory, 'broken.pem'), certPem.replace(/[A-Za-z]{40}/, 'A'.repeat(40)));
  });

  after(() => rm(directory, { recursive: true }));

  const wrap = (cert: string, key: string): unknown => tlsWrap(join(directory, cert), join(directory, key), {});

  it('are read', () => expect(wrap('cert.pem', 'key.pem')).to.be.a('function'));

  const wrong: [name: string, cert: string, key: string, message: RegExp][] = [
    [
      'a certificate that is not there',
      'absent.pem',
      'key.pem',
      /^--cert \S+absent\.pem cannot be read: no such file$/,
    ],
    ['a key that is not there', 'cert.pem', 'absent.pem', /^--key \S+absent\.pem cannot be read: no such file$/],
    ['a directory', '.', 'key.pem', /^--cert \S+ cannot be read: it is a directory$/],
    ['text for a certificate', 'text.pem', 'key.pem', /^--cert \S+text\.pem and --key \S+key\.pem cannot be used: /],
    ['text for a key', 'cert.pem', 'text.pem', /cannot be used: /],
    ['a certificate with its bytes wrong', 'broken.pem', 'key.pem', /cannot be used: /],
    ["somebody else's key", 'cert.pem', 'other.pem', /cannot be used: /],
  ];
  for (const [name, cert, key, message] of wrong) {
    it(`${name}: one sentence that names the file`, () => expect(() => wrap(cert, key)).to.throw(UsageError, message));
  }
});
