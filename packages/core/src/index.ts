export type { AcceptLimitOptions, Rejection, RejectReason } from './accept-limits.ts';
export { adopt, type AdoptOptions } from './adopt.ts';
export { BufferEvent, type BufferEventEvents, type Handlers } from './bufferevent.ts';
export { FilterBufferEvent, type FilterOptions } from './bufferevent-filter.ts';
export { PairBufferEvent } from './bufferevent-pair.ts';
export { SocketBufferEvent, type SocketOptions } from './bufferevent-socket.ts';
export { type Alarm, type Clock, systemClock } from './clock.ts';
export type { CloseReport } from './close-report.ts';
export { connect, type ConnectOptions } from './connect.ts';
export { abortConnecting, connected } from './connecting.ts';
export { type DrainOnSignalOptions, drainOnSignal, type SignalDrain } from './drain-on-signal.ts';
export type { DiagnosticMessages } from './diagnostics.ts';
export { fromDuplex } from './duplex/from-duplex.ts';
export { fromIterable } from './duplex/from-iterable.ts';
export { fromWeb } from './duplex/from-web.ts';
export {
  type AwaitOptions,
  chunks,
  type ChunksOptions,
  readExactly,
  readLine,
  type ReadLineOptions,
  readUntil,
  type ReadUntilOptions,
} from './duplex/reading.ts';
export { drained, type Source, writeAll } from './duplex/writing.ts';
export { type BufferEventDuplex, toDuplex, type ToDuplexOptions } from './duplex/to-duplex.ts';
export { type IterableStreams, toIterable, type ToIterableOptions } from './duplex/to-iterable.ts';
export { toWeb, type ToWebOptions, type WebStreams } from './duplex/to-web.ts';
export {
  type BufferChange,
  type BufferReader,
  type BufferWriter,
  type ChangeListener,
  type ChangeOptions,
  type Data,
  type EolStyle,
  EvBuffer,
  type EvBufferOwner,
  type EvBufferStats,
  LINE_BYTES_MAX,
  type Reservation,
  type Subscription,
} from './evbuffer.ts';
export type { Filter, FilterMode, FilterResult, Transform } from './filter.ts';
export { type FrameFilterOptions, frameFilter } from './filters/frame-filter.ts';
export { FileSegment, type FileSegmentOptions, type FileSource } from './files/file-segment.ts';
export { sendFile, type SendFileOptions } from './files/send-file.ts';
export { EventLoop, type EventLoopOptions, type EventLoopStats } from './event-loop.ts';
export { type FdCallback, type FdInterest, type FdReady, FdWatcher, type FdWatcherOptions } from './fd-watcher.ts';
export {
  type ConnectionOptions,
  defaultLimits,
  type Limits,
  limitsFrom,
  type ReadMarks,
  type Timeouts,
  type Watermarks,
  type WriteMarks,
} from './limits.ts';
export { type ListenFd, listenFds } from './listen-fds.ts';
export { Listener, type ListenerBinding, type ListenerEvents } from './listener.ts';
export { type Logger, silentLogger } from './logger.ts';
export { LoopEvent, type LoopEventOptions } from './loop-event.ts';
export type { LoopDump, LoopHandle, LoopRef } from './loop-handles.ts';
export type { DurationSummary, LoopMetricsSnapshot } from './loop-metrics.ts';
export type { RunOptions, RunResult } from './loop-run.ts';
export type { CheckCallback, PrepareCallback, PrepareInfo } from './loop-watchers.ts';
export type { RateLimitOptions, RateLimitStatus, TurnLimitOptions } from './rate-limit.ts';
export {
  type GroupMemberOptions,
  RateLimitGroup,
  type RateLimitGroupOptions,
  type RateLimitGroupStats,
} from './rate-limit-group.ts';
export { Reactor } from './reactor.ts';
export {
  type DrainOptions,
  type DrainReport,
  type ListenOptions,
  Server,
  type ServerEvents,
  type ServerOptions,
  serve,
} from './server.ts';
export type { ListenerStats, ServerStats } from './server-stats.ts';
export { type SignalCallback, SignalWatcher } from './signal.ts';
export { Slab } from './slab.ts';
export type { BufferEventStats, ReactorStats } from './stats.ts';
export { Suspend, suspendReasons } from './suspend.ts';
export { Timer } from './timer.ts';
export type { TokenRate } from './token-bucket.ts';
export { UserEvent } from './user-event.ts';
export {
  joinWorkerPool,
  type PoolStats,
  type PoolWorker,
  WorkerPool,
  type WorkerPoolEvents,
  type WorkerPoolOptions,
} from './worker-pool.ts';
export type { Address } from '@sluice/native';
