// A real Chromium plays and seeks what GET /api/v1/videos/{id}/file gives.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test, { after } from 'node:test';
import { makeVideo } from '../lib/daemon.js';
import { closeBrowser, start } from './page.js';

after(closeBrowser);

const FILES = {
  'a.webm': ['-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '8', '-g', '25', '-c:a', 'libopus'],
  'b.mp4': ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', '25', '-c:a', 'aac'],
};
const SECONDS = 10;

/** Puts 64 MiB of nothing before an MP4 file's index, which stands at its end: a player must ask for a range to get there. */
function moveIndexAway(file) {
  const bytes = fs.readFileSync(file);
  let at = 0;
  while (bytes.toString('latin1', at + 4, at + 8) !== 'moov') at += bytes.readUInt32BE(at);
  const gap = 64 * 1024 * 1024;
  const head = Buffer.alloc(8);
  head.writeUInt32BE(gap);
  head.write('free', 4);
  const fd = fs.openSync(file, 'r+');
  fs.writeSync(fd, head, 0, 8, at);
  fs.writeSync(fd, bytes, at, bytes.length - at, at + gap);
  fs.closeSync(fd);
}

/** Plays a little, then goes to `to`: the times that the player came to. */
const playAndSeek = ([url, to]) => new Promise((resolve, reject) => {
  const video = document.body.appendChild(document.createElement('video'));
  const fail = () => reject(new Error(video.error?.message ?? 'no video'));
  video.muted = true;
  video.addEventListener('error', fail);
  const reaches = (time) => new Promise((reached) => {
    const look = () => { if (video.currentTime > time && video.readyState >= 2) reached(video.currentTime); else requestAnimationFrame(look); };
    look();
  });
  video.src = url;
  (async () => {
    await video.play();
    const first = await reaches(0.2);
    video.currentTime = to;
    const second = await reaches(to + 0.2);
    resolve({ first, second, duration: video.duration, width: video.videoWidth });
  })().catch(reject);
});

test('plays and seeks WebM, and MP4 whose index is far away', async (t) => {
  const { daemon, dir, open } = await start(t);
  const tree = path.join(dir, 'tree');
  for (const [name, extra] of Object.entries(FILES)) makeVideo(path.join(tree, name), { seconds: SECONDS, size: '320x180', extra });
  moveIndexAway(path.join(tree, 'b.mp4'));
  await daemon.wait(await daemon.scan(tree));
  const page = await open();
  for (const { id, filename } of await daemon.videos()) {
    const url = `/api/v1/videos/${id}/file`;
    const asked = [];
    page.on('response', (answer) => { if (answer.url().endsWith(url)) asked.push([answer.status(), answer.request().headers().range ?? '']); });
    const { first, second, duration, width } = await page.evaluate(playAndSeek, [url, SECONDS - 4]);
    assert.ok(first > 0 && second > SECONDS - 4, filename);
    assert.ok(Math.abs(duration - SECONDS) < 1 && width === 320, filename);
    assert.ok(asked.length > 0 && asked.every(([status]) => status === 206), `${filename}: ${JSON.stringify(asked)}`);
    if (filename === 'b.mp4') assert.ok(asked.some(([, range]) => Number(/bytes=(\d+)-/.exec(range)[1]) > 0), `it sought by a range: ${JSON.stringify(asked)}`);
    await page.evaluate(() => document.querySelector('video').remove());
  }
});
