import { expect } from 'chai';
import { cases, casesNamed } from '../src/cases.ts';
import { peers, sluiceName } from '../src/peers.ts';

describe('cases', () => {
  it('have names of their own', () => {
    expect(new Set(cases.map(({ name }) => name)).size).to.equal(cases.length);
  });

  it('each have Sluice and somebody to compare it with', () => {
    for (const { service, transport } of cases) {
      const taking = peers.filter((peer) => peer.service === service && peer.transports.includes(transport.name));
      expect(taking.map(({ name }) => name))
        .to.include(sluiceName)
        .and.have.length.above(1);
    }
  });

  it('aim only at peers that take part', () => {
    for (const { name, service, transport, targets } of cases) {
      const taking = peers.filter((peer) => peer.service === service && peer.transports.includes(transport.name));
      expect(
        taking.map((peer) => peer.name),
        name,
      ).to.include.members(Object.keys(targets));
    }
  });

  it('shake hands only where the transport does', () => {
    expect(cases.map(({ name }) => name)).to.include.members(['tcp-connect', 'tls-connect-full', 'tls-storm']);
    expect(cases.map(({ name }) => name)).to.not.include.members(['tcp-storm', 'tcp-connect-full', 'tls-connect']);
  });

  it('are found by their whole name, or by a part of it', () => {
    expect(casesNamed(['tcp-echo-64-50']).map(({ name }) => name)).to.deep.equal(['tcp-echo-64-50']);
    expect(casesNamed(['tls-connect']).map(({ name }) => name)).to.have.lengthOf(3);
    expect(casesNamed([])).to.have.lengthOf(cases.length);
    expect(casesNamed(['no such case'])).to.have.lengthOf(0);
  });
});
