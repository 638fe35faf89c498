// scripts/bench watch: how soon a change on disk is an event at a client, how a burst compares with a scan, what many folders cost.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import WebSocket from 'ws';
import { Daemon, makeVideo, tempDir } from '../lib/daemon.js';
import { median, percentile, resident, row } from './measure.js';

const { values: options } = parseArgs({
  options: {
    files: { type: 'string', default: '100000' }, changes: { type: 'string', default: '200' }, idle: { type: 'string', default: '40' },
    burst: { type: 'string', default: '10000' }, folders: { type: 'string', default: '50000' },
    pictured: { type: 'string', default: '2000' }, only: { type: 'string' }, help: { type: 'boolean' },
  },
});
if (options.help) {
  console.log(`options: --files ${options.files} (in the tree)  --changes ${options.changes} (one after the other)  --idle ${options.idle} (into a quiet tree)
  --burst ${options.burst} (files of an archive)  --folders ${options.folders} (that are watched)
  --pictured ${options.pictured} (files of the tree of the pictures)  --only folders,burst,pictures,changes (some of the parts)`);
  process.exit(0);
}
const number = Object.fromEntries(Object.entries(options).map(([name, value]) => [name, Number(value)]));
const work = tempDir('reeld-bench-watch-');
process.on('exit', () => fs.rmSync(work, { recursive: true, force: true }));
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** A client that notes when each video's event came. */
class Listener {
  static async open(daemon) {
    const listener = new Listener();
    listener.waiting = new Map();
    listener.count = {};
    listener.socket = new WebSocket(`${daemon.url.replace('http', 'ws')}/ws?topics=library,jobs`);
    listener.socket.on('message', (data) => {
      const at = performance.now();
      const { type, payload } = JSON.parse(String(data));
      listener.count[type] = (listener.count[type] ?? 0) + 1;
      listener.waiting.get(`${type} ${payload.path}`)?.(at);
    });
    await new Promise((resolve, reject) => listener.socket.on('open', resolve).on('error', reject));
    return listener;
  }

  /** Milliseconds from the beginning of `act` to the event. */
  time(type, file, act) {
    const key = `${type} ${file}`;
    const heard = new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${key}: not within 30 s`)), 30000);
      this.waiting.set(key, (at) => { clearTimeout(timer); resolve(at); });
    });
    const start = performance.now();
    act();
    return heard.then((at) => { this.waiting.delete(key); return at - start; });
  }
}

async function until(check, ms = 20) {
  while (!await check()) await pause(ms);
}
const root = async (daemon, folder) => (await daemon.get('/api/v1/roots')).body.roots.find((one) => one.path === folder);
const start = (folder, ...more) => Daemon.start({ args: ['--root', folder, '--watch', 'watch', '--ring', '64', ...more] });

function small(folder, count, each = 192) {
  const bytes = fs.readFileSync(makeVideo(path.join(work, 'small.mp4'), { size: '64x64', seconds: 0.2 }));
  for (let i = 0; i < count; i++) {
    const dir = path.join(folder, `d${Math.floor(i / each) % 32}`, `e${Math.floor(i / each)}`);
    if (i % each === 0) fs.mkdirSync(dir, { recursive: true });
    fs.writeFileSync(path.join(dir, `clip-${i}.mp4`), Buffer.concat([bytes, Buffer.from(String(i))]));
  }
}

async function benchChanges() {
  const folder = path.join(work, 'tree'), out = path.join(work, 'out');
  console.log(`\nOne change in a tree of ${number.files} files, until its event is at a client (the first scan comes first)`);
  small(folder, number.files);
  fs.mkdirSync(out);
  const bytes = fs.readFileSync(makeVideo(path.join(work, 'full.mp4'), { size: '1920x1080', seconds: 2 }));
  const total = number.changes + number.idle;
  for (let i = 0; i < total; i++) fs.writeFileSync(path.join(out, `${i}.mp4`), Buffer.concat([bytes, Buffer.from(`n${i}`)]));
  const daemon = await start(folder);
  await until(async () => (await root(daemon, folder)).scanned_at, 200);
  const listener = await Listener.open(daemon);
  const place = (i) => path.join(folder, `d${i % 32}`, `e${i % 32}`);
  const kinds = [
    ['mv into the tree', 'VIDEO_ADDED', (i) => [path.join(place(i), `new${i}.mp4`), () => fs.renameSync(path.join(out, `${i}.mp4`), path.join(place(i), `new${i}.mp4`))]],
    ['rename', 'VIDEO_MOVED', (i) => [path.join(place(i + 1), `moved${i}.mp4`), () => fs.renameSync(path.join(place(i), `new${i}.mp4`), path.join(place(i + 1), `moved${i}.mp4`))]],
    ['delete', 'VIDEO_MISSING', (i) => [path.join(place(i + 1), `moved${i}.mp4`), () => fs.rmSync(path.join(place(i + 1), `moved${i}.mp4`))]],
  ];
  for (const [what, type, change] of kinds) {
    for (const [how, from, to, wait] of [['into a quiet tree', 0, number.idle, 800], ['one after the other', number.idle, total, 0]]) {
      const times = [];
      for (let i = from; i < to; i++) {
        await pause(wait);
        const [file, act] = change(i);
        times.push(await listener.time(type, file, act));
      }
      row(`${what}, ${how}: median`, median(times), 'ms', '< 25');
      row(`${what}, ${how}: 99 of 100`, percentile(times, 99), 'ms', '< 100');
    }
  }
  listener.socket.close();
  await daemon.cleanup();
  fs.rmSync(folder, { recursive: true });
}

async function benchPictures() {
  const folder = path.join(work, 'pictured'), out = path.join(work, 'unpictured');
  console.log(`\nOne 1080p file after the other into a tree of ${number.pictured} that have their pictures, until the event that says its picture is made`);
  small(folder, number.pictured);
  fs.mkdirSync(out);
  const bytes = fs.readFileSync(makeVideo(path.join(work, 'full.mp4'), { size: '1920x1080', seconds: 2 }));
  const daemon = await start(folder, '--thumbnails', 'yes');
  await until(async () => (await root(daemon, folder)).scanned_at, 200);
  await until(async () => (await daemon.get('/api/v1/jobs?type=thumbnails')).body.jobs[0]?.status === 'complete', 200);
  const listener = await Listener.open(daemon);
  const before = (await daemon.get('/api/v1/jobs?limit=1000')).body.jobs.length;
  for (const [how, count, wait] of [['into a quiet tree', number.idle, 800], ['one after the other', number.changes, 0]]) {
    const added = [], pictured = [];
    for (let i = 0; i < count; i++) {
      const name = `${wait}-${i}.mp4`, from = path.join(out, name), to = path.join(folder, 'd0', 'e0', name);
      fs.writeFileSync(from, Buffer.concat([bytes, Buffer.from(name)]));
      await pause(wait);
      const begin = performance.now();
      const heard = listener.time('VIDEO_ADDED', to, () => {}), made = listener.time('VIDEO_UPDATED', to, () => {});
      fs.renameSync(from, to);
      added.push(await heard);
      await made;
      pictured.push(performance.now() - begin);
    }
    row(`mv, ${how}, until VIDEO_ADDED: median`, median(added), 'ms', '< 25');
    row(`mv, ${how}, until VIDEO_ADDED: 99 of 100`, percentile(added, 99), 'ms', '< 100');
    row(`mv, ${how}, until its picture: median`, median(pictured), 'ms', '< 300');
    row(`mv, ${how}, until its picture: 99 of 100`, percentile(pictured, 99), 'ms', '< 300');
  }
  await pause(1000);
  await until(async () => (await daemon.get('/api/v1/jobs?status=running')).body.jobs.length === 0);
  row('jobs', (await daemon.get('/api/v1/jobs?limit=1000')).body.jobs.length - before, '', `${number.idle + 1}`);
  listener.socket.close();
  await daemon.cleanup();
  fs.rmSync(folder, { recursive: true });
}

async function benchBurst() {
  console.log(`\n${number.burst} files out of an archive into a watched tree, against a scan of the same tree`);
  const source = path.join(work, 'source'), folder = path.join(work, 'burst');
  small(source, number.burst, 100);
  const archive = path.join(work, 'burst.tar');
  execFileSync('tar', ['-cf', archive, '-C', source, '.']);
  fs.mkdirSync(folder);
  const all = async (daemon) => (await daemon.get('/api/v1/videos?limit=1')).body.total === number.burst;
  const daemon = await start(folder);
  const listener = await Listener.open(daemon);
  let begin = performance.now();
  execFileSync('tar', ['-xf', archive, '-C', folder]);
  await until(() => all(daemon), 50);
  const watched = (performance.now() - begin) / 1000;
  await until(async () => (await daemon.get('/api/v1/jobs?status=running')).body.jobs.length === 0);
  const probed = Number(/^reeld_probed_total (\d+)$/m.exec((await daemon.get('/metrics')).body)[1]);
  const jobs = (await daemon.get('/api/v1/jobs?limit=100')).body.jobs.filter(({ trigger }) => trigger === 'watch');
  listener.socket.close();
  await daemon.cleanup();
  const other = await Daemon.start({ args: ['--root', folder, '--watch', 'off', '--ring', '64'] });
  begin = performance.now();
  await other.wait(await other.scan(folder, { timeout_s: 0 }), 600);
  const scanned = (performance.now() - begin) / 1000;
  await other.cleanup();
  row('watched, with the extraction', watched, 's');
  row('a scan of the same tree', scanned, 's');
  row('ratio', watched / scanned, 'x', '<= 1.5');
  row('events VIDEO_ADDED a file', listener.count.VIDEO_ADDED / number.burst, '', '1');
  row('files probed a file', probed / number.burst, '', '1');
  row('jobs', jobs.length, '');
  fs.rmSync(folder, { recursive: true });
}

async function benchFolders() {
  console.log(`\n${number.folders} folders that are watched`);
  const folder = path.join(work, 'folders'), one = path.join(work, 'one');
  fs.mkdirSync(one);
  for (let i = 0; i < number.folders; i++) fs.mkdirSync(path.join(folder, `a${i % 50}`, `b${Math.floor(i / 50) % 50}`, `season ${i}`), { recursive: true });
  const few = await start(one);
  await until(async () => (await root(few, one)).scanned_at);
  const before = resident(few.process.pid);
  await few.cleanup();
  const begin = performance.now();
  const daemon = await start(folder);
  await until(async () => (await root(daemon, folder)).scanned_at);
  const seconds = (performance.now() - begin) / 1000;
  const { watches } = await root(daemon, folder);
  row('watches', watches, '', `>= ${number.folders}`);
  row('from the start of the program until all are set', seconds, 's', '< 3');
  row('resident memory of the daemon', resident(daemon.process.pid) / 1024, 'MiB', '< 40');
  row('of that, beyond one that watches one folder', (resident(daemon.process.pid) - before) / 1024, 'MiB');
  await daemon.cleanup();
}

const parts = { folders: benchFolders, burst: benchBurst, pictures: benchPictures, changes: benchChanges };
for (const [name, part] of Object.entries(parts)) {
  if (!options.only || options.only.split(',').includes(name)) await part();
}
