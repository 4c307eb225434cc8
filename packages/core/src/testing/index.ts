export { assertInvariants, assertRoomsApart } from './evbuffer-invariants.ts';
export { type Link, LinkBufferEvent, type LinkOptions, link } from './link.ts';
export { TestLoop } from './test-loop.ts';
export { VirtualClock } from './virtual-clock.ts';
