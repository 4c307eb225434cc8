export { ENTRY_TEXT_LENGTH_MAX } from './append-text.ts';
export {
  type ChannelClosed,
  ChannelErrorStack,
  type ChannelErrorStackOptions,
  type FailOptions,
} from './channel-error-stack.ts';
export { causeOf, classify } from './classify.ts';
export { CLOSE_REASON_LENGTH_MAX, type CloseInfo, type CloseInfoInit, closeInfo, IDLE_TIMEOUT } from './close-info.ts';
export { classifyClose, describeClose } from './close-verdict.ts';
export {
  CONNECTION_TERMINATED,
  errnoOf,
  isCommonCode,
  isFatalCode,
  isSystemCode,
  Library,
  libraryOf,
  packCode,
  ReasonFlag,
  reasonOf,
  SluiceReason,
  systemCode,
} from './code.ts';
export type { Direction, EndKind } from './end.ts';
export {
  copyEntries,
  copyEntry,
  createEntry,
  DataFlag,
  entriesFromNative,
  type ErrorEntry,
  type ErrorEntryInit,
  fromNative,
  type NativeErrorEntry,
} from './error-entry.ts';
export { type Bracket, ErrorStack, OPEN_BRACKETS_MAX, STACK_ENTRIES_MAX } from './error-stack.ts';
export { copyState, type ErrorState, restore, save, saveToMark, transferables } from './error-state.ts';
export {
  codeHex,
  errorString,
  type FormatOptions,
  formatEntry,
  formatLine,
  formatLines,
  PRINT_BYTES_MAX,
  printEntry,
  printErrors,
} from './format.ts';
export { LastResult, type NetworkFate, type ResultKind, resultFromSslError } from './last-result.ts';
export { contextOf, type ErrorContext, errorFromEntries, errorFromErrno, type ErrorKind } from './make-error.ts';
export { defaultNames, type NameSource, namesFrom } from './names.ts';
export { PortErrorStack } from './port-error-stack.ts';
export { classifyQuicClose, quicCodeName } from './quic-close.ts';
export {
  AbortedError,
  ApiMisuse,
  type Blame,
  type Layer,
  LimitError,
  type LogLevel,
  QuicError,
  type Remedy,
  SluiceError,
  type SluiceErrorCode,
  type SluiceErrorJson,
  type SluiceErrorOptions,
  SystemError,
  TimeoutError,
  TlsError,
  UnsupportedError,
} from './sluice-error.ts';
export { type SslReasonName, sslReasonNames, sslReasons } from './ssl-reasons.ts';
export { systemErrorMessage, systemErrorName, systemErrorNumber } from './system-errors.ts';
export type { Verdict } from './verdicts.ts';
