/** The programs in the documentation, taken out so that tests can run them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from './program.ts';

export interface Block {
  /** The word after the fence: 'ts', 'text', 'sh', ... */
  language: string;
  text: string;
  /** Of the fence, from 1. */
  line: number;
}

/** The fenced blocks of a Markdown file, in order. `path` is relative to the repository's root. */
export function fencedBlocks(path: string): Block[] {
  const blocks: Block[] = [];
  let open: { language: string; line: number; lines: string[] } | undefined;
  for (const [index, line] of readFileSync(join(repositoryRoot, path), 'utf8').split('\n').entries()) {
    if (open === undefined) {
      const fence = /^```(\w*)$/.exec(line);
      if (fence !== null) open = { language: fence[1] ?? '', line: index + 1, lines: [] };
    } else if (line === '```') {
      blocks.push({ language: open.language, line: open.line, text: open.lines.map((each) => `${each}\n`).join('') });
      open = undefined;
    } else open.lines.push(line);
  }
  if (open !== undefined) throw new Error(`${path}:${open.line}: this block is never closed`);
  return blocks;
}
