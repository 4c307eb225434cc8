import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import { expect } from 'chai';
import { copyState, ErrorStack, restore, save, saveToMark, transferables } from '../src/index.ts';
import { bytesOf } from './support/memory-channel.ts';

function filled(): ErrorStack {
  const stack = new ErrorStack();
  stack.raise({ code: 1, data: 'text' });
  stack.setMark();
  stack.raise({ code: 2, data: new Uint8Array([1, 2]) });
  return stack;
}

describe('ErrorState', () => {
  it('save moves all, restore appends copies', () => {
    const stack = filled();
    const state = save(stack);
    expect(stack.length).to.equal(0);
    restore(stack, state);
    bytesOf(stack.peekLast()).fill(9);
    expect(save(stack)).to.deep.equal(state);
  });

  it('saveToMark leaves the marked entry and its mark', () => {
    const stack = filled();
    expect(saveToMark(stack).entries.map(({ code }) => code)).to.deep.equal([2]);
    expect(stack.countToMark()).to.equal(0);
    expect(stack.popToMark()).to.equal(true);
  });

  it('a copy shares no bytes', () => {
    const state = save(filled());
    const copy = copyState(state);
    bytesOf(copy.entries[1]).fill(9);
    expect(state.entries[1]?.data).to.deep.equal(new Uint8Array([1, 2]));
  });

  it('structured clone copies, transfer moves', () => {
    const state = save(filled());
    const { port1, port2 } = new MessageChannel();
    port1.postMessage(state, []);
    const cloned = receiveMessageOnPort(port2)?.message as typeof state;
    expect(cloned).to.deep.equal(state);
    port1.postMessage(state, transferables(state));
    const moved = receiveMessageOnPort(port2)?.message as typeof state;
    expect(moved).to.deep.equal(cloned);
    expect(bytesOf(state.entries[1]).byteLength).to.equal(0);
    port1.close();
  });
});
