// A folder of videos with the daemon that knows it and a client that keeps a copy, for tests of what comes and goes.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after } from 'node:test';
import { checkResult } from './checks.js';
import { Daemon, eventually, tempDir } from './daemon.js';
import { Mirror, catalogue, sameRows } from './mirror.js';
import { masters } from './trees.js';

/** What a failed test left behind goes with its file: nothing may stay mounted, and the runner would wait for the rest for ever. */
const standing = new Set();
after(() => {
  for (const shelf of standing) shelf.clear();
});

export class Shelf {
  /** `files`: names below the folder to begin with; `options`: of the daemon; the folder is one of its roots when `root` is set. */
  static async start(files, { root = false, ...options } = {}) {
    const shelf = new Shelf();
    standing.add(shelf);
    shelf.dir = tempDir();
    fs.chmodSync(shelf.dir, 0o755);
    shelf.folder = path.join(shelf.dir, 'videos');
    shelf.mounts = [];
    fs.mkdirSync(shelf.folder);
    shelf.number = 0;
    for (const file of files) shelf.put(file);
    await shelf.launch({ ...options, args: [...(options.args ?? []), ...(root ? ['--root', shelf.folder] : [])] });
    return shelf;
  }

  async launch(options) {
    this.daemon = await Daemon.start(options);
    this.channel = await this.daemon.channel();
    this.mirror = new Mirror(this.daemon).start();
  }

  at(name) {
    return path.join(this.folder, name);
  }

  /** A video with a content of its own: what is behind the end of the media counts too. */
  put(name, folder = this.folder) {
    const file = path.join(folder, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.copyFileSync(masters()[0], file);
    fs.appendFileSync(file, `${this.number}`.padEnd(++this.number, ' '));
    fs.utimesSync(file, 1e9, 1e9);
    return file;
  }

  remove(...names) {
    for (const name of names) fs.rmSync(this.at(name), { recursive: true });
  }

  /**
   * Scans and checks the counts that are named; whatever is not named must be 0 but for `skipped`. `refused`: the reason.
   * Then what the client has must be what the catalogue has.
   */
  async scan(expected = {}, { folder = this.folder, ...request } = {}) {
    const from = this.channel.frames.length;
    const id = await this.daemon.scan(folder, request);
    const job = await this.daemon.wait(id);
    assert.equal(job.status, 'complete', JSON.stringify(job));
    const result = checkResult(job);
    const { refused = null, ...counts } = expected;
    for (const key of ['new', 'updated', 'moved', 'missing', 'error_count']) {
      assert.equal(result[key], counts[key] ?? 0, `${key}: ${JSON.stringify(result)}`);
    }
    if (counts.skipped !== undefined) assert.equal(result.skipped, counts.skipped, JSON.stringify(result));
    assert.equal(result.refused?.reason ?? null, refused, JSON.stringify(result.refused));
    assert.equal(job.error === null || job.error === '', refused === null, job.error);
    await this.channel.find((frame) => frame.type === 'SCAN_COMPLETED' && frame.payload.job_id === id);
    const said = this.channel.frames.slice(from);
    assert.equal(said.filter(({ type }) => type === 'VIDEO_MISSING').length, result.missing);
    await this.same();
    return { job, result, said, types: said.map(({ type }) => type) };
  }

  /** The copy that a client keeps becomes what the catalogue has, which a scan that rests may still add to. */
  async same() {
    let real;
    const end = async () => {
      if (this.mirror.failed) throw this.mirror.failed;
      real = await catalogue(this.daemon);
      try {
        sameRows(this.mirror.videos, real, 'the copy');
        return true;
      } catch {
        return false;
      }
    };
    await eventually(end, 'the copy').catch(() => sameRows(this.mirror.videos, real, 'the copy'));
  }

  /** Every video, missing ones too, by its name below the folder. */
  async videos() {
    const all = new Map();
    for (let since = '', more = true; more;) {
      const { body } = await this.daemon.get(`/api/v1/changes?limit=1000${since}`);
      for (const { video } of body.changes) if (video) all.set(path.relative(this.folder, video.path), video);
      since = `&since=${body.next}`;
      more = body.more;
    }
    return all;
  }

  /** Names of those that are missing, sorted. */
  async missing() {
    return [...(await this.videos())].filter(([, video]) => video.missing_since !== null).map(([name]) => name).sort();
  }

  async root(folder = this.folder) {
    const { status, body } = await this.daemon.get('/api/v1/roots');
    assert.equal(status, 200, JSON.stringify(body));
    return body.roots.find((root) => root.path === folder);
  }

  /** Gives the answer; what was accepted is said by then, so that it is not heard as a part of the next scan. */
  async accept(number, token) {
    const from = this.channel.frames.length;
    const answer = await this.daemon.post(`/api/v1/roots/${number}/accept-missing`, { token });
    if (answer.status === 200) await this.channel.until(() => this.channel.frames.slice(from).some(({ type }) => type === 'ROOT_ONLINE'), 'it is online');
    return answer;
  }

  mount(...args) {
    execFileSync('mount', args, { stdio: ['ignore', 'ignore', 'inherit'] });
    this.mounts.push(args.at(-1));
  }

  /** Once no worker has a file of it open: one may still be at a file that another has taken over from it. */
  async unmount(folder) {
    await eventually(() => spawnSync('umount', [folder], { stdio: 'ignore' }).status === 0, 'nobody keeps it from being unmounted');
    this.mounts.splice(this.mounts.lastIndexOf(folder), 1);
  }

  clear() {
    standing.delete(this);
    if (this.mirror) this.mirror.stopped = true;
    this.mirror?.stream?.close();
    this.daemon?.process.kill('SIGKILL');
    for (const folder of this.mounts.reverse()) execFileSync('umount', ['-l', folder]);
    fs.rmSync(this.dir, { recursive: true });
  }

  async end() {
    await this.mirror.stop();
    await this.channel.close();
    await this.daemon.cleanup();
    this.clear();
  }
}

/** Names of `count` videos, `each` in a folder. */
export function names(count, each = 5) {
  return Array.from({ length: count }, (_, i) => `${String.fromCharCode(97 + Math.floor(i / each))}/${i}.mp4`);
}
