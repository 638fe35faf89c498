// Random trees under random operations, with scans in between; after each the whole catalogue is compared with a model that asks
// the file system and ffprobe (tests/lib/tree_model). A story is its seed: REELD_TREE_SEED is the first, REELD_TREE_STORIES how many
// there are, REELD_TREE_STEPS how long each is; REELD_TREE_SECONDS goes on with further seeds until then.
import { test } from 'node:test';
import { sanitized } from '../lib/daemon.js';
import { Story } from '../lib/tree_model/story.js';
import { random } from '../lib/trees.js';

const seed = Number(process.env.REELD_TREE_SEED ?? 20261122);
const seconds = Number(process.env.REELD_TREE_SECONDS ?? 0);
const stories = Number(process.env.REELD_TREE_STORIES ?? (seconds ? 1 : sanitized ? 2 : 5));
const steps = Number(process.env.REELD_TREE_STEPS ?? 20);

/** One tree with its catalogue; what happened in it. */
async function tell(one) {
  const story = new Story(random(one));
  try {
    await story.start();
    for (let step = 0; step < steps; step++) await story.step();
    await story.settle();
    await story.end();
    return story.counts;
  } catch (error) {
    const replay = `REELD_TREE_SEED=${one} REELD_TREE_STORIES=1 REELD_TREE_STEPS=${steps} node --test tests/api/trees.test.js`;
    console.error(`Replay: ${replay}; the tree is ${story.dir}; what was done:\n${story.done.slice(-80).join('\n')}`);
    story.daemon?.process.kill('SIGKILL');
    for (const mirror of story.mirrors ?? []) mirror.stop().catch(() => {});
    throw error;
  }
}

const end = Date.now() + seconds * 1000;

/** The stories one after the other, so that each can be told by itself. */
async function all(t) {
  const sums = {};
  let told = 0;
  for (; told < stories || Date.now() < end; told++) {
    for (const [key, value] of Object.entries(await tell(seed + told))) sums[key] = (sums[key] ?? 0) + value;
  }
  t.diagnostic(`${told} trees from seed ${seed}: ${JSON.stringify(sums)}`);
}

test(`trees and their catalogue (REELD_TREE_SEED=${seed})`, all);
