import { getSystemErrorMap } from 'node:util';

/** The name of a system error ('ECONNRESET') by its number, either sign; '' when unknown. */
export function systemErrorName(errno: number): string {
  return getSystemErrorMap().get(-Math.abs(errno))?.[0] ?? '';
}

/** libuv's text for a system error by its name ('connection reset by peer'); '' when unknown. */
export function systemErrorMessage(name: string): string {
  for (const [known, message] of getSystemErrorMap().values()) {
    if (known === name) return message;
  }
  return '';
}

/** The operating system's positive number of an error by its name; 0 when it has none here. */
export function systemErrorNumber(name: string): number {
  for (const [number, [known]] of getSystemErrorMap()) {
    if (known === name) return -number;
  }
  return 0;
}

/** The text that the C library has for an errno, as it stands in OpenSSL's formats; '' when unknown. */
export function systemErrorText(errno: number): string {
  return C_LIBRARY_TEXTS.get(systemErrorName(errno)) ?? '';
}

/** strerror() texts of what networking meets; the same in glibc, musl, and macOS but for a few words. */
const C_LIBRARY_TEXTS: ReadonlyMap<string, string> = new Map([
  ['EPERM', 'Operation not permitted'],
  ['ENOENT', 'No such file or directory'],
  ['EINTR', 'Interrupted system call'],
  ['EIO', 'Input/output error'],
  ['EBADF', 'Bad file descriptor'],
  ['EAGAIN', 'Resource temporarily unavailable'],
  ['ENOMEM', 'Cannot allocate memory'],
  ['EACCES', 'Permission denied'],
  ['EFAULT', 'Bad address'],
  ['EBUSY', 'Device or resource busy'],
  ['EEXIST', 'File exists'],
  ['ENODEV', 'No such device'],
  ['ENOTDIR', 'Not a directory'],
  ['EISDIR', 'Is a directory'],
  ['EINVAL', 'Invalid argument'],
  ['ENFILE', 'Too many open files in system'],
  ['EMFILE', 'Too many open files'],
  ['EFBIG', 'File too large'],
  ['ENOSPC', 'No space left on device'],
  ['EROFS', 'Read-only file system'],
  ['EPIPE', 'Broken pipe'],
  ['EPROTO', 'Protocol error'],
  ['EOVERFLOW', 'Value too large for defined data type'],
  ['ENOTSOCK', 'Socket operation on non-socket'],
  ['EDESTADDRREQ', 'Destination address required'],
  ['EMSGSIZE', 'Message too long'],
  ['EPROTOTYPE', 'Protocol wrong type for socket'],
  ['ENOPROTOOPT', 'Protocol not available'],
  ['EPROTONOSUPPORT', 'Protocol not supported'],
  ['ENOTSUP', 'Operation not supported'],
  ['EAFNOSUPPORT', 'Address family not supported by protocol'],
  ['EADDRINUSE', 'Address already in use'],
  ['EADDRNOTAVAIL', 'Cannot assign requested address'],
  ['ENETDOWN', 'Network is down'],
  ['ENETUNREACH', 'Network is unreachable'],
  ['ECONNABORTED', 'Software caused connection abort'],
  ['ECONNRESET', 'Connection reset by peer'],
  ['ENOBUFS', 'No buffer space available'],
  ['EISCONN', 'Transport endpoint is already connected'],
  ['ENOTCONN', 'Transport endpoint is not connected'],
  ['ESHUTDOWN', 'Cannot send after transport endpoint shutdown'],
  ['ETIMEDOUT', 'Connection timed out'],
  ['ECONNREFUSED', 'Connection refused'],
  ['EHOSTDOWN', 'Host is down'],
  ['EHOSTUNREACH', 'No route to host'],
  ['EALREADY', 'Operation already in progress'],
  ['EINPROGRESS', 'Operation now in progress'],
  ['ECANCELED', 'Operation canceled'],
]);
