import { TestLoop } from '@sluice/core/testing';
import { ApiMisuse } from '@sluice/errors';
import { expect } from 'chai';
import { handshakeLimit, sessionOptions } from '../src/tls-options.ts';

describe('TlsOptions', () => {
  it('have a limit for the handshake, and none only in writing', () => {
    expect(handshakeLimit({})).to.equal(10_000);
    expect(handshakeLimit({ handshakeMs: 0 })).to.equal(0);
    expect(handshakeLimit({ handshakeMs: Number.POSITIVE_INFINITY })).to.equal(Number.POSITIVE_INFINITY);
    expect(() => handshakeLimit({ handshakeMs: Number.NaN })).to.throw(ApiMisuse, /0 or more, not NaN/u);
    expect(() => handshakeLimit({ handshakeMs: -1 })).to.throw(ApiMisuse);
  });

  it("give the session what is the session's, on the loop's clock", () => {
    const loop = new TestLoop();
    const options = sessionOptions({ pairBytes: 64, callsPerTurnMax: 3, halfOpen: true }, loop, () => {});
    expect(options).to.include({ pairBytes: 64, callsPerTurnMax: 3 });
    expect(options).to.not.have.property('halfOpen');
    loop.advance(1234);
    expect(options.now?.()).to.equal(1234);
  });
});
