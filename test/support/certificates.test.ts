import { X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import {
  chainedCertificate,
  clientCertificate,
  expiredCertificate,
  rsa16384,
  selfSignedCertificate,
  serverCertificate,
  wrongAuthorityCertificate,
} from './certificates.ts';

describe('test certificates', () => {
  const derBytes = (certPem: string): number => new X509Certificate(certPem).raw.length;

  it('have the sizes that the handshake tests count on', async () => {
    expect(derBytes((await serverCertificate()).certPem)).to.be.within(300, 700);
    expect(derBytes((await serverCertificate(400)).certPem)).to.be.within(13_000, 14_000);
    expect(derBytes((await serverCertificate(1200)).certPem)).to.be.within(40_001, 41_000);
    expect(derBytes((await serverCertificate(2000)).certPem)).to.be.within(64_000, 67_000);
  });

  it('are made once', async () => {
    expect(await serverCertificate(400)).to.equal(await serverCertificate(400));
    expect((await serverCertificate()).caPem).to.equal((await clientCertificate()).caPem);
  });

  it('belong to their keys, names and issuers', async () => {
    for (const made of [await serverCertificate(), await clientCertificate(), await expiredCertificate()]) {
      const leaf = new X509Certificate(made.certPem);
      const root = new X509Certificate(made.caPem);
      expect(leaf.checkIssued(root) && leaf.verify(root.publicKey)).to.equal(true);
      expect(leaf.checkHost('localhost')).to.equal('localhost');
      expect(leaf.checkIP('127.0.0.1')).to.equal('127.0.0.1');
    }
    const chained = await chainedCertificate();
    expect(chained.certPem.match(/BEGIN CERTIFICATE/g)).to.have.length(2);
    expect(new X509Certificate(chained.certPem).checkIssued(new X509Certificate(chained.caPem))).to.equal(false);
  });

  it('are bad in the way their names say', async () => {
    expect(new X509Certificate((await expiredCertificate()).certPem).validToDate.getUTCFullYear()).to.equal(2021);
    const own = await selfSignedCertificate();
    const stranger = await wrongAuthorityCertificate();
    for (const { certPem, caPem } of [own, stranger]) {
      expect(new X509Certificate(certPem).checkIssued(new X509Certificate(caPem))).to.equal(false);
    }
    const leaf = new X509Certificate(own.certPem);
    expect(leaf.verify(leaf.publicKey)).to.equal(true);
    expect(new X509Certificate(stranger.certPem).subject).to.not.equal(new X509Certificate(stranger.certPem).issuer);
  });

  it('include an RSA key of 16,384 bits', () => {
    const leaf = new X509Certificate(rsa16384().certPem);
    expect(leaf.publicKey.asymmetricKeyDetails?.modulusLength).to.equal(16_384);
    expect(leaf.verify(leaf.publicKey)).to.equal(true);
  });
});
