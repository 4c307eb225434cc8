import assert from 'node:assert/strict';
import { Suspend } from '../../suspend.ts';
import type { Scene } from './scene.ts';
import { SeededRandom } from './stream-bytes.ts';
import type { Witness } from './witness.ts';

const STEPS = 400;

/** Both users do anything that is allowed, in any order; then all that was sent has to arrive. */
export function randomWalk(scene: Scene): Promise<void> {
  return seeded(scene, walk);
}

/** The same, until one of them ends the connection in one way or another: both hear of it, and it is said how. */
export function randomEnd(scene: Scene): Promise<void> {
  return seeded(scene, walkToTheEnd);
}

async function seeded(scene: Scene, run: (scene: Scene, random: SeededRandom) => Promise<void>): Promise<void> {
  const seed = scene.settings.seed ?? Math.floor(Math.random() * 0x7fff_ffff);
  try {
    await run(scene, new SeededRandom(seed));
  } catch (error) {
    throw new Error(`with seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

async function walk(scene: Scene, random: SeededRandom): Promise<void> {
  for (const witness of scene.witnesses) witness.consumes = false;
  for (let step = 0; step < STEPS; step += 1) {
    doSomething(scene.witnesses[random.below(2)] as Witness, random);
    if (random.below(4) === 0) await scene.settle();
  }
  letGo(scene);
  await scene.untilAllTaken();
  for (const { bev } of scene.witnesses) bev.end();
  await scene.untilClosed();
  scene.assertEndedInOrder();
}

async function walkToTheEnd(scene: Scene, random: SeededRandom): Promise<void> {
  const { subject } = scene;
  const how = (['end', 'close', 'destroy'] as const)[random.below(3)] ?? 'end';
  const atStep = random.below(60);
  for (const witness of scene.witnesses) witness.consumes = false;
  for (let step = 0; step < 80; step += 1) {
    if (step === atStep) void subject.bev[how]();
    const witness = scene.witnesses[random.below(2)] as Witness;
    if (witness.bev.writable) doSomething(witness, random);
    if (random.below(3) === 0) await scene.settle();
  }
  letGo(scene);
  if (how !== 'destroy') for (const { bev } of scene.witnesses) bev.end();
  await scene.untilClosed();
  if (how !== 'destroy') return scene.assertEndedInOrder();
  assert.equal(subject.report?.end, 'aborted');
  const { end, code } = scene.peer.report ?? assert.fail();
  assert.match(end, /^(?:end|reset|truncated)$/u, `the peer saw ${end} (${code})`);
}

/** Nothing holds the bytes back any more. */
function letGo(scene: Scene): void {
  for (const { bev } of scene.witnesses) {
    bev.unsuspendRead(Suspend.rate | Suspend.group);
    bev.unsuspendWrite(Suspend.rate);
    bev.setWatermarks({ read: { low: 1, high: 65_536 } });
    bev.enable('both');
  }
  for (const witness of scene.witnesses) {
    witness.consumes = true;
    witness.take();
  }
}

function doSomething(witness: Witness, random: SeededRandom): void {
  const { bev } = witness;
  switch (random.below(9)) {
    case 0:
    case 1:
    case 2: {
      const size = 1 + random.below(random.below(4) === 0 ? 60_000 : 300);
      if (bev.output.length + size > bev.limits.writeCap) assert.throws(() => bev.write(Buffer.alloc(size)));
      else witness.send(size);
      break;
    }
    case 3:
    case 4:
      witness.take(random.below(3) === 0 ? undefined : random.below(5000));
      break;
    case 5:
      if (random.below(2) === 0) bev.pause();
      else bev.resume();
      break;
    case 6: {
      const low = 1 + random.below(100);
      bev.setWatermarks({ read: { low, high: low + random.below(20_000) } });
      break;
    }
    case 7:
      if (random.below(2) === 0) bev.suspendRead(random.below(2) === 0 ? Suspend.rate : Suspend.group);
      else bev.unsuspendRead(Suspend.rate | Suspend.group);
      break;
    default:
      if (random.below(2) === 0) bev.suspendWrite(Suspend.rate);
      else bev.unsuspendWrite(Suspend.rate);
  }
}
