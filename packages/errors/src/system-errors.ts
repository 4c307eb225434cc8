import { constants } from 'node:os';
import { getSystemErrorMap } from 'node:util';

/** The name of a system error ('ECONNRESET') by its number, either sign; '' when unknown. */
export function systemErrorName(errno: number): string {
  return NAMES.get(Math.abs(errno)) ?? '';
}

/** A text for a system error by its name ('connection reset by peer'), libuv's if it has one; '' when unknown. */
export function systemErrorMessage(name: string): string {
  const text = C_LIBRARY_TEXTS.get(name) ?? '';
  return getSystemErrorMap().get(-systemErrorNumber(name))?.[1] ?? text.charAt(0).toLowerCase() + text.slice(1);
}

/** The operating system's positive number of an error by its name; 0 when it has none here. */
export function systemErrorNumber(name: string): number {
  return NUMBERS.get(name) ?? 0;
}

/** The text that the C library has for an errno, as it stands in OpenSSL's formats; '' when unknown. */
export function systemErrorText(errno: number): string {
  return C_LIBRARY_TEXTS.get(systemErrorName(errno)) ?? '';
}

const LIBUV = [...getSystemErrorMap()].map(([number, [name]]) => [name, -number] as const);

/** By name: what only the system knows, and what libuv does. */
const NUMBERS: ReadonlyMap<string, number> = new Map([...Object.entries(constants.errno), ...LIBUV]);

/** By number. Of two names libuv's counts, or else the first. */
const NAMES: ReadonlyMap<number, string> = new Map(
  [...LIBUV, ...Object.entries(constants.errno)].toReversed().map(([name, number]) => [number, name]),
);

/** strerror() texts of errors that have a name here; the same in glibc, musl, and macOS but for a few words. */
const C_LIBRARY_TEXTS: ReadonlyMap<string, string> = new Map([
  ['E2BIG', 'Argument list too long'],
  ['EACCES', 'Permission denied'],
  ['EADDRINUSE', 'Address already in use'],
  ['EADDRNOTAVAIL', 'Cannot assign requested address'],
  ['EAFNOSUPPORT', 'Address family not supported by protocol'],
  ['EAGAIN', 'Resource temporarily unavailable'],
  ['EALREADY', 'Operation already in progress'],
  ['EBADF', 'Bad file descriptor'],
  ['EBADMSG', 'Bad message'],
  ['EBUSY', 'Device or resource busy'],
  ['ECANCELED', 'Operation canceled'],
  ['ECHILD', 'No child processes'],
  ['ECONNABORTED', 'Software caused connection abort'],
  ['ECONNREFUSED', 'Connection refused'],
  ['ECONNRESET', 'Connection reset by peer'],
  ['EDEADLK', 'Resource deadlock avoided'],
  ['EDESTADDRREQ', 'Destination address required'],
  ['EDOM', 'Numerical argument out of domain'],
  ['EDQUOT', 'Disk quota exceeded'],
  ['EEXIST', 'File exists'],
  ['EFAULT', 'Bad address'],
  ['EFBIG', 'File too large'],
  ['EHOSTDOWN', 'Host is down'],
  ['EHOSTUNREACH', 'No route to host'],
  ['EIDRM', 'Identifier removed'],
  ['EILSEQ', 'Invalid or incomplete multibyte or wide character'],
  ['EINPROGRESS', 'Operation now in progress'],
  ['EINTR', 'Interrupted system call'],
  ['EINVAL', 'Invalid argument'],
  ['EIO', 'Input/output error'],
  ['EISCONN', 'Transport endpoint is already connected'],
  ['EISDIR', 'Is a directory'],
  ['ELOOP', 'Too many levels of symbolic links'],
  ['EMFILE', 'Too many open files'],
  ['EMLINK', 'Too many links'],
  ['EMSGSIZE', 'Message too long'],
  ['EMULTIHOP', 'Multihop attempted'],
  ['ENAMETOOLONG', 'File name too long'],
  ['ENETDOWN', 'Network is down'],
  ['ENETRESET', 'Network dropped connection on reset'],
  ['ENETUNREACH', 'Network is unreachable'],
  ['ENFILE', 'Too many open files in system'],
  ['ENOBUFS', 'No buffer space available'],
  ['ENODATA', 'No data available'],
  ['ENODEV', 'No such device'],
  ['ENOENT', 'No such file or directory'],
  ['ENOEXEC', 'Exec format error'],
  ['ENOLCK', 'No locks available'],
  ['ENOLINK', 'Link has been severed'],
  ['ENOMEM', 'Cannot allocate memory'],
  ['ENOMSG', 'No message of desired type'],
  ['ENONET', 'Machine is not on the network'],
  ['ENOPROTOOPT', 'Protocol not available'],
  ['ENOSPC', 'No space left on device'],
  ['ENOSR', 'Out of streams resources'],
  ['ENOSTR', 'Device not a stream'],
  ['ENOSYS', 'Function not implemented'],
  ['ENOTCONN', 'Transport endpoint is not connected'],
  ['ENOTDIR', 'Not a directory'],
  ['ENOTEMPTY', 'Directory not empty'],
  ['ENOTSOCK', 'Socket operation on non-socket'],
  ['ENOTSUP', 'Operation not supported'],
  ['ENOTTY', 'Inappropriate ioctl for device'],
  ['ENXIO', 'No such device or address'],
  ['EOPNOTSUPP', 'Operation not supported'],
  ['EOVERFLOW', 'Value too large for defined data type'],
  ['EPERM', 'Operation not permitted'],
  ['EPIPE', 'Broken pipe'],
  ['EPROTO', 'Protocol error'],
  ['EPROTONOSUPPORT', 'Protocol not supported'],
  ['EPROTOTYPE', 'Protocol wrong type for socket'],
  ['ERANGE', 'Numerical result out of range'],
  ['EREMOTEIO', 'Remote I/O error'],
  ['EROFS', 'Read-only file system'],
  ['ESHUTDOWN', 'Cannot send after transport endpoint shutdown'],
  ['ESOCKTNOSUPPORT', 'Socket type not supported'],
  ['ESPIPE', 'Illegal seek'],
  ['ESRCH', 'No such process'],
  ['ESTALE', 'Stale file handle'],
  ['ETIME', 'Timer expired'],
  ['ETIMEDOUT', 'Connection timed out'],
  ['ETXTBSY', 'Text file busy'],
  ['EUNATCH', 'Protocol driver not attached'],
  ['EWOULDBLOCK', 'Resource temporarily unavailable'],
  ['EXDEV', 'Invalid cross-device link'],
]);
