// A tree that was made to hurt: things that are no files, names that no text can hold, folders that cannot be read.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { Daemon, build, tempDir } from '../lib/daemon.js';
import { checkFrames, checkResult } from '../lib/checks.js';
import { masters } from '../lib/trees.js';

/** Buffers, because some names are no UTF-8. */
const join = (folder, name) => Buffer.concat([Buffer.from(folder + '/'), Buffer.from(name)]);

const names = [
  'plain.mp4', 'with space.mp4', "quote'\".mp4", 'back\\slash.mp4', 'new\nline.mp4', 'tab\there.mp4', 'esc\u001b[31m.mp4',
  '<img src=x onerror=alert(1)>.mp4', '%00%2e%2e.mp4', "'; DROP TABLE videos; --.mp4", '影片 🎬.mp4', '\u202egnp.mp4', '-rf.mp4',
  Buffer.from([0x63, 0x61, 0x66, 0xe9, 0x2e, 0x6d, 0x70, 0x34]), // café in Latin-1
  Buffer.from([0xff, 0xfe, 0x2e, 0x6d, 0x70, 0x34]), Buffer.from([0xc0, 0xaf, 0x2e, 0x6d, 0x70, 0x34]),
  `${'n'.repeat(251)}.mp4`, 'UPPER.MP4', 'double.mp4.mp4', '...mp4', 'ünïcödé.mkv',
];

function percent(bytes) {
  return [...bytes].map((b) => (/[A-Za-z0-9\-._~/]/.test(String.fromCharCode(b)) && b < 128
    ? String.fromCharCode(b) : `%${b.toString(16).toUpperCase().padStart(2, '0')}`)).join('');
}

test('every name is indexed as it is, and shown losslessly', async () => {
  const dir = tempDir();
  const tree = path.join(dir, 'tree');
  fs.mkdirSync(tree);
  const [mp4] = masters();
  for (const name of names) fs.copyFileSync(mp4, join(tree, name));
  const daemon = await Daemon.start();
  const channel = await daemon.channel();
  const job = await daemon.wait(await daemon.scan(tree));
  const visible = names.filter((name) => Buffer.from(name)[0] !== 0x2e); // '...mp4' is a dot-file
  assert.equal(checkResult(job).new, visible.length);
  await channel.find('SCAN_COMPLETED');
  checkFrames(channel.frames, job);
  const videos = await daemon.videos();
  const shown = new Map(videos.map((video) => [video.path_uri ?? percent(Buffer.from(video.path)), video]));
  for (const name of visible) {
    const bytes = join(tree, name);
    const video = shown.get(percent(bytes));
    assert.ok(video, `missing: ${percent(bytes)}`);
    assert.equal(video.path, new TextDecoder().decode(bytes));
    assert.equal((await daemon.get(`/api/v1/videos/${video.id}`)).body.id, video.id);
  }
  // The lossless form is taken wherever a path is.
  const uri = percent(join(tree, names[13]));
  const again = await daemon.post('/api/v1/videos/scan', { path_uri: uri });
  assert.equal(again.status, 202, JSON.stringify(again.body));
  assert.equal(checkResult(await daemon.wait(again.body.job_id)).skipped, 1);
  await daemon.cleanup();
  fs.rmSync(dir, { recursive: true });
});

test('what is not a regular file costs one entry or none, and blocks nothing', async () => {
  const dir = tempDir();
  const tree = path.join(dir, 'tree');
  fs.mkdirSync(path.join(tree, 'sub'), { recursive: true });
  const [mp4] = masters();
  const at = (name) => path.join(tree, name);
  fs.copyFileSync(mp4, at('good.mp4'));
  fs.copyFileSync(mp4, at('sub/good too.mp4'));
  execFileSync('mkfifo', [at('fifo.mp4')]);
  execFileSync('python3', ['-c', 'import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])', at('socket.mp4')]);
  fs.symlinkSync('nowhere.mp4', at('dangling.mp4'));
  fs.symlinkSync('looping.mp4', at('looping.mp4'));
  fs.symlinkSync('..', at('sub/up'));
  fs.symlinkSync('/', at('sub/everything'));
  fs.symlinkSync('good.mp4', at('link.mp4'));
  fs.mkdirSync(at('folder.mp4'));
  fs.writeFileSync(at('empty.mp4'), '');
  fs.writeFileSync(at('types.ts'), 'export const answer: number = 42;\n'.repeat(100));
  fs.writeFileSync(at('notes.txt'), 'not a video');
  fs.writeFileSync(at('text.mkv'), 'this is a shopping list\n');
  for (const name of ['empty.mp4', 'types.ts', 'text.mkv']) fs.utimesSync(at(name), 1e9, 1e9);
  const daemon = await Daemon.start();
  const job = await daemon.wait(await daemon.scan(tree));
  const result = checkResult(job);
  assert.equal(job.status, 'complete');
  assert.equal(result.new, 2, JSON.stringify(result));
  const codes = Object.fromEntries(result.errors.map((error) => [path.basename(error.path), error.code]));
  assert.deepEqual(codes, {
    'fifo.mp4': 'NOT_A_FILE', 'socket.mp4': 'NOT_A_FILE', 'empty.mp4': 'EMPTY', 'text.mkv': 'NOT_MEDIA',
  });
  const again = checkResult(await daemon.wait(await daemon.scan(tree)));
  assert.deepEqual({ skipped: again.skipped, failed: again.error_count }, { skipped: 2, failed: 4 });
  await daemon.cleanup();
  fs.rmSync(dir, { recursive: true });
});

test('a folder that cannot be read is one failed entry; the rest is indexed', { skip: process.getuid() === 0 && !canDrop() }, async () => {
  const dir = tempDir();
  fs.chmodSync(dir, 0o755);
  const tree = path.join(dir, 'tree');
  fs.mkdirSync(path.join(tree, 'closed'), { recursive: true });
  const [mp4] = masters();
  fs.copyFileSync(mp4, path.join(tree, 'open.mp4'));
  fs.copyFileSync(mp4, path.join(tree, 'closed/inside.mp4'));
  fs.copyFileSync(mp4, path.join(tree, 'secret.mp4'));
  fs.chmodSync(path.join(tree, 'closed'), 0o000);
  fs.chmodSync(path.join(tree, 'secret.mp4'), 0o000);
  fs.chmodSync(tree, 0o755);
  const data = path.join(dir, 'data');
  fs.mkdirSync(data);
  fs.chmodSync(data, 0o777);
  // Root may read everything: the daemon runs as nobody here.
  const wrap = process.getuid() === 0 ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : [];
  const daemon = await Daemon.start({ dir: data, wrap });
  const job = await daemon.wait(await daemon.scan(tree));
  const result = checkResult(job);
  assert.equal(result.new, 1);
  assert.deepEqual(result.errors.map((error) => [path.basename(error.path), error.code]).sort(),
    [['closed', 'UNREADABLE'], ['secret.mp4', 'UNREADABLE']]);
  await daemon.cleanup();
  fs.chmodSync(path.join(tree, 'closed'), 0o755);
  fs.rmSync(dir, { recursive: true });
});

function canDrop() {
  try {
    execFileSync('setpriv', ['--version']);
    return true;
  } catch {
    return false;
  }
}

test('a folder that is deleted while it is walked does not fail the scan', async () => {
  const dir = tempDir();
  const tree = path.join(dir, 'tree');
  const [mp4] = masters();
  for (let i = 0; i < 60; i++) {
    fs.mkdirSync(path.join(tree, `d${i}`, 'deep'), { recursive: true });
    for (let k = 0; k < 10; k++) fs.linkSync(k ? path.join(tree, `d${i}`, '0.mp4') : copy(mp4, path.join(tree, `d${i}`, '.base')), path.join(tree, `d${i}`, `${k}.mp4`));
  }
  const daemon = await Daemon.start({ args: ['--workers', '1'] });
  const channel = await daemon.channel();
  const id = await daemon.scan(tree);
  await channel.find('SCAN_PROGRESS');
  for (let i = 59; i >= 20; i--) fs.rmSync(path.join(tree, `d${i}`), { recursive: true });
  const job = await daemon.wait(id);
  assert.equal(job.status, 'complete');
  const result = checkResult(job);
  assert.ok(result.scanned >= 200 && result.scanned <= 600, String(result.scanned));
  assert.equal(result.scanned, job.processed);
  assert.equal(job.total, job.processed);
  await channel.find('SCAN_COMPLETED');
  checkFrames(channel.frames, job);
  await daemon.cleanup();
  fs.rmSync(dir, { recursive: true });
});

function copy(from, to) {
  fs.copyFileSync(from, to);
  return to;
}

test('a folder that is gone when its scan begins ends it as failed, in words', async () => {
  const dir = tempDir();
  const busy = path.join(dir, 'busy');
  const gone = path.join(dir, 'gone');
  fs.mkdirSync(busy);
  fs.mkdirSync(gone);
  fs.writeFileSync(path.join(busy, 'hang.mp4'), 'ATTACK:hang\n');
  fs.utimesSync(path.join(busy, 'hang.mp4'), 1e9, 1e9);
  const daemon = await Daemon.start({ args: ['--worker-program', path.join(build, 'reeld-worker-attack')] });
  const hangs = await daemon.scan(busy);
  const id = await daemon.scan(gone);
  fs.rmdirSync(gone);
  await daemon.post(`/api/v1/jobs/${hangs}/cancel`);
  const job = await daemon.wait(id);
  assert.equal(job.status, 'failed');
  assert.match(job.error, /\w+ \w+/);
  await daemon.cleanup();
  fs.rmSync(dir, { recursive: true });
});
