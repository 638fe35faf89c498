// Which video a file is, where that is hard to tell: the old place cannot be looked at, its disk is not mounted, links lead
// there, another job was faster, or a worker found no media where a known name was.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { eventually, sanitized } from '../lib/daemon.js';
import { World, copy, counts, move, touch, types, video } from '../lib/identity_world.js';
import { asNobody, canDrop } from '../lib/nobody.js';

/** Whether a tmpfs may be mounted here. */
function mount(dir) {
  fs.mkdirSync(dir, { recursive: true });
  return spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', dir]).status === 0;
}

test('an old place that may not be looked at keeps its video: the file is a copy', { skip: !canDrop() && 'permissions cannot be tested' }, async (t) => {
  const world = await World.start(t, ['closed/a.mp4', 'b.mp4'], { daemon: asNobody });
  copy(world.at('closed/a.mp4'), world.at('copy.mp4'));
  fs.linkSync(world.at('closed/a.mp4'), world.at('link.mp4'));
  fs.chmodSync(world.at('closed'), 0);
  const job = await world.scan();
  assert.deepEqual(counts(job.result), { new: 2, updated: 0, moved: 0, missing: 0, skipped: 1, error_count: 1 });
  assert.deepEqual(types(await world.heard(job)), ['VIDEO_ADDED', 'VIDEO_ADDED']);
  fs.chmodSync(world.at('closed'), 0o755);
  await world.settle({});
  await world.keeps({ 'closed/a.mp4': 'closed/a.mp4', 'b.mp4': 'b.mp4' });
});

for (const hidden of [false, true]) {
  test(`a folder that cannot be read in a file's place: the file is gone, ${hidden ? 'although no walk comes by it' : 'and the folder listed'}`, { skip: !canDrop() && 'permissions cannot be tested' }, async (t) => {
    const world = await World.start(t, ['in/a.mp4', 'b.mp4'], { daemon: asNobody });
    fs.rmSync(world.at('in/a.mp4'));
    fs.mkdirSync(world.at('in/a.mp4'));
    fs.chmodSync(world.at('in/a.mp4'), 0);
    if (hidden) fs.writeFileSync(world.at('in/.nomedia'), '');
    const expected = { new: 0, updated: 0, moved: 0, missing: 1, skipped: 1, error_count: hidden ? 0 : 1 };
    assert.deepEqual(counts(await world.dry()), expected);
    assert.deepEqual(counts((await world.scan()).result), expected);
    assert.deepEqual([...(await world.rows()).keys()], ['b.mp4']);
  });
}

test('a copy of what lies on a disk that is not mounted is another video', async (t) => {
  const world = await World.start(t, ['b.mp4']);
  const disk = world.at('disk');
  if (!mount(disk)) {
    t.skip('mounting a tmpfs is not allowed here');
    return;
  }
  t.after(() => spawnSync('umount', ['-l', disk]));
  const away = path.join(world.dir, 'away.mp4');
  copy(video(path.join(disk, 'films/a.mp4')), away);
  await world.heard(await world.scan());
  world.first = await world.rows();
  await eventually(() => spawnSync('umount', [disk]).status === 0, 'nobody keeps it from being unmounted');
  copy(away, world.at('copy.mp4'));
  const job = await world.scan();
  const { new: added, moved, missing } = job.result;
  assert.deepEqual({ added, moved, missing }, { added: 1, moved: 0, missing: 0 });
  assert.equal((await world.rows()).get('disk/films/a.mp4').id, world.id('disk/films/a.mp4'));
});

test('links that are followed: the way to a file may change, the video stays', async (t) => {
  const world = await World.start(t, ['real/a.mp4', 'real/b.mp4', 'c.mp4'], { args: ['--follow-symlinks', 'yes'] });
  // What a link leads to is there, by whatever name.
  fs.symlinkSync(world.at('c.mp4'), world.at('link to c.mp4'));
  await world.settle({ new: 1 });
  fs.rmSync(world.at('link to c.mp4'));
  const gone = await world.settle({ missing: 1 });
  assert.notEqual(gone[0].payload.id, world.id('c.mp4'));
  // The folder goes elsewhere and leaves a link behind; the walk comes by the new folder first.
  move(world.at('real'), world.at('a new place'));
  fs.symlinkSync(world.at('a new place'), world.at('real'));
  const rows = await world.rows();
  const job = await world.scan();
  assert.equal(job.result.error_count, 0);
  for (const [name, row] of await world.rows()) assert.ok(rows.has(name) ? rows.get(name).id === row.id : name.startsWith('a new place/'), name);
});

test('a folder moves and leaves a link behind that is not followed', async (t) => {
  const world = await World.start(t, ['old/a.mp4', 'old/b.mp4']);
  move(world.at('old'), world.at('new'));
  fs.symlinkSync(world.at('new'), world.at('old'));
  await world.settle({ moved: 2 });
  await world.keeps({ 'new/a.mp4': 'old/a.mp4', 'new/b.mp4': 'old/b.mp4' });
});

/** Gives whether the large scan was still there when the small one was over: on a machine that is busy elsewhere the small one may
 *  be asked for too late. */
async function decidedMeanwhile(t) {
  const names = Array.from({ length: sanitized ? 400 : 1200 }, (_, i) => `many/${i}.mp4`);
  const world = await World.start(t, ['z/a.mp4', 'z/b.mp4']);
  for (const name of names) video(world.at(name));
  // Known by its content alone, so that the large scan's walk leaves it to the workers, as the last but one.
  move(world.at('z/a.mp4'), world.at('zz/a.mp4'));
  touch(world.at('zz/a.mp4'));
  const large = await world.daemon.scan(world.tree);
  await world.channel.find((frame) => frame.type === 'SCAN_PROGRESS' && frame.payload.job_id === large && frame.payload.outcome === 'new');
  const small = await world.daemon.wait(await world.daemon.scan(world.at('zz'), { recursive: false }));
  const parked = (await world.daemon.get(`/api/v1/jobs/${large}`)).body.status === 'running';
  if (!parked) return false;
  assert.equal(small.result.moved, 1);
  const job = await world.daemon.wait(large);
  assert.deepEqual(counts(job.result), { new: names.length, updated: 0, moved: 0, missing: 0, skipped: 2, error_count: 0 });
  const frames = (await world.heard(job)).filter((frame) => frame.type !== 'VIDEO_ADDED');
  assert.deepEqual(types(frames), ['VIDEO_MOVED']);
  await world.converged();
  await world.keeps({ 'zz/a.mp4': 'z/a.mp4', 'z/b.mp4': 'z/b.mp4' });
  return true;
}

test('what a scan decides while another one is parked, that one counts as unchanged', async (t) => {
  for (let tries = 1; !await decidedMeanwhile(t); tries++) assert.ok(tries < 6, 'the large one was parked');
});

test('something that is no media in the place of a video that went elsewhere', async (t) => {
  const world = await World.start(t, ['a.mp4', 'b.mp4']);
  move(world.at('a.mp4'), world.at('z.mp4'));
  fs.writeFileSync(world.at('a.mp4'), 'no film');
  touch(world.at('a.mp4'));
  const job = await world.scan();
  assert.deepEqual(counts(job.result), { new: 0, updated: 0, moved: 1, missing: 0, skipped: 1, error_count: 1 });
  await world.keeps({ 'z.mp4': 'a.mp4' });
  // It goes back: what was remembered of the place is forgotten with that.
  move(world.at('z.mp4'), world.at('a.mp4'));
  await world.heard(job);
  await world.settle({ moved: 1 });
  await world.keeps({ 'a.mp4': 'a.mp4' });
  assert.equal((await world.daemon.get('/api/v1/stats')).body.failed, 0);
});

test('moved over one of very many hard links of one file', async (t) => {
  const world = await World.start(t, ['0.mp4']);
  const names = Array.from({ length: 90 }, (_, i) => `${i}.mp4`);
  for (const name of names.slice(1)) fs.linkSync(world.at('0.mp4'), world.at(name));
  await world.heard(await world.scan());
  video(world.at('other.mp4'));
  await world.heard(await world.scan());
  world.first = await world.rows();
  assert.equal(new Set([...world.first.values()].map(({ id }) => id)).size, names.length + 1);
  move(world.at('other.mp4'), world.at('89.mp4'));
  const frames = await world.settle({ moved: 1, missing: 1 });
  assert.deepEqual(frames.map(({ type, payload }) => [type, payload.id]),
    [['VIDEO_MISSING', world.id('89.mp4')], ['VIDEO_MOVED', world.id('other.mp4')]]);
  await world.keeps({ '89.mp4': 'other.mp4', '7.mp4': '7.mp4' });
});
