import { expect } from 'chai';
import { ChannelErrorStack, createEntry, PortErrorStack, systemCode } from '../src/index.ts';
import { bytesOf, codesOf, NETWORK_ERROR, ssl } from './support/memory-channel.ts';

describe('PortErrorStack', () => {
  it('a channel that has left is spared', () => {
    const port = new PortErrorStack();
    const [left, stays] = [new ChannelErrorStack(), new ChannelErrorStack()];
    port.add(left);
    port.add(stays);
    expect(port.channelCount).to.equal(2);
    port.remove(left);
    port.fail([createEntry({ code: systemCode(100) })], { operation: 'recvmsg' });
    expect([left.failed, stays.failed, stays.networkFailed]).to.deep.equal([false, true, true]);
    expect(port.channelCount).to.equal(0);
  });

  it("OpenSSL's own network error is not covered again", () => {
    const port = new PortErrorStack();
    port.fail([createEntry({ code: ssl('quicNetworkError') })], { operation: 'tick' });
    expect(codesOf(port)).to.deep.equal([ssl('quicNetworkError')]);
    const other = new PortErrorStack();
    other.fail([], { operation: 'tick' });
    expect(codesOf(other)).to.deep.equal([NETWORK_ERROR]);
  });

  it('channels fail in the order in which they were added, also while one leaves', () => {
    const port = new PortErrorStack();
    const order: number[] = [];
    const channels = [0, 1, 2].map(() => new ChannelErrorStack({ deliver: (task) => task() }));
    for (const [index, channel] of channels.entries()) {
      port.add(channel);
      channel.failed$.subscribe(() => {
        order.push(index);
        for (const each of channels) port.remove(each);
      });
    }
    port.fail([], { operation: 'tick' });
    expect(order).to.deep.equal([0, 1, 2]);
  });

  it('its entries are copies', () => {
    const port = new PortErrorStack();
    port.fail([createEntry({ code: 1, data: new Uint8Array([1]) })], { operation: 'tick' });
    bytesOf(port.entries[0])[0] = 9;
    expect(port.entries[0]?.data).to.deep.equal(new Uint8Array([1]));
  });
});
