import { CONNECTION_TERMINATED, SluiceError } from '@sluice/errors';
import { expect } from 'chai';
import type { BufferEvent } from '../../src/index.ts';

/**
 * What an operation failed with must tell all that the connection's report tells, in a copy of its own whose last entry
 * says that the connection is terminated.
 */
export function expectReport(told: unknown, bev: BufferEvent, operation?: string): void {
  const error = bev.closed?.error;
  if (error === undefined || !(told instanceof SluiceError)) throw new Error(`no report, or no error: ${String(told)}`);
  const [mine, reported] = [told.toJSON(), error.toJSON()];
  expect({ ...mine, entries: [], operation: '' }).to.deep.equal({ ...reported, entries: [], operation: '' });
  expect(mine.entries.slice(0, -1)).to.deep.equal(reported.entries);
  expect(told.entries.at(-1)?.code).to.equal(CONNECTION_TERMINATED);
  expect(told).to.not.equal(error);
  if (operation !== undefined) expect(told.operation).to.equal(operation);
}
