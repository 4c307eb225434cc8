/** Ends workers in the scene that the first argument names. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { Worker } from 'node:worker_threads';

const ROUNDS = 3;
const scene = process.argv[2] ?? '';
/** A terminated worker's code is 1; one whose loop was destroyed may have run out of work before. */
const codes = scene === 'exit' ? [7] : scene === 'destroyed' ? [0, 1] : [1];

for (let round = 0; round < ROUNDS; round += 1) {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-teardown-'));
  const worker = new Worker(new URL('worker-scene.ts', import.meta.url), { workerData: { scene, directory } });
  const exited = once(worker, 'exit') as Promise<[number]>;
  if (scene !== 'exit') {
    await once(worker, 'message');
    await worker.terminate();
  }
  const [code] = await exited;
  if (!codes.includes(code)) throw new Error(`the worker ended with ${code}`);
  rmSync(directory, { recursive: true });
}
console.log(`${ROUNDS} workers ended`);
