import { AbortedError, ApiMisuse, type EndKind, LimitError, SluiceError } from '@sluice/errors';

type FilterDirection = 'read' | 'write';

/** What a transform threw, as what ends the connection. */
export function filterError(direction: FilterDirection, thrown: unknown): SluiceError {
  if (thrown instanceof SluiceError) return thrown;
  const what = thrown instanceof Error ? thrown.message : String(thrown);
  return new SluiceError(`the ${transformOf(direction)} filter failed: ${what}`, {
    code: 'SLUICE_CORE_FILTER_FAILED',
    layer: 'core',
    operation: `filter ${transformOf(direction)}`,
    blame: direction === 'read' ? 'remote' : 'local',
    remedy: direction === 'read' ? 'close' : 'fix',
    end: 'failed',
    direction,
    cause: thrown,
  });
}

export function noProgressError(direction: FilterDirection, bytes: number, room: number): ApiMisuse {
  const message =
    `the ${transformOf(direction)} filter answered 'ok' and did nothing, with ${bytes} bytes to take and room for ` +
    `${room}; answer 'need-more' when it has to wait for more`;
  return new ApiMisuse(message, {
    code: 'SLUICE_CORE_FILTER_NO_PROGRESS',
    layer: 'core',
    operation: `filter ${transformOf(direction)}`,
  });
}

export function invalidResultError(direction: FilterDirection, result: unknown): ApiMisuse {
  const message = `the ${transformOf(direction)} filter must answer 'ok', 'need-more' or 'finished', not ${String(result)}`;
  return new ApiMisuse(message, { layer: 'core', operation: `filter ${transformOf(direction)}` });
}

/** The source ended, and the filter left bytes of a message that is not whole. */
export function cutMessageError(direction: FilterDirection, bytes: number): SluiceError {
  const remote = direction === 'read';
  const end: EndKind = remote ? 'truncated' : 'failed';
  return new SluiceError(
    remote
      ? `the peer's bytes ended inside a message: the filter waits for more after ${bytes} bytes`
      : `end() came inside a message: the filter waits for more after ${bytes} bytes that were written`,
    {
      code: remote ? 'SLUICE_CORE_FILTER_TRUNCATED' : 'SLUICE_CORE_FILTER_UNFINISHED',
      layer: 'core',
      operation: `filter ${transformOf(direction)}`,
      blame: remote ? 'remote' : 'local',
      remedy: remote ? 'close' : 'fix',
      end,
      direction,
    },
  );
}

/** The filter's stream is complete by its own account, and more was written. */
export function afterFinishedError(bytes: number): ApiMisuse {
  return new ApiMisuse(`the output filter answered 'finished' and ${bytes} more bytes were written`, {
    code: 'SLUICE_CORE_FILTER_FINISHED',
    layer: 'core',
    operation: 'filter output',
  });
}

/** The filter waits for more than the layer below may hold. */
export function stuckError(bytes: number, high: number): LimitError {
  return new LimitError(
    `the input filter waits for more after ${bytes} bytes, and the layer below holds ${high} at most; ` +
      'take what is there, or raise watermarks.read.high of the layer below',
    {
      code: 'SLUICE_CORE_FILTER_MESSAGE_TOO_LONG',
      layer: 'core',
      operation: 'filter input',
      blame: 'remote',
      remedy: 'close',
      end: 'failed',
      direction: 'read',
    },
  );
}

/** The filter made more of the peer's bytes than input may hold. */
export function overrunError(held: number, more: number, cap: number): LimitError {
  return new LimitError(
    `the input filter made ${more} bytes where input holds ${held} of ${cap}; ` +
      'honour the limit it is given, or raise overrunBytesMax',
    {
      code: 'SLUICE_CORE_FILTER_OVERRUN',
      layer: 'core',
      operation: 'filter input',
      blame: 'remote',
      remedy: 'close',
      end: 'failed',
      direction: 'read',
    },
  );
}

/** Somebody else ended the layer below. */
export function lostLayerError(end: EndKind): AbortedError {
  return new AbortedError(`the connection under the filter ended (${end}) while it was in use`, {
    code: 'SLUICE_CORE_FILTER_TRANSPORT_ENDED',
    layer: 'core',
    operation: 'filter',
    blame: 'local',
    remedy: 'fix',
  });
}

function transformOf(direction: FilterDirection): 'input' | 'output' {
  return direction === 'read' ? 'input' : 'output';
}
