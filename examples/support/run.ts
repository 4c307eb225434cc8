import { SluiceError } from '@sluice/errors';
import { UsageError } from './usage-error.ts';

/** What a program ends with when it was not started properly. */
export const EXIT_USAGE = 2;

/**
 * Runs a program's main function. What the user or the system did wrong (bad arguments, a port in use, a bad
 * certificate) becomes one line on stderr and exit code 2; anything else is a fault of the program and ends with a stack.
 */
export async function run(program: string, main: (argv: string[]) => Promise<void>): Promise<void> {
  try {
    await main(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof SluiceError)) throw error;
    process.stderr.write(`${program}: ${oneLine(error.message)}\n`);
    process.exit(EXIT_USAGE);
  }
}

export function oneLine(text: string): string {
  return text.replace(/\s*[\r\n]+\s*/g, ' ').trim();
}
