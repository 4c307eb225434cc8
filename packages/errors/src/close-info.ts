/** Why a channel of a multiplexed protocol was closed, for ends that raise no entry as well as those that do. */
export interface CloseInfo {
  /** The code of the close: the protocol's own when `transport`, else the application's. */
  readonly code: bigint;
  /** The type of the frame that was at fault; 0 when unknown or none was. */
  readonly frameType: bigint;
  /** Text that came with the close, never trusted: it may be the peer's. */
  readonly reason: string;
  /** The peer closed; false: this side did. */
  readonly remote: boolean;
  /** The transport closed; false: the application did. */
  readonly transport: boolean;
}

/** What `closeInfo` needs; numbers may be given as such when they fit. */
export interface CloseInfoInit {
  code: bigint | number;
  frameType?: bigint | number;
  reason?: string;
  remote: boolean;
  transport: boolean;
}

/** The code of a close by idle timeout; no code on the wire is this large. */
export const IDLE_TIMEOUT = 0xffff_ffff_ffff_ffffn;

/** Longest reason kept, in UTF-16 units; a QUIC reason must fit one packet, so more is never honest. */
export const CLOSE_REASON_LENGTH_MAX = 2048;

/** Makes a close info of its own. */
export function closeInfo(init: CloseInfoInit): CloseInfo {
  return {
    code: BigInt(init.code),
    frameType: BigInt(init.frameType ?? 0),
    reason: (init.reason ?? '').slice(0, CLOSE_REASON_LENGTH_MAX),
    remote: init.remote,
    transport: init.transport,
  };
}
