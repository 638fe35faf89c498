// A folder that the daemon watches, and what it should know of it.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import { Daemon, eventually, tempDir } from './daemon.js';
import { masters } from './trees.js';

/** A reason to skip what needs fanotify with a mark on a file system; false: it can be had. */
export function refusesFanotify() {
  const [, effective] = /^CapEff:\s*(\w+)$/m.exec(fs.readFileSync('/proc/self/status', 'utf8'));
  const [major, minor] = os.release().split('.').map(Number);
  const admin = (BigInt(`0x${effective}`) >> 21n) & 1n; // CAP_SYS_ADMIN
  return admin && (major > 5 || (major === 5 && minor >= 17)) ? false : 'fanotify is not allowed here';
}

const standing = new Set();
after(() => {
  for (const place of standing) fs.rmSync(place.dir, { recursive: true, force: true });
});

export class Watched {
  static async start({ args = [], watch = 'watch', settle = '0.3', prepare = () => {} } = {}) {
    const place = new Watched();
    standing.add(place);
    place.dir = tempDir();
    place.folder = path.join(place.dir, 'videos');
    place.out = path.join(place.dir, 'out');
    place.number = 0;
    fs.mkdirSync(place.folder);
    fs.mkdirSync(place.out);
    prepare(place);
    place.args = ['--root', place.folder, '--watch', watch, '--settle', settle, ...args];
    place.daemon = await Daemon.start({ args: place.args });
    place.channel = await place.daemon.channel();
    await place.ready();
    return place;
  }

  /** The scan of the start is over, and what is watched is watched. */
  async ready() {
    await eventually(async () => (await this.root()).scanned_at || (await this.root()).reason, 'the first scan');
  }

  at(name) {
    return path.join(this.folder, name);
  }

  /** A finished video of a content of its own, outside of the root. */
  make(name = `${this.number}.mp4`, folder = this.out) {
    const file = path.join(folder, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.copyFileSync(masters()[0], file);
    fs.appendFileSync(file, `${this.number}`.padEnd(++this.number, ' '));
    return file;
  }

  /** Moves a finished video in. */
  put(name) {
    const from = this.make();
    fs.mkdirSync(path.dirname(this.at(name)), { recursive: true });
    fs.renameSync(from, this.at(name));
  }

  async root() {
    return (await this.daemon.get('/api/v1/roots')).body.roots.find((root) => root.path === this.folder);
  }

  /** Names below the folder that should be known, as the disk has them. */
  disk(folder = this.folder) {
    const found = [];
    for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
      const file = path.join(folder, entry.name);
      if (entry.isDirectory() && !entry.name.startsWith('.')) found.push(...this.disk(file));
      else if (entry.isFile() && entry.name.endsWith('.mp4')) found.push(`${path.relative(this.folder, file)} ${fs.statSync(file).size}`);
    }
    return found.sort();
  }

  async known() {
    return (await this.daemon.videos()).map((video) => `${path.relative(this.folder, video.path)} ${video.file_size}`).sort();
  }

  /** Until the catalogue is as the disk is. */
  async same(what = 'the catalogue is as the disk is') {
    let known, disk;
    try {
      await eventually(async () => {
        known = await this.known();
        disk = this.disk();
        return JSON.stringify(known) === JSON.stringify(disk);
      }, what);
    } catch {
      assert.deepEqual(known, disk, what);
    }
  }

  /** The events since frame number `from` of these types, as "TYPE name". */
  said(from = 0, types = /^VIDEO_/) {
    return this.channel.frames.slice(from).filter(({ type }) => types.test(type))
      .map(({ type, payload }) => `${type} ${path.relative(this.folder, payload.path ?? payload.root ?? '')}`);
  }

  async heard(line, from = 0) {
    await eventually(() => this.said(from, /./).includes(line), line).catch((error) => {
      throw new Error(`${error.message}; heard: ${this.said(from, /./).join(', ')}`);
    });
  }

  /** Until no job is under way any more, as one answer says: of two, a job that starts in between is in neither. Resolves with the jobs. */
  async quiet() {
    let jobs;
    await eventually(async () => {
      jobs = await this.jobs();
      return jobs.every(({ status }) => status !== 'pending' && status !== 'running');
    }, 'no job is under way');
    return jobs;
  }

  async jobs() {
    return (await this.daemon.get('/api/v1/jobs?limit=100')).body.jobs;
  }

  async end() {
    await this.channel.close();
    await this.daemon.cleanup();
    fs.rmSync(this.dir, { recursive: true, force: true });
    standing.delete(this);
  }
}
