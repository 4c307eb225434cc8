import { type NameSource, namesFrom } from '@sluice/errors';
import { native } from '@sluice/native';

/** Libraries and reasons as the running OpenSSL names them, for the texts of this package's errors. */
export const opensslNames: NameSource = namesFrom((code) => native().errorStrings(code));
