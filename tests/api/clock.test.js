// The wall clock jumps back and far ahead while the daemon runs: times may go back, nothing else does. Nothing is lost, what is
// listed by its coming keeps that order, cursors and the numbers of events go on, and every wait is as long as it was to be.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { checkResult, checkSequence } from '../lib/checks.js';
import { Clock } from '../lib/clock.js';
import { Daemon, tempDir } from '../lib/daemon.js';
import { Mirror, catalogue, sameRows } from '../lib/mirror.js';
import { hold, holding, masters } from '../lib/trees.js';

const SECOND = 1e9;
const DAY = 86400 * SECOND;
const YEAR = 365 * DAY;

/** A daemon whose wall clock can be set, and a tree of its own. */
class World {
  static async start(t, args = []) {
    const world = new World();
    world.dir = tempDir();
    world.tree = path.join(world.dir, 'tree');
    world.made = 0;
    fs.mkdirSync(world.tree);
    world.clock = new Clock(world.dir);
    t.after(async () => {
      await world.daemon?.stop('SIGKILL');
      fs.rmSync(world.dir, { recursive: true });
    });
    const env = { ...world.clock.env, REELD_SERVER_HEARTBEAT_S: '1' };
    world.daemon = await Daemon.start({ dir: world.dir, args: ['--root', world.tree, '--workers', '2', ...args], env });
    return world;
  }

  add(count) {
    const files = Array.from({ length: count }, () => path.join(this.tree, `${this.made++}.mp4`));
    for (const file of files) fs.writeFileSync(file, Buffer.concat([fs.readFileSync(masters()[0]), Buffer.from(file)]));
    return files;
  }

  async scan(more = {}) {
    const job = await this.daemon.wait(await this.daemon.scan(this.tree, more));
    assert.equal(job.status, 'complete', JSON.stringify(job));
    return checkResult(job);
  }

  /** Every page of a list by its cursors; `between` is called after each. */
  async pages(query, between = async () => {}) {
    const all = [];
    for (let cursor = ''; cursor !== null;) {
      const { status, body } = await this.daemon.get(`/api/v1/videos?limit=3&${query}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
      assert.equal(status, 200, JSON.stringify(body));
      all.push(...body.videos.map(({ id }) => id));
      cursor = body.next_cursor;
      await between();
    }
    return all;
  }
}

const added = (channel) => channel.frames.filter(({ type }) => type === 'VIDEO_ADDED').map(({ payload }) => payload.id);
const JUMPS = [0, -3 * DAY, 10 * YEAR, -40 * YEAR, -3 * DAY, 200 * YEAR, 0];

test('what came keeps its order, and the feed its numbers, through every jump and a restart', async (t) => {
  const world = await World.start(t);
  const { daemon } = world;
  const mirror = new Mirror(daemon, { begin: 'changes' }).start();
  const channel = await daemon.channel();
  let files = 0;
  for (const shift of JUMPS) {
    world.clock.jump(shift);
    const before = world.clock.now;
    files += world.add(7).length;
    assert.equal((await world.scan()).new, 7);
    await channel.until(() => added(channel).length === files, 'all are said');
    const { body } = await daemon.get(`/api/v1/videos/${added(channel).at(-1)}`);
    assert.ok(Math.abs(Date.parse(body.created_at) - before) < 600e3, `${body.created_at} is the time of the daemon's clock`);
  }
  const order = added(channel);
  assert.deepEqual(await world.pages('sort=added'), order);
  assert.deepEqual(await world.pages('sort=added&order=desc'), [...order].reverse());
  assert.equal(new Set(await world.pages('sort=name')).size, files, 'every one once, by name');
  checkSequence(channel.frames);
  // Between two pages the clock jumps and more comes: what was there is listed once, and in its order.
  let jumps = 0;
  const listed = await world.pages('sort=added', async () => {
    world.clock.jump(JUMPS[jumps++ % JUMPS.length]);
    if (jumps > 4) return;
    world.add(2);
    await world.scan();
  });
  assert.equal(new Set(listed).size, listed.length, 'none twice');
  assert.deepEqual(listed.slice(0, files), order);
  await channel.until(() => added(channel).length === files + 8, 'all of before the restart is said');
  const { event_id: last } = channel.frames.findLast(({ event_id: id }) => id !== null);
  world.clock.jump(-40 * YEAR);
  await daemon.stop();
  await daemon.launch();
  const again = await daemon.channel();
  const hello = await again.find('HELLO');
  assert.ok(Number(hello.payload.event_id.split(':')[1]) >= Number(last.split(':')[1]), 'the numbers go on');
  world.add(3);
  assert.equal((await world.scan()).new, 3);
  assert.deepEqual(await world.pages('sort=added'), [...added(channel), ...added(again)]);
  checkSequence([...channel.frames, ...again.frames]);
  const { body: { jobs } } = await daemon.get('/api/v1/jobs?limit=1000');
  assert.equal(jobs.length, JUMPS.length + 4 + 1);
  assert.equal(jobs[0].counts.new, 3, 'the newest job is the first, whatever the clock said');
  const real = await catalogue(daemon);
  await again.find('SCAN_COMPLETED');
  while (mirror.videos.size < real.size && !mirror.failed) await again.news(20);
  sameRows(mirror.videos, real, 'who heard it all');
  await mirror.stop();
  await daemon.cleanup();
});

test('a video that was written to, went or came while the clock was wrong is what it was', async (t) => {
  const world = await World.start(t);
  const { daemon } = world;
  const files = world.add(12);
  await world.scan();
  const ids = new Map((await daemon.videos()).map((video) => [video.path, video]));
  const of = async (file) => (await daemon.get(`/api/v1/videos/${ids.get(file).id}`)).body;
  world.clock.jump(-2 * YEAR);
  fs.utimesSync(files[0], 1e9, 1e9);
  fs.renameSync(files[1], `${files[1]}.moved.mp4`);
  fs.rmSync(files[2]);
  fs.renameSync(files[3], path.join(world.dir, 'aside'));
  const { updated, moved, missing } = await world.scan();
  assert.deepEqual({ updated, moved, missing }, { updated: 1, moved: 1, missing: 2 });
  assert.ok((await of(files[0])).updated_at < ids.get(files[0]).created_at, 'it was updated before it came, by the clock');
  assert.ok((await of(files[2])).missing_since < ids.get(files[2]).created_at);
  const { body: feed } = await daemon.get('/api/v1/changes?limit=1000');
  assert.equal(feed.changes.length, files.length, 'each once, at its last change');
  assert.deepEqual(new Set(feed.changes.slice(-4).map(({ id }) => id)), new Set(files.slice(0, 4).map((file) => ids.get(file).id)));
  world.clock.jump(3 * YEAR);
  fs.renameSync(path.join(world.dir, 'aside'), files[3]);
  await world.scan();
  const back = await of(files[3]);
  assert.deepEqual([back.missing_since, back.created_at], [null, ids.get(files[3]).created_at]);
  assert.equal((await world.scan()).skipped, 11);
  await daemon.cleanup();
});

test('a purge forgets by age as the clock has it; with 0 days all that are missing', async (t) => {
  const world = await World.start(t);
  const { daemon } = world;
  const purge = async (days) => {
    const { status, body } = await daemon.post('/api/v1/videos/purge', { older_than_days: days });
    assert.equal(status, 200, JSON.stringify(body));
    return body.purged;
  };
  const files = world.add(9);
  await world.scan();
  const lose = async () => {
    fs.rmSync(files.pop());
    assert.equal((await world.scan()).missing, 1);
  };
  await lose();
  world.clock.jump(-40 * DAY);
  assert.equal(await purge(30), 0, 'it is missing from a time on that has not come yet');
  world.clock.jump(29 * DAY);
  assert.equal(await purge(30), 0);
  world.clock.jump(31 * DAY);
  assert.equal(await purge(30), 1);
  world.clock.jump(5 * YEAR);
  await lose();
  world.clock.jump(-5 * YEAR);
  assert.equal(await purge(1), 0);
  assert.equal(await purge(0), 1, 'all that are missing, whatever the clock said when they went');
  assert.equal((await daemon.get('/api/v1/videos?missing=true')).body.total, 0);
  assert.equal((await daemon.get('/api/v1/videos')).body.total, 7);
  await daemon.cleanup();
});

test('waits, time limits and heartbeats are as long as they are, wherever the clock goes', async (t) => {
  const world = await World.start(t, holding);
  const { daemon } = world;
  const channel = await daemon.channel();
  const release = hold(world.add(200)[7]); // or it may be over before it rests
  const id = await daemon.scan(world.tree, { timeout_s: 600 });
  assert.equal((await daemon.post(`/api/v1/jobs/${id}/pause`)).status, 200);
  for (const shift of [2 * DAY, -2 * DAY]) {
    const start = performance.now();
    const waiting = daemon.get(`/api/v1/jobs/${id}/wait?timeout_s=2`);
    world.clock.jump(shift);
    const { status } = await waiting;
    assert.equal(status, 408);
    assert.ok(performance.now() - start > 1900, 'not before its time');
    const heard = channel.frames.length;
    await channel.until(() => channel.frames.slice(heard).filter(({ type }) => type === 'HEARTBEAT').length >= 2, 'the heart beats on');
  }
  release();
  await daemon.post(`/api/v1/jobs/${id}/resume`);
  world.clock.jump(2 * DAY);
  const job = await daemon.wait(id);
  assert.equal(job.status, 'complete', 'two days ahead is no time limit reached');
  assert.equal(checkResult(job).new, 200);
  world.clock.jump(-2 * YEAR);
  const back = await daemon.scan(world.tree);
  world.clock.jump(-4 * YEAR);
  assert.ok(checkResult(await daemon.wait(back)).duration_ms >= 0);
  await daemon.cleanup();
});

test('a file that may not be whole yet is judged in the end; a job that waits for it keeps to its limit', async (t) => {
  const world = await World.start(t, ['--settle', '2']);
  const { daemon } = world;
  for (const shift of [0, -YEAR, YEAR]) {
    world.clock.jump(shift);
    fs.writeFileSync(path.join(world.tree, `bad ${shift}.mp4`), 'not whole yet');
  }
  world.clock.jump(-YEAR);
  const [result, codes] = [await world.scan(), (one) => one.errors.map(({ code }) => code)];
  assert.deepEqual(codes(result), ['NOT_MEDIA', 'NOT_MEDIA', 'NOT_MEDIA']);
  await daemon.stop();
  daemon.options.args.push('--settle', '600');
  await daemon.launch();
  fs.writeFileSync(path.join(world.tree, 'new.mp4'), 'not whole yet');
  const id = await daemon.scan(world.tree, { timeout_s: 1 });
  world.clock.jump(-2 * YEAR);
  assert.equal((await daemon.wait(id)).status, 'timeout', 'a second is a second');
  await daemon.cleanup();
});
