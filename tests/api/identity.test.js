// A video keeps its id wherever its file goes: renamed, moved, swapped, touched, away and back; a copy or a hard link is
// another video.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { checkResult } from '../lib/checks.js';
import { World, copy, counts, move, ring, touch, types, video } from '../lib/identity_world.js';

test('renamed: the same id, VIDEO_MOVED says from where, search finds the new name', async (t) => {
  const world = await World.start(t, ['before.mp4', 'other.mp4']);
  move(world.at('before.mp4'), world.at('after.mp4'));
  const frames = await world.settle({ moved: 1 });
  assert.deepEqual(types(frames), ['VIDEO_MOVED']);
  assert.equal(frames[0].payload.from, world.at('before.mp4'));
  assert.equal(frames[0].payload.path, world.at('after.mp4'));
  await world.keeps({ 'after.mp4': 'before.mp4', 'other.mp4': 'other.mp4' });
  const search = async (q) => (await world.daemon.get(`/api/v1/videos/search?q=${q}`)).body.videos.map(({ id }) => id);
  assert.deepEqual(await search('after'), [world.id('before.mp4')]);
  assert.deepEqual(await search('before'), []);
  const progress = world.channel.frames.filter((frame) => frame.type === 'SCAN_PROGRESS' && frame.payload.outcome === 'moved');
  assert.deepEqual(progress.map(({ payload }) => [payload.path, payload.video_id]), [[world.at('after.mp4'), world.id('before.mp4')]]);
});

test('moved across folders, whole folders, into deeper ones and out again', async (t) => {
  const world = await World.start(t, ['a/1.mp4', 'a/2.mp4', 'b/3.mp4', 'c/d/4.mp4']);
  move(world.at('a'), world.at('z/a'));
  move(world.at('b/3.mp4'), world.at('3.mp4'));
  move(world.at('c/d'), world.at('d'));
  await world.settle({ moved: 4 });
  await world.keeps({ 'z/a/1.mp4': 'a/1.mp4', 'z/a/2.mp4': 'a/2.mp4', '3.mp4': 'b/3.mp4', 'd/4.mp4': 'c/d/4.mp4' });
});

test('moved from one root to another', async (t) => {
  const world = await World.start(t, ['one/x.mp4', 'one/y.mp4'], { roots: ['one', 'two'] });
  move(world.at('one/x.mp4'), world.at('two/sub/x.mp4'));
  const frames = await world.settle({ moved: 1 }, { folder: world.at('two') });
  assert.equal(frames[0].payload.from, world.at('one/x.mp4'));
  await world.keeps({ 'two/sub/x.mp4': 'one/x.mp4', 'one/y.mp4': 'one/y.mp4' });
  await world.settle({}, { folder: world.at('one') });
});

test('two names swapped, in one folder and across folders', async (t) => {
  const world = await World.start(t, ['a.mp4', 'b.mp4', 'x/c.mp4', 'z/d.mp4']);
  ring(world.at('a.mp4'), world.at('b.mp4'));
  ring(world.at('x/c.mp4'), world.at('z/d.mp4'));
  const frames = await world.settle({ moved: 4 });
  assert.deepEqual(types(frames), Array(4).fill('VIDEO_MOVED'), 'none of them was ever missing');
  await world.keeps({ 'a.mp4': 'b.mp4', 'b.mp4': 'a.mp4', 'x/c.mp4': 'z/d.mp4', 'z/d.mp4': 'x/c.mp4' });
});

test('the names of three go round, and of three in three folders', async (t) => {
  const world = await World.start(t, ['1.mp4', '2.mp4', '3.mp4', 'a/1.mp4', 'b/2.mp4', 'c/3.mp4']);
  ring(world.at('1.mp4'), world.at('2.mp4'), world.at('3.mp4'));
  ring(world.at('c/3.mp4'), world.at('b/2.mp4'), world.at('a/1.mp4'));
  const frames = await world.settle({ moved: 6 });
  assert.deepEqual(types(frames), Array(6).fill('VIDEO_MOVED'));
  await world.keeps({ '2.mp4': '1.mp4', '3.mp4': '2.mp4', '1.mp4': '3.mp4', 'b/2.mp4': 'c/3.mp4', 'a/1.mp4': 'b/2.mp4', 'c/3.mp4': 'a/1.mp4' });
});

test('all names of two folders swapped: more than one commit takes', async (t) => {
  const names = Array.from({ length: 700 }, (_, i) => String(i).padStart(4, '0'));
  const world = await World.start(t, names.flatMap((name) => [`a/${name}.mp4`, `z/${name}.mp4`]));
  ring(world.at('a'), world.at('z'));
  const frames = await world.settle({ moved: 2 * names.length }, { large: true });
  const moved = frames.filter((frame) => frame.type === 'VIDEO_MOVED');
  assert.equal(new Set(moved.map(({ payload }) => payload.id)).size, 2 * names.length, 'each is said once');
  assert.equal(moved.length, 2 * names.length);
  const other = { a: 'z', z: 'a' };
  const rows = await world.rows();
  for (const [name, row] of rows) assert.equal(row.id, world.id(name.replace(/^[az]/, (folder) => other[folder])), name);
});

test('moved while the daemon was down', async (t) => {
  const world = await World.start(t, ['a.mp4', 'b.mp4']);
  await world.daemon.stop();
  move(world.at('a.mp4'), world.at('deep/er/a.mp4'));
  await world.daemon.launch();
  world.channel = await world.daemon.channel();
  world.seen = 0;
  await world.settle({ moved: 1 });
  await world.keeps({ 'deep/er/a.mp4': 'a.mp4', 'b.mp4': 'b.mp4' });
});

test('renamed and touched: known by its content', async (t) => {
  const world = await World.start(t, ['a.mp4', 'b.mp4']);
  move(world.at('a.mp4'), world.at('sub/new.mp4'));
  touch(world.at('sub/new.mp4'));
  const frames = await world.settle({ moved: 1 }, { content: true });
  assert.deepEqual(types(frames), ['VIDEO_MOVED']);
  assert.notEqual(frames[0].payload.modified_at, world.first.get('a.mp4').modified_at);
  await world.keeps({ 'sub/new.mp4': 'a.mp4', 'b.mp4': 'b.mp4' });
});

test('two names swapped and both touched', async (t) => {
  const world = await World.start(t, ['keep.mp4']);
  video(world.at('a.mp4'), { size: 32 });
  video(world.at('b.mp4'), { size: 64 });
  await world.heard(await world.scan());
  world.first = await world.rows();
  ring(world.at('a.mp4'), world.at('b.mp4'));
  for (const name of ['a.mp4', 'b.mp4']) touch(world.at(name));
  await world.settle({ moved: 2 }, { content: true });
  await world.keeps({ 'a.mp4': 'b.mp4', 'b.mp4': 'a.mp4' });
});

test('touched only: updated where it is', async (t) => {
  const world = await World.start(t, ['a.mp4', 'b.mp4']);
  touch(world.at('a.mp4'));
  const frames = await world.settle({ updated: 1 });
  assert.deepEqual(frames[0].payload.changed, ['modified_at', 'thumbnail_url']);
  await world.keeps({ 'a.mp4': 'a.mp4' });
});

test('copied with its time, then the original is removed', async (t) => {
  const world = await World.start(t, ['a.mp4', 'b.mp4']);
  copy(world.at('a.mp4'), world.at('c/a.mp4'));
  fs.rmSync(world.at('a.mp4'));
  const frames = await world.settle({ moved: 1 }, { content: true });
  assert.equal(frames[0].payload.from, world.at('a.mp4'));
  await world.keeps({ 'c/a.mp4': 'a.mp4' });
});

test('a copy and a hard link are other videos', async (t) => {
  const world = await World.start(t, ['a.mp4', 'b.mp4']);
  copy(world.at('a.mp4'), world.at('copy of a.mp4'));
  fs.linkSync(world.at('b.mp4'), world.at('link of b.mp4'));
  const frames = await world.settle({ new: 2 });
  assert.deepEqual(types(frames), ['VIDEO_ADDED', 'VIDEO_ADDED']);
  const rows = await world.keeps({ 'a.mp4': 'a.mp4', 'b.mp4': 'b.mp4' });
  assert.equal(new Set([...rows.values()].map(({ id }) => id)).size, 4);
  // One of two links moves: it alone has moved.
  const link = rows.get('link of b.mp4').id;
  move(world.at('link of b.mp4'), world.at('moved link.mp4'));
  const after = await world.settle({ moved: 1 });
  assert.equal(after[0].payload.id, link);
  await world.keeps({ 'a.mp4': 'a.mp4', 'b.mp4': 'b.mp4' });
});

// What is known of the folder that one of them left must not be taken for what is known of the files that stayed there.
test('one is moved out of a folder, the next is linked out of it', async (t) => {
  const world = await World.start(t, ['a/1.mp4', 'a/2.mp4', 'a/3.mp4']);
  move(world.at('a/1.mp4'), world.at('0/1.mp4'));
  fs.linkSync(world.at('a/2.mp4'), world.at('0/2.mp4'));
  copy(world.at('a/3.mp4'), world.at('0/3.mp4'));
  await world.settle({ moved: 1, new: 2 });
  await world.keeps({ '0/1.mp4': 'a/1.mp4', 'a/2.mp4': 'a/2.mp4', 'a/3.mp4': 'a/3.mp4' });
});

test('moved over another video: that one is missing', async (t) => {
  const world = await World.start(t, ['a.mp4', 'b.mp4', 'c.mp4']);
  move(world.at('a.mp4'), world.at('b.mp4'));
  const frames = await world.settle({ moved: 1, missing: 1 });
  assert.deepEqual(types(frames), ['VIDEO_MISSING', 'VIDEO_MOVED']);
  assert.equal(frames[0].payload.id, world.id('b.mp4'));
  assert.notEqual(frames[0].payload.missing_since, null);
  const rows = await world.keeps({ 'b.mp4': 'a.mp4', 'c.mp4': 'c.mp4' });
  assert.equal(rows.size, 2);
  const gone = (await world.daemon.get(`/api/v1/videos/${world.id('b.mp4')}`)).body;
  assert.equal(gone.missing_since, frames[0].payload.missing_since);
});

test('moved away, and another file has its name now', async (t) => {
  const world = await World.start(t, ['a.mp4', 'b.mp4']);
  move(world.at('a.mp4'), world.at('z/a.mp4'));
  video(world.at('a.mp4'));
  const frames = await world.settle({ moved: 1, new: 1 });
  assert.deepEqual(types(frames).sort(), ['VIDEO_ADDED', 'VIDEO_MOVED']);
  const rows = await world.keeps({ 'z/a.mp4': 'a.mp4' });
  assert.notEqual(rows.get('a.mp4').id, world.id('a.mp4'));
});

test('written anew by way of a rename, as editors do: updated, not missing', async (t) => {
  const world = await World.start(t, ['a.mp4', 'b.mp4']);
  video(world.at('a.new'), { size: 48 });
  move(world.at('a.new'), world.at('a.mp4'));
  const frames = await world.settle({ updated: 1 });
  assert.equal(frames[0].payload.id, world.id('a.mp4'));
  // The same bytes in another file beside a copy under a new name: the name keeps the video.
  fs.copyFileSync(world.at('b.mp4'), world.at('b.new'));
  fs.renameSync(world.at('b.new'), world.at('b.mp4'));
  touch(world.at('b.mp4'));
  copy(world.at('b.mp4'), world.at('a copy of b.mp4'));
  await world.settle({ updated: 1, new: 1 });
  await world.keeps({ 'b.mp4': 'b.mp4' });
});

test('away and back, at its place and elsewhere, with all that was known', async (t) => {
  const world = await World.start(t, ['a.mp4', 'b.mp4', 'c.mp4', 'd.mp4']);
  const away = path.join(world.dir, 'away');
  for (const name of ['a.mp4', 'b.mp4', 'c.mp4']) move(world.at(name), path.join(away, name));
  const gone = await world.settle({ missing: 3 });
  assert.deepEqual(types(gone), Array(3).fill('VIDEO_MISSING'));
  assert.equal((await world.rows()).size, 1);
  move(path.join(away, 'a.mp4'), world.at('a.mp4'));
  move(path.join(away, 'b.mp4'), world.at('sub/b.mp4'));
  move(path.join(away, 'c.mp4'), world.at('c.mp4'));
  const back = await world.settle({ updated: 2, moved: 1 });
  const updated = back.filter((frame) => frame.type === 'VIDEO_UPDATED');
  for (const frame of updated) assert.deepEqual(frame.payload.changed, ['missing_since']);
  assert.equal(back.find((frame) => frame.type === 'VIDEO_MOVED').payload.from, world.at('b.mp4'));
  await world.keeps({ 'a.mp4': 'a.mp4', 'sub/b.mp4': 'b.mp4', 'c.mp4': 'c.mp4', 'd.mp4': 'd.mp4' });
});

test('back with another time, and back with another content', async (t) => {
  const world = await World.start(t, ['a.mp4', 'b.mp4', 'c.mp4']);
  const away = path.join(world.dir, 'away');
  for (const name of ['a.mp4', 'b.mp4']) move(world.at(name), path.join(away, name));
  await world.settle({ missing: 2 });
  copy(path.join(away, 'a.mp4'), world.at('a.mp4'));
  touch(world.at('a.mp4'));
  video(world.at('b.mp4'), { size: 96 });
  const frames = await world.settle({ updated: 2 });
  const changed = Object.fromEntries(frames.map(({ payload }) => [payload.filename, payload.changed]));
  assert.deepEqual(changed['a.mp4'].sort(), ['missing_since', 'modified_at']);
  assert.ok(changed['b.mp4'].includes('missing_since') && changed['b.mp4'].includes('file_size'), changed['b.mp4'].join());
  const rows = await world.keeps({ 'a.mp4': 'a.mp4' });
  assert.equal(rows.get('b.mp4').id, world.id('b.mp4'));
});

test('a job of the same kind is not what a dry run is: they do not merge', async (t) => {
  const world = await World.start(t, ['a.mp4']);
  const ids = [];
  for (const dry_run of [true, false, true, false]) ids.push(await world.daemon.scan(world.tree, { dry_run }));
  const jobs = await Promise.all(ids.map((id) => world.daemon.wait(id)));
  assert.deepEqual(jobs.map((job) => job.dry_run), [true, false, true, false]);
  for (const job of jobs) assert.equal(job.result.plan === undefined, !job.dry_run);
});

test('killed in the middle of a large move: taken up again, the same ids, the right counts', async (t) => {
  const names = Array.from({ length: 3000 }, (_, i) => `${String(i).padStart(4, '0')}.mp4`);
  const world = await World.start(t, names.map((name) => `before/${name}`));
  let job;
  for (let tries = 1; job?.trigger !== 'resume'; tries += 2) { // until one was killed before its end
    assert.ok(tries < 40, 'a large move takes longer than to hear of it');
    if (job) move(world.at('after'), world.at('before'));
    if (job) await world.scan();
    move(world.at('before'), world.at('after'));
    world.channel = await world.daemon.channel();
    const id = await world.daemon.scan(world.tree);
    await world.channel.find((frame) => frame.type === 'VIDEO_MOVED');
    await world.daemon.stop('SIGKILL');
    await world.daemon.launch();
    job = await world.daemon.wait(id);
  }
  assert.deepEqual(counts(checkResult(job)), { new: 0, updated: 0, moved: names.length, missing: 0, skipped: 0, error_count: 0 });
  const rows = await world.rows();
  for (const name of names) assert.equal(rows.get(`after/${name}`).id, world.id(`before/${name}`), name);
  await world.converged();
});
