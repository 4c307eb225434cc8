import { BlockList } from 'node:net';
import { ApiMisuse } from '@sluice/errors';
import { expect } from 'chai';
import * as core from '../src/index.ts';
import { leased$, pull } from '../src/rx/index.ts';
import { link, TestLoop, VirtualClock } from '../src/testing/index.ts';
import {
  requireConnection,
  requireCount,
  requireFunction,
  requireHandlers,
  requireMs,
  requireObject,
  requireOpenLoop,
  requirePositive,
  requireSignal,
} from '../src/arguments.ts';

/** Whatever a program without types may hand over. */
const as = (value: unknown): never => value as never;

describe('arguments', () => {
  it('are refused by the name of the operation and their own, and shown', () => {
    const wrong: [() => void, string][] = [
      [
        () => requireCount('op', 'n', -1),
        'op: n must be an integer of 0 or more, not -1; leave it out for the default',
      ],
      [
        () => requirePositive('op', 'n', 0),
        'op: n must be an integer of 1 or more, not 0; leave it out for the default',
      ],
      [() => requireMs('op', 'ms', Number.NaN), 'op: ms must be a number of milliseconds, 0 or more, not NaN'],
      [() => requireFunction('op', 'fn', 'no'), 'op: fn must be a function, not no'],
      [() => requireObject('op', 'options', null), 'op: options must be an object, not null'],
      [() => requireObject('op', 'options', () => {}), 'op: options must be an object, not a function'],
      [() => requireSignal('op', new Map()), 'op: signal must be an AbortSignal, not Map'],
      [() => requireConnection('op', { input: 1 }), 'op: a BufferEvent is needed, not Object'],
      [() => requireOpenLoop('op', as(undefined)), 'op: an EventLoop is needed, not undefined'],
      [() => requireHandlers('op', { data: 1 }), 'op: handlers.data must be a function, not 1'],
    ];
    for (const [call, message] of wrong) {
      expect(call, message).to.throw(ApiMisuse, message).with.property('code', 'SLUICE_CORE_API_MISUSE');
    }
  });

  it('are let through when they are right, or left out where they may be', () => {
    const loop = new TestLoop();
    const [bev] = core.PairBufferEvent.create(loop);
    requireCount('op', 'n', 0);
    requirePositive('op', 'n', undefined);
    requireMs('op', 'ms', Number.POSITIVE_INFINITY);
    requireSignal('op', undefined);
    requireSignal('op', AbortSignal.abort());
    requireConnection('op', bev);
    requireOpenLoop('op', loop);
    requireHandlers('op', { data() {}, closed: undefined, somethingElse: 5 });
  });

  it('are looked at by the call that is given them, not later in a turn', () => {
    const loop = new TestLoop();
    const [bev, peer] = core.PairBufferEvent.create(loop);
    const group = new core.RateLimitGroup(loop, {});
    const buffer = new core.EvBuffer();
    const wires = link(loop);
    const calls: Record<string, () => unknown> = {
      'new EventLoop: options': () => new core.EventLoop(as(null)),
      'new EventLoop: clock': () => new core.EventLoop({ clock: as(5) }),
      'new EventLoop: clock.schedule': () => new core.EventLoop({ clock: as({ now: () => 0 }) }),
      'new EventLoop: schedule': () => new core.EventLoop({ schedule: as(5) }),
      'new EventLoop: onUncaught': () => new core.EventLoop({ onUncaught: as(5) }),
      'timer: fn': () => loop.timer(1, as(undefined)),
      'interval: fn': () => loop.interval(1, as('x')),
      'idleTimer: fn': () => loop.idleTimer(as(undefined)),
      'defer: fn': () => loop.defer(as(undefined)),
      'deferNext: fn': () => loop.deferNext(as(5)),
      'userEvent: fn': () => loop.userEvent(as(undefined)),
      'signal: fn': () => loop.signal('SIGHUP', as(5)),
      'watchFd: fn': () => loop.watchFd(0, 'readable', as(undefined)),
      'onPrepare: fn': () => loop.onPrepare(as(5)),
      'onCheck: fn': () => loop.onCheck(as(undefined)),
      'exit: afterMs': () => loop.exit({ afterMs: Number.NaN }),
      'appendAll: pieces': () => buffer.appendAll(as(5)),
      'appendRef: onRelease': () => buffer.appendRef(Buffer.from('x'), as(5)),
      'appendShared: the other buffer': () => buffer.appendShared(as(null)),
      'moveTo: the other buffer': () => buffer.moveTo(as(undefined)),
      'readLineString: encoding': () => buffer.readLineString('lf', 10, as('klingon')),
      'onChange: an EventLoop is needed': () => buffer.onChange(() => {}, { deferred: as(5) }),
      'enable: the direction': () => bev.enable(as('reading')),
      'disable: the direction': () => bev.disable(as(undefined)),
      'setHandlers: handlers': () => bev.setHandlers(as(null)),
      'setHandlers: handlers.end': () => bev.setHandlers({ end: as(5) }),
      'setRateLimit: options': () => bev.setRateLimit(as(5)),
      'setTurnLimit: options': () => bev.setTurnLimit(as('x')),
      'BufferEvent: an EventLoop is needed': () => core.PairBufferEvent.create(as(undefined)),
      'BufferEvent: options': () => core.PairBufferEvent.create(loop, as(null)),
      'FilterBufferEvent: a BufferEvent is needed': () => new core.FilterBufferEvent(as(null), {}),
      'FilterBufferEvent: filter must': () => new core.FilterBufferEvent(peer, as(null)),
      'FilterBufferEvent: filter.input': () => new core.FilterBufferEvent(peer, { input: as(5) }),
      'RateLimitGroup: options': () => new core.RateLimitGroup(loop, as(undefined)),
      'RateLimitGroup: an EventLoop': () => new core.RateLimitGroup(as(5), {}),
      'RateLimitGroup.add: a BufferEvent': () => group.add(as(null)),
      'RateLimitGroup.has: a BufferEvent': () => group.has(as(null)),
      'RateLimitGroup.delete: a BufferEvent': () => group.delete(as({})),
      'the direction must be': () => group.available(as('up')),
      "the direction must be 'read'": () => group.charge(as('up'), 1),
      'connect: options': () => core.connect(as(undefined)),
      'connect: port 80 and path': () => core.connect({ loop, port: 80, path: '/x' }),
      'connect: path': () => core.connect({ loop, path: as(5) }),
      'connect: host': () => core.connect({ loop, port: 80, host: as(5) }),
      'connect: family': () => core.connect({ loop, port: 80, family: as(5) }),
      'connect: lookup': () => core.connect({ loop, port: 80, lookup: as(5) }),
      'connect: signal': () => core.connect({ loop, port: 80, signal: as(5) }),
      'connect: noDelay': () => core.connect({ loop, port: 80, noDelay: as('yes') }),
      'connect: keepAliveMs': () => core.connect({ loop, port: 80, keepAliveMs: 999 }),
      'connect: sendBufferBytes': () => core.connect({ loop, port: 80, sendBufferBytes: -5 }),
      'connect: receiveBufferBytes': () => core.connect({ loop, port: 80, receiveBufferBytes: 0 }),
      'adopt: the number': () => core.adopt(as('x')),
      'adopt: keepAliveMs': () => core.adopt(0, { loop, keepAliveMs: Number.POSITIVE_INFINITY }),
      'serve: handlers must': () => new core.Server(as(5)),
      'serve: handlers.connected': () => new core.Server({ connected: as({}) }),
      'serve: options': () => new core.Server({}, as(null)),
      'serve: noDelay': () => new core.Server({}, { loop, noDelay: as(1) }),
      'serve: logger.info': () => new core.Server({}, { loop, logger: as({ debug() {} }) }),
      'listen: limits': () => new core.Server({}, { loop, limits: as(5) }),
      'listen: limits.blockList': () => new core.Server({}, { loop, limits: { blockList: as(new Set()) } }),
      'listen: limits.connectionsMax': () => new core.Server({}, { loop, limits: { connectionsMax: as('5') } }),
      'listen: port, path and fd': () => new core.Listener(loop, { port: 1, path: '/x' }, () => {}),
      'listen: path': () => new core.Listener(loop, { path: as(5) }, () => {}),
      'listen: ipv6Only': () => new core.Listener(loop, { address: '127.0.0.1', ipv6Only: true }, () => {}),
      'toDuplex: a BufferEvent': () => core.toDuplex(as(null)),
      'toDuplex: readableHighWaterMark': () => core.toDuplex(bev, { readableHighWaterMark: -1 }),
      'fromDuplex: a node:stream Duplex': () => core.fromDuplex(loop, as({})),
      'toWeb: a BufferEvent': () => core.toWeb(as(undefined)),
      'toWeb: writableHighWaterMark': () => core.toWeb(bev, { writableHighWaterMark: as('x') }),
      'fromWeb: streams': () => core.fromWeb(loop, as(null)),
      'fromWeb: readable must': () => core.fromWeb(loop, as({ readable: {}, writable: {} })),
      'pull: work': () => pull(bev, as(5)),
      'leased$: onUnsubscribe': () => leased$(bev, { onUnsubscribe: as('stop') }),
      'link: capacityBytes': () => link(loop, { capacityBytes: 0 }),
      'link: perTurnBytes': () => link(loop, { perTurnBytes: Number.NaN }),
      'link: perTurnBytes must': () => wires.limit(wires.ends[0], 0),
      'link: an end is cut': () => wires.cut(as('off')),
      'link: NOPE': () => wires.breakWrites(wires.ends[0], 'NOPE'),
      'advance: ms': () => new VirtualClock().advance(-1),
    };
    for (const [message, call] of Object.entries(calls)) expect(call, message).to.throw(ApiMisuse, message);
    expect(new core.Server({}, { loop, limits: { blockList: new BlockList() } }).rejected.blocked).to.equal(0);
    expect(loop.settle(), 'and nothing was begun').to.be.below(5);
    expect(loop.uncaughtErrors).to.deep.equal([]);
  });

  it('of calls that answer promises are refused by these', async () => {
    const loop = new TestLoop();
    const [bev] = core.PairBufferEvent.create(loop);
    const none = as(null);
    const server = new core.Server({}, { loop });
    const pool = new URL('file:///nowhere.js');
    const calls: Record<string, () => Promise<unknown>> = {
      'delay: signal': () => loop.delay(1, { signal: as(5) }),
      'run: options': () => loop.run(as(null)),
      'run: signal': () => loop.run({ signal: as(5) }),
      'close: signal': () => bev.close({ signal: as(5) }),
      'flush: signal': () => bev.flush({ signal: as(5) }),
      'readExactly: a BufferEvent': () => core.readExactly(none, 1),
      'readExactly: n': () => core.readExactly(bev, 0.5),
      'readUntil: data': () => core.readUntil(bev, as(5)),
      'readUntil: maxLength': () => core.readUntil(bev, 'x', { maxLength: -1 }),
      'readUntil: signal': () => core.readUntil(bev, 'x', { signal: as(5) }),
      'readLine: style': () => core.readLine(bev, { style: as('x') }),
      'readLine: maxLength': () => core.readLine(bev, { maxLength: as('x') }),
      'readLine: encoding': () => core.readLine(bev, { encoding: as('klingon') }),
      'chunks: bytesMax': () => core.chunks(bev, { bytesMax: 1.5 }).next(),
      'drained: a BufferEvent': () => core.drained(none),
      'sendFile: a BufferEvent': () => core.sendFile(none, 'x'),
      'sendFile: pieceBytes': () => core.sendFile(bev, 'x', { pieceBytes: 0 }),
      'sendFile: signal': () => core.sendFile(bev, 'x', { signal: as(5) }),
      'FileSegment.open: onRelease': () => core.FileSegment.open('x', { onRelease: as(5) }),
      'FileSegment.open: signal': () => core.FileSegment.open('x', { signal: as(5) }),
      'serve: options': () => core.serve(as(undefined)),
      'listen: a port': () => server.listen({}),
      'listen: host': () => server.listen({ port: 0, host: as(5) }),
      'listen: wrap': () => server.listen({ port: 0, wrap: as(5) }),
      'listen: signal': () => server.listen({ port: 0, signal: as(5) }),
      'drain: deadlineMs': () => server.drain({ deadlineMs: Number.NaN }),
      'drain: signal': () => server.drain({ signal: as(5) }),
      'WorkerPool.start: module': () => core.WorkerPool.start(as('./worker.js')),
      'WorkerPool.start: workers': () => core.WorkerPool.start(pool, { workers: 0 }),
      'WorkerPool.start: port': () => core.WorkerPool.start(pool, { port: -1 }),
      'WorkerPool.start: a worker cannot be made': () => core.WorkerPool.start(pool, { data: () => {} }),
      'joinWorkerPool: start': () => core.joinWorkerPool(as(undefined)),
    };
    for (const [message, call] of Object.entries(calls)) {
      const error: unknown = await call().then(
        () => new Error(`${message}: nothing was refused`),
        (reason: unknown) => reason,
      );
      expect(String(error)).to.include(message);
      expect(error, message).to.be.instanceOf(ApiMisuse);
    }
  });

  it('that are a closed loop are told from those that are open', () => {
    const loop = new TestLoop();
    loop.close();
    const calls: (() => unknown)[] = [
      () => loop.timer(1, () => {}),
      () => loop.interval(1, () => {}),
      () => core.PairBufferEvent.create(loop),
      () => core.connect({ loop, host: '127.0.0.1', port: 80 }),
      () => new core.Listener(loop, { address: '127.0.0.1' }, () => {}),
      () => new core.RateLimitGroup(loop, {}),
      () => new core.EvBuffer().onChange(() => {}, { deferred: loop }),
    ];
    for (const call of calls) expect(call).to.throw(ApiMisuse).with.property('code', 'SLUICE_CORE_LOOP_CLOSED');
  });
});
