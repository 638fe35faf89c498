// scripts/bench pictures: all thumbnails of a library beside their floor and what others do, the first one of a new folder, and
// one that is asked for while a large scan runs.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import WebSocket from 'ws';
import { Daemon, build, tempDir, top } from '../lib/daemon.js';
import { Nginx } from './catalogue_peers.js';
import { loadHttp, serverCore, startServer } from './channel_servers.js';
import { median, percentile, residentPeak, row, workerPids } from './measure.js';

const { values: options } = parseArgs({
  options: {
    library: { type: 'string' }, files: { type: 'string', default: '2000' }, rounds: { type: 'string', default: '5' },
    workers: { type: 'string', default: '2' }, sample: { type: 'string', default: '100' },
    clicks: { type: 'string', default: '40' }, seconds: { type: 'string', default: '2' }, help: { type: 'boolean' },
  },
});
if (options.help) {
  console.log(`options: --library DIR (default: one of --files ${options.files} files, made in build/bench-data)
  --rounds ${options.rounds}  --workers ${options.workers}  --sample ${options.sample} (files that the other programs are given)
  --clicks ${options.clicks} (pictures asked for during a scan)  --seconds ${options.seconds} (of asking for one that is ready)`);
  process.exit(0);
}
const rounds = Number(options.rounds);
const workers = Number(options.workers);
const data = path.join(top, 'build/bench-data');
fs.mkdirSync(data, { recursive: true });

function libraryFolder() {
  if (options.library) return path.resolve(options.library);
  console.log('Making the library (once)…');
  execFileSync(path.join(top, 'tests/bench/library.sh'), [data, options.files], { stdio: 'inherit' });
  return path.join(data, 'library');
}

function listFiles(folder) {
  return execFileSync('find', [folder, '-type', 'f'], { encoding: 'utf8', maxBuffer: 1 << 28 }).trim().split('\n').sort();
}

const now = () => performance.now();

// ---- all of them ---------------------------------------------------------------------------------------------------

function floor(list) {
  const output = execFileSync(path.join(build, 'picture_floor'), [options.workers, list], { encoding: 'utf8' });
  return Number(/files_per_second=([\d.]+)/.exec(output)[1]);
}

/** Files a second of a command that makes one picture of one file, `at_once` of them at a time. */
async function eachFile(files, atOnce, command) {
  const dir = tempDir('reeld-bench-');
  const start = now();
  let next = 0;
  const line = async () => {
    for (let i = next++; i < files.length; i = next++) {
      const [program, ...args] = command(files[i], path.join(dir, `${i}.jpg`));
      await once(spawn(program, args, { stdio: 'ignore' }), 'exit');
    }
  };
  await Promise.all(Array.from({ length: atOnce }, line));
  const rate = files.length / ((now() - start) / 1000);
  const made = fs.readdirSync(dir).length;
  fs.rmSync(dir, { recursive: true });
  return { rate, made };
}

const ffmpeg = (file, out) => ['ffmpeg', '-nostdin', '-loglevel', 'error', '-y', '-ss', '5', '-i', file, '-frames:v', '1',
  '-vf', 'scale=320:-1', out];
const thumbnailer = (file, out) => ['ffmpegthumbnailer', '-i', file, '-o', out, '-s', '320', '-c', 'jpeg'];

/** A socket that notes when each kind of frame came first and last. */
async function listen(daemon) {
  const socket = new WebSocket(`${daemon.url.replace('http', 'ws')}/ws`);
  const listener = { socket, first: new Map(), waiting: new Map() };
  socket.on('message', (bytes) => {
    const at = now();
    const type = /"type":\s*"(\w+)"/.exec(String(bytes))?.[1];
    if (!listener.first.has(type)) listener.first.set(type, { at, frame: JSON.parse(String(bytes)) });
    listener.waiting.get(type)?.(listener.first.get(type));
  });
  listener.until = (type) => listener.first.get(type) ?? new Promise((resolve) => { listener.waiting.set(type, resolve); });
  await once(socket, 'open');
  return listener;
}

/** Scans the library and makes its pictures: files a second from the first word of that job to its last. */
async function allPictures(folder) {
  const daemon = await Daemon.start({ args: ['--workers', options.workers, '--root', folder, '--thumbnails', 'yes'] });
  const listener = await listen(daemon);
  await daemon.scan(folder, { timeout_s: 0 });
  const started = await listener.until('THUMBNAILS_STARTED');
  const completed = await listener.until('THUMBNAILS_COMPLETED');
  const videos = await daemon.videos();
  const ready = videos.filter((video) => video.thumbnail === 'ready').length;
  const memory = { daemon: residentPeak(daemon.process.pid), worker: Math.max(...workerPids(daemon.process.pid).map(residentPeak)) };
  await daemon.cleanup();
  if (ready === 0) throw new Error('no video has a picture');
  return { rate: ready / ((completed.at - started.at) / 1000), ready, of: videos.length, memory };
}

async function benchAll(folder, files) {
  const all = path.join(data, 'all.list');
  fs.writeFileSync(all, `${files.join('\n')}\n`);
  const step = Math.max(1, Math.floor(files.length / Number(options.sample)));
  const some = files.filter((_, i) => i % step === 0);
  console.log(`\nAll pictures of ${files.length} files, ${workers} workers, ${rounds} rounds, interleaved; the others: ${some.length} of them`);
  floor(all); // so that every round finds the files in the page cache
  const ours = [], floors = [], single = [], several = [], thumbnailers = [];
  let last;
  for (let i = 0; i < rounds; i++) {
    floors.push(floor(all));
    last = await allPictures(folder);
    ours.push(last.rate);
    single.push((await eachFile(some, 1, ffmpeg)).rate);
    several.push((await eachFile(some, workers, ffmpeg)).rate);
    thumbnailers.push((await eachFile(some, workers, thumbnailer)).rate);
  }
  row(`reeld, the job's first word to its last (${last.ready} of ${last.of})`, median(ours), 'files/s');
  row('floor: a bare loop over the same pictures', median(floors), 'files/s');
  row('ffmpeg -ss 5 … scale=320:-1, one after the other', median(single), 'files/s');
  row(`the same, ${workers} at a time`, median(several), 'files/s');
  row(`ffmpegthumbnailer -s 320, ${workers} at a time`, median(thumbnailers), 'files/s');
  row('reeld / floor', median(ours) / median(floors), '×', '≥ 0.8');
  row('reeld / ffmpeg, one after the other', median(ours) / median(single), '×', '≥ 30');
  row('reeld / ffmpeg, as many at a time', median(ours) / median(several), '×');
  row('reeld / ffmpegthumbnailer', median(ours) / median(thumbnailers), '×', '≥ 2');
  row('daemon memory, highest', last.memory.daemon, 'MiB');
  row('worker memory, highest', last.memory.worker, 'MiB');
}

// ---- the first one -------------------------------------------------------------------------------------------------

/** From the POST to the first picture's last byte at a client that asks for it as soon as it hears of the video. */
async function firstPicture(folder) {
  const daemon = await Daemon.start({ args: ['--workers', options.workers, '--root', folder] });
  const listener = await listen(daemon);
  const start = now();
  await daemon.scan(folder, { timeout_s: 0 });
  const { frame } = await listener.until('VIDEO_ADDED');
  const answer = await fetch(`${daemon.url}/api/v1/videos/${frame.payload.id}/thumbnail`);
  await answer.arrayBuffer();
  const ms = now() - start;
  if (answer.status !== 200) throw new Error(`the first picture: ${answer.status}`);
  await daemon.cleanup();
  return ms;
}

async function benchFirst(folder, files) {
  const times = [];
  for (let i = 0; i < rounds; i++) times.push(await firstPicture(folder));
  console.log(`\nThe first picture of a folder of ${files.length} new files, ${rounds} rounds`);
  row('POST to the picture at a client, median', median(times), 'ms', '< 500');
}

// ---- one during a scan ---------------------------------------------------------------------------------------------

/** A folder of 1080p H.264 files of which no picture was made yet. */
function clickFolder(files) {
  const master = files.find((file) => file.endsWith('_h264_aac_1080p.mp4')) ?? files.find((file) => file.endsWith('.mp4'));
  const folder = tempDir('reeld-clicks-');
  const bytes = fs.readFileSync(master);
  for (let i = 0; i < Number(options.clicks); i++) {
    fs.writeFileSync(path.join(folder, `${i}.mp4`), Buffer.concat([bytes, freeBox(i)]));
  }
  return folder;
}

/** An MP4 box that says nothing, so that no two files have the same bytes (ISO/IEC 14496-12, 8.1.2). */
function freeBox(number) {
  const box = Buffer.alloc(16);
  box.writeUInt32BE(16, 0);
  box.write('free', 4);
  box.writeUInt32BE(number, 8);
  return box;
}

async function clicksDuringScan(daemon, folder, ids) {
  const job = await daemon.scan(folder, { timeout_s: 0 });
  const times = [];
  let running = true;
  while (running && ids.length > 0) {
    const id = ids.pop();
    const start = now();
    const answer = await fetch(`${daemon.url}/api/v1/videos/${id}/thumbnail`);
    await answer.arrayBuffer();
    times.push(now() - start);
    if (answer.status !== 200) throw new Error(`a picture during a scan: ${answer.status}`);
    running = !['complete', 'failed', 'cancelled'].includes((await daemon.get(`/api/v1/jobs/${job}`)).body.status);
  }
  if (running) await daemon.wait(job);
  else times.pop(); // the scan may have been over
  return times;
}

async function benchClicks(folder, files) {
  const clicks = clickFolder(files);
  const daemon = await Daemon.start({ args: ['--workers', options.workers, '--root', clicks, '--root', folder, '--thumbnails', 'no'] });
  await daemon.wait(await daemon.scan(clicks));
  const ids = (await daemon.videos()).map((video) => video.id);
  const times = await clicksDuringScan(daemon, folder, ids);
  console.log(`\nA picture that is not there yet, asked for while ${files.length} files are scanned: ${times.length} of 1080p H.264`);
  row('click to picture, median', median(times), 'ms', '< 150');
  row('click to picture, 90th percentile', percentile(times, 90), 'ms');
  await daemon.cleanup();
  fs.rmSync(clicks, { recursive: true });
}

// ---- one that is there ---------------------------------------------------------------------------------------------

async function benchReady(files) {
  const clicks = clickFolder(files.slice(0, 60));
  const daemon = await Daemon.start({ args: ['--workers', options.workers, '--root', clicks], wrap: serverCore });
  await daemon.wait(await daemon.scan(clicks));
  const [{ id }] = await daemon.videos();
  const target = `/api/v1/videos/${id}/thumbnail`;
  const picture = Buffer.from(await (await fetch(daemon.url + target)).arrayBuffer());
  const nginx = await startServer(Nginx, {});
  fs.writeFileSync(path.join(nginx.dir, 'picture.jpg'), picture);
  const ours = [], peers = [];
  for (let i = 0; i < rounds; i++) {
    const load = { connections: 8, seconds: Number(options.seconds) };
    peers.push((await loadHttp(nginx.port, '/picture.jpg', load)).rate);
    ours.push((await loadHttp(daemon.port, target, load)).rate);
  }
  console.log(`\nA picture of ${picture.length} bytes that is there, 8 connections, ${rounds} rounds, interleaved`);
  row('reeld', median(ours), 'answers/s');
  row('nginx, the same bytes from a file', median(peers), 'answers/s');
  row('reeld / nginx', median(ours) / median(peers), '×', '≥ 0.5');
  await nginx.stop();
  await daemon.cleanup();
  fs.rmSync(clicks, { recursive: true });
}

const folder = libraryFolder();
const files = listFiles(folder);
await benchAll(folder, files);
await benchFirst(folder, files);
await benchClicks(folder, files);
await benchReady(files);
