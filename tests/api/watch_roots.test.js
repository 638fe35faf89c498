// Roots that are added and forgotten by REST, roots that come and go, and what the kernel could not tell.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { Clock } from '../lib/clock.js';
import { Daemon, eventually, sanitized, tempDir } from '../lib/daemon.js';
import { masters } from '../lib/trees.js';
import { Watched, refusesFanotify } from '../lib/watched.js';

const rest = '/api/v1/roots';

/** Whether file systems may be mounted here. */
function mountable() {
  const dir = tempDir();
  try {
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', dir], { stdio: 'ignore' });
    execFileSync('umount', [dir], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  } finally {
    fs.rmdirSync(dir);
  }
}
const skip = mountable() ? false : 'mounting is not allowed here';

test('a root is added, listed, kept over a restart, and forgotten', async () => {
  const dir = tempDir();
  const folder = path.join(dir, 'films');
  fs.mkdirSync(path.join(folder, 'in'), { recursive: true });
  fs.copyFileSync(masters()[0], path.join(folder, 'a.mp4'));
  const daemon = await Daemon.start();
  let channel = await daemon.channel();
  const added = await daemon.post(rest, { path: folder, mode: 'auto' });
  assert.equal(added.status, 201);
  assert.deepEqual([added.body.path, added.body.mode, added.body.kept, added.body.configured], [folder, 'auto', true, false]);
  const hears = (name) => eventually(() => channel.frames.some(({ type, payload }) => type === 'VIDEO_ADDED' && payload.path === path.join(folder, name)), name);
  await hears('a.mp4');
  fs.copyFileSync(masters()[1], path.join(folder, `b${path.extname(masters()[1])}`));
  await hears(`b${path.extname(masters()[1])}`);

  for (const [status, code, body] of [
    [400, 'PATH_NOT_FOUND', { path: path.join(dir, 'none') }],
    [400, 'BAD_PATH', { path: 'films' }],
    [400, 'BAD_PATH', { path: path.join(folder, 'a.mp4') }],
    [409, 'ROOT_OVERLAPS', { path: path.join(folder, 'in') }],
    [409, 'ROOT_OVERLAPS', { path: dir }],
    [422, 'BAD_VALUE', { path: folder, mode: 'sometimes' }],
    [422, null, { path: folder, poll_interval_s: -1 }],
    [422, null, { path: folder, more: 1 }],
    [422, 'MISSING_FIELD', {}],
  ]) {
    const answer = await daemon.post(rest, body);
    assert.equal(answer.status, status, JSON.stringify([body, answer.body]));
    if (code) assert.equal(answer.body.code, code);
  }

  await channel.close();
  await daemon.stop();
  await daemon.launch();
  channel = await daemon.channel();
  const [root] = (await daemon.get(rest)).body.roots;
  assert.deepEqual([root.number, root.path, root.mode, root.kept], [added.body.number, folder, 'auto', true]);
  await eventually(async () => (await daemon.get(rest)).body.watches === 2, 'it is watched again');

  const changed = await daemon.post(rest, { path: folder, mode: 'poll', poll_interval_s: 0.2 });
  assert.deepEqual([changed.status, changed.body.followed, changed.body.poll_interval_s, changed.body.watches], [200, 'poll', 0.2, 0]);
  fs.copyFileSync(masters()[0], path.join(folder, 'polled.mp4'));
  fs.appendFileSync(path.join(folder, 'polled.mp4'), 'x');
  await hears('polled.mp4');

  assert.equal((await daemon.request('DELETE', `${rest}/${root.number}`)).status, 204);
  assert.deepEqual((await daemon.get(rest)).body.roots, []);
  assert.equal((await daemon.videos()).length, 3, 'its videos stay');
  for (const number of [root.number, 0, 'x', '99999999999999999999']) assert.equal((await daemon.request('DELETE', `${rest}/${number}`)).status, 404);
  await channel.close();
  await daemon.cleanup();
  fs.rmSync(dir, { recursive: true });
});

test('the roots of the configuration are fixed', async () => {
  const place = await Watched.start();
  const { number } = await place.root();
  assert.equal((await place.daemon.request('DELETE', `${rest}/${number}`)).body.code, 'ROOT_CONFIGURED');
  assert.equal((await place.daemon.post(rest, { path: place.folder })).body.code, 'ROOT_CONFIGURED');
  assert.equal((await place.daemon.post(rest, { path: place.out })).status, 403);
  await place.end();
});

test('each root of the configuration has its mode', async () => {
  const dir = tempDir();
  for (const name of ['a', 'b', 'c', 'd']) fs.mkdirSync(path.join(dir, name));
  const file = path.join(dir, 'reeld.conf');
  fs.writeFileSync(file, `[library]\nroot = ${dir}/a\nroot_poll = ${dir}/b\nroot_off = ${dir}/c\nroot_watch = ${dir}/d\n`);
  const daemon = await Daemon.start({ args: ['--config', file, '--watch', 'auto'] });
  const modes = Object.fromEntries((await daemon.get(rest)).body.roots.map((root) => [path.basename(root.path), root.followed]));
  assert.deepEqual(modes, { a: 'watch', b: 'poll', c: 'off', d: 'watch' });
  await daemon.cleanup();
  fs.rmSync(dir, { recursive: true });
});

test('a root is removed and made again', async () => {
  const place = await Watched.start();
  for (let i = 0; i < 3; i++) place.put(`${i}.mp4`);
  await place.same();
  fs.renameSync(place.folder, path.join(place.out, 'away'));
  await place.heard('ROOT_OFFLINE ');
  assert.equal((await place.known()).length, 3);
  fs.renameSync(path.join(place.out, 'away'), place.folder);
  await place.heard('ROOT_ONLINE ');
  place.put('new.mp4');
  await place.same();
  await place.end();
});

/** Unmounts the root; while a job has its folder open the system says that it is busy. */
const unmount = (place) => eventually(() => spawnSync('umount', [place.folder], { stdio: 'ignore' }).status === 0, 'nobody keeps it from being unmounted');

test('a root is unmounted under the watch and mounted again', { skip }, async () => {
  const place = await Watched.start({
    prepare: (p) => {
      p.medium = path.join(p.dir, 'disk');
      fs.mkdirSync(p.medium);
      execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', p.medium]);
      for (let i = 0; i < 5; i++) p.make(`${i}/${i}.mp4`, p.medium);
      execFileSync('mount', ['--bind', p.medium, p.folder]);
    },
  });
  try {
    await place.same();
    await unmount(place);
    await place.heard('ROOT_OFFLINE ');
    assert.equal((await place.known()).length, 5);
    assert.equal((await place.root()).reason, 'empty');
    execFileSync('mount', ['--bind', place.medium, place.folder]);
    await place.heard('ROOT_ONLINE ');
    fs.copyFileSync(masters()[0], place.at('3/new.mp4'));
    await place.heard('VIDEO_ADDED 3/new.mp4');
    await place.same();
    assert.deepEqual(place.said(0, /MISSING/), []);
  } finally {
    for (const point of [place.folder, place.medium]) execFileSync('sh', ['-c', 'umount -l "$0" || true', point], { stdio: 'ignore' });
  }
  await place.end();
});

test('what is a whole file system is followed by fanotify, and that is said', { skip: skip || refusesFanotify() }, async () => {
  const place = await Watched.start({
    watch: 'auto', args: ['--fanotify', 'auto'],
    prepare: (p) => {
      execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', p.folder]);
      for (let i = 0; i < 5; i++) p.make(`${i}/${i}.mp4`, p.folder);
    },
  });
  try {
    await place.same();
    const root = await place.root();
    assert.deepEqual([root.why, root.watches], ['fanotify: the root is a whole file system', 6]);
    const put = (name) => place.make(name, place.folder); // nothing moves in from another file system
    put('3/new.mp4');
    await place.heard('VIDEO_ADDED 3/new.mp4');
    fs.renameSync(place.at('3'), place.at('4/three'));
    await place.heard('VIDEO_MOVED 4/three/new.mp4');
    put('4/three/deep/more.mp4');
    await place.heard('VIDEO_ADDED 4/three/deep/more.mp4');
    fs.rmSync(place.at('4'), { recursive: true });
    await place.same();
    await eventually(async () => (await place.root()).watches === 4, 'folders that are gone are forgotten');
    await unmount(place);
    await place.heard('ROOT_OFFLINE ');
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', place.folder]);
    put('after.mp4');
    await place.heard('VIDEO_ADDED after.mp4');
    put('later.mp4');
    await place.heard('VIDEO_ADDED later.mp4');
  } finally {
    execFileSync('sh', ['-c', 'umount -l "$0" || true', place.folder], { stdio: 'ignore' });
  }
  await place.end();
});

/** How many events the kernel keeps for who does not read them. */
const queue = Number(fs.readFileSync(`/proc/sys/fs/${process.env.REELD_LIBRARY_FANOTIFY === 'yes' ? 'fanotify' : 'inotify'}/max_queued_events`, 'utf8'));

/** Stops the daemon; resolves when none of its threads runs any more: they go on until one of them has taken the signal. */
async function halt({ process: { pid } }) {
  process.kill(pid, 'SIGSTOP');
  const state = (thread) => {
    try {
      return /^\d+ \(.*\) (\S)/.exec(fs.readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8'))[1];
    } catch {
      return 'T'; // it has ended
    }
  };
  await eventually(() => fs.readdirSync(`/proc/${pid}/task`).every((thread) => state(thread) === 'T'), 'it stands still');
}

test('the queue of the kernel overflows: the root is scanned again', async () => {
  const place = await Watched.start();
  await place.quiet();
  await halt(place.daemon);
  // A file that is renamed on and on: each name is one event at least, and no two of them become one.
  fs.writeFileSync(place.at('0.txt'), '');
  for (let i = 0; i < queue + 100; i++) fs.renameSync(place.at(`${i}.txt`), place.at(`${i + 1}.txt`));
  for (let i = 0; i < 20; i++) place.put(`d${i % 3}/${i}.mp4`);
  place.daemon.process.kill('SIGCONT');
  await place.same();
  assert.ok((await place.daemon.get(rest)).body.overflows >= 1);
  place.put('d1/after.mp4');
  await place.heard('VIDEO_ADDED d1/after.mp4');
  await place.same();
  await place.end();
});

// A sanitizer wants to be the first library in the process, and the shim of the clock is one too.
const withoutClock = sanitized ? 'the clock cannot be set beside a sanitizer' : false;
test('polls that find nothing new leave one row among the jobs, a minute after their end', { skip: withoutClock }, async (t) => {
  const dir = tempDir();
  const clock = new Clock(dir);
  const folder = path.join(dir, 'films');
  fs.mkdirSync(folder);
  fs.copyFileSync(masters()[0], path.join(folder, 'a.mp4'));
  fs.writeFileSync(path.join(folder, 'broken.mp4'), 'no video');
  const daemon = await Daemon.start({ env: clock.env, args: ['--settle', '0'] });
  t.after(async () => {
    await daemon.cleanup();
    fs.rmSync(dir, { recursive: true });
  });
  const channel = await daemon.channel();
  const ended = () => channel.frames.filter(({ type, payload }) => type === 'SCAN_COMPLETED' && payload.trigger === 'watch').map(({ payload }) => payload);
  const idle = ({ result, counts }) => ['new', 'updated', 'moved', 'missing'].every((name) => (result ?? counts)[name] === 0);
  const rows = async () => (await daemon.get('/api/v1/jobs?limit=1000')).body.jobs.filter(({ trigger }) => trigger === 'watch');
  assert.equal((await daemon.post(rest, { path: folder, mode: 'poll', poll_interval_s: 0.2 })).status, 201);
  await eventually(() => ended().length >= 3, 'some polls');
  fs.copyFileSync(masters()[1], path.join(folder, `b${path.extname(masters()[1])}`));
  await eventually(() => ended().some((job) => !idle(job)), 'a poll that found something');
  await eventually(() => ended().filter(idle).length >= 6, 'more polls');
  const known = ended();
  const [first] = known;
  assert.equal(first.result.error_count, 1, 'what failed before fails each of them');
  for (const { job_id: id } of known) assert.equal((await daemon.get(`/api/v1/jobs/${id}`)).status, 200, 'whoever hears of it can ask');

  clock.jump(61e9);
  const last = known.at(-1).job_id;
  await eventually(async () => (await daemon.get(`/api/v1/jobs/${last}`)).status === 404, 'it makes way');
  const now = await rows();
  for (const job of known) {
    const row = now.find(({ job_id: id }) => id === job.job_id);
    assert.equal(Boolean(row), !idle(job), JSON.stringify(job));
    assert.equal((await daemon.get(`/api/v1/jobs/${job.job_id}`)).status, idle(job) ? 404 : 200);
    assert.equal((await daemon.get(`/api/v1/jobs/${job.job_id}/failures`)).status, idle(job) ? 404 : 200);
  }
  assert.ok(now.some(idle), 'the last one stays');
  await channel.close();
});
