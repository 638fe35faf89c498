// scripts/bench scan: a first scan beside its floor and the method it replaces, a rescan beside find, memory and latency.
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import WebSocket from 'ws';
import { Daemon, build, eventually, makeVideo, top } from '../lib/daemon.js';
import { median, percentile, residentPeak, row, workerPids } from './measure.js';

const { values: options } = parseArgs({
  options: {
    library: { type: 'string' }, files: { type: 'string', default: '2000' },
    rounds: { type: 'string', default: '5' }, small: { type: 'string', default: '100000' },
    workers: { type: 'string', default: '2' }, help: { type: 'boolean' },
  },
});
if (options.help) {
  console.log(`options: --library DIR (default: one of --files ${options.files} files, made in build/bench-data)
  --rounds ${options.rounds}  --workers ${options.workers}  --small ${options.small} (files of the tree that is scanned again)`);
  process.exit(0);
}
const rounds = Number(options.rounds);
const data = path.join(top, 'build/bench-data');
fs.mkdirSync(data, { recursive: true });

function libraryFolder() {
  if (options.library) return path.resolve(options.library);
  console.log('Making the library (once)…');
  execFileSync(path.join(top, 'tests/bench/library.sh'), [data, options.files], { stdio: 'inherit' });
  return path.join(data, 'library');
}

/** Every file below a folder, in the order of find. */
function listFiles(folder) {
  return execFileSync('find', [folder, '-type', 'f'], { encoding: 'utf8', maxBuffer: 1 << 28 }).trim().split('\n');
}

/** From the POST to the terminal event at a client on the channel; gives seconds, the job and the frames. */
async function timedScan(daemon, channel, folder) {
  const start = process.hrtime.bigint();
  const id = await daemon.scan(folder, { timeout_s: 0 });
  const end = await channel.find((frame) => frame.payload?.job_id === id && frame.payload.status === 'complete',
    'the end of the scan', 600000);
  return { seconds: Number(process.hrtime.bigint() - start) / 1e9, job: end.payload };
}

/** A client that only notes when each frame came: reading it at once would delay the ones behind it. */
class Listener {
  static async open(daemon) {
    const listener = new Listener();
    listener.received = [];
    listener.socket = new WebSocket(`${daemon.url.replace('http', 'ws')}/ws`);
    listener.socket.on('message', (data) => listener.received.push([performance.timeOrigin + performance.now(), data]));
    await new Promise((resolve, reject) => listener.socket.on('open', resolve).on('error', reject));
    return listener;
  }

  /**
   * Milliseconds from the commit to the receipt of each VIDEO_ADDED. A group is said right after its commit, so the time
   * stamp (whole milliseconds) of its first event is the commit's; another group begins where 10 ms lie between two stamps.
   */
  latencies() {
    const late = [];
    let commit = 0;
    let last = 0;
    for (const [at, data] of this.received) {
      const frame = JSON.parse(String(data));
      if (frame.type !== 'VIDEO_ADDED' && frame.type !== 'SCAN_PROGRESS') continue;
      const stamp = Date.parse(frame.timestamp);
      if (stamp - last > 10) commit = stamp;
      last = stamp;
      if (frame.type === 'VIDEO_ADDED') late.push(at - commit);
    }
    return late;
  }
}

/** Just after the start the workers still load their libraries; those of the floor have none of that in their time either. */
async function workersUp(daemon) {
  await eventually(async () => (await daemon.get('/health/ready')).body.checks.workers.alive === Number(options.workers), 'the workers');
}

async function firstScan(folder) {
  const daemon = await Daemon.start({ args: ['--workers', options.workers] });
  await workersUp(daemon);
  const listener = await Listener.open(daemon);
  const start = process.hrtime.bigint();
  const ended = new Promise((resolve) => {
    listener.socket.on('message', (data) => {
      if (data.includes('"SCAN_COMPLETED"')) resolve(Number(process.hrtime.bigint() - start) / 1e9);
    });
  });
  const id = await daemon.scan(folder, { timeout_s: 0 });
  const seconds = await ended;
  const { body: job } = await daemon.get(`/api/v1/jobs/${id}`);
  const late = listener.latencies();
  await daemon.cleanup();
  return { rate: job.result.scanned / seconds, late };
}

function floor(list) {
  const output = execFileSync(path.join(build, 'probe_floor'), [options.workers, list], { encoding: 'utf8' });
  return Number(/files_per_second=([\d.]+)/.exec(output)[1]);
}

function oneByOne(list) {
  return Number(execFileSync(path.join(top, 'tests/bench/one_by_one.py'), [list], { encoding: 'utf8' }));
}

async function benchFirstScan() {
  const folder = libraryFolder();
  const files = listFiles(folder);
  const all = path.join(data, 'all.list');
  const some = path.join(data, 'some.list');
  fs.writeFileSync(all, files.join('\n') + '\n');
  const step = Math.max(1, Math.floor(files.length / 50));
  fs.writeFileSync(some, files.filter((_, i) => i % step === 0).join('\n') + '\n');
  console.log(`\nFirst scan of ${files.length} files, ${options.workers} workers, ${rounds} rounds, interleaved`);
  floor(all); // so that every round finds the files in the page cache
  const ours = [], floors = [], olds = [], late = [];
  for (let i = 0; i < rounds; i++) {
    floors.push(floor(all));
    const scan = await firstScan(folder);
    ours.push(scan.rate);
    late.push(...scan.late);
    olds.push(oneByOne(some));
  }
  row('reeld, POST to SCAN_COMPLETED', median(ours), 'files/s');
  row('floor: a bare loop over the same probe', median(floors), 'files/s');
  row('replaced: one ffprobe a file, one commit a row', median(olds), 'files/s');
  row('reeld / floor', median(ours) / median(floors), '×', '≥ 0.8');
  row('reeld / replaced', median(ours) / median(olds), '×', '≥ 70');
  row('commit to event at a client, median', median(late), 'ms', '< 2');
  row('commit to event at a client, 99th percentile', percentile(late, 99), 'ms', '< 10');
}

function smallTree() {
  const count = Number(options.small);
  const folder = path.join(data, `small-${count}`);
  if (fs.existsSync(`${folder}.complete`)) return folder;
  console.log(`Making a tree of ${count} small files (once)…`);
  const master = makeVideo(path.join(data, 'small.mp4'), { size: '64x64', seconds: 0.2 });
  const bytes = fs.readFileSync(master);
  for (let i = 0; i < count; i++) {
    const dir = path.join(folder, `d${Math.floor(i / 192) % 32}`, `e${Math.floor(i / 192)}`);
    if (i % 192 === 0) fs.mkdirSync(dir, { recursive: true });
    fs.writeFileSync(path.join(dir, `clip-${i}.mp4`), bytes);
  }
  fs.writeFileSync(`${folder}.complete`, '');
  return folder;
}

function find(folder) {
  const start = process.hrtime.bigint();
  spawnSync('find', [folder, '-type', 'f', '-size', '+0', '-printf', '%s %T@ %i\\n'], { stdio: ['ignore', 'ignore', 'inherit'] });
  return Number(process.hrtime.bigint() - start) / 1e9;
}

async function benchRescan() {
  const folder = smallTree();
  console.log(`\nScan and rescan of ${options.small} small files, ${rounds} rounds, interleaved`);
  const daemon = await Daemon.start({ args: ['--workers', options.workers] });
  const channel = await daemon.channel('', {});
  const workers = workerPids(daemon.process.pid);
  const first = await timedScan(daemon, channel, folder);
  row('first scan', first.job.result.scanned / first.seconds, 'files/s');
  row('daemon memory, highest', residentPeak(daemon.process.pid), 'MiB', '< 64');
  row('worker memory, highest', Math.max(...workers.map(residentPeak)), 'MiB', '< 96');
  const ours = [], peers = [];
  for (let i = 0; i < rounds; i++) {
    channel.frames.length = 0;
    peers.push(find(folder));
    const { seconds, job } = await timedScan(daemon, channel, folder);
    if (job.result.skipped !== Number(options.small)) throw new Error(JSON.stringify(job.result));
    ours.push(seconds);
  }
  row('rescan, nothing changed', median(ours) * 1000, 'ms');
  row('find -type f -size +0 -printf', median(peers) * 1000, 'ms');
  row('rescan / find', median(ours) / median(peers), '×', '≤ 1.5');
  await daemon.cleanup();
}

await benchFirstScan();
await benchRescan();
