/** Something that whoever started the program can put right: told in one line, without a stack. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
