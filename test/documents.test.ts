import { existsSync, globSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { fencedBlocks } from './support/documents.ts';
import { Program, repositoryRoot } from './support/program.ts';
import { untilTestEnds } from './support/until-test-ends.ts';

/** Programs may take this long on a machine that is busy: some of them make a TLS handshake with keys that `openssl` made. */
const PROGRAM_MS_MAX = 60_000;

describe('the guide', () => {
  for (const path of globSync('docs/guide/*.md', { cwd: repositoryRoot }).sort()) {
    const steps = guideSteps(path);
    if (steps.length === 0) continue;
    it(`${path}: its programs print what it says they print`, async function () {
      this.timeout(PROGRAM_MS_MAX);
      await mkdir(join(repositoryRoot, 'build'), { recursive: true });
      // Inside the repository, so that the packages are found.
      const directory = await mkdtemp(join(repositoryRoot, 'build', 'guide-'));
      try {
        for (const step of steps) await runStep(directory, step);
      } finally {
        await rm(directory, { recursive: true });
      }
    });
  }
});

describe('the documentation', () => {
  const documents = [
    'README.md',
    'CONTRIBUTING.md',
    'docs/**/*.md',
    'bench/*.md',
    'examples/**/*.md',
    'packages/*/*.md',
  ];
  for (const path of documents.flatMap((glob) => globSync(glob, { cwd: repositoryRoot })).sort()) {
    it(`${path}: what it links to is there`, async () => {
      const text = await readFile(join(repositoryRoot, path), 'utf8');
      const links = [...text.matchAll(/\]\((?!https?:)([^)#\s]+)(?:#[^)]*)?\)/g)].map((match) => match[1] as string);
      const missing = links.filter((link) => !existsSync(join(repositoryRoot, dirname(path), link)));
      expect(missing).to.deep.equal([]);
    });
  }
});

/** A program or a command of a guide; `output` is what it must print, when the guide says so. */
interface GuideStep {
  name: string;
  language: 'ts' | 'sh';
  text: string;
  output: string | undefined;
}

/** Each `ts` and `sh` block is a step; a `text` block that follows it at once is its output. */
function guideSteps(path: string): GuideStep[] {
  const steps: GuideStep[] = [];
  for (const { language, text, line } of fencedBlocks(path)) {
    if (language === 'ts' || language === 'sh') {
      steps.push({ name: `${path}:${line}`, language, text, output: undefined });
    } else if (language === 'text') {
      const step = steps.at(-1);
      if (step === undefined || step.output !== undefined) throw new Error(`${path}:${line}: the output of what?`);
      step.output = text;
    }
  }
  return steps;
}

async function runStep(directory: string, { name, language, text, output }: GuideStep): Promise<void> {
  const file = join(directory, `step.${language}`);
  await writeFile(file, text);
  const program = untilTestEnds(
    language === 'ts'
      ? Program.node(file, [], { cwd: directory })
      : Program.command('sh', ['-eu', file], { cwd: directory }),
  );
  const { code, stdout, stderr } = await program.exited;
  expect(code, `${name} ended with ${code}\n${stdout}${stderr}`).to.equal(0);
  if (output !== undefined) expect(stdout, name).to.equal(output);
}
