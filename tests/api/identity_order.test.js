// Which video a file is depends on the files alone, never on which of them was judged first. One worker answers in the order of the
// names: each story is told with the file in question before the others, and behind them.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { World, copy, counts, hold, remove, video } from '../lib/identity_world.js';

const first = 'aa.mp4';
const last = 'zz.mp4';
const one = { args: ['--workers', '1'] };

/** Bytes that are kept outside the tree. */
function keep(world, name) {
  const kept = path.join(world.dir, `kept ${path.basename(name)}`);
  copy(world.at(name), kept);
  return kept;
}

/** A program saves: another inode under the same name. */
function save(file, fill) {
  const fresh = `${file}.fresh`;
  fill(fresh);
  if (fs.existsSync(file)) hold(file);
  fs.renameSync(fresh, file);
}

for (const name of [first, last]) {
  test(`what was missing is found elsewhere, and another film is where it was (${name})`, async (t) => {
    const world = await World.start(t, ['m.mp4', 'other.mp4'], one);
    const kept = keep(world, 'm.mp4');
    remove(world.at('m.mp4'));
    await world.settle({ missing: 1 });
    video(world.at('m.mp4'));
    copy(kept, world.at(name));
    await world.settle({ new: 1, moved: 1 }, { content: true });
    const rows = await world.keeps({ [name]: 'm.mp4', 'other.mp4': 'other.mp4' });
    assert.notEqual(rows.get('m.mp4').id, world.id('m.mp4'));
  });

  test(`another film of the same size is saved where it was, and it is found elsewhere (${name})`, async (t) => {
    const world = await World.start(t, ['m.mp4', 'other.mp4'], one);
    copy(world.at('m.mp4'), world.at(name));
    save(world.at('m.mp4'), (fresh) => video(fresh));
    await world.settle({ new: 1, moved: 1 }, { content: true });
    const rows = await world.keeps({ [name]: 'm.mp4', 'other.mp4': 'other.mp4' });
    assert.notEqual(rows.get('m.mp4').id, world.id('m.mp4'));
  });

  test(`it is saved anew where it was, and a copy of it is another video (${name})`, async (t) => {
    const world = await World.start(t, ['m.mp4', 'other.mp4'], one);
    const kept = keep(world, 'm.mp4');
    copy(kept, world.at(name));
    save(world.at('m.mp4'), (fresh) => copy(kept, fresh));
    await world.settle({ new: 1, updated: 1 });
    await world.keeps({ 'm.mp4': 'm.mp4', 'other.mp4': 'other.mp4' });
  });

  test(`a film is written over by one that was missing, and found where another one was (${name})`, async (t) => {
    const world = await World.start(t, ['m.mp4', 'w.mp4', name], one);
    const [m, w] = [keep(world, 'm.mp4'), keep(world, 'w.mp4')];
    remove(world.at('w.mp4'));
    await world.settle({ missing: 1 });
    fs.writeFileSync(world.at('m.mp4'), fs.readFileSync(w));
    save(world.at(name), (fresh) => copy(m, fresh));
    await world.settle({ moved: 2, missing: 1 }, { content: true });
    await world.keeps({ 'm.mp4': 'w.mp4', [name]: 'm.mp4' });
  });
}

test('of two that are alike and were missing, each goes to the file of its name', async (t) => {
  const world = await World.start(t, ['a/two.mp4', 'other.mp4'], one);
  const kept = keep(world, 'a/two.mp4');
  copy(kept, world.at('b/one.mp4'));
  await world.settle({ new: 1 });
  world.first = await world.rows();
  for (const name of ['a/two.mp4', 'b/one.mp4']) remove(world.at(name));
  await world.settle({ missing: 2 });
  for (const name of ['c/any.mp4', 'c/two.mp4']) copy(kept, world.at(name));
  await world.settle({ moved: 2 }, { content: true });
  await world.keeps({ 'c/any.mp4': 'b/one.mp4', 'c/two.mp4': 'a/two.mp4' });
});

test('a scan of one folder does not know what else was looked into: what may be there still stays', async (t) => {
  const world = await World.start(t, ['a/m.mp4', 'b/other.mp4'], one);
  copy(world.at('a/m.mp4'), world.at('b/copy.mp4'));
  save(world.at('a/m.mp4'), (fresh) => video(fresh));
  const job = await world.scan({}, world.at('b'));
  assert.deepEqual(counts(job.result), { new: 1, updated: 0, moved: 0, missing: 0, skipped: 1, error_count: 0 });
  await world.heard(job);
  await world.settle({ updated: 1 });
  await world.keeps({ 'b/other.mp4': 'b/other.mp4' });
  assert.equal((await world.rows()).get('a/m.mp4').id, world.id('a/m.mp4'));
});
