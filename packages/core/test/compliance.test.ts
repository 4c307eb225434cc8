/** Everything that a BufferEvent promises, of every transport of this package, and of every layer over each of them. */
import { type BufferEvent, type ConnectionOptions, FilterBufferEvent } from '../src/index.ts';
import { fromDuplex, fromIterable, fromWeb, toDuplex, toIterable, toWeb } from '../src/index.ts';
import { carriers, type ComplianceSettings, layered, slowLink, transportCompliance } from '../src/testing/index.ts';
import { xFilter } from './support/filters.ts';

type Wrap = (below: BufferEvent, options: ConnectionOptions) => BufferEvent;

const filter: Wrap = (below, options) => new FilterBufferEvent(below, {}, options);
const marks: Wrap = (below, options) => new FilterBufferEvent(below, xFilter(), options);
const duplex: Wrap = (below, options) => fromDuplex(below.loop, toDuplex(below), options);
const web: Wrap = (below, options) => fromWeb(below.loop, toWeb(below), options);
const iterable: Wrap = (below, options) => fromIterable(below.loop, toIterable(below), options);

/** The machine may be busy. */
const patience: ComplianceSettings = { patienceMs: 25_000 };

/** In memory nothing is taken but what there is room for. */
const exact: ComplianceSettings = { ...patience, overshootBytes: 0 };

for (const [name, carrier] of Object.entries(carriers)) {
  const settings = name === 'unix' ? { ...patience, noReset: true } : name === 'tcp' ? patience : exact;
  transportCompliance(name, carrier, settings);
  transportCompliance(`filter over ${name}`, layered(carrier, filter), settings);
  transportCompliance(`Node's Duplex over ${name}`, layered(carrier, duplex), settings);
  transportCompliance(`Web Streams over ${name}`, layered(carrier, web), settings);
  transportCompliance(`iterables over ${name}`, layered(carrier, iterable), settings);
}

const slow = slowLink({ capacityBytes: 100_000, perTurnBytes: 10_000 });
transportCompliance('a slow link', slow, exact);
transportCompliance('filter over a slow link', layered(slow, filter), exact);
transportCompliance("Node's Duplex over a slow link", layered(slow, duplex), exact);

transportCompliance('filter that marks each byte over link', layered(carriers.link, marks), exact);
transportCompliance('filter over filter over link', layered(layered(carriers.link, filter), filter), exact);
