import { BlockList } from 'node:net';
import { ApiMisuse } from '@sluice/errors';
import type { Address } from '@sluice/native';
import { expect } from 'chai';
import { AcceptLimits, type AcceptLimitOptions, peerOf } from '../src/accept-limits.ts';
import { type BufferEvent, type Listener, PairBufferEvent } from '../src/index.ts';
import { TestLoop } from '../src/testing/index.ts';

const v4 = (address: string): Address => ({ family: 'IPv4', address, port: 1 });
const v6 = (address: string): Address => ({ family: 'IPv6', address, port: 1 });

describe('AcceptLimits', () => {
  let loop: TestLoop;

  beforeEach(() => {
    loop = new TestLoop();
  });

  /** Asks for a connection; answers it, or why it was refused and whether that is told. */
  function ask(limits: AcceptLimits, address: Address): BufferEvent | string {
    const rejection = limits.check(address);
    if (rejection !== undefined) return `${rejection.reason}${limits.beginsRun(rejection) ? ' told' : ''}`;
    const [bev] = PairBufferEvent.create(loop);
    limits.opened(bev, address);
    return bev;
  }

  function doorOf(options: AcceptLimitOptions): AcceptLimits {
    return new AcceptLimits(loop, new Set(), options);
  }

  it('takes so many in all, tells once per run that it is full, and counts', () => {
    const door = doorOf({ connectionsMax: 2 });
    const first = ask(door, v4('10.0.0.1')) as BufferEvent;
    ask(door, v4('10.0.0.2'));
    expect(ask(door, v4('10.0.0.3'))).to.equal('connections told');
    expect(ask(door, v4('10.0.0.4'))).to.equal('connections');
    door.closed(first);
    door.closed(first);
    expect(ask(door, v4('10.0.0.3'))).to.be.instanceOf(PairBufferEvent);
    expect(ask(door, v4('10.0.0.4'))).to.equal('connections told');
    expect(door.rejected).to.deep.equal({ connections: 3, connectionsPerAddress: 0, blocked: 0 });
  });

  it('takes so many of one peer, and tells once of each', () => {
    const door = doorOf({ connectionsPerAddressMax: 1 });
    const first = ask(door, v4('10.0.0.1')) as BufferEvent;
    expect(ask(door, v4('10.0.0.1'))).to.equal('connectionsPerAddress told');
    // Others that are taken do not begin a new run for this peer.
    ask(door, v4('10.0.0.2'));
    expect(ask(door, v4('10.0.0.1'))).to.equal('connectionsPerAddress');
    expect(ask(door, v4('10.0.0.2'))).to.equal('connectionsPerAddress told');
    door.closed(first);
    ask(door, v4('10.0.0.1'));
    expect(ask(door, v4('10.0.0.1'))).to.equal('connectionsPerAddress told');
    expect(door.rejected.connectionsPerAddress).to.equal(4);
  });

  it('tells of a peer again after another connection of it was taken', () => {
    const door = doorOf({ connectionsPerAddressMax: 2 });
    const first = ask(door, v4('10.0.0.1')) as BufferEvent;
    ask(door, v4('10.0.0.1'));
    expect(ask(door, v4('10.0.0.1'))).to.equal('connectionsPerAddress told');
    door.closed(first);
    ask(door, v4('10.0.0.1'));
    expect(ask(door, v4('10.0.0.1'))).to.equal('connectionsPerAddress told');
  });

  it('takes an IPv4 peer for the same through an IPv6 socket, and a /64 network for one peer', () => {
    expect(peerOf(v6('::ffff:10.0.0.1'))).to.equal(peerOf(v4('10.0.0.1')));
    expect(peerOf(v6('2001:db8:1:2::1'))).to.equal(peerOf(v6('2001:db8:1:2:ffff::7')));
    expect(peerOf(v6('2001:db8:1:2::1'))).not.to.equal(peerOf(v6('2001:db8:1:3::1')));
    expect(peerOf(v6('2001:db8::1'))).to.equal(peerOf(v6('2001:db8:0:0:9::1')));
    expect(peerOf(v6('fe80::1%eth0'))).to.equal(peerOf(v6('fe80::2')));
    expect(peerOf(v6('::1'))).to.equal('0:0:0:0::/64');
  });

  it('knows no peers of a Unix socket', () => {
    const door = doorOf({ connectionsPerAddressMax: 1 });
    for (let count = 0; count < 3; count += 1) {
      expect(ask(door, { family: 'unix', address: '', port: 0 })).to.be.instanceOf(PairBufferEvent);
    }
  });

  it('turns away who is on the block list, which may change', () => {
    const blockList = new BlockList();
    const door = doorOf({ blockList });
    expect(ask(door, v4('10.0.0.1'))).to.be.instanceOf(PairBufferEvent);
    blockList.addSubnet('10.0.0.0', 8);
    blockList.addAddress('2001:db8::1', 'ipv6');
    expect(ask(door, v4('10.0.0.1'))).to.equal('blocked told');
    expect(ask(door, v6('::ffff:10.9.9.9'))).to.equal('blocked');
    expect(ask(door, v6('2001:db8::1'))).to.equal('blocked');
    expect(ask(door, v6('2001:db8::2'))).to.be.instanceOf(PairBufferEvent);
    expect(ask(door, v4('10.0.0.1'))).to.equal('blocked told');
    expect(door.rejected.blocked).to.equal(4);
  });

  it('pauses its listeners when connections come too fast, those that are added meanwhile too', () => {
    const paused: string[] = [];
    const fake = (name: string): Listener =>
      ({
        _pause: () => paused.push(`${name} pauses`),
        _resume: () => paused.push(`${name} resumes`),
      }) as unknown as Listener;
    const listeners = new Set([fake('one')]);
    const door = new AcceptLimits(loop, listeners, { acceptRate: { perSecond: 100, burst: 3 } });
    ask(door, v4('10.0.0.1'));
    expect(paused).to.deep.equal(['one pauses']);
    const two = fake('two');
    listeners.add(two);
    door.listening(two);
    loop.advance(9);
    expect(paused).to.deep.equal(['one pauses', 'two pauses']);
    loop.advance(1);
    expect(paused.splice(0)).to.deep.equal(['one pauses', 'two pauses', 'one resumes', 'two resumes']);
    loop.advance(1000);
    for (let count = 0; count < 5; count += 1) ask(door, v4('10.0.0.1'));
    expect(paused.splice(0)).to.deep.equal(['one pauses', 'two pauses']);
    // Two too many, and one to go on with.
    loop.advance(29);
    expect(paused).to.deep.equal([]);
    loop.advance(1);
    expect(paused).to.deep.equal(['one resumes', 'two resumes']);
    ask(door, v4('10.0.0.1'));
    ask(door, v4('10.0.0.1'));
    expect(paused.splice(0)).to.deep.equal(['one resumes', 'two resumes', 'one pauses', 'two pauses']);
    door.close();
    loop.advance(1000);
    expect(paused).to.deep.equal([]);
  });

  it('refuses limits that are none, by name', () => {
    for (const count of [0, -1, 1.5, Number.NaN]) {
      expect(() => doorOf({ connectionsMax: count })).to.throw(ApiMisuse, /connectionsMax/);
      expect(() => doorOf({ connectionsPerAddressMax: count })).to.throw(ApiMisuse, /connectionsPerAddressMax/);
    }
    expect(() => doorOf({ acceptRate: { perSecond: 0 } })).to.throw(ApiMisuse, /acceptRate\.perSecond/);
  });
});
