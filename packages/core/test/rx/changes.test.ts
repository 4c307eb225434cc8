import { expect } from 'chai';
import { EvBuffer } from '../../src/index.ts';
import { changes$ } from '../../src/rx/index.ts';
import { link, TestLoop } from '../../src/testing/index.ts';

describe('changes$', () => {
  it('tells what a turn came to, from the loop, while it is subscribed to', () => {
    const loop = new TestLoop();
    const buffer = new EvBuffer();
    const seen: unknown[] = [];
    const subscription = changes$(buffer, loop).subscribe((change) => seen.push(change));
    buffer.append('abc');
    buffer.append('de');
    buffer.drain(1);
    expect(seen, 'not inside the call').to.deep.equal([]);
    loop.settle();
    expect(seen).to.deep.equal([{ before: 0, added: 5, removed: 1 }]);
    buffer.drain();
    loop.settle();
    expect(seen.slice(1)).to.deep.equal([{ before: 4, added: 0, removed: 4 }]);
    buffer.append('x');
    subscription.unsubscribe();
    loop.settle();
    buffer.append('y');
    loop.settle();
    expect(seen.length).to.equal(2);
  });

  it('is for either end of a connection', () => {
    const loop = new TestLoop();
    const [bev, peer] = link(loop).ends;
    const added: string[] = [];
    changes$(bev.output, loop).subscribe((change) => added.push(`out ${change.added}`));
    changes$(peer.input, loop).subscribe((change) => added.push(`in ${change.added}`));
    bev.write('1234');
    loop.settle();
    expect(added).to.deep.equal(['out 4', 'out 0', 'in 4']);
  });
});
