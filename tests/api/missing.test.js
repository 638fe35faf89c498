// A file that vanished is hidden and kept, and comes back with all that it had. What looks like a disk that is not there changes
// nothing until somebody says that it is meant.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { build, eventually } from '../lib/daemon.js';
import { Shelf, names } from '../lib/shelf.js';
import { hold, holding } from '../lib/trees.js';

/** What must be the same when a file is back. */
const kept = ({ id, created_at, path: at, duration_s, video_codec, title }) => ({ id, created_at, at, duration_s, video_codec, title });

test('a deleted file is hidden, and comes back as what it was', async () => {
  const shelf = await Shelf.start(names(30));
  await shelf.scan({ new: 30 });
  const before = await shelf.videos();
  const away = path.join(shelf.dir, 'away.mp4');
  fs.renameSync(shelf.at('a/0.mp4'), away);
  shelf.remove('b/5.mp4');
  const { said } = await shelf.scan({ missing: 2, skipped: 28 });
  const told = said.filter(({ type }) => type === 'VIDEO_MISSING').map(({ payload }) => payload);
  assert.deepEqual(told.map(({ id }) => id).sort(), [before.get('a/0.mp4').id, before.get('b/5.mp4').id].sort());
  for (const video of told) assert.match(video.missing_since, /^\d{4}-.*Z$/);
  assert.deepEqual(await shelf.missing(), ['a/0.mp4', 'b/5.mp4']);
  const listed = (await shelf.daemon.videos()).map(({ path: file }) => path.relative(shelf.folder, file));
  assert.equal(listed.length, 28);
  assert.ok(!listed.includes('a/0.mp4'));
  const hidden = (await shelf.daemon.get('/api/v1/videos?missing=true')).body;
  assert.deepEqual(hidden.videos.map(({ id }) => id).sort(), told.map(({ id }) => id).sort());
  assert.equal((await shelf.daemon.get(`/api/v1/videos/${told[0].id}`)).body.missing_since, told[0].missing_since);
  await shelf.scan({ skipped: 28 });
  fs.renameSync(away, shelf.at('a/0.mp4'));
  const back = await shelf.scan({ updated: 1, skipped: 28 });
  const update = back.said.find(({ type }) => type === 'VIDEO_UPDATED');
  assert.deepEqual(update.payload.changed, ['missing_since']);
  assert.deepEqual(kept((await shelf.videos()).get('a/0.mp4')), kept(before.get('a/0.mp4')));
  assert.deepEqual(await shelf.missing(), ['b/5.mp4']);
  await shelf.end();
});

test('in a folder that may not be read nothing is missing', { skip: process.getuid() !== 0 && 'only root can become nobody' }, async () => {
  const wrap = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
  const data = fs.mkdtempSync('/tmp/reeld-data-');
  fs.chmodSync(data, 0o777);
  const shelf = await Shelf.start([...names(30), 'c/deep/down/1.mp4', 'c/deep/2.mp4'], { dir: data, wrap });
  await shelf.scan({ new: 32 });
  shelf.remove('a/0.mp4', 'c/10.mp4', 'c/deep/2.mp4');
  fs.chmodSync(shelf.at('c'), 0);
  await shelf.scan({ missing: 1, error_count: 1, skipped: 24 });
  assert.deepEqual(await shelf.missing(), ['a/0.mp4']);
  fs.chmodSync(shelf.at('c'), 0o111); // its entries may be opened, but not listed
  await shelf.scan({ error_count: 1, skipped: 24 });
  fs.chmodSync(shelf.at('c'), 0o444); // listed, but not looked at
  await shelf.scan({ error_count: 5, skipped: 24 });
  assert.deepEqual(await shelf.missing(), ['a/0.mp4']);
  fs.chmodSync(shelf.at('c'), 0o755);
  await shelf.scan({ missing: 2, skipped: 29 });
  assert.deepEqual(await shelf.missing(), ['a/0.mp4', 'c/10.mp4', 'c/deep/2.mp4']);
  await shelf.end();
  fs.rmSync(data, { recursive: true });
});

test('ten of fifty may go at once, eleven may not; nine of nine may', async () => {
  const shelf = await Shelf.start(names(50), { root: true });
  await shelf.scan({ new: 50 });
  shelf.remove('a', 'b');
  const gone = await shelf.scan({ missing: 10, skipped: 40 });
  assert.ok(!gone.types.includes('ROOT_OFFLINE'));
  assert.equal((await shelf.root()).online, true);
  shelf.remove('c', 'd'); // 10 of 40
  const { job, result, types, said } = await shelf.scan({ refused: 'many', skipped: 30 });
  assert.equal(result.refused.count, 10);
  assert.match(job.error, /10 videos/);
  assert.ok(types.indexOf('ROOT_OFFLINE') < types.indexOf('SCAN_COMPLETED') && types.includes('ROOT_OFFLINE'));
  assert.deepEqual(said.find(({ type }) => type === 'ROOT_OFFLINE').payload, { root: shelf.folder, reason: 'many' });
  const root = await shelf.root();
  assert.deepEqual({ ...root.refused, online: root.online, reason: root.reason, videos: root.videos },
    { count: 10, reason: 'many', token: result.refused.token, online: false, reason: 'many', videos: 40 });
  shelf.put('c/10.mp4'); // 9 of 40: not too many
  const rest = await shelf.scan({ missing: 9, updated: 1, skipped: 30 });
  assert.ok(rest.types.includes('ROOT_ONLINE'));
  assert.equal((await shelf.root()).refused, null);
  await shelf.end();
  const small = await Shelf.start(names(9));
  await small.scan({ new: 9 });
  fs.writeFileSync(small.at('notes.txt'), 'the folder is not empty');
  small.remove('a', 'b');
  await small.scan({ missing: 9 });
  await small.end();
});

test('what was refused is accepted with its token, but for what is back', async () => {
  const shelf = await Shelf.start(names(40), { root: true });
  await shelf.scan({ new: 40 });
  fs.renameSync(shelf.at('a'), path.join(shelf.dir, 'a'));
  fs.renameSync(shelf.at('b'), path.join(shelf.dir, 'b'));
  const first = await shelf.scan({ refused: 'many' });
  const second = await shelf.scan({ refused: 'many' });
  assert.ok(!second.types.includes('ROOT_OFFLINE'), 'it is offline already');
  const { number } = await shelf.root();
  for (const token of [first.result.refused.token, '00000000-0000-4000-8000-000000000000']) {
    const { status, body } = await shelf.accept(number, token);
    assert.deepEqual([status, body.code], [409, 'TOKEN_STALE']);
  }
  const { token } = second.result.refused;
  assert.equal((await shelf.accept(number + 1000, token)).status, 404);
  assert.deepEqual(await shelf.missing(), []);
  fs.renameSync(path.join(shelf.dir, 'a'), shelf.at('a'));
  shelf.remove('d/15.mp4'); // not among what was refused
  const from = shelf.channel.frames.length;
  const { status, body } = await shelf.accept(number, token);
  assert.deepEqual([status, body], [200, { missing: 5 }]);
  await shelf.channel.find((frame) => frame.type === 'ROOT_ONLINE');
  const types = shelf.channel.frames.slice(from).map(({ type }) => type);
  assert.deepEqual(types.filter((type) => type !== 'HEARTBEAT'), [...Array(5).fill('VIDEO_MISSING'), 'ROOT_ONLINE']);
  await shelf.same();
  assert.deepEqual(await shelf.missing(), ['b/5.mp4', 'b/6.mp4', 'b/7.mp4', 'b/8.mp4', 'b/9.mp4']);
  assert.deepEqual({ online: (await shelf.root()).online, refused: (await shelf.root()).refused }, { online: true, refused: null });
  assert.equal((await shelf.accept(number, token)).status, 409);
  await shelf.scan({ missing: 1, skipped: 34 });
  fs.renameSync(path.join(shelf.dir, 'b'), shelf.at('b'));
  await shelf.scan({ updated: 5, skipped: 34 });
  await shelf.end();
});

test('an empty root takes nothing away, and a full one again is online', async () => {
  const shelf = await Shelf.start(names(3));
  await shelf.scan({ new: 3 });
  const away = path.join(shelf.dir, 'away');
  fs.renameSync(shelf.folder, away);
  fs.mkdirSync(shelf.folder);
  const { job, types } = await shelf.scan({ refused: 'empty' });
  assert.match(job.error, /looks unmounted \(it is empty\): 3 videos were left as they were; accept-missing/);
  assert.ok(types.includes('ROOT_OFFLINE'));
  // It outlives the daemon, but for the token.
  const { token } = job.result.refused;
  await shelf.daemon.stop();
  await shelf.daemon.launch();
  shelf.channel = await shelf.daemon.channel();
  const root = await shelf.root();
  assert.deepEqual([root.online, root.reason, root.refused], [false, 'empty', null]);
  assert.equal((await shelf.accept(root.number, token)).status, 409);
  const again = await shelf.scan({ refused: 'empty' });
  assert.ok(!again.types.includes('ROOT_OFFLINE'));
  fs.rmdirSync(shelf.folder);
  fs.renameSync(away, shelf.folder);
  const whole = await shelf.scan({ skipped: 3 });
  assert.ok(whole.types.includes('ROOT_ONLINE'));
  // It was deleted for good.
  shelf.remove('a');
  const last = await shelf.scan({ refused: 'empty' });
  assert.deepEqual((await shelf.accept(root.number, last.result.refused.token)).body, { missing: 3 });
  await shelf.same();
  await shelf.scan({});
  await shelf.end();
});

test('a root that is gone when its scan begins is offline', async () => {
  const shelf = await Shelf.start(names(12), { args: ['--worker-program', path.join(build, 'reeld-worker-attack')] });
  await shelf.scan({ new: 12 });
  const busy = path.join(shelf.dir, 'busy');
  fs.mkdirSync(busy);
  fs.writeFileSync(path.join(busy, 'hang.mp4'), 'ATTACK:hang\n');
  fs.utimesSync(path.join(busy, 'hang.mp4'), 1e9, 1e9);
  const other = await shelf.daemon.scan(busy);
  const id = await shelf.daemon.scan(shelf.folder);
  await shelf.daemon.post(`/api/v1/jobs/${id}/pause`);
  const away = path.join(shelf.dir, 'away');
  fs.renameSync(shelf.folder, away);
  await shelf.daemon.post(`/api/v1/jobs/${id}/resume`);
  const job = await shelf.daemon.wait(id);
  assert.equal(job.status, 'failed');
  const { payload } = await shelf.channel.find((frame) => frame.type === 'ROOT_OFFLINE');
  assert.deepEqual(payload, { root: shelf.folder, reason: 'gone' });
  assert.equal((await shelf.root()).reason, 'gone');
  await shelf.daemon.post(`/api/v1/jobs/${other}/cancel`);
  await shelf.daemon.wait(other);
  assert.deepEqual(await shelf.missing(), []);
  fs.renameSync(away, shelf.folder);
  await shelf.scan({ skipped: 12 });
  assert.equal((await shelf.root()).online, true);
  await shelf.end();
});

test('a rule hides what it is about, however much, and lets it come back', async () => {
  const shelf = await Shelf.start(names(30));
  await shelf.scan({ new: 30 });
  const before = await shelf.videos();
  fs.writeFileSync(shelf.at('.reeldignore'), 'a/\n1?.mp4\n');
  fs.writeFileSync(shelf.at('f/.nomedia'), '');
  const { types } = await shelf.scan({ missing: 20, skipped: 10 });
  assert.ok(!types.includes('ROOT_OFFLINE'));
  fs.writeFileSync(shelf.at('.reeldignore'), 'a/\n');
  await shelf.scan({ updated: 10, skipped: 10 });
  shelf.remove('.reeldignore', 'f/.nomedia');
  await shelf.scan({ updated: 10, skipped: 20 });
  const after = await shelf.videos();
  for (const [name, video] of before) assert.deepEqual(kept(after.get(name)), kept(video));
  await shelf.end();
});

test('a scan that is stopped takes nothing for missing; one that was killed comes to the same end', async () => {
  const shelf = await Shelf.start(names(60), { args: ['--workers', '2', ...holding] });
  await shelf.scan({ new: 60 });
  shelf.remove('a', 'b');
  for (let i = 0; i < 100; i++) shelf.put(`n/${i}.mp4`);
  const release = hold(shelf.at('n/held.mp4'));
  const from = shelf.channel.frames.length;
  const busy = (id) => (frame) => frame.type === 'SCAN_PROGRESS' && frame.payload.job_id === id && frame.payload.outcome === 'new';
  let id = await shelf.daemon.scan(shelf.folder);
  await shelf.channel.find(busy(id));
  assert.equal((await shelf.daemon.post(`/api/v1/jobs/${id}/cancel`)).status, 202);
  const cancelled = await shelf.daemon.wait(id);
  assert.deepEqual([cancelled.status, cancelled.result.missing], ['cancelled', 0]);
  assert.deepEqual(await shelf.missing(), []);
  assert.ok(!shelf.channel.frames.slice(from).some(({ type }) => type === 'VIDEO_MISSING'));
  for (let i = 0; i < 20; i++) shelf.put(`o/${i}.mp4`); // the first scan may have put all but the one that is held
  id = await shelf.daemon.scan(shelf.folder);
  await shelf.channel.find(busy(id));
  await shelf.daemon.stop('SIGKILL');
  release();
  await shelf.daemon.launch();
  shelf.channel = await shelf.daemon.channel();
  const job = await shelf.daemon.wait(id);
  assert.deepEqual([job.status, job.result.missing, job.result.refused], ['complete', 10, null]);
  assert.equal((await shelf.missing()).length, 10);
  await shelf.same();
  await shelf.end();
});

test('a scan that rested, and was overtaken, sees what became of it meanwhile', async () => {
  const shelf = await Shelf.start(names(60), { args: ['--workers', '2', ...holding] });
  await shelf.scan({ new: 60 });
  for (let i = 0; i < 100; i++) shelf.put(`n/${i}.mp4`);
  const release = hold(shelf.at('n/held.mp4'));
  fs.renameSync(shelf.at('a'), path.join(shelf.dir, 'a'));
  const id = await shelf.daemon.scan(shelf.folder);
  await shelf.channel.find((frame) => frame.type === 'SCAN_PROGRESS' && frame.payload.job_id === id && frame.payload.outcome === 'new');
  await shelf.daemon.post(`/api/v1/jobs/${id}/pause`);
  await eventually(async () => (await shelf.daemon.get(`/api/v1/jobs/${id}`)).body.paused, 'it rests');
  // What it had not met is back, and something that it had met is gone.
  fs.renameSync(path.join(shelf.dir, 'a'), shelf.at('a'));
  shelf.remove('b/5.mp4');
  await shelf.scan({ missing: 1 }, { folder: shelf.at('b'), recursive: false });
  release();
  await shelf.daemon.post(`/api/v1/jobs/${id}/resume`);
  const job = await shelf.daemon.wait(id);
  assert.deepEqual([job.status, job.result.missing], ['complete', 0]);
  assert.deepEqual(await shelf.missing(), ['b/5.mp4']);
  await shelf.scan({ skipped: 59 + 101 });
  await shelf.end();
});

test('a dry run says what would be missing and changes nothing', async () => {
  const shelf = await Shelf.start(names(60));
  await shelf.scan({ new: 60 });
  shelf.remove('a');
  const ask = async () => shelf.daemon.wait(await shelf.daemon.scan(shelf.folder, { dry_run: true }));
  const few = await ask();
  assert.deepEqual([few.result.missing, few.result.refused], [5, null]);
  assert.deepEqual(few.result.plan.map(({ outcome, path: file }) => [outcome, path.relative(shelf.folder, file)]).sort(),
    [0, 1, 2, 3, 4].map((i) => ['missing', `a/${i}.mp4`]));
  shelf.remove('b', 'c');
  const many = await ask();
  assert.deepEqual([many.result.missing, many.result.refused.reason, many.result.refused.count, many.result.refused.token], [0, 'many', 15, null]);
  assert.deepEqual(await shelf.missing(), []);
  assert.equal((await shelf.root()).online, true);
  assert.ok(!shelf.channel.frames.some(({ type }) => type === 'ROOT_OFFLINE' || type === 'VIDEO_MISSING'));
  await shelf.end();
});
