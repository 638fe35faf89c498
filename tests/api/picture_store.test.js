// Where pictures are kept: the limit, what nobody owns any more, and a folder that is full, read-only or gone.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { eventually, makeVideo, tempDir } from '../lib/daemon.js';
import { Gallery } from '../lib/pictures.js';

const probe = tempDir();
const mounts = spawnSync('mount', ['-t', 'tmpfs', 'tmpfs', probe]).status === 0;
if (mounts) execFileSync('umount', [probe]);
fs.rmdirSync(probe);
const needs = { skip: !mounts && 'mounting a tmpfs is not allowed here' };

const metric = async (gallery, name) => Number(new RegExp(`^reeld_${name} (\\d+)$`, 'm').exec((await gallery.daemon.get('/metrics')).body)[1]);
const check = async (gallery) => (await gallery.daemon.get('/health/ready')).body.checks.pictures;

test('beyond the limit those go that nobody looked at for longest, and they can be made again', async (t) => {
  const gallery = await Gallery.start(t, { thumbnails: false, args: ['--pictures-max-mb', '1'] });
  const noise = makeVideo(path.join(gallery.dir, 'noise.mp4'), { size: '1280x720', seconds: 0.4 });
  for (let i = 0; i < 40; i++) gallery.put(`${i}.mp4`, noise); // 24 are more than there is room for
  await gallery.scan();
  const videos = await gallery.videos();
  const url = (video) => `/api/v1/videos/${video.id}/thumbnail?w=1280`;
  const bytes = () => gallery.files().reduce((sum, name) => sum + (fs.statSync(gallery.file(name), { throwIfNoEntry: false })?.size ?? 0), 0); // one may go meanwhile
  const old = [];
  let at = 0;
  for (; bytes() < 700 * 1024; at++) {
    assert.equal((await gallery.fetch(url(videos[at]))).status, 200);
    const name = gallery.files().find((one) => !old.includes(one));
    old.push(name);
    fs.utimesSync(gallery.file(name), 1e9 + at, 1e9);
  }
  assert.ok(at >= 3 && at < 20, `${at} pictures`);
  assert.equal((await gallery.fetch(url(videos[0]))).status, 200); // the oldest: it is used now
  for (; bytes() <= 1024 * 1024 && (await metric(gallery, 'pictures_removed_total')) === 0; at++) {
    assert.equal((await gallery.fetch(url(videos[at]))).status, 200);
  }
  await eventually(async () => (await metric(gallery, 'pictures_bytes')) <= 1024 * 1024 * 0.9 && bytes() <= 1024 * 1024 * 0.9, 'it is within its limit');
  const removed = old.filter((name) => !gallery.files().includes(name));
  assert.ok(removed.length > 0);
  assert.deepEqual(removed, old.slice(1, 1 + removed.length), 'in the order of their last use');
  assert.equal(await metric(gallery, 'pictures_removed_total'), removed.length);
  assert.equal((await gallery.fetch(url(videos[1]))).status, 200);
});

test('what nobody owns is removed at the start: orphans, parts, halves', async (t) => {
  const gallery = await Gallery.start(t, { count: 5 });
  await gallery.made();
  const kept = gallery.files();
  const half = gallery.file(kept[0]);
  const video = (await gallery.videos()).find((one) => half.endsWith(one.thumbnail_path));
  const whole = fs.readFileSync(half);
  await gallery.daemon.stop('SIGKILL');
  const strays = ['0/1-0123456789abcdef-320.jpg', '0/99-0123456789abcdef-320.jpg', '7/7000-0123456789abcdef-storyboard.vtt', '0/x', 'part'];
  for (const name of strays) {
    fs.mkdirSync(path.dirname(gallery.file(name)), { recursive: true });
    fs.writeFileSync(gallery.file(name), 'x');
  }
  fs.writeFileSync(half, whole.subarray(0, 100)); // as after a power cut
  await gallery.daemon.launch();
  await eventually(() => strays.every((name) => !fs.existsSync(gallery.file(name))), 'the strays are gone');
  await eventually(() => !fs.existsSync(gallery.file('7')), 'and the folder that is empty now');
  assert.deepEqual(gallery.files(), kept);
  assert.ok((await gallery.fetch(video.thumbnail_url)).bytes.equals(whole), 'half a picture is none');
  assert.ok(fs.readFileSync(half).equals(whole));
  await eventually(async () => (await metric(gallery, 'pictures_bytes')) > whole.length, 'they are counted');
});

test('the folder is removed while it runs: it is made again', async (t) => {
  const gallery = await Gallery.start(t, { count: 4 });
  await gallery.made();
  const videos = await gallery.videos();
  fs.rmSync(gallery.data, { recursive: true });
  for (const video of videos) assert.equal((await gallery.fetch(video.thumbnail_url)).status, 200);
  assert.equal(gallery.files().length, 4);
  fs.rmSync(gallery.data, { recursive: true });
  gallery.put('new.mp4');
  await gallery.scan();
  assert.equal((await gallery.made()).result.new, 1);
  assert.deepEqual(await check(gallery), { status: 'ok' });
});

test('the folder is full, then read-only: it says so, serves on, and goes on by itself', needs, async (t) => {
  const gallery = await Gallery.start(t, { count: 8, thumbnails: false });
  await gallery.daemon.stop();
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', gallery.data]);
  const ballast = path.join(gallery.data, 'ballast');
  const { bavail, bsize } = fs.statfsSync(gallery.data);
  fs.writeFileSync(ballast, Buffer.alloc(bavail * bsize));
  gallery.daemon.options.args = ['--thumbnails', 'yes'];
  await gallery.daemon.launch();
  gallery.channel = await gallery.daemon.channel();
  await eventually(async () => (await check(gallery)).status === 'degraded', 'it says so');
  assert.match((await check(gallery)).reason, /No space left/);
  const [job] = await gallery.thumbnailJobs();
  await eventually(async () => /No space left/.test((await gallery.daemon.get(`/api/v1/jobs/${job.job_id}`)).body.error ?? ''), 'the job says why it rests');
  // What cannot be kept is given all the same; scans go on.
  const [video] = await gallery.videos();
  const given = await gallery.fetch(video.thumbnail_url);
  assert.equal(`${given.status} ${given.headers.get('cache-control')}`, '200 private, no-cache');
  gallery.put('new.mp4');
  assert.equal((await gallery.scan()).result.new, 1);
  fs.rmSync(ballast);
  // Not while it is being written to: then mount says that it is busy.
  await eventually(() => spawnSync('mount', ['-o', 'remount,ro', gallery.data]).status === 0, 'it is read-only');
  await eventually(async () => /Read-only/.test((await check(gallery)).reason ?? ''), 'it says the other reason');
  assert.equal((await gallery.fetch(video.thumbnail_url)).status, 200);
  execFileSync('mount', ['-o', 'remount,rw', gallery.data]);
  const end = await gallery.daemon.wait(job.job_id);
  assert.equal(`${end.status} ${end.error ?? ''} ${end.result.new}`, 'complete  9');
  assert.deepEqual(await check(gallery), { status: 'ok' });
  assert.match(gallery.daemon.stderr, /pictures cannot be kept in .*: No space left on device/);
  assert.match(gallery.daemon.stderr, /pictures can be kept again/);
});

test('pictures of a width that was configured before go with their video', async (t) => {
  const gallery = await Gallery.start(t, { count: 2, args: ['--thumbnail-width', '200'] });
  await gallery.made();
  await gallery.restart({ args: ['--thumbnail-width', '330'] });
  assert.ok(gallery.files().every((name) => name.endsWith('-200.jpg')));
  await eventually(async () => (await metric(gallery, 'pictures_bytes')) > 0, 'they are counted');
  assert.equal((await gallery.daemon.request('DELETE', `/api/v1/videos/${(await gallery.video('0.mp4')).id}`)).status, 204);
  await eventually(() => gallery.files().length === 1, 'it goes');
});
