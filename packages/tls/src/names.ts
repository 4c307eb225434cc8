import { errnoOf, type NameSource, namesFrom } from '@sluice/errors';
import { native } from '@sluice/native';

/** Libraries and reasons as the running OpenSSL names them, and errnos as the system does, for this package's errors. */
export const opensslNames: NameSource = namesFrom((code) => {
  const [library, reason] = native().errorStrings(code);
  const errno = errnoOf(code);
  // OpenSSL has no texts of its own for these.
  return [library, errno === 0 ? reason : systemText(errno)];
});

/** '' for what is no error's number. */
function systemText(errno: number): string {
  const [, text] = native().systemError(errno);
  return /^(?:Unknown error|No error information)/.test(text) ? '' : text;
}
