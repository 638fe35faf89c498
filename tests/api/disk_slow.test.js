// A disk that does not answer: who wants its files waits and is told, everybody else has what they ask for, and the daemon ends.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { Daemon, build, makeVideo, sanitized, tempDir } from '../lib/daemon.js';
import { checkAnswer } from '../lib/documents.js';

/** Holds every open of `file` until `release()`; null where the machine has no such thing. */
async function hold(t, file) {
  const child = spawn(path.join(build, 'hold_opens'), [file], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  t.after(() => child.kill('SIGKILL'));
  const [first] = await Promise.race([once(child.stdout, 'data'), ended]);
  if (first === 77) return null;
  assert.equal(String(first), 'holding\n');
  return {
    async release() {
      child.stdin.end();
      await ended;
    },
  };
}

async function start(t) {
  const dir = tempDir();
  for (const name of ['stuck', 'well']) makeVideo(path.join(dir, `${name}.mp4`));
  const daemon = await Daemon.start({ args: ['--root', dir] });
  t.after(async () => {
    await daemon.cleanup();
    fs.rmSync(dir, { recursive: true });
  });
  await daemon.wait(await daemon.scan(dir));
  const route = (name) => daemon.videos().then((all) => `/api/v1/videos/${all.find((one) => one.path.endsWith(`${name}.mp4`)).id}/file`);
  return { daemon, file: path.join(dir, 'stuck.mp4'), stuck: await route('stuck'), well: await route('well') };
}

test('a file that does not open in time is 503 with the reason; another file, and all else, comes at once; then it opens', async (t) => {
  const { daemon, file, stuck, well } = await start(t);
  const held = await hold(t, file);
  if (!held) return t.skip('fanotify permission events need privileges that this machine does not give');
  const asked = [];
  // More than a handful, each of which keeps a thread of the daemon.
  for (let i = 0; i < 8; i++) asked.push(daemon.get(stuck));
  for (const route of [well, '/health/live', '/api/v1/videos']) {
    const answer = await fetch(daemon.url + route);
    await answer.arrayBuffer();
    assert.equal(answer.status, 200, route);
  }
  for (const answer of await Promise.all(asked)) {
    assert.equal(answer.status, 503);
    assert.equal(answer.body.code, 'DISK_SLOW');
    checkAnswer({ method: 'GET', url: stuck, status: 503, type: 'application/problem+json', body: answer.body });
  }
  await held.release();
  const answer = await fetch(daemon.url + stuck);
  assert.equal(answer.status, 200);
  assert.ok(Buffer.from(await answer.arrayBuffer()).equals(fs.readFileSync(file)));
});

test('who hangs up over it, or a daemon that is told to end, does not wait for the disk', async (t) => {
  if (sanitized) return t.skip('at its end the leak check stops every thread, and one that the disk holds cannot be stopped');
  const { daemon, file, stuck } = await start(t);
  const held = await hold(t, file);
  if (!held) return t.skip('fanotify permission events need privileges that this machine does not give');
  const abort = new AbortController();
  const left = assert.rejects(fetch(daemon.url + stuck, { signal: abort.signal }), { name: 'AbortError' });
  const asked = daemon.get(stuck).then((answer) => answer.status, () => 'closed');
  assert.equal((await daemon.get('/health/live')).status, 200); // they are asked by now
  abort.abort();
  await left;
  const { code, signal } = await daemon.stop();
  assert.deepEqual([code, signal], [0, null]);
  assert.ok([503, 'closed'].includes(await asked));
  await held.release();
});
