import { expect } from 'chai';
import { type CpuProfile, functionTimes, stacksOf } from '../src/cpu-profile.ts';

const node = (id: number, functionName: string, url: string, children: number[] = []): CpuProfile['nodes'][number] => ({
  id,
  callFrame: { functionName, url, lineNumber: id },
  children,
});

const profile: CpuProfile = {
  startTime: 1000,
  nodes: [
    node(1, '(root)', '', [2, 3]),
    node(2, 'turn', 'file:///a/loop.js', [4]),
    node(3, '(idle)', ''),
    node(4, '', 'file:///a/handler.js'),
  ],
  samples: [2, 4, 3, 4, 2],
  timeDeltas: [10, 20, 500, 30, 40],
};

describe('stacksOf', () => {
  it('adds up the time of each stack, outermost first, and leaves idle time out', () => {
    expect(stacksOf(profile)).to.deep.equal([
      { frames: ['turn loop.js:3'], us: 50 },
      { frames: ['turn loop.js:3', '(anonymous) handler.js:5'], us: 50 },
    ]);
  });

  it('looks only between two moments', () => {
    expect(stacksOf(profile, 1020, 1560)).to.deep.equal([
      { frames: ['turn loop.js:3', '(anonymous) handler.js:5'], us: 50 },
    ]);
    expect(stacksOf(profile, 5000)).to.deep.equal([]);
  });

  it('tells time in functions themselves from time with all that they called', () => {
    const stacks = [
      { frames: ['a', 'b', 'a'], us: 5 },
      { frames: ['a'], us: 1 },
      { frames: ['c', 'b'], us: 2 },
    ];
    expect(functionTimes(stacks)).to.have.deep.members([
      { name: 'a', selfUs: 6, totalUs: 6 },
      { name: 'b', selfUs: 2, totalUs: 7 },
      { name: 'c', selfUs: 0, totalUs: 2 },
    ]);
  });
});
