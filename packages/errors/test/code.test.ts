import { expect } from 'chai';
import {
  errnoOf,
  isCommonCode,
  isFatalCode,
  isSystemCode,
  Library,
  libraryOf,
  packCode,
  ReasonFlag,
  reasonOf,
  systemCode,
} from '../src/index.ts';

describe('packed codes', () => {
  it('a reason and its library are packed as OpenSSL packs them', () => {
    expect(packCode(Library.ssl, 294)).to.equal(0x0a000126);
    expect([libraryOf(0x0a000126), reasonOf(0x0a000126)]).to.deep.equal([Library.ssl, 294]);
    expect(isSystemCode(0x0a000126)).to.equal(false);
  });

  it('an errno is a code of the system library, unsigned', () => {
    expect(systemCode(104)).to.equal(0x80000068);
    expect(packCode(Library.system, 104)).to.equal(0x80000068);
    expect([libraryOf(0x80000068), reasonOf(0x80000068), errnoOf(0x80000068)]).to.deep.equal([
      Library.system,
      104,
      104,
    ]);
    expect(errnoOf(0x0a000126)).to.equal(0);
  });

  it('fatal and common are flags of the reason, and never of an errno', () => {
    const code = packCode(Library.ssl, 256 | ReasonFlag.fatal | ReasonFlag.common);
    expect(code).to.equal(0x0a0c0100);
    expect([isFatalCode(code), isCommonCode(code)]).to.deep.equal([true, true]);
    const errno = systemCode(ReasonFlag.fatal | ReasonFlag.common);
    expect([isFatalCode(errno), isCommonCode(errno)]).to.deep.equal([false, false]);
  });

  it('parts that are too large are cut to their bits', () => {
    expect(packCode(0x1ff, 0xffff_ffff)).to.equal(packCode(0xff, 0x7f_ffff));
  });

  it("Sluice's own library is at the far end of the users' range", () => {
    expect(libraryOf(packCode(Library.sluice, 1))).to.equal(255);
  });
});
