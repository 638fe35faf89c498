// A folder of videos that move about: after each change a dry run says what the scan does then and changes nothing, and two
// clients that mirror the catalogue by its stream have the same rows as a list.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { checkResult } from './checks.js';
import { Daemon, eventually, tempDir } from './daemon.js';
import { Mirror, catalogue, sameRows } from './mirror.js';
import { masters } from './trees.js';

let made = 0;

/** A settled video whose content no other has: the free space behind an MP4 is passed over by who reads it. */
export function video(file, { size = 16 } = {}) {
  const master = masters().find((one) => one.endsWith('.mp4'));
  const free = Buffer.alloc(size);
  free.writeUInt32BE(size, 0);
  free.write('free', 4, 'latin1');
  free.writeUInt32BE(++made, 8);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, Buffer.concat([fs.readFileSync(master), free]));
  const when = 1e9 + made;
  fs.utimesSync(file, when, when);
  return file;
}

/** Another time of change, settled. */
export function touch(file) {
  const when = 1.1e9 + ++made;
  fs.utimesSync(file, when, when);
}

/** `cp -p`: the same bytes and time, another inode. */
export function copy(from, to) {
  const { atime, mtime } = fs.statSync(from);
  fs.mkdirSync(path.dirname(to), { recursive: true });
  fs.copyFileSync(from, to);
  fs.utimesSync(to, atime, mtime);
}

/** It keeps its inode to the end of the test: whether the next file gets that one, and so is this one by its stamp, is up to the file system. */
export const hold = (file) => fs.openSync(file);

export function remove(file) {
  hold(file);
  fs.rmSync(file);
}

export function move(from, to) {
  fs.mkdirSync(path.dirname(to), { recursive: true });
  fs.renameSync(from, to);
}

/** The names of the files go round: each gets the name of the next. */
export function ring(...files) {
  const aside = `${files[0]}.aside`;
  fs.renameSync(files.at(-1), aside);
  for (let i = files.length - 2; i >= 0; i--) fs.renameSync(files[i], files[i + 1]);
  fs.renameSync(aside, files[0]);
}

export const counts = ({ new: added, updated, moved, missing, skipped, error_count }) => ({ new: added, updated, moved, missing, skipped, error_count });

/** A daemon (daemon(dir): its options) with a folder of videos, scanned once, and two clients that mirror it. */
export class World {
  static async start(t, names, { roots = [], args: more = [], daemon = (dir) => ({ dir }) } = {}) {
    const world = new World();
    world.dir = tempDir();
    world.tree = path.join(world.dir, 'tree');
    fs.mkdirSync(world.tree);
    for (const name of names) video(world.at(name));
    for (const root of roots) fs.mkdirSync(world.at(root), { recursive: true });
    const args = ['--workers', '2', ...roots.flatMap((root) => ['--root', world.at(root)]), ...more];
    world.daemon = await Daemon.start({ ...daemon(world.dir), args });
    world.mirrors = [new Mirror(world.daemon), new Mirror(world.daemon, { transport: 'sse', begin: 'changes' })];
    for (const mirror of world.mirrors) mirror.start();
    world.channel = await world.daemon.channel();
    t.after(async () => {
      await Promise.all(world.mirrors.map((mirror) => mirror.stop()));
      await world.daemon.cleanup();
      execFileSync('chmod', ['-R', 'u+rwX', world.dir]);
      fs.rmSync(world.dir, { recursive: true });
    });
    for (const folder of roots) await world.heard(await world.scan({}, world.at(folder)));
    if (roots.length) {
      world.first = await world.rows();
      return world;
    }
    const job = await world.scan();
    assert.deepEqual(counts(job.result), { new: names.length, updated: 0, moved: 0, missing: 0, skipped: 0, error_count: 0 });
    await world.heard(job);
    world.first = await world.rows();
    return world;
  }

  at(name) {
    return path.join(this.tree, name);
  }

  /** name → row, of what a list gives. */
  async rows() {
    const rows = await catalogue(this.daemon);
    return new Map([...rows.values()].map((row) => [path.relative(this.tree, row.path), row]));
  }

  id(name) {
    return this.first.get(name).id;
  }

  async scan(more = {}, folder = this.tree) {
    const job = await this.daemon.wait(await this.daemon.scan(folder, more));
    assert.equal(job.status, 'complete', JSON.stringify(job));
    checkResult(job);
    return job;
  }

  /** The frames of the library's topic since the last call, up to those of `job`, which is over. */
  async heard(job) {
    await this.channel.find((frame) => frame.payload.job_id === job.job_id && frame.type === 'SCAN_COMPLETED');
    const frames = this.channel.frames.slice(this.seen ?? 0);
    this.seen = this.channel.frames.length;
    return frames.filter((frame) => frame.type.startsWith('VIDEO_'));
  }

  async converged() {
    const real = await catalogue(this.daemon);
    for (const mirror of this.mirrors) {
      await eventually(() => {
        if (mirror.failed) throw mirror.failed;
        try {
          sameRows(mirror.videos, real, mirror.name);
          return true;
        } catch {
          return false;
        }
      }, mirror.name).catch(() => sameRows(mirror.videos, real, mirror.name));
    }
  }

  /** What a dry run says; it changes nothing and says nothing of videos. */
  async dry(folder = this.tree) {
    const all = async () => (await this.daemon.get('/api/v1/changes?limit=1000')).body.changes;
    const roots = async () => (await this.daemon.get('/api/v1/roots')).body;
    const [known, offline] = [await all(), await roots()];
    const job = await this.scan({ dry_run: true }, folder);
    assert.equal(job.dry_run, true);
    assert.deepEqual(await all(), known, 'a dry run changes no row');
    assert.deepEqual(await roots(), offline, 'nor what is known of a root');
    assert.deepEqual(types(await this.heard(job)), [], 'a dry run says nothing of videos');
    return job.result;
  }

  /**
   * Something happened to the files: a dry run, a scan, and a scan that finds nothing any more.
   * @param {Record<string, number>} expected the counters that are not 0, but for `skipped`
   * @param {{content?: boolean, folder?: string}} [how] content: only a worker can tell what moved, so that no dry run does;
   *  large: more than the plan lists
   */
  async settle(expected, { content = false, large = false, folder = this.tree } = {}) {
    const wanted = { new: 0, updated: 0, moved: 0, missing: 0, error_count: 0, ...expected };
    const plan = await this.dry(folder);
    const job = await this.scan({}, folder);
    const { skipped, ...rest } = counts(job.result);
    assert.deepEqual(rest, wanted);
    const frames = await this.heard(job);
    if (!content) {
      assert.deepEqual(counts(plan), counts(job.result), 'the dry run counted as the scan does then');
      if (!large) this.samePlan(plan.plan, frames);
      else assert.equal(plan.plan.length, 1000);
    }
    const again = counts((await this.scan({}, folder)).result);
    assert.deepEqual(again, { new: 0, updated: 0, moved: 0, missing: 0, error_count: 0, skipped: skipped + rest.new + rest.updated + rest.moved },
      'nothing is left to be done');
    await this.converged();
    return frames;
  }

  /** The lines of the plan are the events of the scan. */
  samePlan(plan, frames) {
    const outcomes = { VIDEO_ADDED: 'new', VIDEO_UPDATED: 'updated', VIDEO_MOVED: 'moved', VIDEO_MISSING: 'missing' };
    const lines = (list) => list.map(({ outcome, path: file, from = null }) => `${outcome} ${file} ${from}`).sort();
    assert.deepEqual(lines(plan), lines(frames.map(({ type, payload }) => ({ outcome: outcomes[type], path: payload.path, from: payload.from ?? null }))));
  }

  /** Each name has the id that the other name had at the beginning; its row is as it was but for its place. */
  async keeps(names) {
    const rows = await this.rows();
    for (const [name, was] of Object.entries(names)) {
      const row = rows.get(name);
      assert.ok(row, `${name} is in the list`);
      assert.equal(row.id, this.id(was), `${name} is what ${was} was`);
      const before = this.first.get(was);
      for (const key of ['created_at', 'duration_s', 'file_size', 'video_codec', 'thumbnail', 'title', 'width']) {
        assert.deepEqual(row[key], before[key], `${key} of ${name}`);
      }
      assert.equal(row.filename, path.basename(name));
      assert.equal(row.missing_since, null);
      const full = (await this.daemon.get(`/api/v1/videos/${row.id}`)).body;
      assert.ok(full.streams.length > 0 && full.path === this.at(name));
    }
    return rows;
  }
}

export const types = (frames) => frames.map((frame) => frame.type);
