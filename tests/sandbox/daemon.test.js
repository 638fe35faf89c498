// Guarantee 6 from outside: files whose parsing takes a worker over are stopped and charged, one entry each, while the scan of
// all others completes; a sandbox that cannot be set up is loud.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { Daemon, build, eventually, promised, sanitized, tempDir } from '../lib/daemon.js';
import { checkFrames, checkResult } from '../lib/checks.js';
import { fill } from '../lib/trees.js';

const attackWorker = path.join(build, 'reeld-worker-attack');

// What the worker does when the file begins with ATTACK:<word>, and what the file is charged with.
const attacks = {
  'open-write': 'CRASH', 'open-create': 'CRASH', 'socket-inet': 'CRASH', 'socket-unix': 'CRASH', connect: 'CRASH', exec: 'CRASH',
  fork: 'CRASH', thread: 'CRASH', ptrace: 'CRASH', kill: 'CRASH', segv: 'CRASH', abort: 'CRASH', exit: 'CRASH', killed: 'OOM',
  spin: 'TIMEOUT', hang: 'TIMEOUT', open: 'NOT_MEDIA', 'reply-empty': 'BAD_REPLY', 'reply-short': 'BAD_REPLY', 'reply-noise': 'BAD_REPLY',
  'reply-oversize': 'BAD_REPLY', 'reply-number': 'BAD_REPLY', 'reply-code': 'BAD_REPLY', 'reply-counts': 'BAD_REPLY',
  ...(sanitized ? {} : { memory: 'OOM' }), // a sanitizer needs the address space that the limit takes away
};

function attackTree(folder, words) {
  for (const word of words) {
    const file = path.join(folder, `${word}.mp4`);
    fs.writeFileSync(file, `ATTACK:${word}\n`);
    fs.utimesSync(file, 1e9, 1e9);
  }
}

test('every attack is stopped and charged to its file; all others are indexed', async () => {
  const dir = tempDir();
  const tree = path.join(dir, 'tree');
  const whole = fill(tree, 120);
  for (const [i, word] of Object.keys(attacks).entries()) attackTree(path.join(tree, `folder ${i % 6}`), [word]);
  const daemon = await Daemon.start({
    args: ['--worker-program', attackWorker, '--workers', '2', '--file-timeout', '1.5', '--worker-memory', '512'],
  });
  const channel = await daemon.channel();
  const job = await daemon.wait(await daemon.scan(tree));
  assert.equal(job.status, 'complete');
  const result = checkResult(job);
  const charged = Object.fromEntries(result.errors.map((error) => [path.basename(error.path, '.mp4'), error.code]));
  assert.deepEqual(charged, attacks);
  assert.equal(result.new, whole.length);
  await channel.find('SCAN_COMPLETED');
  checkFrames(channel.frames, job);
  await eventually(async () => {
    const ready = await daemon.get('/health/ready');
    return ready.status === 200 && ready.body.status === 'ok';
  }, 'all workers are there again');
  await daemon.cleanup();
  fs.rmSync(dir, { recursive: true });
});

test('cancel takes effect within 2 s while every worker hangs', async () => {
  const dir = tempDir();
  const tree = path.join(dir, 'tree');
  fs.mkdirSync(tree);
  for (let i = 0; i < 4; i++) attackTree(tree, ['hang']), fs.renameSync(path.join(tree, 'hang.mp4'), path.join(tree, `hang ${i}.mp4`));
  const daemon = await Daemon.start({ args: ['--worker-program', attackWorker, '--workers', '2'] });
  const id = await daemon.scan(tree);
  await eventually(async () => (await daemon.get(`/api/v1/jobs/${id}`)).body.total === 4, 'the walk is over');
  const start = Date.now();
  await daemon.post(`/api/v1/jobs/${id}/cancel`);
  const job = await daemon.wait(id);
  assert.equal(job.status, 'cancelled');
  assert.ok(Date.now() - start < promised(2000), 'the issue of waiting is 2 s at most');
  const good = path.join(dir, 'good');
  fill(good, 5);
  assert.equal(checkResult(await daemon.wait(await daemon.scan(good))).new, 5);
  const stop = Date.now();
  await daemon.scan(tree);
  await daemon.cleanup();
  assert.ok(Date.now() - stop < promised(5000), 'a stop is 5 s at most');
  fs.rmSync(dir, { recursive: true });
});

for (const [mode, words] of [['fail', /asked to fail/], ['exit-early', /\w/]]) {
  test(`a worker that cannot confine itself or start (${mode}) is said in words, never a silent nothing`, async () => {
    const dir = tempDir();
    const tree = path.join(dir, 'tree');
    fill(tree, 3);
    const daemon = await Daemon.start({ args: ['--worker-program', attackWorker, '--worker-test-mode', mode] });
    const ready = await eventually(async () => {
      const answer = await daemon.get('/health/ready');
      return answer.body.status === 'degraded' && words.test(answer.body.checks.workers.reason) && answer;
    }, 'it says why');
    assert.equal(ready.status, 503);
    const job = await daemon.wait(await daemon.scan(tree, { timeout_s: 3 }));
    assert.ok(['timeout', 'complete', 'failed'].includes(job.status), job.status);
    const result = checkResult(job);
    assert.equal(result.new, 0);
    assert.ok(job.error || result.errors.every((error) => error.code === 'SANDBOX'), JSON.stringify(job));
    assert.equal((await daemon.get('/api/v1/videos')).body.total, 0);
    await daemon.cleanup();
    fs.rmSync(dir, { recursive: true });
  });
}
