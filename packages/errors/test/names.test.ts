import { constants } from 'node:os';
import { expect } from 'chai';
import { codeHex, defaultNames, Library, namesFrom, packCode, ReasonFlag, systemCode } from '../src/index.ts';
import { openSslNames } from './support/queues.ts';

function unknown(text: string): boolean {
  return /^(lib|reason)\(\d+\)$/.test(text);
}

describe('names', () => {
  it('the table has the name of every library of the running OpenSSL, word for word', () => {
    for (let library = 0; library < Library.user; library++) {
      const code = packCode(library, 1);
      const name = openSslNames.library(code);
      if (!unknown(name)) expect(defaultNames.library(code), `library ${library}`).to.equal(name);
    }
  });

  it('the table has the text of every reason of the running OpenSSL, word for word', () => {
    let compared = 0;
    for (let library = 1; library < Library.user; library++) {
      if (library === Library.system) continue;
      for (let reason = 1; reason < 1200; reason++) {
        const code = packCode(library, reason);
        const text = openSslNames.reason(code);
        if (unknown(text)) continue;
        compared++;
        expect(defaultNames.reason(code), codeHex(code)).to.equal(text);
      }
    }
    expect(compared).to.be.greaterThan(1800);
  });

  it('reasons that all libraries share have their text in each', () => {
    for (const flags of [ReasonFlag.common, ReasonFlag.common | ReasonFlag.fatal]) {
      for (let reason = 0; reason < 300; reason++) {
        const code = packCode(Library.evp, reason | flags);
        const text = openSslNames.reason(code);
        expect(defaultNames.reason(code), codeHex(code)).to.equal(unknown(text) ? '' : text);
      }
    }
  });

  it('every errno that has a name has the text of the C library', () => {
    const numbers = Object.values(constants.errno);
    expect(numbers.length).to.be.greaterThan(70);
    for (const errno of numbers) {
      expect(defaultNames.reason(systemCode(errno)), `errno ${errno}`).to.equal(openSslNames.reason(systemCode(errno)));
    }
    expect(defaultNames.reason(systemCode(99999))).to.equal('');
  });

  it('a source that asks OpenSSL falls back on the table', () => {
    const names = namesFrom((code) => (code === 0x0a000126 ? ['SSL', 'eof!'] : ['', '']));
    expect([names.library(0x0a000126), names.reason(0x0a000126)]).to.deep.equal(['SSL', 'eof!']);
    expect([names.library(0x0a0000f4), names.reason(0x0a0000f4)]).to.deep.equal(['SSL routines', 'unexpected message']);
    expect(names.reason(packCode(Library.sluice, 1))).to.equal('connection terminated');
  });
});
