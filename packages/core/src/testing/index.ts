export { carriers, layered, slowLink } from './compliance/carriers.ts';
export type {
  ComplianceConnection,
  ComplianceFactory,
  ComplianceOptions,
  ComplianceRunner,
  ComplianceSettings,
} from './compliance/contract.ts';
export { transportCompliance } from './compliance/transport-compliance.ts';
export { assertInvariants, assertRoomsApart } from './evbuffer-invariants.ts';
export { type Link, LinkBufferEvent, type LinkOptions, link } from './link.ts';
export { LiveTestLoop } from './live-test-loop.ts';
export { TestLoop } from './test-loop.ts';
export { VirtualClock } from './virtual-clock.ts';
