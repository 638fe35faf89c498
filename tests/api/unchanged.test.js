// Guarantee 8: a scan of an unchanged tree opens no media file at all, and starts nothing that would.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { Daemon, tempDir } from '../lib/daemon.js';
import { checkResult } from '../lib/checks.js';
import { fill } from '../lib/trees.js';

test('strace sees no open of a media file in a rescan', async () => {
  const dir = tempDir();
  const tree = path.join(dir, 'tree');
  const files = fill(tree, 200);
  const broken = path.join(tree, 'broken.mp4');
  const script = path.join(tree, 'script.ts');
  fs.writeFileSync(broken, 'no film');
  fs.writeFileSync(script, 'let a: string;\n'.repeat(50));
  for (const file of [broken, script]) fs.utimesSync(file, 1e9, 1e9);
  const log = path.join(dir, 'strace.log');
  const daemon = await Daemon.start({
    dir, wrap: ['strace', '-D', '-f', '-qq', '--seccomp-bpf', '-e', 'trace=open,openat,openat2', '-o', log],
  });
  const opened = () => fs.readFileSync(log, 'utf8').split('\n').filter((line) => /\.(mp4|mkv|mov|avi|ts|webm|mpg)"/.test(line));
  const first = checkResult(await daemon.wait(await daemon.scan(tree)));
  assert.equal(first.new, files.length);
  assert.ok(opened().length >= files.length, 'the trace does see a first scan');
  fs.truncateSync(log);
  const before = opened().length;
  const again = checkResult(await daemon.wait(await daemon.scan(tree)));
  assert.deepEqual({ skipped: again.skipped, failed: again.error_count, scanned: again.scanned },
    { skipped: files.length, failed: 1, scanned: files.length + 1 });
  assert.deepEqual(opened().slice(before), []);
  // A changed file is opened, and it alone.
  fs.utimesSync(files[7], 1.1e9, 1.1e9);
  const third = checkResult(await daemon.wait(await daemon.scan(tree)));
  assert.deepEqual({ updated: third.updated, skipped: third.skipped }, { updated: 1, skipped: files.length - 1 });
  assert.ok(opened().every((line) => line.includes(path.basename(files[7]))));
  await daemon.cleanup();
  fs.rmSync(dir, { recursive: true });
});

test('nor of what was moved, and no worker is asked', async () => {
  const dir = tempDir();
  const tree = path.join(dir, 'tree');
  const files = fill(path.join(tree, 'before'), 200);
  const log = path.join(dir, 'strace.log');
  const daemon = await Daemon.start({
    dir, wrap: ['strace', '-D', '-f', '-qq', '--seccomp-bpf', '-e', 'trace=open,openat,openat2', '-o', log],
  });
  // O_PATH opens nothing of a file: it is how an old place is looked at.
  const opened = () => fs.readFileSync(log, 'utf8').split('\n')
    .filter((line) => /\.(mp4|mkv|mov|avi|ts|webm|mpg)"/.test(line) && !line.includes('O_PATH'));
  const probed = async () => /^reeld_probed_total (\d+)$/m.exec((await daemon.get('/metrics')).body)[1];
  checkResult(await daemon.wait(await daemon.scan(tree)));
  assert.ok(opened().length >= files.length / 2, 'the trace does see a first scan');
  const before = await probed();
  assert.equal(Number(before), files.length);
  fs.truncateSync(log);
  fs.renameSync(path.join(tree, 'before'), path.join(tree, 'after'));
  fs.renameSync(path.join(tree, 'after/folder 0'), path.join(tree, 'folder'));
  const result = checkResult(await daemon.wait(await daemon.scan(tree)));
  assert.deepEqual({ moved: result.moved, scanned: result.scanned, missing: result.missing }, { moved: files.length, scanned: files.length, missing: 0 });
  assert.deepEqual(opened(), []);
  assert.equal(await probed(), before);
  await daemon.cleanup();
  fs.rmSync(dir, { recursive: true });
});
