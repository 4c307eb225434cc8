import { expect } from 'chai';
import {
  causeOf,
  classify,
  createEntry,
  errorFromEntries,
  Library,
  packCode,
  ReasonFlag,
  type SslReasonName,
  sslReasons,
  systemCode,
} from '../src/index.ts';
import { sslVerdictRows, sslVerdicts } from '../src/ssl-verdicts.ts';
import { ssl } from './support/memory-channel.ts';

const names = Object.keys(sslReasons) as SslReasonName[];
const entry = (code: number): ReturnType<typeof createEntry> => createEntry({ code });

describe('the table of verdicts', () => {
  it(`has all ${names.length} reasons of the SSL library`, () => {
    expect([...sslVerdicts.keys()].toSorted()).to.deep.equal(names.toSorted());
  });

  it('makes a whole error of each of them', () => {
    for (const name of names) {
      const error = errorFromEntries([entry(ssl(name))], { layer: 'tls', operation: 'handshake' });
      expect(error.code, name).to.match(/^SLUICE_TLS_[A-Z0-9_]+$/);
      expect(error.message, name).to.include(sslReasons[name][1]);
      expect(['local', 'remote', 'system'], name).to.include(error.blame);
      expect(['retry', 'close', 'fix'], name).to.include(error.remedy);
    }
  });

  it('names each reason once', () => {
    expect(sslVerdictRows).to.have.length(names.length);
    expect(new Set(names.map(ssl)).size).to.equal(names.length);
  });

  it('an alert received is of the peer, whatever it claims', () => {
    for (const name of names.filter((it) => /^(sslv3|tlsv1|tlsv13)/.test(it))) {
      const error = errorFromEntries([entry(ssl(name))], { layer: 'tls', operation: 'handshake' });
      expect(error, name).to.include({ blame: 'remote' });
      expect(error.code, name).to.match(/^SLUICE_TLS_ALERT/);
    }
  });

  it('an unknown reason comes through whole', () => {
    const error = errorFromEntries([createEntry({ code: packCode(Library.ssl, 990), data: 'new in 4.0' })], {
      layer: 'tls',
      operation: 'handshake',
    });
    expect(error.code).to.equal('SLUICE_TLS_UNKNOWN');
    expect(error.message).to.include('reason 990 of library 20: new in 4.0');
    expect(error.entries[0]?.data).to.equal('new in 4.0');
  });

  it('what a parser of keys and certificates says is of the configuration', () => {
    for (const library of [Library.pem, Library.x509, Library.decoder, Library.evp]) {
      expect(classify(entry(packCode(library, 108)))).to.include({ blame: 'local', remedy: 'fix' });
    }
  });
});

describe('the cause of a queue', () => {
  const cases: [name: string, codes: number[], cause: number | undefined][] = [
    [
      "the SSL library's entry, though a provider's is older",
      [packCode(Library.provider, 102), ssl('decryptionFailedOrBadRecordMac')],
      ssl('decryptionFailedOrBadRecordMac'),
    ],
    [
      'what a cover covers',
      [ssl('noApplicationProtocol'), ssl('quicProtocolError'), packCode(Library.sluice, 1)],
      ssl('noApplicationProtocol'),
    ],
    ['a cover when it covers nothing', [ssl('quicProtocolError'), ssl('protocolIsShutdown')], ssl('quicProtocolError')],
    ['the errno under a network error', [systemCode(101), ssl('quicNetworkError')], systemCode(101)],
    [
      'the library below an entry that only names it',
      [packCode(Library.pem, 108), packCode(Library.ssl, 9 | ReasonFlag.common)],
      packCode(Library.pem, 108),
    ],
    ['the letter when there is nothing else', [packCode(Library.sluice, 1)], packCode(Library.sluice, 1)],
    ['nothing in an empty queue', [], undefined],
  ];
  for (const [name, codes, cause] of cases) {
    it(`is ${name}`, () => {
      expect(causeOf(codes.map(entry))?.code).to.equal(cause);
    });
  }
});
