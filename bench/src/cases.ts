/** What is measured: each shape of load over each transport, and the ratios that Sluice means to reach. */
import type { Service } from './peers.ts';
import { type Transport, transports } from './transports.ts';

/**
 * How a case is measured.
 * `requests`: a load of requests, CPU time per request. `hold`: connections that are only there, memory per connection.
 * `storm`: a load beside another one, latency of the first.
 */
export type CaseKind = 'requests' | 'hold' | 'storm';

/** What ratios are made of first; the others are reported as well. */
export type Metric = 'cpuUsPerRequest' | 'kibPerConnection' | 'p99Us';

/** The most that Sluice's median may be of a peer's, by the peer's name. */
export type Targets = Readonly<Record<string, number>>;

export interface BenchCase {
  name: string;
  title: string;
  kind: CaseKind;
  metric: Metric;
  transport: Transport;
  service: Service;
  certificate: 'small' | 'large';
  /** The load generator's case and options, without port and times. */
  load: readonly string[];
  /** `storm`: the load beside it. */
  storm: readonly string[];
  targets: Targets;
}

interface Shape {
  name: string;
  title: string;
  load: readonly string[];
  kind?: CaseKind;
  service?: Service;
  certificate?: 'large';
  storm?: readonly string[];
  /** Only where a connection begins with a handshake, or only where it does not. Default: everywhere. */
  handshakes?: boolean;
  targets?: { tcp?: Targets; tls?: Targets };
}

const smallTcp: Targets = { node: 0.68, libevent: 0.78, bun: 1, epoll: 1.25 };
const largeTls: Targets = { node: 0.7, libevent: 0.75, bun: 1 };
const connects = ['connect', '--connections', '50'];
const idleTargets = { tcp: { node: 0.5 }, tls: { node: 0.5 } };

const shapes: readonly Shape[] = [
  { name: 'echo-64-1', title: '64 B, 1 connection', load: ['echo'] },
  {
    name: 'echo-64-50',
    title: '64 B, 50 connections',
    load: ['echo', '--connections', '50'],
    targets: { tcp: smallTcp, tls: { node: 0.5, libevent: 0.75, bun: 1 } },
  },
  {
    name: 'echo-64-500',
    title: '64 B, 500 connections',
    load: ['echo', '--connections', '500'],
    targets: { tcp: smallTcp },
  },
  {
    name: 'echo-16k-50',
    title: '16 KiB, 50 connections',
    load: ['echo', '--connections', '50', '--bytes', '16384'],
    targets: { tcp: { node: 0.55, libevent: 0.4, bun: 1.1, epoll: 1.7 }, tls: largeTls },
  },
  {
    name: 'echo-1m-8',
    title: '1 MiB, 8 connections',
    load: ['echo', '--connections', '8', '--bytes', '1048576'],
    targets: { tls: largeTls },
  },
  {
    name: 'pipelined-64-50',
    title: '64 B, depth 16, 50 connections',
    load: ['echo', '--connections', '50', '--depth', '16'],
  },
  {
    name: 'connect',
    title: 'connect, echo, close',
    load: connects,
    handshakes: false,
    targets: { tcp: { node: 0.6, libevent: 1.1, bun: 1.15 } },
  },
  {
    name: 'connect-full',
    title: 'full handshake, echo, close',
    load: connects,
    handshakes: true,
    targets: { tls: { node: 0.7, libevent: 0.95, bun: 1.6 } },
  },
  {
    name: 'connect-resumed',
    title: 'resumed handshake, echo, close',
    load: [...connects, '--resume'],
    handshakes: true,
  },
  {
    name: 'connect-40k',
    title: 'full handshake, 40 kB certificate, echo, close',
    load: connects,
    handshakes: true,
    certificate: 'large',
  },
  {
    name: 'idle-3000',
    title: '3,000 idle connections',
    kind: 'hold',
    load: ['idle', '--connections', '3000'],
    targets: idleTargets,
  },
  { name: 'idle-10000', title: '10,000 idle connections', kind: 'hold', load: ['idle', '--connections', '10000'] },
  {
    name: 'never-read-1000',
    title: '1,000 peers that never read',
    kind: 'hold',
    load: ['never-read', '--connections', '1000'],
  },
  {
    name: 'storm',
    title: '50 steady connections beside a storm of handshakes',
    kind: 'storm',
    load: ['echo', '--connections', '50', '--pace-us', '20000'],
    storm: ['connect', '--connections', '64'],
    handshakes: true,
  },
  {
    name: 'kv-50',
    title: 'key-value server: 90 % get, 10 % set of 100 B, 50 connections',
    load: ['kv', '--connections', '50', '--bytes', '100'],
    service: 'kv',
    handshakes: false,
  },
];

const metrics: Record<CaseKind, Metric> = {
  requests: 'cpuUsPerRequest',
  hold: 'kibPerConnection',
  storm: 'p99Us',
};

/** Every shape over every transport that it makes sense for. */
export const cases: readonly BenchCase[] = transports.flatMap((transport) =>
  shapes
    .filter(({ handshakes }) => handshakes === undefined || handshakes === transport.handshakes)
    .map((shape) => caseOf(shape, transport)),
);

/** For each text the case of that name, or else all with the text in their names; without any text, all cases. */
export function casesNamed(texts: readonly string[]): BenchCase[] {
  const exact = new Set(cases.map(({ name }) => name));
  const matches = (name: string, text: string): boolean => (exact.has(text) ? name === text : name.includes(text));
  return cases.filter(({ name }) => texts.length === 0 || texts.some((text) => matches(name, text)));
}

function caseOf(shape: Shape, transport: Transport): BenchCase {
  const kind = shape.kind ?? 'requests';
  return {
    name: `${transport.name}-${shape.name}`,
    title: `${transport.title}: ${shape.title}`,
    kind,
    metric: metrics[kind],
    transport,
    service: shape.service ?? 'echo',
    certificate: shape.certificate ?? 'small',
    load: [...shape.load, ...transport.load],
    storm: shape.storm === undefined ? [] : [...shape.storm, ...transport.load],
    targets: shape.targets?.[transport.name] ?? {},
  };
}
