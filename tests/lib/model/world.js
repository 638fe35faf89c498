// The world of the model test: a daemon with its lives, folders that change, jobs, and what REST says about each event.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { Daemon, tempDir } from '../daemon.js';
import { fill, masters } from '../trees.js';

const REST_AT_ONCE = 16;
const NOISE = 700;

/** Folders whose files come, change and go. */
export class Folders {
  constructor(top, next) {
    this.top = top;
    this.next = next;
    this.files = [];
    this.made = 0;
    this.noise = path.join(top, 'noise');
    this.empty = path.join(top, 'empty');
    for (const dir of [this.noise, this.empty]) fs.mkdirSync(dir, { recursive: true });
    // They fail without being opened and have long names: many bytes of messages in a moment.
    for (let i = 0; i < NOISE; i++) this.broken(path.join(this.noise, `${'a long name '.repeat(16)}${i}.mp4`));
    this.add(60);
  }

  broken(file) {
    fs.writeFileSync(file, '');
    fs.utimesSync(file, 1e9, 1e9);
  }

  pick() {
    return this.files[Math.floor(this.next() * this.files.length)];
  }

  add(count) {
    const folder = path.join(this.top, `set ${this.made++ % 5}`, `${this.made}`);
    this.files.push(...fill(folder, count, masters()));
    if (this.next() < 0.3) this.broken(path.join(folder, 'broken.mp4'));
  }

  touch(count) {
    for (let i = 0; i < count && this.files.length; i++) fs.utimesSync(this.pick(), 1e9, 1e9 + Math.floor(this.next() * 1e8));
  }

  remove(count) {
    for (let i = 0; i < count && this.files.length > 20; i++) {
      const [file] = this.files.splice(Math.floor(this.next() * this.files.length), 1);
      fs.rmSync(file, { force: true });
    }
  }

  /** A folder to scan: all but the noise, a part, or nothing. */
  some() {
    const sets = fs.readdirSync(this.top).filter((name) => name.startsWith('set'));
    return path.join(this.top, sets[Math.floor(this.next() * sets.length)]);
  }
}

export class World {
  constructor(next) {
    this.next = next;
    this.dir = tempDir();
    this.folders = new Folders(path.join(this.dir, 'tree'), next);
    this.jobs = new Map(); // id → {ended}
    this.texts = new Map(); // sequence → the text under that event_id
    this.ended = new Map(); // job → event_id of its end
    this.videos = new Map(); // id → {sequence, removed} of its last event
    this.unheard = []; // [from, to] of sequences that nobody was there to hear
    this.highest = 0;
    this.questions = [];
    this.asking = 0;
    this.restChecks = 0;
    this.gone = new Set();
  }

  async start(ring) {
    const env = { REELD_SERVER_RING_MIB: String(ring), REELD_SERVER_HEARTBEAT_S: '1' };
    const args = ['--root', path.join(this.dir, 'tree'), '--workers', '2'];
    if (this.daemon) {
      Object.assign(this.daemon.options.env, env);
      await this.daemon.launch();
    } else {
      this.daemon = await Daemon.start({ dir: this.dir, args, env });
    }
    this.life = {
      url: this.daemon.url, ringBytes: ring << 20, before: this.highest, reached: undefined, start: 0, lenient: false,
      ending: false, connections: [],
    };
    return this.life;
  }

  /** A question to REST about what was just heard; several at once; the end of the daemon excuses it. */
  ask(question) {
    const { life } = this;
    this.questions.push(() => question().catch((error) => {
      if (!(life.ending && error instanceof TypeError)) this.failure ??= error; // fetch has no other error for a lost connection
    }));
    this.restChecks++;
    if (this.asking < REST_AT_ONCE) this.goOnAsking();
  }

  async goOnAsking() {
    this.asking++;
    while (this.questions.length) await this.questions.shift()();
    this.asking--;
    if (this.asking === 0) this.allAnswered?.();
  }

  async answered() {
    while (this.asking) await new Promise((resolve) => { this.allAnswered = resolve; });
    if (this.failure) throw this.failure;
  }

  /** Guarantees 1 and 2, on each message of a client that listens to everything. */
  heard({ type, progress, terminal, frame: { payload, event_id: id } }) {
    const { daemon, life } = this;
    const job = () => daemon.get(`/api/v1/jobs/${payload.job_id}`);
    const excused = (status) => status === 503 && life.ending;
    if (type === 'VIDEO_REMOVED') {
      this.ask(async () => {
        const { status } = await daemon.get(`/api/v1/videos/${payload.id}`);
        assert.ok(status === 404 || excused(status), `${id} says ${payload.id} is removed; REST: ${status}`);
      });
    } else if (type.startsWith('VIDEO_') || (progress && payload.video_id)) {
      const video = payload.video_id ?? payload.id;
      this.ask(async () => {
        const { status, body } = await daemon.get(`/api/v1/videos/${video}`);
        if (excused(status)) return;
        if (status === 404) {
          this.gone.add(video); // must turn out to be removed
        } else {
          assert.equal(status, 200, `${type} names ${video}; REST: ${status}`);
          assert.ok(!payload.updated_at || body.updated_at >= payload.updated_at, `${type} ${id} is newer than the row that REST has`);
        }
      });
    } else if (type.endsWith('_STARTED') || type === 'JOB_QUEUED' || terminal) {
      this.jobs.set(payload.job_id, { ended: terminal });
      this.ask(async () => {
        const { status, body } = await job();
        if (excused(status)) return;
        assert.equal(status, 200, `${type} names ${payload.job_id}`);
        if (type.endsWith('_STARTED')) assert.notEqual(body.status, 'pending', 'started');
        if (terminal) {
          const differ = Object.keys({ ...body, ...payload }).filter((key) => !isDeepStrictEqual(body[key], payload[key]));
          assert.deepEqual(differ, [], `${type} ${id} of ${payload.job_id} and REST tell the same`);
        }
      });
    }
  }

  /** What is true of every message, over all lives: no number and no end of a job is given twice, no number is lost. */
  remember(truth, life) {
    let last = 0;
    for (const entry of truth.entries) {
      const { sequence, text, terminal, job, frame: { event_id: id, payload } } = entry;
      if (job && this.ended.has(job) && this.ended.get(job) !== id) assert.fail(`${job} ended with ${this.ended.get(job)}; then ${text}`);
      if (!sequence) continue;
      assert.equal(id.split(':')[0], life.catalogue, 'the catalogue is the same one');
      assert.equal(this.texts.get(sequence) ?? text, text, `${id} is given twice`);
      assert.ok(last === 0 || sequence === last + 1, `${last} is followed by ${sequence}: ${text}`);
      assert.ok(last || sequence > this.highest, `${id} after ${this.highest}`);
      if (!last && sequence > this.highest + 1) this.unheard.push([this.highest + 1, sequence - 1]);
      last = sequence;
      this.texts.set(sequence, text);
      if (terminal) this.ended.set(job, id);
      if (entry.topic === 'library' && payload.id) this.videos.set(payload.id, { sequence, removed: entry.type === 'VIDEO_REMOVED' });
    }
    this.highest = Math.max(this.highest, last);
  }

  wasHeard(sequence) {
    return !this.unheard.some(([from, to]) => sequence >= from && sequence <= to);
  }
}
