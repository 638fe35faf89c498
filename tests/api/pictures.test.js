// Pictures: the job that makes them after a scan, and what is made because somebody asks.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { checkResult } from '../lib/checks.js';
import { build, eventually, makeVideo } from '../lib/daemon.js';
import { Gallery, size } from '../lib/pictures.js';
import { hold, holding, masters } from '../lib/trees.js';

const attack = path.join(build, 'reeld-worker-attack');
const hanging = ['--worker-program', attack, '--worker-test-mode', 'hang'];
const of = (frames, type, id) => frames.filter((frame) => frame.type === type && (!id || frame.payload.job_id === id));

test('a scan is followed by a job that makes the pictures, and says each', async (t) => {
  const gallery = await Gallery.start(t, { count: 30 });
  const { channel } = gallery;
  const done = await channel.find('THUMBNAILS_COMPLETED');
  const id = done.payload.job_id;
  const scan = await channel.find('SCAN_COMPLETED');
  const job = (await gallery.daemon.get(`/api/v1/jobs/${id}`)).body;
  assert.deepEqual(done.payload, job);
  assert.equal(`${job.type} ${job.status} ${job.trigger} ${job.progress}`, 'thumbnails complete api 1');
  assert.deepEqual(checkResult(job), job.result);
  assert.equal(job.result.new, 30);
  assert.equal(done.correlation_id, scan.correlation_id);
  const types = channel.frames.map((frame) => frame.type);
  const order = ['SCAN_COMPLETED', 'THUMBNAILS_STARTED', 'THUMBNAILS_PROGRESS', 'THUMBNAILS_COMPLETED'].map((type) => types.indexOf(type));
  assert.deepEqual(order, [...order].sort((a, b) => a - b));
  assert.equal(of(channel.frames, 'JOB_QUEUED', id).length, 1);
  const progress = of(channel.frames, 'THUMBNAILS_PROGRESS', id).map((frame) => frame.payload).filter((one) => one.path);
  assert.deepEqual(progress.map((one) => one.processed), Array.from({ length: 30 }, (_, i) => i + 1));
  assert.ok(progress.every((one) => one.outcome === 'new' && one.total === 30 && one.video_id));
  const updated = channel.frames.filter((frame) => frame.type === 'VIDEO_UPDATED');
  assert.equal(updated.length, 30);
  for (const { payload } of updated) assert.deepEqual(payload.changed, ['thumbnail', 'thumbnail_path']);
  for (const video of await gallery.videos()) {
    assert.equal(video.thumbnail, 'ready');
    const { changed, ...said } = updated.find((frame) => frame.payload.id === video.id).payload;
    assert.deepEqual(said, video);
    const kept = fs.readFileSync(path.join(gallery.data, video.thumbnail_path));
    const { status, bytes, headers } = await gallery.fetch(video.thumbnail_url);
    assert.equal(status, 200);
    assert.equal(headers.get('content-type'), 'image/jpeg');
    assert.ok(bytes.equals(kept));
    assert.deepEqual(size(bytes), { width: 320, height: 180 });
    assert.equal(video.file_url, `/api/v1/videos/${video.id}/file`);
  }
  // Nothing is left to do: another scan is followed by no job.
  await gallery.scan();
  await gallery.scan();
  assert.equal((await gallery.thumbnailJobs()).length, 1);
  // Durable: whoever comes later hears of it.
  const changes = (await gallery.daemon.get('/api/v1/changes?limit=1000')).body.changes;
  assert.equal(changes.filter(({ video }) => video.thumbnail === 'ready').length, 30);
});

test('a scan that comes meanwhile goes first, and what it finds belongs to the same job', async (t) => {
  const gallery = await Gallery.start(t, { count: 120, args: ['--workers', '1'] });
  const started = await gallery.channel.find('THUMBNAILS_STARTED');
  for (let i = 0; i < 20; i++) gallery.put(`later/${i}.mp4`);
  const scan = await gallery.scan();
  assert.equal(scan.result.new, 20);
  const first = (await gallery.daemon.get(`/api/v1/jobs/${started.payload.job_id}`)).body;
  const job = await gallery.made();
  assert.equal(job.status, 'complete');
  if (first.status === 'running') {
    assert.equal(job.job_id, first.job_id);
    assert.equal(job.result.new, 140);
  }
  assert.ok((await gallery.videos()).every((video) => video.thumbnail === 'ready'));
  const progress = gallery.channel.frames.filter((frame) => frame.type === 'THUMBNAILS_PROGRESS').map((frame) => frame.payload.progress);
  assert.deepEqual(progress, [...progress].sort((a, b) => a - b));
});

test('a picture that somebody asks for is made at once, ahead of the job', async (t) => {
  const gallery = await Gallery.start(t, { args: ['--workers', '1'] });
  // On a machine that is busy elsewhere the job may be over before somebody has asked: that says nothing.
  const jobs = new Set();
  let job;
  for (let round = 0; !job || job.processed === job.total; round++) {
    assert.ok(round < 10, 'the job was over each time');
    for (let i = 0; i < 150; i++) gallery.put(`${round}/${i}.mp4`);
    await gallery.scan();
    const id = (await gallery.channel.find((frame) => frame.type === 'THUMBNAILS_STARTED' && !jobs.has(frame.payload.job_id))).payload.job_id;
    jobs.add(id);
    const last = await gallery.video(`${round}/149.mp4`);
    const { status, bytes } = await gallery.fetch(last.thumbnail_url);
    job = (await gallery.daemon.get(`/api/v1/jobs/${id}`)).body;
    assert.equal(status, 200);
    size(bytes);
    const end = await gallery.made();
    assert.equal(end.status, 'complete');
    assert.equal(end.processed, end.total);
    await gallery.channel.find((frame) => frame.type === 'THUMBNAILS_COMPLETED' && frame.payload.job_id === id);
    assert.equal(gallery.channel.frames.filter((frame) => frame.type === 'VIDEO_UPDATED' && frame.payload.id === last.id).length, 1);
  }
});

test('without the job pictures are made when they are asked for, each once for all who wait', async (t) => {
  const gallery = await Gallery.start(t, { count: 3, thumbnails: false });
  assert.equal((await gallery.thumbnailJobs()).length, 0);
  const [first, second, third] = await gallery.videos();
  assert.equal(first.thumbnail, 'pending');
  assert.equal(first.thumbnail_path, null);
  const made = async () => Number(/^reeld_pictures_made_total (\d+)$/m.exec((await gallery.daemon.get('/metrics')).body)[1]);
  const answers = await Promise.all(Array.from({ length: 60 }, () => gallery.fetch(`/api/v1/videos/${first.id}/thumbnail`)));
  assert.ok(answers.every(({ status, bytes }) => status === 200 && bytes.equals(answers[0].bytes)));
  assert.equal(await made(), 1);
  const frame = await gallery.channel.find((one) => one.type === 'VIDEO_UPDATED' && one.payload.id === first.id);
  assert.deepEqual(frame.payload.changed, ['thumbnail', 'thumbnail_path']);
  assert.equal((await gallery.video('0.mp4')).thumbnail, 'ready');
  // Another width is another picture; asked for in steps.
  for (const [asked, width] of [[1, 160], [160, 160], [161, 320], [320, 320], [321, 320], [1280, 320]]) {
    const { status, bytes, headers } = await gallery.fetch(`/api/v1/videos/${second.id}/thumbnail?w=${asked}`);
    assert.equal(status, 200);
    assert.deepEqual(size(bytes), { width, height: width * 9 / 16 }, `w=${asked}`); // not enlarged
    assert.match(headers.get('etag'), /^"[0-9a-f]{16}-\d+-[0-9a-f]+"$/);
  }
  assert.deepEqual(gallery.files().map((name) => name.split('-').at(-1)).sort(), ['1280.jpg', '160.jpg', '320.jpg', '320.jpg', '640.jpg']);
  for (const w of ['0', '1281', '-1', 'x', '', '320.5', '99999999999999999999']) {
    const { status, body } = await gallery.daemon.get(`/api/v1/videos/${third.id}/thumbnail?w=${w}`);
    assert.equal(`${status} ${body.code} ${body.field}`, '400 BAD_PARAMETER w');
  }
  assert.equal((await gallery.daemon.get(`/api/v1/videos/${third.id}/thumbnail?h=1`)).body.code, 'UNKNOWN_PARAMETER');
  assert.equal((await gallery.daemon.get(`/api/v1/videos/${third.id}/storyboard.jpg?w=1`)).body.code, 'UNKNOWN_PARAMETER');
  assert.equal((await gallery.daemon.get('/api/v1/videos/01890000-0000-7000-8000-000000000000/thumbnail')).status, 404);
  assert.equal((await gallery.daemon.get('/api/v1/videos/x/thumbnail')).status, 404);
  assert.equal((await gallery.daemon.post(`/api/v1/videos/${third.id}/thumbnail`)).status, 405);
});

test('a tag, a version in the address, HEAD and 304', async (t) => {
  const gallery = await Gallery.start(t, { count: 1, thumbnails: false });
  const [video] = await gallery.videos();
  const plain = `/api/v1/videos/${video.id}/thumbnail`;
  const head = await gallery.fetch(plain, { method: 'HEAD' });
  const { headers, bytes } = await gallery.fetch(plain);
  const tag = headers.get('etag');
  assert.equal(headers.get('cache-control'), 'private, no-cache');
  assert.equal(`${head.status} ${head.bytes.length} ${head.headers.get('etag')}`, `200 0 ${tag}`);
  assert.equal(head.headers.get('content-length'), String(bytes.length));
  for (const route of [plain, video.thumbnail_url, `/api/v1/videos/${video.id}/storyboard.jpg`, `/api/v1/videos/${video.id}/storyboard.vtt`]) {
    const first = await gallery.fetch(route);
    assert.equal(first.status, 200);
    const again = await gallery.fetch(route, { headers: { 'if-none-match': `"x", ${first.headers.get('etag')}` } });
    assert.equal(`${again.status} ${again.bytes.length} ${again.headers.get('etag')}`, `304 0 ${first.headers.get('etag')}`);
    assert.equal(again.headers.get('cache-control'), first.headers.get('cache-control'));
    assert.equal((await gallery.fetch(route, { headers: { 'if-none-match': '"other"' } })).status, 200);
  }
  assert.equal((await gallery.fetch(video.thumbnail_url)).headers.get('cache-control'), 'private, max-age=31536000, immutable');
  assert.equal((await gallery.fetch(`${plain}?v=0123456789abcdef`)).headers.get('cache-control'), 'private, no-cache');
});

test('another content has another address, and the old one never shows the old picture', async (t) => {
  const gallery = await Gallery.start(t, { count: 2 });
  await gallery.made();
  const before = await gallery.video('0.mp4');
  const old = await gallery.fetch(before.thumbnail_url);
  gallery.put('0.mp4', masters()[6]);
  await gallery.scan();
  const after = await gallery.video('0.mp4');
  assert.equal(after.id, before.id);
  assert.notEqual(after.thumbnail_url, before.thumbnail_url);
  const now = await gallery.fetch(before.thumbnail_url);
  assert.equal(now.status, 200);
  assert.equal(now.headers.get('cache-control'), 'private, no-cache');
  assert.notEqual(now.headers.get('etag'), old.headers.get('etag'));
  assert.ok(now.bytes.equals((await gallery.fetch(after.thumbnail_url)).bytes));
  await gallery.made();
  await eventually(() => gallery.files().length === 2, 'what was made of the old content is gone');
});

test('moved and renamed files keep their pictures; of missing ones they are still shown; those that are forgotten leave none', async (t) => {
  const gallery = await Gallery.start(t, { count: 3 });
  await gallery.made();
  const before = await gallery.video('0.mp4');
  const { bytes } = await gallery.fetch(before.thumbnail_url);
  fs.mkdirSync(gallery.at('elsewhere'));
  fs.renameSync(gallery.at('0.mp4'), gallery.at('elsewhere/another name.mp4'));
  fs.rmSync(gallery.at('1.mp4'));
  const gone = await gallery.video('1.mp4');
  const scan = await gallery.scan();
  assert.equal(`${scan.result.moved} ${scan.result.missing}`, '1 1');
  const after = await gallery.video('elsewhere/another name.mp4');
  for (const key of ['id', 'thumbnail', 'thumbnail_url', 'thumbnail_path']) assert.equal(after[key], before[key]);
  assert.ok((await gallery.fetch(after.thumbnail_url)).bytes.equals(bytes));
  assert.equal((await gallery.thumbnailJobs()).length, 1, 'nothing was made again');
  const missing = (await gallery.daemon.get(`/api/v1/videos/${gone.id}`)).body;
  assert.equal(missing.file_url, null);
  assert.equal((await gallery.fetch(missing.thumbnail_url)).status, 200);
  const refused = await gallery.fetch(`${missing.thumbnail_url}&w=640`);
  assert.equal(`${refused.status} ${refused.body.code}`, '410 FILE_MISSING');
  assert.equal(gallery.files().length, 3);
  assert.equal((await gallery.daemon.request('DELETE', `/api/v1/videos/${after.id}`)).status, 204);
  await eventually(() => gallery.files().length === 2, 'its picture goes');
  assert.deepEqual((await gallery.daemon.post('/api/v1/videos/purge', { older_than_days: 0 })).body, { purged: 1 });
  await eventually(() => gallery.files().length === 1, 'the picture of the other goes');
  assert.equal((await gallery.fetch(missing.thumbnail_url)).status, 404);
});

test('a file that can give none is a state with a reason, and is not tried again until it is another', async (t) => {
  const gallery = await Gallery.start(t, { count: 2, thumbnails: false });
  // Hanging workers stand in for whatever a file may do to a decoder.
  await gallery.restart({ args: [...hanging, '--thumbnails', 'yes', '--file-timeout', '0.5'] });
  const job = await gallery.made();
  assert.equal(`${job.status} ${job.trigger} ${job.result.error_count}`, 'complete start 2');
  assert.ok(job.result.errors.every(({ code }) => code === 'TIMEOUT'));
  const list = (await gallery.daemon.get(`/api/v1/jobs/${job.job_id}/failures`)).body.failures;
  assert.equal(list.length, 2);
  for (const video of await gallery.videos()) {
    assert.equal(`${video.thumbnail} ${video.thumbnail_url} ${video.thumbnail_path}`, 'failed null null');
    const { status, body } = await gallery.daemon.get(`/api/v1/videos/${video.id}/thumbnail`);
    assert.equal(`${status} ${body.code}`, '404 NO_THUMBNAIL');
    assert.match(body.detail, /still reading it/);
    const storyboard = await gallery.daemon.get(`/api/v1/videos/${video.id}/storyboard.jpg`);
    assert.equal(`${storyboard.status} ${storyboard.body.code}`, '404 NO_STORYBOARD');
  }
  await gallery.restart({ args: ['--thumbnails', 'yes'] });
  await gallery.scan();
  assert.equal((await gallery.thumbnailJobs()).length, 1);
  const [first] = await gallery.videos();
  assert.equal((await gallery.fetch(`/api/v1/videos/${first.id}/thumbnail`)).status, 404);
  gallery.put('0.mp4');
  await gallery.scan();
  const again = await gallery.made();
  assert.equal(again.result.new, 1);
  assert.deepEqual((await gallery.videos()).map((video) => video.thumbnail), ['ready', 'failed']);
  assert.equal((await gallery.fetch((await gallery.video('0.mp4')).thumbnail_url)).status, 200);
  // Another worker may do better: what it judged differently is tried again at the start, without a scan.
  await gallery.daemon.stop();
  execFileSync('sqlite3', [path.join(gallery.home, 'catalog.db'), "UPDATE picture_failures SET worker_version = 'another'"]);
  await gallery.daemon.launch();
  await eventually(async () => (await gallery.videos()).every((video) => video.thumbnail === 'ready'), 'the other is ready too');
});

test('who waits for too long is told to come back; who hangs up harms nobody', async (t) => {
  const gallery = await Gallery.start(t, { count: 2, thumbnails: false });
  await gallery.restart({ args: [...hanging, '--thumbnails', 'no', '--file-timeout', '7', '--workers', '2'] });
  const [first] = await gallery.videos();
  const leaves = new AbortController();
  const left = fetch(`${gallery.daemon.url}/api/v1/videos/${first.id}/thumbnail`, { signal: leaves.signal }).catch(() => 'gone');
  const waits = gallery.fetch(`/api/v1/videos/${first.id}/thumbnail`);
  setTimeout(() => leaves.abort(), 100);
  const { status, body, headers } = await waits;
  assert.equal(`${status} ${body.code}`, '503 PICTURE_PENDING');
  assert.match(headers.get('retry-after'), /^\d+$/);
  assert.equal(await left, 'gone');
  const again = await gallery.fetch(`/api/v1/videos/${first.id}/thumbnail`); // the same task
  assert.equal(`${again.status} ${again.body.code}`, '404 NO_THUMBNAIL');
});

/** Has the daemon come back to make pictures, with one that is held until the returned function is called; gives that and the job. */
async function makingPictures(gallery, held) {
  await gallery.daemon.stop();
  const release = hold(gallery.at(held));
  gallery.daemon.options.args = ['--thumbnails', 'yes', '--workers', '2', ...holding];
  await gallery.daemon.launch();
  gallery.channel = await gallery.daemon.channel();
  const job = await eventually(async () => (await gallery.thumbnailJobs()).find(({ status, processed }) => status === 'running' && processed > 3), 'pictures are made');
  return { release, id: job.job_id };
}

/** Whether a worker has the file open. */
const isRead = (file) => fs.readdirSync('/proc').filter((pid) => /^\d+$/.test(pid)).some((pid) => {
  try {
    return fs.readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('reeld-worker')
      && fs.readdirSync(`/proc/${pid}/fd`).some((fd) => fs.readlinkSync(`/proc/${pid}/fd/${fd}`) === file);
  } catch {
    return false; // it ended meanwhile
  }
});

test('a video that is removed while its picture is made leaves none', async (t) => {
  const gallery = await Gallery.start(t, { count: 12, thumbnails: false });
  const { release, id } = await makingPictures(gallery, '7.mp4');
  await eventually(() => isRead(gallery.at('7.mp4')), 'a worker reads it');
  const remove = (video) => gallery.daemon.request('DELETE', `/api/v1/videos/${video.id}`);
  assert.equal((await remove(await gallery.video('7.mp4'))).status, 204);
  release();
  await gallery.daemon.wait(id);
  assert.equal(gallery.files().length, 11);

  for (const [name, of] of [['3.mp4', 'thumbnail?w=640'], ['4.mp4', 'storyboard.jpg']]) {
    const video = await gallery.video(name);
    const held = hold(gallery.at(name));
    const answer = gallery.fetch(`/api/v1/videos/${video.id}/${of}`);
    await eventually(() => isRead(gallery.at(name)), 'a worker reads it');
    assert.equal((await remove(video)).status, 204);
    held();
    assert.equal((await answer).status, 404);
  }
  assert.equal(gallery.files().length, 9);
});

test('cancel, pause and resume; taken up again after a stop and after kill -9', async (t) => {
  const gallery = await Gallery.start(t, { count: 200, thumbnails: false });
  const tell = (id, word) => gallery.daemon.post(`/api/v1/jobs/${id}/${word}`);
  const { release, id } = await makingPictures(gallery, '7.mp4');
  assert.equal((await tell(id, 'pause')).body.paused, true);
  const resting = (await gallery.daemon.get(`/api/v1/jobs/${id}`)).body;
  assert.equal(`${resting.status} ${resting.paused}`, 'running true');
  await gallery.restart();
  const still = (await gallery.daemon.get(`/api/v1/jobs/${id}`)).body;
  assert.equal(`${still.status} ${still.paused} ${still.trigger}`, 'pending true resume');
  assert.ok(still.progress >= resting.progress);
  await tell(id, 'resume');
  await eventually(async () => (await gallery.daemon.get(`/api/v1/jobs/${id}`)).body.processed > still.processed
    || still.processed === 199, 'it goes on, where more than the held one is left');
  await gallery.daemon.stop('SIGKILL');
  release();
  await gallery.daemon.launch();
  const end = await gallery.daemon.wait(id);
  assert.equal(end.status, 'complete');
  assert.equal(end.result.new, 200);
  assert.equal(end.processed, end.total);
  assert.ok((await gallery.videos()).every((video) => video.thumbnail === 'ready'));
  assert.equal(gallery.files().length, 200);
  // Cancelled: what was made stays, and the next scan has the rest made.
  await gallery.restart({ args: ['--thumbnails', 'no'] });
  for (let i = 0; i < 100; i++) gallery.put(`more/${i}.mp4`);
  await gallery.scan();
  const more = await makingPictures(gallery, 'more/7.mp4');
  assert.notEqual(more.id, id);
  assert.equal((await tell(more.id, 'cancel')).status, 202);
  const cancelled = await gallery.daemon.wait(more.id);
  assert.equal(cancelled.status, 'cancelled');
  const ready = (await gallery.videos()).filter((video) => video.thumbnail === 'ready').length;
  assert.equal(ready, 200 + cancelled.result.new);
  more.release();
  await gallery.scan();
  assert.equal((await gallery.made()).result.new, 300 - ready);
});

test('a storyboard and its index', async (t) => {
  const gallery = await Gallery.start(t, { thumbnails: false });
  makeVideo(gallery.at('long.mp4'), { seconds: 24, extra: ['-g', '25'] });
  await gallery.scan();
  const [video] = await gallery.videos();
  const sheet = await gallery.fetch(`/api/v1/videos/${video.id}/storyboard.jpg`);
  const index = await gallery.fetch(`/api/v1/videos/${video.id}/storyboard.vtt`);
  assert.equal(`${sheet.status} ${index.status}`, '200 200');
  assert.equal(index.headers.get('content-type'), 'text/vtt; charset=utf-8');
  const { width, height } = size(sheet.bytes);
  const [head, ...cues] = String(index.bytes).trimEnd().split('\n\n');
  assert.equal(head, 'WEBVTT');
  assert.ok(cues.length > 10 && cues.length <= 100, String(cues.length));
  const seen = new Set();
  let at = 0;
  for (const cue of cues) {
    const [times, address] = cue.split('\n');
    const [from, to] = times.split(' --> ').map((text) => {
      const [h, m, s] = /^(\d\d):(\d\d):(\d\d\.\d{3})$/.exec(text).slice(1).map(Number);
      return h * 3600 + m * 60 + s;
    });
    assert.equal(from, at);
    assert.ok(to > from);
    at = to;
    const url = new URL(address, `${gallery.daemon.url}/api/v1/videos/${video.id}/storyboard.vtt`);
    const [x, y, w, h] = /^#xywh=(\d+),(\d+),(\d+),(\d+)$/.exec(url.hash).slice(1).map(Number);
    assert.ok(w > 0 && h > 0 && x + w <= width && y + h <= height, address);
    assert.ok(!seen.has(url.hash));
    seen.add(url.hash);
    const picture = await gallery.fetch(url.pathname + url.search);
    assert.equal(picture.headers.get('cache-control'), 'private, max-age=31536000, immutable');
  }
  assert.ok(Math.abs(at - video.duration_s) < 0.01, `${at} of ${video.duration_s}`);
  assert.equal((await gallery.video('long.mp4')).thumbnail, 'pending', 'a storyboard is no thumbnail');
  const made = /^reeld_pictures_made_total (\d+)$/m.exec((await gallery.daemon.get('/metrics')).body)[1];
  assert.equal(made, '1');
});
