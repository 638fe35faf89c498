// Guarantee 5: a daemon killed at any instant comes back with a sound database, goes on with the same job, and has lost or
// given twice no row, job or sequence number that a client was told of.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { Daemon, promised, sanitized, tempDir } from '../lib/daemon.js';
import { checkResult } from '../lib/checks.js';
import { fill, hold, holding, random } from '../lib/trees.js';

const rounds = Number(process.env.REELD_KILLS ?? (sanitized ? 12 : 50));
const seed = Number(process.env.REELD_SEED ?? 20261122);

/** What clients were told, over all lives of the daemon. */
class Memory {
  ids = new Map(); // path → id
  last = 0; // sequence
  catalogue = null;

  hear(frames) {
    for (const frame of frames) {
      if (frame.event_id === null) continue;
      const [catalogue, number] = frame.event_id.split(':');
      this.catalogue ??= catalogue;
      assert.equal(catalogue, this.catalogue, 'the catalogue is the same one');
      if (frame.type === 'HELLO') {
        assert.ok(Number(number) >= this.last, `HELLO says ${number}, but ${this.last} was given`);
        continue;
      }
      assert.ok(Number(number) > this.last, `${number} given after ${this.last}`);
      this.last = Number(number);
      if (frame.type === 'VIDEO_ADDED') {
        const { path: file, id } = frame.payload;
        assert.ok(!this.ids.has(file), `added twice: ${file}`);
        this.ids.set(file, id);
      }
    }
  }
}

function checkDatabase(dir) {
  const file = path.join(dir, 'catalog.db');
  const answer = execFileSync('sqlite3', [file, 'PRAGMA integrity_check; PRAGMA foreign_key_check;'], { encoding: 'utf8' });
  assert.equal(answer.trim(), 'ok');
}

test(`${rounds} kills at random moments of scans (seed ${seed})`, async () => {
  const next = random(seed);
  const dir = tempDir();
  const tree = path.join(dir, 'tree');
  const memory = new Memory();
  let job = null;
  let batch = 0;
  let total = 0;
  const daemon = await Daemon.start({ dir, args: ['--root', tree, '--workers', '2'] });
  for (let round = 0; round <= rounds; round++) {
    if (round > 0) await daemon.launch();
    const channel = await daemon.channel();
    memory.hear([await channel.find('HELLO')]);
    if (job) {
      const { status, body } = await daemon.get(`/api/v1/jobs/${job}`);
      assert.equal(status, 200, 'the job is known after the kill');
      if (body.status === 'complete') {
        const result = checkResult(body);
        assert.equal(result.scanned, total);
        job = null;
      } else {
        assert.ok(['pending', 'running'].includes(body.status), body.status);
      }
    }
    if (!job) {
      fill(path.join(tree, `batch ${batch++}`), 160);
      total += 160;
      job = await daemon.scan(tree);
    }
    if (round === rounds) {
      const done = await daemon.wait(job);
      assert.equal(done.status, 'complete');
      assert.equal(checkResult(done).scanned, total);
      await channel.find((frame) => frame.type === 'SCAN_COMPLETED');
      memory.hear(channel.frames.slice(1));
      break;
    }
    await new Promise((resolve) => setTimeout(resolve, next() * 250)); // the random moment, not a wait for anything
    await daemon.stop('SIGKILL');
    await channel.closed;
    memory.hear(channel.frames.slice(1));
    checkDatabase(dir);
  }
  const videos = await daemon.videos();
  assert.equal(videos.length, total, 'every file is there');
  assert.equal(new Set(videos.map((video) => video.path)).size, total, 'and none twice');
  for (const video of videos) {
    const told = memory.ids.get(video.path);
    if (told) assert.equal(video.id, told, `the id that was told for ${video.path}`);
  }
  assert.ok(memory.ids.size > total / 3, `clients heard of ${memory.ids.size} of ${total}`);
  await daemon.cleanup();
  checkDatabase(dir);
  fs.rmSync(dir, { recursive: true });
});

test('an interrupted scan ends under its id with the result of an uninterrupted one', async () => {
  const dir = tempDir();
  const tree = path.join(dir, 'tree');
  fill(tree, 400);
  fs.writeFileSync(path.join(tree, 'broken.mkv'), 'no film at all');
  fs.utimesSync(path.join(tree, 'broken.mkv'), 1e9, 1e9);
  const daemon = await Daemon.start({ dir, args: ['--workers', '1'] });
  const before = await daemon.channel();
  const job = await daemon.scan(tree);
  await before.find((frame) => frame.type === 'SCAN_PROGRESS' && frame.payload.processed > 20);
  await daemon.stop('SIGKILL');
  await daemon.launch();
  const after = await daemon.channel();
  const { new: added, error_count: failed, skipped } = checkResult(await daemon.wait(job));
  assert.deepEqual({ added, failed, skipped }, { added: 400, failed: 1, skipped: 0 });
  const started = after.frames.find((frame) => frame.type === 'SCAN_STARTED');
  if (started) assert.equal(started.payload.trigger, 'resume');
  const list = await daemon.get('/api/v1/jobs');
  assert.equal(list.body.jobs.length, 1);
  await daemon.cleanup();
  fs.rmSync(dir, { recursive: true });
});

test('SIGTERM in the middle of a scan ends within 5 s; the job goes on at the next start', async () => {
  const dir = tempDir();
  const tree = path.join(dir, 'tree');
  fill(tree, 400);
  const release = hold(path.join(tree, 'held.mp4')); // or it may be over by then
  const daemon = await Daemon.start({ dir, args: ['--workers', '2', ...holding] });
  const channel = await daemon.channel();
  const job = await daemon.scan(tree);
  await channel.find((frame) => frame.type === 'SCAN_PROGRESS' && frame.payload.processed > 10);
  const start = Date.now();
  const { code } = await daemon.stop();
  assert.equal(code, 0);
  assert.ok(Date.now() - start < promised(5000), 'the contract promises 5 s');
  assert.equal((await channel.closed).code, 1001);
  const row = execFileSync('sqlite3', [path.join(dir, 'catalog.db'), 'SELECT status FROM jobs'], { encoding: 'utf8' });
  assert.equal(row.trim(), 'pending');
  release();
  await daemon.launch();
  assert.equal(checkResult(await daemon.wait(job)).new, 401);
  await daemon.cleanup();
  fs.rmSync(dir, { recursive: true });
});
