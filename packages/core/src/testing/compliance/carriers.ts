import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BufferEvent } from '../../bufferevent.ts';
import { PairBufferEvent } from '../../bufferevent-pair.ts';
import { SocketBufferEvent } from '../../bufferevent-socket.ts';
import { connect } from '../../connect.ts';
import { Listener } from '../../listener.ts';
import type { ConnectionOptions } from '../../limits.ts';
import { link, type LinkOptions } from '../link.ts';
import { LiveTestLoop } from '../live-test-loop.ts';
import type { ComplianceConnection, ComplianceFactory, ComplianceOptions } from './contract.ts';

/** The transports of this package, as factories: to be tested, and to put a layer of your own over each of them. */
export const carriers: Readonly<Record<'pair' | 'link' | 'tcp' | 'unix', ComplianceFactory>> = {
  pair: ({ first, second }) => inMemory((loop) => PairBufferEvent.create(loop, first ?? {}, second ?? {})),
  link: (options) => inMemory((loop) => linked(loop, options)),
  tcp: (options) => overSocket({ address: '127.0.0.1' }, options),
  async unix(options) {
    const directory = mkdtempSync(join(tmpdir(), 'sluice-compliance-'));
    const connection = await overSocket({ path: join(directory, 'socket') }, options);
    return {
      ...connection,
      async dispose() {
        await connection.dispose();
        rmSync(directory, { recursive: true });
      },
    };
  },
};

/** A link with a kernel of its own in the middle: small, slow. */
export function slowLink(kernel: Pick<LinkOptions, 'capacityBytes' | 'perTurnBytes'>): ComplianceFactory {
  return (options) => inMemory((loop) => linked(loop, options, kernel));
}

/**
 * A layer over both ends of another transport. The marks and times that a case asks for are the layer's; those below are
 * the defaults.
 */
export function layered(
  below: ComplianceFactory,
  wrap: (transport: BufferEvent, options: ConnectionOptions, side: 'first' | 'second') => BufferEvent,
): ComplianceFactory {
  return async ({ first = {}, second = {} }) => {
    const connection = await below({});
    const [firstBelow, secondBelow] = connection.ends;
    return { ...connection, ends: [wrap(firstBelow, first, 'first'), wrap(secondBelow, second, 'second')] };
  };
}

function linked(
  loop: LiveTestLoop,
  { first = {}, second = {} }: ComplianceOptions,
  kernel: LinkOptions = {},
): readonly [BufferEvent, BufferEvent] {
  return link(loop, { ...kernel, first, second }).ends;
}

function inMemory(make: (loop: LiveTestLoop) => readonly [BufferEvent, BufferEvent]): ComplianceConnection {
  const loop = new LiveTestLoop();
  return {
    loop,
    ends: make(loop),
    uncaughtErrors: loop.uncaughtErrors,
    settle: () => loop.settle(),
    advance: (ms) => loop.advance(ms),
    dispose: () => void loop.close(),
  };
}

async function overSocket(
  where: { address: string } | { path: string },
  { first = {}, second = {} }: ComplianceOptions,
): Promise<ComplianceConnection> {
  const loop = new LiveTestLoop();
  let accept = (_handle: number): void => {};
  const listener: Listener = new Listener(loop, where, (handle) => accept(handle));
  const accepted = new Promise<BufferEvent>((resolve) => {
    accept = (handle) => resolve(SocketBufferEvent.accepted(loop, listener.transport, handle, second));
  });
  const { address } = listener;
  const client =
    address.family === 'unix'
      ? connect({ ...first, loop, path: address.address })
      : connect({ ...first, loop, host: address.address, port: address.port });
  const ends = [client, await accepted] as const;
  return {
    loop,
    ends,
    uncaughtErrors: loop.uncaughtErrors,
    settle: () => loop.settle(),
    advance: (ms) => loop.advance(ms),
    async dispose() {
      await listener.close();
      loop.close();
    },
  };
}
