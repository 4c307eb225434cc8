import { ApiMisuse, SluiceError, TlsError } from '@sluice/errors';
import { expect } from 'chai';
import {
  chainedCertificate,
  expiredCertificate,
  serverCertificate,
  type TestCertificate,
} from '../../../test/support/certificates.ts';
import { type ClientContextOptions, type ServerContextOptions, TlsContext } from '../src/index.ts';
import { TlsEnd, Wire } from './support/wire.ts';

describe('TlsContext', () => {
  let good: TestCertificate;
  before(async () => {
    good = await serverCertificate();
  });

  const server = (options: Partial<ServerContextOptions> = {}): TlsContext =>
    TlsContext.server({ cert: good.certPem, key: good.keyPem, ...options });

  it('is made once for any number of connections, and knows its limits', () => {
    const context = server({ sendFragmentBytesMax: 1024, certListBytesMax: 5000 });
    expect(context).to.include({ role: 'server', sendFragmentBytesMax: 1024, certListBytesMax: 5000 });
    expect(TlsContext.client()).to.include({ role: 'client', sendFragmentBytesMax: 16_384, certListBytesMax: 102_400 });
  });

  it('takes PEM as text or bytes, and several bundles of roots', async () => {
    const chain = await chainedCertificate();
    const context = server({ cert: Buffer.from(chain.certPem), key: Buffer.from(chain.keyPem) });
    const client = TlsContext.client({ ca: [good.caPem, Buffer.from(chain.caPem)] });
    new Wire(new TlsEnd(client, { servername: 'localhost' }), new TlsEnd(context)).connect().free();
  });

  const wrong: [name: string, options: () => Partial<ServerContextOptions>, code: string, says: RegExp][] = [
    [
      'a file name in place of a certificate',
      () => ({ cert: '/etc/cert.pem' }),
      'CERT',
      /content of the file, not its name/u,
    ],
    ['no key', () => ({ key: undefined as unknown as string }), 'CERT', /key is missing/u],
    ['a certificate in place of the key', () => ({ key: good.certPem }), 'KEY', /BEGIN PRIVATE KEY/u],
    ['an empty list of roots', () => ({ ca: [] }), 'CA', /empty list/u],
    ['an unknown version', () => ({ minVersion: 'TLSv1.1' as 'TLSv1.2' }), 'MINVERSION', /'TLSv1.2' or 'TLSv1.3'/u],
    [
      'versions the wrong way round',
      () => ({ minVersion: 'TLSv1.3', maxVersion: 'TLSv1.2' }),
      'MINVERSION',
      /no version is left/u,
    ],
    ['a protocol name that is too long', () => ({ alpn: ['x'.repeat(256)] }), 'ALPN', /1 to 255 bytes, not 256/u],
    ['an empty list of protocols', () => ({ alpn: [] }), 'ALPN', /empty list/u],
    [
      'a fragment that is too small',
      () => ({ sendFragmentBytesMax: 511 }),
      'SENDFRAGMENTBYTESMAX',
      /512 to 16384, not 511/u,
    ],
    ['tickets that are no number', () => ({ tickets: Number.NaN }), 'TICKETS', /0 to 16, not NaN/u],
    [
      'an unknown wish for certificates',
      () => ({ clientCertificate: 'yes' as 'none' }),
      'CLIENTCERTIFICATE',
      /not 'yes'/u,
    ],
    [
      'an unknown truncation',
      () => ({ truncation: 'ignore' as 'end' }),
      'TRUNCATION',
      /'failure' or 'end', not 'ignore'/u,
    ],
    ['empty ciphers', () => ({ ciphers: '' }), 'CIPHERS', /is empty/u],
  ];
  for (const [name, options, code, says] of wrong) {
    it(`refuses ${name} without asking OpenSSL`, () => {
      const error = thrown(() => server(options()));
      expect(error).to.be.instanceOf(ApiMisuse);
      expect(error).to.include({ code: `SLUICE_TLS_CONFIG_${code}`, layer: 'tls', blame: 'local', remedy: 'fix' });
      expect(error.message).to.match(says);
      expect(error.entries).to.deep.equal([]);
    });
  }

  const refused: [name: string, options: () => Promise<Partial<ServerContextOptions>>, code: string, says: RegExp][] = [
    ['a damaged certificate', async () => ({ cert: damaged(good.certPem) }), 'CERT', /first PEM block is damaged/u],
    [
      'a damaged certificate in the chain',
      async () => ({ cert: `${good.certPem}\n${damaged((await chainedCertificate()).caPem)}` }),
      'CERT',
      /chain behind the leaf/u,
    ],
    ['a damaged key', async () => ({ key: damaged(good.keyPem) }), 'KEY', /key cannot be read/u],
    [
      'the key of another certificate',
      async () => ({ key: (await expiredCertificate()).keyPem }),
      'KEY',
      /belong to the certificate/u,
    ],
    ['damaged roots', async () => ({ ca: damaged(good.caPem) }), 'CA', /ca holds a PEM block/u],
    ['unknown ciphers', async () => ({ ciphers: 'NO-SUCH-CIPHER' }), 'CIPHERS', /'NO-SUCH-CIPHER'/u],
    ['unknown suites', async () => ({ ciphersuites: 'TLS_NONE' }), 'CIPHERSUITES', /'TLS_NONE'/u],
    ['unknown groups', async () => ({ groups: 'P-1' }), 'GROUPS', /'P-1'/u],
  ];
  for (const [name, options, code, says] of refused) {
    it(`names the option when OpenSSL refuses ${name}`, async () => {
      const wanted = await options();
      const error = thrown(() => server(wanted));
      expect(error).to.be.instanceOf(TlsError);
      expect(error).to.include({ code: `SLUICE_TLS_CONFIG_${code}`, blame: 'local', remedy: 'fix' });
      expect(error.message).to.match(says);
      // OpenSSL has nothing to say of groups that it does not know.
      if (code !== 'GROUPS') expect(error.entries.length).to.be.above(0);
    });
  }

  it('asks for the passphrase of an encrypted key, and says when it is wrong', async () => {
    const { createPrivateKey } = await import('node:crypto');
    const key = createPrivateKey(good.keyPem).export({
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase: 'open sesame',
    }) as string;
    expect(thrown(() => server({ key })).message).to.match(/key is encrypted: give its passphrase/u);
    expect(thrown(() => server({ key, passphrase: 'wrong' })).message).to.match(/cannot be decrypted/u);
    expect(server({ key, passphrase: 'open sesame' }).role).to.equal('server');
  });

  it('refuses half an identity for a client', () => {
    const options: ClientContextOptions = { cert: good.certPem };
    expect(thrown(() => TlsContext.client(options)).message).to.match(/cert is given without key/u);
  });

  it('says that a name cannot be used, not that the connection failed', () => {
    const context = TlsContext.client();
    const error = thrown(() => new TlsEnd(context, { servername: `${'x'.repeat(300)}.test` }));
    expect(error).to.include({ code: 'SLUICE_TLS_CONFIG_SERVERNAME', blame: 'local' });
  });
});

function damaged(pem: string): string {
  const lines = pem.trim().split('\n');
  const middle = Math.floor(lines.length / 2);
  return lines.map((line, index) => (index === middle ? 'AAAA' : line)).join('\n');
}

function thrown(run: () => unknown): SluiceError {
  try {
    run();
  } catch (error) {
    if (error instanceof SluiceError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
