// A list, the stream and the change feed join without a hole: clients that mirror the catalogue through broken connections,
// clean and unclean ends of the daemon and the loss of the catalogue itself, while scans and deletions go on, have at the end
// exactly what the catalogue has, row by row.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Daemon, eventually, tempDir } from '../lib/daemon.js';
import { Mirror, catalogue, sameRows } from '../lib/mirror.js';
import { fill, masters, random } from '../lib/trees.js';

const seed = Number(process.env.REELD_SEED ?? 20261122);
const seconds = Number(process.env.REELD_MIRROR_SECONDS ?? 40);

/** Files that fail without being opened, with long names: a scan of them is more than the ring holds. */
function noisyTree(folder) {
  fs.mkdirSync(folder);
  for (let i = 0; i < 2500; i++) {
    const file = path.join(folder, `${'so long a name '.repeat(14)}${i}.mp4`);
    fs.writeFileSync(file, '');
    fs.utimesSync(file, 1e9, 1e9);
  }
  return folder;
}

/** The library and what happens to it. The choices are the seed's; the moments are the machine's. */
class Story {
  constructor(dir, daemon) {
    this.dir = dir;
    this.daemon = daemon;
    this.tree = path.join(dir, 'tree');
    this.files = fill(path.join(this.tree, 'batch 0'), 150);
    this.batches = 1;
    this.noise = noisyTree(path.join(dir, 'noise'));
    this.counts = { changes: 0, scans: 0, deletions: 0, kills: 0, stops: 0, losses: 0 };
  }

  /** Asks again until somebody answers. */
  async ask(method, route, body) {
    for (;;) {
      const answer = await this.daemon.request(method, route, body).catch((error) => {
        if (error instanceof assert.AssertionError) throw error;
      });
      if (answer && answer.status !== 503) return answer;
      await sleep(10);
    }
  }

  /** Scans to the end, over the daemon's ends too; a job that was lost with its catalogue is no more. */
  async scan(folder) {
    const { status, body } = await this.ask('POST', '/api/v1/videos/scan', { path: folder, retry_failed: true });
    assert.equal(status, 202, JSON.stringify(body));
    for (;;) {
      const answer = await this.ask('GET', `/api/v1/jobs/${body.job_id}/wait?timeout_s=5`);
      if (answer.status !== 408) break;
    }
    this.counts.scans++;
  }

  /** One change of the files or of what is known of them, then a scan. */
  async change(next) {
    const some = (most) => Array.from({ length: 1 + Math.floor(next() * most) }, () => this.files[Math.floor(next() * this.files.length)]);
    const kind = next();
    if (kind < 0.4) {
      for (const file of some(40)) fs.utimesSync(file, new Date(), new Date(1e12 + Math.floor(next() * 1e11)));
    } else if (kind < 0.6) {
      this.files.push(...fill(path.join(this.tree, `batch ${this.batches++}`), 1 + Math.floor(next() * 20)));
    } else if (this.files.length > 60) {
      const gone = new Set(some(10));
      const { body: { videos } } = await this.ask('GET', '/api/v1/videos?limit=1000');
      for (const { id, path: file } of videos.filter((video) => gone.has(video.path))) {
        if (kind < 0.8) fs.rmSync(file, { force: true }); // else it is found again, under another id
        await this.ask('DELETE', `/api/v1/videos/${id}`);
        this.counts.deletions++;
      }
      this.files = this.files.filter((file) => fs.existsSync(file));
    }
    await this.scan(this.tree);
    this.counts.changes++;
  }

  /** Waits until that many more changes were made. */
  async changed(more) {
    const end = this.counts.changes + more;
    await eventually(() => this.counts.changes >= end, `${more} changes`, 120000);
  }

  async restart(signal) {
    this.counts[signal === 'SIGKILL' ? 'kills' : 'stops']++;
    await this.end(signal);
    await this.daemon.launch();
  }

  async end(signal = 'SIGTERM') {
    const { code, signal: killed, stderr } = await this.daemon.stop(signal);
    if (signal === 'SIGTERM') assert.equal(code ?? killed, 0, stderr);
  }

  /** The catalogue is lost: the next one has another id. */
  async lose() {
    this.counts.losses++;
    await this.end();
    for (const name of fs.readdirSync(this.dir)) if (name.startsWith('catalog.db')) fs.rmSync(path.join(this.dir, name));
    await this.daemon.launch();
  }
}

/** One thing that happens to the mirrors' connections. */
async function disturb(what, story, mirrors, next) {
  const any = mirrors[Math.floor(next() * mirrors.length)];
  if (what === 'drop') {
    any.drop();
  } else if (what === 'away') {
    const who = mirrors.filter(() => next() < 0.6);
    for (const mirror of who) mirror.drop(true);
    await story.changed(2);
    await story.scan(story.noise);
    for (const mirror of who) mirror.return();
  } else {
    await story.restart(what);
  }
}

function check(mirrors) {
  for (const mirror of mirrors) if (mirror.failed) throw mirror.failed;
}

/** Whether the copy has come up to the catalogue; after `ms`, what the difference is. */
async function converged(mirror, real, ms) {
  const same = () => {
    check([mirror]);
    try {
      sameRows(mirror.videos, real, mirror.name);
      return true;
    } catch {
      return false;
    }
  };
  await eventually(same, mirror.name, ms).catch(() => {
    check([mirror]);
    sameRows(mirror.videos, real, mirror.name);
  });
}

/** Changes and breaks for `ms`, those of `first` before all others; then the mirrors are held against the catalogue. */
async function act(story, mirrors, next, ms, first) {
  const end = Date.now() + ms;
  let over = false;
  const changing = (async () => {
    for (const choice = random(next() * 2 ** 32); !over;) await story.change(choice);
  })();
  changing.catch(() => {}); // heard below
  while (Date.now() < end) {
    check(mirrors);
    const kind = next();
    const what = first.shift() ?? (kind < 0.6 ? 'drop' : kind < 0.75 ? 'away' : kind < 0.87 ? 'SIGKILL' : 'SIGTERM');
    await Promise.race([changing, disturb(what, story, mirrors, next)]);
    await Promise.race([changing, sleep(next() * 500)]); // the random moment, not a wait for anything
  }
  over = true;
  await changing;
  await story.scan(story.tree);
  const real = await catalogue(story.daemon);
  assert.equal(real.size, story.files.length);
  for (const mirror of mirrors) await converged(mirror, real, 60000);
}

test(`copies of the catalogue through ${seconds} s of breaks (seed ${seed})`, async (t) => {
  masters();
  const dir = tempDir();
  const daemon = await Daemon.start({ dir, args: ['--workers', '1'], env: { REELD_SERVER_RING_MIB: '1' } });
  const story = new Story(dir, daemon);
  const mirrors = [
    new Mirror(daemon), new Mirror(daemon, { begin: 'changes', limit: 7 }), new Mirror(daemon, { query: 'topics=library', limit: 13 }),
    new Mirror(daemon, { transport: 'sse' }), new Mirror(daemon, { transport: 'sse', query: 'progress_ms=100', limit: 1000 }),
    new Mirror(daemon, { transport: 'poll', begin: 'changes' }), new Mirror(daemon, { transport: 'poll', query: 'topics=library' }),
  ];
  t.after(async () => {
    await Promise.allSettled(mirrors.map((mirror) => mirror.stop()));
    await daemon.stop('SIGKILL');
    fs.rmSync(dir, { recursive: true });
  });
  for (const mirror of mirrors) mirror.start();
  const next = random(seed);
  await act(story, mirrors, next, seconds * 700, ['away', 'SIGKILL', 'SIGTERM', 'drop', 'away']);
  await story.lose();
  await act(story, mirrors, next, seconds * 300, ['away']);
  for (const mirror of mirrors) {
    await mirror.stop();
    t.diagnostic(`${mirror.name}: ${JSON.stringify(mirror.counts)}`);
    assert.equal(mirror.counts.resyncs, 1, `${mirror.name} began anew when the catalogue was lost, and never else`);
  }
  await story.end();
  t.diagnostic(JSON.stringify(story.counts));
  assert.ok(mirrors.some((mirror) => mirror.counts.recovered > 0), 'the ring was long enough at least once');
  assert.ok(mirrors.some((mirror) => mirror.counts.unrecovered > mirror.counts.resyncs), 'and too short at least once');
});
