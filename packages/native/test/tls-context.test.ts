import { createPrivateKey } from 'node:crypto';
import { expect } from 'chai';
import { chainedCertificate, clientCertificate, serverCertificate } from '../../../test/support/certificates.ts';
import type { TestCertificate } from '../../../test/support/certificates.ts';
import type { NativeEntry, NativeTlsContextOptions } from '../src/binding.ts';
import {
  binding,
  context,
  defaults,
  Endpoint,
  handshake,
  HandshakeFailure,
  records,
  tls12,
  tls13,
  wire,
} from './support/engines.ts';
import { nativeQueue as queue } from './support/native-queue.ts';

/** What the context refuses with; the queue holds junk before the call, and nothing after it. */
function refusal(options: Partial<NativeTlsContextOptions>): { operation: string; entries: NativeEntry[] } {
  queue.raise(0x10000077, 'junk.c', 1, 'junk');
  const made = binding.tlsContext({ ...defaults, ...options });
  expect(queue.peek(), 'entries left behind').to.equal(undefined);
  if (!('operation' in made)) throw new Error('the context was made');
  expect(made.entries.map(([, file]) => file)).to.not.include('junk.c');
  return made;
}

/** The reasons of a refusal, oldest first. */
function reasons(entries: readonly NativeEntry[]): string[] {
  return entries.map(([code]) => binding.errorStrings(code)[1]);
}

describe('tlsContext', () => {
  let server: TestCertificate;
  before(async () => {
    server = await serverCertificate();
  });
  const connect = (
    client: Partial<NativeTlsContextOptions>,
    serverOptions: Partial<NativeTlsContextOptions> = {},
  ): { client: Endpoint; server: Endpoint } => {
    const { certPem: cert, keyPem: key } = server;
    const ends = {
      client: new Endpoint(context(client), 17_408, 'localhost'),
      server: new Endpoint(context({ server: true, cert, key, ...serverOptions })),
    };
    wire(ends.client, ends.server);
    handshake(ends.client, ends.server);
    return ends;
  };
  const failure = (...options: Parameters<typeof connect>): HandshakeFailure => {
    try {
      connect(...options);
    } catch (error) {
      if (error instanceof HandshakeFailure) return error;
      throw error;
    }
    throw new Error('the handshake succeeded');
  };

  describe('identity', () => {
    it('sends the whole chain', async () => {
      const { certPem: cert, keyPem: key, caPem: ca } = await chainedCertificate();
      expect(connect({ ca, verify: 1 }, { cert, key }).client.engine.info().verifyResult).to.equal(0);
      const leafOnly = cert.slice(0, cert.indexOf('-----BEGIN', 10));
      expect(failure({ ca, verify: 1 }, { cert: leafOnly, key }).atServer).to.equal(false);
    });

    it('decrypts a key with the right passphrase only, and never asks for one', () => {
      const cipher = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'open' } as const;
      const key = createPrivateKey(server.keyPem).export(cipher).toString();
      const cert = server.certPem;
      context({ server: true, cert, key, passphrase: 'open' });
      for (const passphrase of [undefined, '', 'wrong', 'x'.repeat(5000)]) {
        const { operation, entries } = refusal({ cert, key, passphrase });
        expect(operation).to.equal('PEM_read_bio_PrivateKey');
        expect(entries).to.not.have.length(0);
      }
    });

    it('refuses what is no PEM', () => {
      const { keyPem: key, certPem } = server;
      const noCert = refusal({ cert: 'rubbish', key });
      expect([noCert.operation, reasons(noCert.entries)]).to.deep.equal(['PEM_read_bio_X509_AUX', ['no start line']]);
      const broken = certPem.replace(/\n[^\n]{20}/, '\n!');
      expect(refusal({ cert: broken, key }).operation).to.equal('PEM_read_bio_X509_AUX');
      const brokenChain = refusal({ cert: `${certPem}\n${broken}`, key });
      expect(brokenChain.operation).to.equal('PEM_read_bio_X509');
      expect(brokenChain.entries).to.not.have.length(0);
      expect(refusal({ cert: certPem, key: 'rubbish' }).operation).to.equal('PEM_read_bio_PrivateKey');
    });

    it('refuses a key of another certificate, and half an identity', async () => {
      const { keyPem: key } = await clientCertificate();
      const other = refusal({ cert: server.certPem, key });
      expect([other.operation, reasons(other.entries)]).to.deep.equal([
        'SSL_CTX_use_PrivateKey',
        ['key values mismatch'],
      ]);
      const noKey = refusal({ cert: server.certPem });
      expect([noKey.operation, reasons(noKey.entries)]).to.deep.equal([
        'SSL_CTX_check_private_key',
        ['no private key assigned'],
      ]);
      const noCert = refusal({ key });
      expect([noCert.operation, reasons(noCert.entries)]).to.deep.equal([
        'SSL_CTX_check_private_key',
        ['no certificate assigned'],
      ]);
    });
  });

  describe('trust', () => {
    it('takes bundles of several roots', async () => {
      const other = await chainedCertificate();
      const ca = `${other.certPem}\n${server.caPem}`;
      expect(connect({ ca, verify: 1 }).client.engine.info().verifyText).to.equal('ok');
    });

    it('refuses a bundle without certificates, or with a broken one', () => {
      const none = refusal({ ca: 'rubbish', verify: 1 });
      expect([none.operation, reasons(none.entries)]).to.deep.equal(['PEM_read_bio_X509', ['no start line']]);
      const broken = refusal({ ca: `${server.caPem}\n${server.caPem.replace(/\n[^\n]{20}/, '\n!')}` });
      expect(broken.operation).to.equal('PEM_read_bio_X509');
    });

    it('trusts nobody by default locations that do not know the root', () => {
      const { atServer, entries } = failure({ verify: 1 });
      expect([atServer, reasons(entries)]).to.deep.equal([false, ['certificate verify failed']]);
    });

    it('asks for client certificates, or insists', async () => {
      const { caPem: ca } = server;
      const { certPem: cert, keyPem: key } = await clientCertificate();
      expect(connect({}, { ca, verify: 1 }).server.engine.info()).to.not.have.property('peerCertificate');
      expect(connect({ cert, key }, { ca, verify: 2 }).server.engine.info()).to.have.property('peerCertificate');
      expect(connect({ cert, key }, { ca, verify: 0 }).server.engine.info()).to.not.have.property('peerCertificate');
      const { atServer, entries } = failure({ maxVersion: tls12 }, { ca, verify: 2 });
      expect([atServer, reasons(entries)]).to.deep.equal([true, ['peer did not return a certificate']]);
    });
  });

  describe('versions, ciphers, groups', () => {
    it('are what was asked for', () => {
      const old = connect({ maxVersion: tls12, ciphers: 'ECDHE-ECDSA-CHACHA20-POLY1305' }).client.engine.info();
      expect([old.version, old.cipher]).to.deep.equal([tls12, 'ECDHE-ECDSA-CHACHA20-POLY1305']);
      const now = connect({ minVersion: tls13, ciphersuites: 'TLS_AES_128_GCM_SHA256' }).client.engine.info();
      expect([now.version, now.cipher]).to.deep.equal([tls13, 'TLS_AES_128_GCM_SHA256']);
    });

    it('fail the handshake where the ends have nothing in common', () => {
      expect(reasons(failure({ maxVersion: tls12 }, { minVersion: tls13 }).entries)).to.include('unsupported protocol');
      const ciphers = [{ ciphersuites: 'TLS_AES_128_GCM_SHA256' }, { ciphersuites: 'TLS_AES_256_GCM_SHA384' }];
      const both = ciphers.map((suites) => ({ ...suites, minVersion: tls13 }));
      expect(reasons(failure(both[0] ?? {}, both[1]).entries)).to.include('no shared cipher');
      expect(reasons(failure({ groups: 'P-256' }, { groups: 'X25519' }).entries)).to.include('no suitable key share');
    });

    it('are refused when OpenSSL does not know them', () => {
      expect(refusal({ ciphers: 'NO-SUCH' }).operation).to.equal('SSL_CTX_set_cipher_list');
      expect(refusal({ ciphersuites: 'NO-SUCH' }).operation).to.equal('SSL_CTX_set_ciphersuites');
      expect(refusal({ groups: 'NO-SUCH' }).operation).to.equal('SSL_CTX_set1_groups_list');
      expect(refusal({ minVersion: 0x9999 }).operation).to.equal('SSL_CTX_set_min_proto_version');
      expect(refusal({ maxVersion: 0x9999 }).operation).to.equal('SSL_CTX_set_max_proto_version');
    });

    it('yield to extra options', () => {
      const SSL_OP_NO_TLSv1_3 = 1 << 29;
      const { client } = connect({ extraOptions: String(SSL_OP_NO_TLSv1_3) });
      expect(client.engine.info().version).to.equal(tls12);
    });
  });

  describe('limits', () => {
    it('bound the certificate list that a peer may send', async () => {
      const { certPem: cert, keyPem: key } = await serverCertificate(400);
      connect({}, { cert, key });
      const { atServer, entries } = failure({ certListBytesMax: 10_000 }, { cert, key });
      expect([atServer, reasons(entries)]).to.deep.equal([false, ['excessive message size']]);
    });

    it('set the count of tickets and the size of records', () => {
      const sent = [0, 1, 2].map((tickets) => connect({}, { tickets }).server.sent);
      expect(sent[1]).to.be.above((sent[0] ?? 0) + 150);
      expect(sent[2]).to.be.above((sent[1] ?? 0) + 150);

      const { client, server: peer } = connect({ sendFragmentBytesMax: 512 });
      expect(client.writeAll(Buffer.alloc(1200))).to.deep.equal([512, 512, 176]);
      expect(records(peer.incoming).map(([type]) => type)).to.deep.equal([23, 23, 23]);
    });

    it('are refused out of range', () => {
      expect(refusal({ sendFragmentBytesMax: 511 }).operation).to.equal('SSL_CTX_set_max_send_fragment');
      expect(refusal({ sendFragmentBytesMax: 16_385 }).operation).to.equal('SSL_CTX_set_max_send_fragment');
      expect(refusal({ tickets: -1 }).operation).to.equal('SSL_CTX_set_num_tickets');
      expect(refusal({ certListBytesMax: 0 }).operation).to.equal('SSL_CTX_set_max_cert_list');
      expect(refusal({ alpn: Buffer.from('\x09h2') }).operation).to.equal('SSL_CTX_set_alpn_protos');
      expect(refusal({ server: true, alpn: Buffer.from('h2') }).operation).to.equal('SSL_CTX_set_alpn_protos');
    });
  });

  describe('arguments of a wrong type', () => {
    it('are a TypeError that names the option', () => {
      const wrong: [keyof NativeTlsContextOptions, unknown][] = [
        ['server', 1],
        ['cert', Buffer.from('x')],
        ['passphrase', 5],
        ['minVersion', 'TLSv1.2'],
        ['ciphers', 'DEFAULT\0:aNULL'],
        ['alpn', 'h2'],
        ['extraOptions', '12x'],
        ['extraOptions', '99999999999999999999999'],
      ];
      for (const [name, value] of wrong) {
        const options = { ...defaults, [name]: value };
        expect(() => binding.tlsContext(options), name).to.throw(TypeError, `tlsContext: ${name} must be`);
      }
      // @ts-expect-error -- a bug of the caller's
      expect(() => binding.tlsContext()).to.throw(TypeError, 'options must be an object');
    });

    it('let the exception of a getter through', () => {
      const options = {
        ...defaults,
        get groups(): string {
          throw new Error('from the getter');
        },
      };
      expect(() => binding.tlsContext(options)).to.throw('from the getter');
    });
  });

  it('is made by the function only', () => {
    const { constructor } = context({});
    expect(() => Reflect.construct(constructor, [])).to.throw('use tlsContext');
  });
});
