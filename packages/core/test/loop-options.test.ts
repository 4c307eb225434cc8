import { ApiMisuse } from '@sluice/errors';
import { expect } from 'chai';
import { checkOptions } from '../src/loop-options.ts';

describe('EventLoopOptions', () => {
  it('have defaults', () => {
    const { slabBytes, scratchBytes, ...rest } = checkOptions({});
    expect(Math.min(slabBytes, scratchBytes)).to.be.at.least(64 * 1024);
    expect(rest).to.deep.equal({
      priorities: 1,
      callbacksPerTurnMax: 1024,
      dispatchMsMax: Number.POSITIVE_INFINITY,
      capFromPriority: 0,
      measure: false,
    });
  });

  it('are refused by name when they make no sense', () => {
    for (const wrong of [
      { slabBytes: 0 },
      { slabBytes: 1.5 },
      { slabBytes: Number.POSITIVE_INFINITY },
      { scratchBytes: Number.NaN },
      { callbacksPerTurnMax: 0 },
      { callbacksPerTurnMax: 2.5 },
      { dispatchMsMax: 0 },
      { capFromPriority: -1 },
      { priorities: 0 },
    ]) {
      const [[name, value]] = Object.entries(wrong) as [[string, number]];
      expect(() => checkOptions(wrong), name).to.throw(ApiMisuse, new RegExp(`${name}.*, not ${value}$`));
    }
    checkOptions({ callbacksPerTurnMax: Number.POSITIVE_INFINITY, dispatchMsMax: 0.5 });
  });
});
