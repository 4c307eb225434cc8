import { expect } from 'chai';
import { HANDSHAKE_CALLS_KEPT, HandshakeTrace } from '../src/handshake-trace.ts';

describe('HandshakeTrace', () => {
  it('tells each call, the totals and the flights', () => {
    const trace = new HandshakeTrace();
    trace.start(100);
    expect(trace.phase).to.equal('handshake/before flight 1');
    trace.note('want-write', 8192, 8192, 1500, 8192, 2);
    trace.note('want-read', 5000, 5000, 0, 5000, 1);
    expect(trace.phase).to.equal('handshake/flight 1');
    trace.note('done', 510, 510, 80, 500, 3);
    trace.noteMoved(0, 10);
    trace.stop(130);
    trace.stop(999);
    expect(trace.calls).to.deep.equal([
      { result: 'want-write', pending: 8192, bytesIn: 1500, bytesOut: 8192 },
      { result: 'want-read', pending: 5000, bytesIn: 0, bytesOut: 5000 },
      { result: 'done', pending: 510, bytesIn: 80, bytesOut: 500 },
    ]);
    expect(trace.summary).to.deep.equal({ acceptCalls: 3, wantWrite: 1, wantRead: 1, spins: 0, durationMs: 30 });
    expect(trace).to.include({ flights: 2, bytesIn: 1580, bytesOut: 13_702, acceptMs: 6, acceptMsMax: 3, done: true });
  });

  it('keeps the first calls and counts all', () => {
    const trace = new HandshakeTrace();
    for (let call = 0; call < 1000; call++) trace.note('want-read', 0, 0, 1, 0, 0);
    expect(trace.calls).to.have.length(HANDSHAKE_CALLS_KEPT);
    expect(trace.acceptCalls).to.equal(1000);
    expect(trace.flights).to.equal(0);
  });

  it('lasts no time when it never began', () => {
    const trace = new HandshakeTrace();
    trace.stop(50);
    expect(trace.durationMs).to.equal(0);
  });
});
