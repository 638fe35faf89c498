// Guarantee 6: truncated and bit-flipped files cost one entry each; the scan ends, and what is whole is indexed.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { Daemon, tempDir } from '../lib/daemon.js';
import { checkFrames, checkResult } from '../lib/checks.js';
import { damage, masters, random, realFiles } from '../lib/trees.js';

const seed = Number(process.env.REELD_SEED ?? 1);
const copies = Number(process.env.REELD_COPIES ?? 600);

test(`${copies} damaged copies of real files (seed ${seed})`, async () => {
  const dir = tempDir();
  const tree = path.join(dir, 'tree');
  fs.mkdirSync(tree);
  const next = random(seed);
  const sources = realFiles();
  const whole = masters().map((file) => path.join(tree, `whole ${path.basename(file)}`));
  masters().forEach((file, i) => fs.copyFileSync(file, whole[i]));
  for (let i = 0; i < copies; i++) {
    const from = sources[i % sources.length];
    const file = path.join(tree, `${String(i).padStart(4, '0')} ${path.basename(from)}`);
    fs.writeFileSync(file, damage(fs.readFileSync(from), next));
    fs.utimesSync(file, 1e9, 1e9);
  }
  const daemon = await Daemon.start({ args: ['--workers', '2'] });
  const channel = await daemon.channel();
  const job = await daemon.wait(await daemon.scan(tree, { timeout_s: 0 }), 280);
  assert.equal(job.status, 'complete');
  const result = checkResult(job);
  await channel.find('SCAN_COMPLETED');
  checkFrames(channel.frames, job);
  const videos = await daemon.videos();
  assert.equal(videos.length, result.new);
  for (const file of whole) assert.ok(videos.some((video) => video.path === file), `not indexed: ${file}`);
  const codes = {};
  for (const error of result.errors) codes[error.code] = (codes[error.code] ?? 0) + 1;
  console.log(`# ${result.new} indexed, ${result.error_count} failed: ${JSON.stringify(codes)}`);
  // A crash or a time-out is contained, but it is a defect that somebody should look at.
  const bad = result.errors.filter((error) => ['BAD_REPLY', 'SANDBOX', 'IO_ERROR'].includes(error.code));
  assert.deepEqual(bad, []);
  const ready = await daemon.get('/health/ready');
  assert.equal(ready.body.status, 'ok');
  await daemon.cleanup();
  fs.rmSync(dir, { recursive: true });
});
