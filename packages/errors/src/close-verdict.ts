import { type CloseInfo, IDLE_TIMEOUT } from './close-info.ts';
import type { Verdict } from './verdicts.ts';

/** The verdict on a close that left no entry: who sent it, and whether its code is 0, which means no fault. */
export function classifyClose(info: CloseInfo): Verdict {
  if (info.transport && info.code === IDLE_TIMEOUT) return idle;
  if (!info.transport) return info.remote ? closedByPeer(info) : closedHere(info);
  if (!info.remote) return { ...closedHere(info), what: 'PROTOCOL', end: 'failed', blame: 'remote' };
  return info.code === 0n ? reset : refusedByPeer;
}

/**
 * What a close says in figures, for a message: `code 0x2a, frame type 0x6, "going away"`.
 *
 * @param name of the code, if it has one
 */
export function describeClose(info: CloseInfo, name = ''): string {
  if (info.transport && info.code === IDLE_TIMEOUT) return '';
  const parts = [`code 0x${info.code.toString(16)}${name === '' ? '' : ` (${name})`}`];
  if (info.frameType !== 0n) parts.push(`frame type 0x${info.frameType.toString(16)}`);
  if (info.reason !== '') parts.push(JSON.stringify(info.reason));
  return parts.join(', ');
}

const idle: Verdict = {
  what: 'IDLE_TIMEOUT',
  blame: 'remote',
  remedy: 'close',
  logLevel: 'info',
  end: 'timeout',
  says: 'the peer was silent for the whole idle time',
  advice: '',
};

const reset: Verdict = {
  what: 'RESET',
  blame: 'remote',
  remedy: 'close',
  logLevel: 'info',
  end: 'reset',
  says: 'the peer no longer knows the connection, or cut it without an error',
  advice: '',
};

const refusedByPeer: Verdict = {
  what: 'CLOSED_BY_PEER_TRANSPORT',
  blame: 'remote',
  remedy: 'close',
  logLevel: 'warn',
  end: 'failed',
  says: "the peer's transport closed the connection with an error",
  advice: '',
};

function closedByPeer(info: CloseInfo): Verdict {
  const clean = info.code === 0n;
  return {
    what: 'CLOSED_BY_PEER',
    blame: 'remote',
    remedy: 'close',
    logLevel: clean ? 'debug' : 'info',
    end: clean ? 'end' : 'reset',
    says: 'the peer closed the connection',
    advice: '',
  };
}

function closedHere(info: CloseInfo): Verdict {
  return {
    what: 'CLOSED',
    blame: 'local',
    remedy: 'close',
    logLevel: 'debug',
    end: info.code === 0n ? 'end' : 'aborted',
    says: 'this side closed the connection',
    advice: '',
  };
}
