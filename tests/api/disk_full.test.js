// The disk is full while the catalogue commits: the job fails in words, the daemon serves on, and works again when there is room.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { Daemon, eventually, tempDir } from '../lib/daemon.js';
import { checkResult } from '../lib/checks.js';
import { fill } from '../lib/trees.js';

const dir = tempDir();
const small = path.join(dir, 'small');
fs.mkdirSync(small);
const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', small]).status === 0;
test.after(() => {
  if (mounted) execFileSync('umount', ['-l', small]);
  fs.rmSync(dir, { recursive: true, force: true });
});

test('a full disk fails the job with a clear reason, and nothing else', { skip: !mounted && 'mounting a tmpfs is not allowed here' }, async () => {
  const tree = path.join(dir, 'tree');
  fill(tree, 300);
  const daemon = await Daemon.start({ dir: small });
  const channel = await daemon.channel();
  const ballast = path.join(small, 'ballast');
  const free = () => {
    const { bavail, bsize } = fs.statfsSync(small);
    return bavail * bsize;
  };
  fs.writeFileSync(ballast, Buffer.alloc(Math.max(0, free() - 150 * 1024)));
  const id = await daemon.scan(tree);
  const job = await daemon.wait(id);
  assert.equal(job.status, 'failed');
  assert.match(job.error, /space|full/i);
  checkResult(job);
  const event = await channel.find('SCAN_FAILED');
  assert.deepEqual(event.payload, job);
  // What clients were told is there.
  for (const frame of channel.frames.filter((one) => one.type === 'VIDEO_ADDED')) {
    assert.equal((await daemon.get(`/api/v1/videos/${frame.payload.id}`)).status, 200);
  }
  assert.equal((await daemon.get('/api/v1/videos?limit=1')).status, 200);
  assert.equal((await daemon.get('/health/live')).status, 200);
  fs.rmSync(ballast);
  const again = await eventually(async () => {
    const answer = await daemon.post('/api/v1/videos/scan', { path: tree });
    return answer.status === 202 && answer.body.job_id;
  }, 'a scan is taken again when there is room');
  const done = await daemon.wait(again);
  assert.equal(done.status, 'complete', done.error);
  const result = checkResult(done);
  assert.equal(result.new + result.skipped, 300);
  assert.equal((await daemon.videos()).length, 300);
  assert.equal((await daemon.get(`/api/v1/jobs/${id}`)).body.status, 'failed');
  await daemon.cleanup();
});
