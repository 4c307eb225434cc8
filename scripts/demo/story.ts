/** How the demo looks: numbered steps, remarks, tables. Colours only where the terminal shows them. */
import process from 'node:process';
import { styleText } from 'node:util';

const LINE_CHARACTERS_MAX = 96;

let steps = 0;

/** Begins a step. */
export function step(title: string): void {
  steps += 1;
  console.log(`\n${paint('bold', `${steps}. ${title}`)}`);
}

/** What happened. */
export function tell(text: string): void {
  for (const line of wrapped(text)) console.log(`   ${line}`);
}

/** Why it matters. */
export function remark(text: string): void {
  for (const line of wrapped(text)) console.log(`   ${paint('dim', line)}`);
}

/** Something to be copied: never broken into lines. */
export function verbatim(line: string): void {
  console.log(`     ${line}`);
}

/** Names and what they are, below each other. */
export function facts(pairs: Readonly<Record<string, unknown>>): void {
  const width = Math.max(...Object.keys(pairs).map((name) => name.length));
  for (const [name, value] of Object.entries(pairs)) {
    const [first = '', ...rest] = wrapped(String(value), LINE_CHARACTERS_MAX - width - 4);
    console.log(`     ${paint('dim', name.padEnd(width))}  ${first}`);
    for (const line of rest) console.log(`     ${' '.repeat(width)}  ${line}`);
  }
}

/** Columns as wide as they need to be; numbers to the right. */
export function table(header: readonly string[], rows: readonly (readonly (string | number)[])[]): void {
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => String(row[column] ?? '').length)),
  );
  const numeric = header.map((_, column) => rows.every((row) => typeof row[column] === 'number'));
  const line = (cells: readonly (string | number)[]): string =>
    cells
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return numeric[column] === true ? String(cell).padStart(width) : String(cell).padEnd(width);
      })
      .join('   ')
      .trimEnd();
  console.log(`\n     ${paint('underline', line(header))}`);
  for (const row of rows) console.log(`     ${line(row)}`);
  console.log();
}

export function good(text: string): string {
  return paint('green', text);
}

/** Thousands apart, as people read them. */
export function thousands(count: number): string {
  return count.toLocaleString('en-US');
}

function wrapped(text: string, charactersMax: number = LINE_CHARACTERS_MAX): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > charactersMax) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  lines.push(line);
  return lines;
}

function paint(style: 'bold' | 'dim' | 'underline' | 'green', text: string): string {
  // The output's own terminal decides, and NO_COLOR and FORCE_COLOR do.
  return styleText(style, text, { stream: process.stdout });
}
