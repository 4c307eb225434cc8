import { expect } from 'chai';
import { stacksFromPerf } from '../src/perf-script.ts';

describe('stacksFromPerf', () => {
  it('turns samples into stacks, outermost first, with times', () => {
    const text = [
      'node     500250 ',
      '\tffffffff81 tcp_sendmsg',
      "\t7f00 JS:'flush file:///a/reactor.js:68:9",
      '\t55aa node::Start(int, char**)',
      '',
      'V8 Worker    500250 ',
      '\t55bb v8::Sweep',
      '',
    ].join('\n');
    expect(stacksFromPerf(text)).to.deep.equal([
      { frames: ['node', 'node::Start(int, char**)', 'flush file:///a/reactor.js:68:9', 'tcp_sendmsg'], us: 500.25 },
      { frames: ['V8 Worker', 'v8::Sweep'], us: 500.25 },
    ]);
  });

  it('finds nothing in nothing', () => {
    expect(stacksFromPerf('')).to.deep.equal([]);
  });
});
