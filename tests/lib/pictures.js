// A folder of videos with a daemon that makes pictures of them, for tests of pictures.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { Daemon, eventually, tempDir } from './daemon.js';
import { masters } from './trees.js';

export class Gallery {
  /** `count`: videos to begin with. `thumbnails`: made by themselves. `scan`: at once. */
  static async start(t, { count = 0, thumbnails = true, scan = true, args = [], ...options } = {}) {
    const gallery = new Gallery();
    gallery.dir = tempDir();
    gallery.folder = path.join(gallery.dir, 'videos');
    gallery.home = path.join(gallery.dir, 'home');
    gallery.data = path.join(gallery.home, 'data');
    fs.mkdirSync(gallery.folder);
    fs.mkdirSync(gallery.home);
    t.after(() => gallery.clear());
    for (let i = 0; i < count; i++) gallery.put(`${i}.mp4`);
    gallery.daemon = await Daemon.start({ dir: gallery.home, ...options, args: ['--thumbnails', thumbnails ? 'yes' : 'no', ...args] });
    gallery.channel = await gallery.daemon.channel();
    if (scan && count) await gallery.scan();
    return gallery;
  }

  at(name) {
    return path.join(this.folder, name);
  }

  number = 0;

  /** A video with a content of its own. */
  put(name, from = masters()[0]) {
    const file = this.at(name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.copyFileSync(from, file);
    fs.appendFileSync(file, `${this.number}`.padEnd(++this.number, ' '));
    fs.utimesSync(file, 1e9, 1e9 + this.number);
    return file;
  }

  /** Scans; gives the job. */
  async scan() {
    const job = await this.daemon.wait(await this.daemon.scan(this.folder));
    assert.equal(job.status, 'complete', job.error);
    return job;
  }

  async thumbnailJobs() {
    return (await this.daemon.get('/api/v1/jobs?type=thumbnails&limit=1000')).body.jobs;
  }

  /** Waits until no picture is due any more and the jobs that make them are over; gives the latest. */
  async made() {
    await eventually(async () => {
      const jobs = await this.thumbnailJobs();
      return jobs.length > 0 && jobs.every((job) => !['pending', 'running'].includes(job.status))
        && (await this.daemon.videos()).every((video) => video.thumbnail !== 'pending');
    }, 'the pictures are made');
    return (await this.daemon.get(`/api/v1/jobs/${(await this.thumbnailJobs())[0].job_id}`)).body;
  }

  /** Restarts the daemon with other arguments. */
  async restart({ args, signal = 'SIGTERM', env } = {}) {
    await this.daemon.stop(signal);
    if (args) this.daemon.options.args = args;
    if (env) this.daemon.options.env = env;
    await this.daemon.launch();
    this.channel = await this.daemon.channel();
  }

  async videos() {
    const all = await this.daemon.videos();
    return all.sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  async video(name) {
    return (await this.videos()).find((video) => video.path === this.at(name));
  }

  /** A picture as it comes over HTTP. */
  async fetch(route, { method = 'GET', headers = {} } = {}) {
    const answer = await fetch(this.daemon.url + route, { method, headers });
    const bytes = Buffer.from(await answer.arrayBuffer());
    const json = /json/.test(answer.headers.get('content-type') ?? '') && bytes.length;
    return { status: answer.status, headers: answer.headers, bytes, body: json ? JSON.parse(String(bytes)) : null };
  }

  /** Names of the files in the store, sorted, without their folders. */
  files() {
    const top = path.join(this.data, 'pictures');
    if (!fs.existsSync(top)) return [];
    // One may go between the two looks.
    return fs.readdirSync(top, { recursive: true }).map(String)
      .filter((name) => fs.statSync(path.join(top, name), { throwIfNoEntry: false })?.isFile()).sort();
  }

  file(name) {
    return path.join(this.data, 'pictures', name);
  }

  clear() {
    this.daemon?.process.kill('SIGKILL');
    for (const line of fs.readFileSync('/proc/mounts', 'utf8').split('\n')) {
      const mounted = line.split(' ')[1];
      if (mounted?.startsWith(this.dir)) execFileSync('umount', ['-l', mounted]);
    }
    fs.rmSync(this.dir, { recursive: true, force: true });
  }
}

/** Width and height of a JPEG, as another program sees it; fails where it is none. */
export function size(bytes) {
  const out = execFileSync('ffprobe', ['-v', 'error', '-f', 'jpeg_pipe', '-show_entries', 'stream=width,height', '-of', 'csv=p=0', '-i', '-'],
    { input: bytes, encoding: 'utf8' });
  const [width, height] = out.trim().split(',').map(Number);
  assert.ok(width > 0 && height > 0, out);
  return { width, height };
}
