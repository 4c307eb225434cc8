import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { UsageError } from './usage-error.ts';

/** What was given of each option: text, or true for a switch. */
export type Given<T extends ParseArgsOptionsConfig> = {
  readonly [Name in keyof T]?: T[Name]['type'] extends 'boolean' ? boolean : string;
};

/**
 * Reads the command line; there are no positional arguments.
 * @throws UsageError in one sentence, for an unknown option, a missing value, an empty one, or an option given twice
 */
export function readArguments<T extends ParseArgsOptionsConfig>(argv: string[], options: T): Given<T> {
  let parsed: ReturnType<typeof parseStrictly>;
  try {
    parsed = parseStrictly(argv, options);
  } catch (error) {
    const [sentence] = (error as Error).message.split(/\.\s/, 1);
    throw new UsageError(`${sentence?.replace(/\.$/, '')}; see --help`);
  }
  const seen = new Set<string>();
  for (const token of parsed.tokens) {
    if (token.kind !== 'option') continue;
    if (seen.has(token.name)) throw new UsageError(`${token.rawName} is given twice`);
    if (token.value === '') throw new UsageError(`${token.rawName} has an empty value`);
    seen.add(token.name);
  }
  return parsed.values as Given<T>;
}

/** A whole number of at least `min` and at most `max`. */
export function wholeNumber(option: string, text: string, min: number, max: number): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new UsageError(`${option} must be a whole number from ${min} to ${max}, not '${text}'`);
}

/** A TCP port; 0 lets the kernel choose one. */
export function portNumber(option: string, text: string): number {
  return wholeNumber(option, text, 0, 65_535);
}

function parseStrictly(args: string[], options: ParseArgsOptionsConfig) {
  return parseArgs({ args, options, strict: true, allowPositionals: false, tokens: true });
}
