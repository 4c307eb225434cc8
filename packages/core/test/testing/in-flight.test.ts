import { expect } from 'chai';
import { InFlight } from '../../src/testing/in-flight.ts';

describe('InFlight', () => {
  it('lands what is due, in order, and nothing before what was sent before it', () => {
    const flight = new InFlight();
    expect([flight.next, flight.bytes, flight.lastDue]).to.deep.equal([Number.POSITIVE_INFINITY, 0, 0]);
    flight.add(5, 100);
    flight.add(7, 90);
    flight.add(1, 120);
    expect([flight.next, flight.bytes, flight.lastDue]).to.deep.equal([100, 13, 120]);
    flight.land(99);
    expect(flight.bytes).to.equal(13);
    flight.land(100);
    expect([flight.next, flight.bytes]).to.deep.equal([120, 1]);
    flight.land(1000);
    expect([flight.next, flight.bytes, flight.lastDue]).to.deep.equal([Number.POSITIVE_INFINITY, 0, 120]);
    flight.add(3, 2000);
    flight.clear();
    expect([flight.next, flight.bytes]).to.deep.equal([Number.POSITIVE_INFINITY, 0]);
  });
});
