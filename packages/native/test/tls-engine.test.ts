import { X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import {
  expiredCertificate,
  rsa16384,
  selfSignedCertificate,
  serverCertificate,
  wrongAuthorityCertificate,
} from '../../../test/support/certificates.ts';
import type { TestCertificate } from '../../../test/support/certificates.ts';
import { TLS_RESULT_LENGTH } from '../src/binding.ts';
import type { NativeEntry, NativeTlsContextOptions, TlsOp } from '../src/binding.ts';
import {
  binding,
  context,
  Endpoint,
  handshake,
  HandshakeFailure,
  records,
  SslError,
  tls12,
  tls13,
  wire,
} from './support/engines.ts';
import { nativeQueue as queue } from './support/native-queue.ts';

const pairSizes = [1, 17, 64, 512, 4096, 8192, 17_408];
const versions = [tls12, tls13];
const { none, ssl, wantRead, wantWrite, syscall, zeroReturn } = SslError;

const codes = (entries: readonly NativeEntry[] | undefined): string[] =>
  (entries ?? []).map(([code]) => code.toString(16).toUpperCase().padStart(8, '0'));

describe('tlsEngine', () => {
  let good: TestCertificate;
  before(async () => {
    good = await serverCertificate();
  });

  interface Ends {
    client: Endpoint;
    server: Endpoint;
  }
  interface Setup {
    pairBytes?: number;
    servername?: string;
    client?: Partial<NativeTlsContextOptions>;
    server?: Partial<NativeTlsContextOptions>;
    certificate?: TestCertificate;
  }
  /** Two wired ends that have not begun. */
  const pair = ({ pairBytes, servername = '', client, server, certificate = good }: Setup = {}): Ends => {
    const { certPem: cert, keyPem: key } = certificate;
    const ends = {
      client: new Endpoint(context({ ...client }), pairBytes, servername),
      server: new Endpoint(context({ server: true, cert, key, ...server }), pairBytes),
    };
    wire(ends.client, ends.server);
    return ends;
  };
  /** Two ends after their handshake, tickets read. */
  const connected = (setup: Setup = {}): Ends => {
    const ends = pair(setup);
    handshake(ends.client, ends.server);
    ends.client.readAll();
    return ends;
  };
  const failed = (ends: Ends): HandshakeFailure => {
    try {
      handshake(ends.client, ends.server);
    } catch (error) {
      if (error instanceof HandshakeFailure) return error;
      throw error;
    }
    throw new Error('the handshake succeeded');
  };
  const transfer = (from: Endpoint, to: Endpoint, bytes: Uint8Array): Uint8Array => {
    from.writeAll(bytes);
    return to.readAll();
  };

  describe('handshake and data', () => {
    for (const version of versions) {
      for (const pairBytes of pairSizes) {
        it(`TLS ${version === tls12 ? 1.2 : 1.3} over a pair of ${pairBytes}`, () => {
          const { client, server } = connected({ pairBytes, client: { maxVersion: version } });
          expect(client.engine.info().version).to.equal(version);
          const bytes = Buffer.from(
            Uint8Array.from({ length: pairBytes < 64 ? 3000 : 100_000 }, (_, index) => index % 251),
          );
          expect(bytes.equals(transfer(client, server, bytes))).to.equal(true);
          expect(bytes.equals(transfer(server, client, bytes))).to.equal(true);
        });
      }
    }

    it('T09, T10: a certificate of 13 kB over 8192 bytes wants room once', async () => {
      for (const maxVersion of versions) {
        const answers = (certificate: TestCertificate): number[] => {
          const ends = pair({ pairBytes: 8192, certificate, client: { maxVersion } });
          return handshake(ends.client, ends.server).server;
        };
        expect(answers(await serverCertificate(400))).to.deep.equal([wantWrite, wantRead, none]);
        expect(answers(await serverCertificate(2000))).to.deep.equal([
          ...Array.from({ length: 8 }, () => wantWrite),
          wantRead,
          none,
        ]);
      }
    });

    it('T09: the second accept needs no input, only the drain', async () => {
      const { client, server } = pair({ pairBytes: 8192, certificate: await serverCertificate(400) });
      client.step('handshake');
      server.step('handshake');
      expect(server.result('sslError')).to.equal(wantWrite);
      expect([server.result('pendingAfter'), server.result('produced'), server.result('pendingOut')]).to.deep.equal([
        8192, 8192, 0,
      ]);
      server.step('handshake');
      expect([server.result('consumed'), server.result('sslError')]).to.deep.equal([0, wantRead]);
      expect(server.result('produced')).to.be.within(4000, 8191);
    });

    it('T14: an RSA key of 16,384 bits', function () {
      this.timeout(60_000);
      const certificate = rsa16384();
      const client = { ca: certificate.caPem, verify: 1 } as const;
      const ends = connected({ certificate, client, servername: 'localhost' });
      expect(ends.client.engine.info().verifyResult).to.equal(0);
    });

    it('reads as many records as there is room for, in one step, whatever the pair holds', () => {
      const { client, server } = connected({ pairBytes: 512 });
      const bytes = Buffer.alloc(5000, 'x');
      client.writeAll(bytes, 400);
      server.step('read', new Uint8Array(4900));
      expect(server.result('transferred')).to.equal(4900);
      expect(server.result('calls')).to.equal(13);
      expect(server.result('hasPending')).to.equal(1);
      expect(server.readAll()).to.have.length(100);
      expect([server.result('sslError'), server.result('hasPending')]).to.deep.equal([wantRead, 0]);
    });

    it('T31, T32: an unfinished write goes on with the same bytes only', () => {
      for (const honest of [true, false]) {
        const { client, server } = connected({ pairBytes: 512 });
        client.outputBytes = 0;
        client.step('write', Buffer.alloc(1200, 'a'));
        expect([client.result('sslError'), client.result('transferred')]).to.deep.equal([wantWrite, 0]);
        expect([client.result('pendingOut'), client.result('produced')]).to.deep.equal([512, 0]);
        client.outputBytes = 65_536;
        client.step('move');
        expect(client.result('produced')).to.equal(512);
        const entries = client.step('write', Buffer.alloc(honest ? 1200 : 1000, 'a'));
        if (!honest) {
          expect([codes(entries), client.result('sslError')]).to.deep.equal([['0A00010F'], ssl]);
          continue;
        }
        client.step('write', Buffer.alloc(1200, 'a'));
        expect([client.result('sslError'), client.result('transferred')]).to.deep.equal([none, 1200]);
        expect(server.readAll()).to.have.length(1200);
      }
    });

    it('asks for a key update, which the peer answers with its next write', () => {
      const { client, server } = connected();
      client.step('keyUpdate');
      expect([client.result('ret'), client.result('sslError')]).to.deep.equal([1, none]);
      expect(transfer(client, server, Buffer.from('ping'))).to.deep.equal(Buffer.from('ping'));
      server.step('write', Buffer.from('pong'));
      expect(records(client.incoming), 'the answer, and the data').to.have.length(2);
      expect(Buffer.from(client.readAll()).toString()).to.equal('pong');
      const old = connected({ client: { maxVersion: tls12 } });
      expect(old.client.step('keyUpdate')).to.have.length(1);
      expect(old.client.result('sslError')).to.equal(ssl);
    });
  });

  describe('the counters', () => {
    it('add up in every step of a whole connection', () => {
      const { client, server } = pair({ pairBytes: 512 });
      const check = (end: Endpoint, offered: number): void => {
        expect(end.result('consumed')).to.be.at.most(offered);
        expect(end.result('pendingOut')).to.equal(end.result('pendingAfter') - end.result('produced'));
        expect(end.result('pendingIn') + end.result('roomIn')).to.equal(512);
        expect(end.result('staleEntries')).to.equal(0);
      };
      for (let round = 0; client.result('initFinished') === 0 || server.result('initFinished') === 0; round++) {
        expect(round).to.be.below(50);
        for (const end of [client, server]) {
          // Some rounds have little room for output.
          end.outputBytes = round % 2 === 0 ? 100 : 65_536;
          const offered = end.incoming.length;
          end.step('handshake');
          expect(end.result('calls')).to.equal(1);
          check(end, offered);
          end.step('move');
          expect(end.result('calls')).to.equal(0);
        }
      }
    });

    it('keep ciphertext that nobody has room for, in order', () => {
      const { client, server } = connected();
      client.outputBytes = 0;
      for (const text of ['one', 'two', 'three']) client.step('write', Buffer.from(text));
      expect(client.result('pendingOut')).to.equal(client.result('pendingAfter')).and.above(60);
      client.outputBytes = 7;
      do {
        client.step('move');
        expect(client.result('produced')).to.equal(7);
      } while (client.result('pendingOut') >= 7);
      client.step('move');
      expect(Buffer.from(server.readAll()).toString()).to.equal('onetwothree');
    });
  });

  describe('errors', () => {
    it("T28: junk in the thread's queue changes no answer, is counted, and stays with nobody", () => {
      const { client, server } = pair();
      const inject = (): void => {
        queue.raise(0x80000068, 'junk.c', 1, 'junk');
        queue.raise(0x0a000126, 'junk.c', 2, 'junk', 'data');
      };
      const dirty = (end: Endpoint, op: keyof typeof TlsOp, data?: Uint8Array): number => {
        inject();
        expect(end.step(op, data), op).to.equal(undefined);
        expect(end.result('staleEntries'), op).to.equal(2);
        expect(queue.peek(), op).to.equal(undefined);
        return end.result('sslError');
      };
      expect(dirty(client, 'handshake')).to.equal(wantRead);
      expect(dirty(client, 'handshake')).to.equal(wantRead);
      expect(dirty(server, 'handshake')).to.equal(wantRead);
      expect(dirty(client, 'handshake')).to.equal(none);
      expect(dirty(server, 'handshake')).to.equal(none);
      expect(dirty(client, 'read', new Uint8Array(10))).to.equal(wantRead);
      expect(dirty(client, 'keyUpdate')).to.equal(none);
      expect(dirty(client, 'write', Buffer.from('x'))).to.equal(none);
      expect(dirty(server, 'move')).to.equal(none);
      expect(dirty(server, 'read', new Uint8Array(10))).to.equal(wantRead);
      expect(server.result('transferred')).to.equal(1);
      expect(dirty(server, 'shutdown')).to.equal(none);
      expect(dirty(client, 'read', new Uint8Array(10))).to.equal(zeroReturn);
      expect(dirty(client, 'eof')).to.equal(none);
      for (const call of [() => client.engine.info(), () => client.engine.free()]) {
        inject();
        call();
        expect(queue.peek()).to.equal(undefined);
      }
      for (const servername of ['', 'localhost', '::1']) {
        const options = context({});
        inject();
        expect(binding.tlsEngine(options, 17, servername, new Int32Array(TLS_RESULT_LENGTH))).to.have.property('step');
        expect(queue.peek()).to.equal(undefined);
      }
    });

    it('come whole, and with their alert: a record that was changed on its way', () => {
      for (const [version, expected] of [
        [tls12, ['1C800066', '0A000119', '0A000139']],
        [tls13, ['0A000119', '0A000139']],
      ] as const) {
        const { client, server } = connected({ client: { maxVersion: version } });
        client.step('write', Buffer.from('hello'));
        server.incoming[server.incoming.length - 1]! ^= 1;
        const entries = server.step('read', new Uint8Array(100));
        expect(codes(entries)).to.deep.equal(expected);
        const [, file, line, func, data] = entries?.at(-2) ?? [];
        expect(file).to.match(/ssl.record.methods.tls_common\.c$/);
        expect([func, data]).to.deep.equal(['tls_get_more_records', '']);
        expect(line).to.be.above(0);
        expect(server.result('sslError')).to.equal(ssl);
        expect(server.result('produced')).to.be.above(0);
        expect([...server.engine.takeAlerts()]).to.deep.equal([1, 2, 20]);

        const atClient = client.step('read', new Uint8Array(100));
        expect(codes(atClient)).to.deep.equal(['0A0003FC']);
        expect(atClient?.[0]?.[4]).to.equal('SSL alert number 20');
        expect(client.result('alerts')).to.equal(1);
        expect([...client.engine.takeAlerts()]).to.deep.equal([0, 2, 20]);
        expect([...client.engine.takeAlerts()]).to.deep.equal([]);
      }
    });

    it('T24: plain HTTP', () => {
      const { server } = pair();
      server.incoming = Buffer.from('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
      expect(codes(server.step('handshake'))).to.deep.equal(['0A00009C']);
    });

    it('hold data before the end, then the end: truncated or clean', () => {
      for (const clean of [true, false]) {
        const { client, server } = connected();
        client.step('write', Buffer.from('last words'));
        if (clean) client.step('shutdown');
        server.step('eof');
        expect(server.result('ret')).to.equal(1);
        const data = new Uint8Array(100);
        const entries = server.step('read', data);
        expect(Buffer.from(data.subarray(0, server.result('transferred'))).toString()).to.equal('last words');
        if (clean) {
          expect([entries, server.result('sslError')]).to.deep.equal([undefined, zeroReturn]);
          expect(server.result('shutdownState')).to.equal(2);
          server.step('read', data);
          expect(server.result('sslError')).to.equal(zeroReturn);
        } else {
          expect([codes(entries), server.result('sslError')]).to.deep.equal([['0A000126'], ssl]);
          // OpenSSL tells it once.
          expect(server.step('read', data)).to.equal(undefined);
          expect(server.result('sslError')).to.equal(syscall);
        }
      }
    });

    it('EOF waits until everything is fed', () => {
      const { client, server } = connected({ pairBytes: 64 });
      client.writeAll(Buffer.alloc(300));
      server.step('eof');
      expect([server.result('ret'), server.result('consumed'), server.result('roomIn')]).to.deep.equal([0, 64, 0]);
      expect(server.readAll()).to.have.length(300);
      server.step('eof');
      expect([server.result('ret'), server.result('roomIn')]).to.deep.equal([1, 0]);
      expect(codes(server.step('read', new Uint8Array(9)))).to.deep.equal(['0A000126']);
    });

    it('close_notify goes both ways', () => {
      const { client, server } = connected();
      client.step('shutdown');
      expect([client.result('ret'), client.result('sslError'), client.result('shutdownState')]).to.deep.equal([
        0,
        none,
        1,
      ]);
      server.step('read', new Uint8Array(9));
      expect([server.result('sslError'), server.result('shutdownState')]).to.deep.equal([zeroReturn, 2]);
      server.step('shutdown');
      expect([server.result('ret'), server.result('shutdownState')]).to.deep.equal([1, 3]);
      client.step('shutdown');
      expect([client.result('ret'), client.result('shutdownState')]).to.deep.equal([1, 3]);
      expect([...client.engine.takeAlerts()]).to.deep.equal([1, 1, 0, 0, 1, 0]);
    });

    it('T62: a corked shutdown wants room, and sends one close_notify', () => {
      const { client, server } = connected({ pairBytes: 17 });
      client.outputBytes = 0;
      for (const answer of [wantWrite, wantWrite]) {
        client.step('shutdown');
        expect(client.result('sslError')).to.equal(answer);
      }
      client.outputBytes = 100;
      client.step('move');
      client.step('shutdown');
      expect([client.result('ret'), client.result('sslError')]).to.deep.equal([0, none]);
      server.readAll();
      expect(server.result('sslError')).to.equal(zeroReturn);
    });

    it('keep the newest 16 alerts', () => {
      const { client, server } = pair({ client: { maxVersion: tls12 } });
      client.step('handshake');
      server.step('handshake');
      // OpenSSL lets four warnings in a row pass: so many come in the clear before each message of the first flight.
      const flight = records(client.incoming);
      expect(flight).to.have.length(4);
      const sent: number[] = [];
      const warning = (): Uint8Array => Uint8Array.of(21, 3, 3, 0, 2, 1, 200 + sent.push(200 + sent.length) - 1);
      const warned = flight.flatMap((message) => [warning(), warning(), warning(), warning(), message]);
      client.incoming = Buffer.concat([...warned, warning(), warning()]);
      client.step('handshake');
      client.step('handshake');
      expect([client.result('sslError'), client.result('alerts')]).to.deep.equal([wantRead, 18]);
      const triples = sent.slice(-16).flatMap((description) => [0, 1, description]);
      expect([...client.engine.takeAlerts()]).to.deep.equal(triples);
      client.step('move');
      expect(client.result('alerts')).to.equal(0);
      handshake(client, server);
    });
  });

  describe('names and protocols', () => {
    it('SNI arrives; an IP address is none', () => {
      expect(connected({ servername: 'localhost' }).server.engine.info().servername).to.equal('localhost');
      for (const address of ['127.0.0.1', '::1']) {
        expect(connected({ servername: address }).server.engine.info().servername).to.equal('');
      }
    });

    it("ALPN is chosen by the server's order", () => {
      const wireFormat = (...names: string[]): Uint8Array =>
        Buffer.concat(names.map((name) => Buffer.from(`${String.fromCharCode(name.length)}${name}`)));
      const client = { alpn: wireFormat('a', 'http/1.1', 'h2') };
      const both = connected({ client, server: { alpn: wireFormat('h2', 'http/1.1') } });
      expect([both.client.engine.info().alpn, both.server.engine.info().alpn]).to.deep.equal(['h2', 'h2']);
      expect(connected({ client }).client.engine.info().alpn).to.equal('');
      expect(connected({ server: client }).server.engine.info().alpn).to.equal('');

      const ends = pair({ client, server: { alpn: wireFormat('smtp') } });
      const { atServer, entries } = failed(ends);
      expect([atServer, codes(entries)]).to.deep.equal([true, ['0A0000EB']]);
      expect([...ends.server.engine.takeAlerts()]).to.deep.equal([1, 2, 120]);
      expect(codes(ends.client.step('handshake'))).to.deep.equal(['0A000460']);
    });

    it('the name is verified: host names and addresses', () => {
      const client = { verify: 1, ca: good.caPem } as const;
      for (const servername of ['localhost', '127.0.0.1', '::1', '']) {
        expect(connected({ client, servername }).client.engine.info().verifyText, servername).to.equal('ok');
      }
      for (const [servername, verifyResult] of [
        ['example.org', 62],
        ['127.0.0.2', 64],
      ] as const) {
        const ends = pair({ client, servername });
        expect(codes(failed(ends).entries)).to.deep.equal(['0A000086']);
        expect(ends.client.engine.info().verifyResult).to.equal(verifyResult);
        expect(connected({ client: { ca: good.caPem }, servername }).client.engine.info().verifyResult).to.equal(
          verifyResult,
        );
      }
    });
  });

  describe('T22: verify failures send their alert', () => {
    const bad = [
      ['an expired certificate', expiredCertificate, 10, 45],
      ['a self-signed one', selfSignedCertificate, 18, 48],
      ['one of another authority', wrongAuthorityCertificate, 20, 48],
    ] as const;
    for (const [title, make, verifyResult, alert] of bad) {
      for (const version of versions) {
        it(`${title} at the client, TLS ${version === tls12 ? 1.2 : 1.3}`, async () => {
          const certificate = await make();
          const ends = pair({ certificate, client: { ca: certificate.caPem, verify: 1, maxVersion: version } });
          const { atServer, entries } = failed(ends);
          expect([atServer, codes(entries)]).to.deep.equal([false, ['0A000086']]);
          expect(ends.client.engine.info().verifyResult).to.equal(verifyResult);
          expect([...ends.client.engine.takeAlerts()]).to.deep.equal([1, 2, alert]);
          expect(codes(ends.server.step('handshake'))).to.deep.equal([
            `0A00${(1000 + alert).toString(16).padStart(4, '0').toUpperCase()}`,
          ]);
          expect([...ends.server.engine.takeAlerts()]).to.deep.equal([0, 2, alert]);
        });

        it(`${title} at the server, TLS ${version === tls12 ? 1.2 : 1.3}`, async () => {
          const { certPem: cert, keyPem: key, caPem: ca } = await make();
          const ends = pair({ client: { cert, key, maxVersion: version }, server: { ca, verify: 2 } });
          const { atServer, entries } = failed(ends);
          expect([atServer, codes(entries)]).to.deep.equal([true, ['0A000086']]);
          expect(ends.server.engine.info().verifyResult).to.equal(verifyResult);
          expect([...ends.server.engine.takeAlerts()]).to.deep.equal([1, 2, alert]);
          ends.client.readAll();
          expect([...ends.client.engine.takeAlerts()]).to.deep.equal([0, 2, alert]);
        });
      }
    }
  });

  it('info tells about the connection', () => {
    const { client, server } = pair({ servername: 'localhost', client: { ca: good.caPem, verify: 1 } });
    expect(client.engine.info()).to.include({ cipher: '', alpn: '', servername: 'localhost', resumed: false });
    handshake(client, server);
    const info = client.engine.info();
    expect(info).to.include({ version: tls13, cipher: 'TLS_AES_256_GCM_SHA384', verifyResult: 0, verifyText: 'ok' });
    expect(Buffer.from(info.peerCertificate ?? [])).to.deep.equal(new X509Certificate(good.certPem).raw);
    expect(server.engine.info()).to.not.have.property('peerCertificate');
  });
});
