// The main job from end to end: the channel, polling and the catalogue tell the same story of a scan.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { Daemon, build, eventually, makeVideo, tempDir } from '../lib/daemon.js';
import { checkFrames, checkResult, checkSequence } from '../lib/checks.js';
import { fill, hold, holding, masters } from '../lib/trees.js';

/** A daemon and a tree, both gone after the test. */
async function start(t, count, options = {}) {
  const dir = tempDir();
  const tree = path.join(dir, 'tree');
  const files = fill(tree, count);
  const daemon = await Daemon.start(options);
  t.after(async () => {
    await daemon.cleanup();
    fs.rmSync(dir, { recursive: true, force: true });
  });
  return { daemon, tree, files };
}

test('a first scan: frames, job, list and each video agree', async (t) => {
  const { daemon, tree, files } = await start(t, 60);
  const channel = await daemon.channel();
  const id = await daemon.scan(tree);
  const seen = new Set();
  const polling = (async () => {
    for (;;) {
      const { body } = await daemon.get(`/api/v1/jobs/${id}`);
      seen.add(body.status);
      if (body.status === 'complete') return body;
    }
  })();
  const end = await channel.find('SCAN_COMPLETED');
  const job = await polling;
  assert.deepEqual(end.payload, job);
  const result = checkResult(job);
  assert.deepEqual({ new: result.new, scanned: result.scanned, errors: result.errors }, { new: 60, scanned: 60, errors: [] });
  assert.equal(job.progress, 1);
  assert.ok(job.started_at >= job.submitted_at && job.finished_at >= job.started_at);
  const order = channel.frames.map((frame) => frame.type);
  assert.equal(order[0], 'HELLO');
  assert.ok(order.indexOf('JOB_QUEUED') < order.indexOf('SCAN_STARTED'));
  assert.ok(order.indexOf('SCAN_STARTED') < order.indexOf('VIDEO_ADDED'));
  assert.equal(order.filter((type) => type === 'VIDEO_ADDED').length, 60);
  assert.ok(order.lastIndexOf('SCAN_PROGRESS') < order.indexOf('SCAN_COMPLETED'));
  checkFrames(channel.frames, job);
  checkSequence(channel.frames);
  const videos = await daemon.videos();
  assert.deepEqual(videos.map((video) => video.path).sort(), [...files].sort());
  for (const frame of channel.frames.filter((one) => one.type === 'VIDEO_ADDED')) {
    const video = videos.find((one) => one.id === frame.payload.id);
    assert.deepEqual(frame.payload, video);
    assert.ok(video.duration_s > 0.3 && video.width > 0 && video.video_codec && video.frame_rate_numerator > 0, JSON.stringify(video));
  }
});

test('what an event names, a query finds, and a poll after it is never older', async (t) => {
  const { daemon, tree } = await start(t, 80);
  const channel = await daemon.channel();
  const checks = [];
  channel.socket.on('message', (data) => {
    const { type, payload } = JSON.parse(data);
    if (type === 'VIDEO_ADDED') checks.push(daemon.get(`/api/v1/videos/${payload.id}`).then((a) => assert.equal(a.status, 200)));
    if (type === 'SCAN_PROGRESS' && payload.video_id) {
      checks.push(daemon.get(`/api/v1/videos/${payload.video_id}`).then((a) => assert.equal(a.status, 200)));
      checks.push(daemon.get(`/api/v1/jobs/${payload.job_id}`).then((a) => assert.ok(a.body.processed >= payload.processed)));
    }
    if (payload.status === 'complete') {
      checks.push(daemon.get(`/api/v1/jobs/${payload.job_id}`).then((a) => assert.deepEqual(a.body, payload)));
    }
    if (type === 'SCAN_STARTED') checks.push(daemon.get(`/api/v1/jobs/${payload.job_id}`).then((a) => assert.notEqual(a.body.status, 'pending')));
  });
  await daemon.scan(tree);
  await channel.find('SCAN_COMPLETED');
  await Promise.all(checks);
  assert.ok(checks.length > 200, String(checks.length));
});

test('a rescan skips what is unchanged and takes up what is new or changed', async (t) => {
  const { daemon, tree, files } = await start(t, 30);
  await daemon.wait(await daemon.scan(tree));
  const before = new Map((await daemon.videos()).map((video) => [video.path, video]));
  makeVideo(files[0], { size: '640x360', seconds: 1 });
  fs.copyFileSync(masters()[0], path.join(tree, 'another.mp4'));
  const channel = await daemon.channel();
  const job = await daemon.wait(await daemon.scan(tree));
  const { new: added, updated, skipped } = checkResult(job);
  assert.deepEqual({ added, updated, skipped }, { added: 1, updated: 1, skipped: 29 });
  await channel.find((frame) => frame.type === 'SCAN_COMPLETED' && frame.payload.job_id === job.job_id);
  const update = channel.frames.find((frame) => frame.type === 'VIDEO_UPDATED').payload;
  assert.equal(update.id, before.get(files[0]).id);
  assert.equal(update.created_at, before.get(files[0]).created_at);
  assert.equal(update.width, 640);
  assert.ok(['width', 'height', 'file_size', 'modified_at', 'streams'].every((name) => update.changed.includes(name)), String(update.changed));
  assert.ok(!update.changed.includes('path') && !update.changed.includes('id'));
  assert.equal((await daemon.get(`/api/v1/videos/${update.id}`)).body.width, 640);
  checkFrames(channel.frames, job);
});

test('a failed file is remembered, tried again when it changes or when a scan asks', async (t) => {
  const { daemon, tree } = await start(t, 3);
  const file = path.join(tree, 'bad.mkv');
  fs.writeFileSync(file, 'no film');
  fs.utimesSync(file, 1e9, 1e9);
  const first = await daemon.wait(await daemon.scan(tree));
  assert.deepEqual(checkResult(first).errors.map((error) => error.code), ['NOT_MEDIA']);
  const failures = await daemon.get(`/api/v1/jobs/${first.job_id}/failures`);
  assert.equal(failures.status, 200);
  assert.deepEqual(failures.body.failures.map((failure) => failure.path), [file]);
  const again = checkResult(await daemon.wait(await daemon.scan(tree)));
  assert.deepEqual([again.error_count, again.skipped], [1, 3]);
  fs.copyFileSync(masters()[1], file);
  const fixed = checkResult(await daemon.wait(await daemon.scan(tree, { retry_failed: true })));
  assert.deepEqual([fixed.error_count, fixed.new, fixed.skipped], [0, 1, 3]);
});

test('cancel: a running scan and a waiting one', async (t) => {
  const { daemon, tree } = await start(t, 60, { args: ['--workers', '2', ...holding] });
  const release = hold(path.join(tree, 'held.mp4'));
  const channel = await daemon.channel();
  const running = await daemon.scan(tree);
  const other = tempDir();
  t.after(() => fs.rmSync(other, { recursive: true }));
  const waiting = await daemon.scan(other);
  await daemon.post(`/api/v1/jobs/${waiting}/pause`); // or it may go ahead of the large one before it is cancelled
  await channel.find((frame) => frame.type === 'SCAN_PROGRESS' && frame.payload.outcome === 'new');
  for (const id of [waiting, running]) {
    const answer = await daemon.post(`/api/v1/jobs/${id}/cancel`);
    assert.equal(answer.status, 202, JSON.stringify(answer.body));
    assert.equal(answer.body.job_id, id);
  }
  const stopped = await daemon.wait(running);
  assert.equal(stopped.status, 'cancelled');
  const result = checkResult(stopped);
  assert.ok(result.new > 0 && result.new <= 60);
  assert.equal((await daemon.wait(waiting)).status, 'cancelled');
  await channel.find((frame) => frame.type === 'SCAN_CANCELLED' && frame.payload.job_id === running);
  checkFrames(channel.frames, stopped);
  assert.equal((await daemon.videos()).length, result.new);
  assert.equal((await daemon.post(`/api/v1/jobs/${running}/cancel`)).status, 409);
  release();
  const rest = checkResult(await daemon.wait(await daemon.scan(tree)));
  assert.deepEqual([rest.skipped, rest.new], [result.new, 61 - result.new]);
});

test('a job over its time limit ends as timeout; the next scan goes on from there', async (t) => {
  const { daemon, tree } = await start(t, 1200, { args: ['--workers', '1'] });
  const channel = await daemon.channel();
  const job = await daemon.wait(await daemon.scan(tree, { timeout_s: 0.2 }));
  assert.equal(job.status, 'timeout');
  assert.match(job.error, /0\.2/);
  const done = checkResult(job).new;
  assert.ok(done < 1200);
  await channel.find('SCAN_TIMEOUT');
  checkFrames(channel.frames, job);
  const rest = checkResult(await daemon.wait(await daemon.scan(tree)));
  assert.deepEqual([rest.new, rest.skipped], [1200 - done, done]);
});

test('the same or an inner folder that waits already is the same job', async (t) => {
  const { daemon, tree } = await start(t, 1, { args: ['--worker-program', path.join(build, 'reeld-worker-attack')] });
  fs.writeFileSync(path.join(tree, 'hang.mp4'), 'ATTACK:hang\n');
  fs.utimesSync(path.join(tree, 'hang.mp4'), 1e9, 1e9);
  const other = tempDir();
  t.after(() => fs.rmSync(other, { recursive: true }));
  const first = await daemon.scan(tree);
  const waiting = await daemon.scan(other);
  assert.notEqual(first, waiting);
  assert.equal(await daemon.scan(other), waiting);
  await daemon.post(`/api/v1/jobs/${first}/cancel`);
  for (const id of [first, waiting]) await daemon.wait(id);
  assert.equal((await daemon.get('/api/v1/jobs')).body.jobs.length, 2);
});

test('a file that is still being written is indexed whole, or said to be settling', async (t) => {
  const { daemon, tree } = await start(t, 2);
  const whole = fs.readFileSync(makeVideo(path.join(tree, '../whole.mp4'), { seconds: 4, size: '640x360' }));
  const file = path.join(tree, 'copying.mp4');
  const half = Math.floor(whole.length / 2);
  fs.writeFileSync(file, whole.subarray(0, half)); // the index of this MP4 is at its end
  const channel = await daemon.channel();
  const id = await daemon.scan(tree);
  await channel.find((frame) => frame.type === 'SCAN_PROGRESS' && frame.payload.processed === 2);
  fs.appendFileSync(file, whole.subarray(half));
  const job = await daemon.wait(id);
  assert.equal(job.status, 'complete');
  const result = checkResult(job);
  assert.deepEqual([result.new, result.error_count], [3, 0], JSON.stringify(result.errors));
  const video = (await daemon.videos()).find((one) => one.path === file);
  assert.ok(video.duration_s > 3.9, String(video.duration_s));
});

test('one file can be scanned, a folder without its sub-folders too', async (t) => {
  const { daemon, tree, files } = await start(t, 25);
  assert.equal(checkResult(await daemon.wait(await daemon.scan(files[3]))).new, 1);
  const flat = checkResult(await daemon.wait(await daemon.scan(path.dirname(files[3]), { recursive: false })));
  assert.deepEqual([flat.new, flat.skipped], [19, 1]);
  const top = checkResult(await daemon.wait(await daemon.scan(tree, { recursive: false })));
  assert.equal(top.scanned, 0);
});

test('jobs survive a restart with their results', async (t) => {
  const { daemon, tree } = await start(t, 10);
  fs.writeFileSync(path.join(tree, 'bad.mp4'), '');
  const job = await daemon.wait(await daemon.scan(tree));
  await daemon.stop();
  await daemon.launch();
  assert.deepEqual((await daemon.get(`/api/v1/jobs/${job.job_id}`)).body, job);
  const list = await daemon.get('/api/v1/jobs?status=complete&type=scan');
  assert.equal(list.body.jobs[0].job_id, job.job_id);
  assert.equal((await daemon.get('/api/v1/jobs?status=failed')).body.jobs.length, 0);
});

test('HELLO tells a late joiner what is running', async (t) => {
  const { daemon, tree } = await start(t, 3, { args: ['--workers', '2', ...holding] });
  const release = hold(path.join(tree, 'held.mp4'));
  const id = await daemon.scan(tree);
  await eventually(async () => (await daemon.get(`/api/v1/jobs/${id}`)).body.status === 'running', 'it runs');
  const channel = await daemon.channel();
  const hello = await channel.find('HELLO');
  assert.equal(channel.frames[0], hello);
  assert.deepEqual(hello.payload.jobs.map((job) => job.job_id), [id]);
  assert.match(hello.event_id ?? hello.payload.event_id, /^\w+:\d+$/);
  release();
  await channel.find('SCAN_COMPLETED');
});
