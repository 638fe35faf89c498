// scripts/bench file [--mib 1024]: a video's file, as fast as one reader takes it from the page cache, beside nginx with sendfile;
// and how long an event takes to a client of the channel while a file of 4 GiB goes to another, beside none. Interleaved, medians of five.
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { Daemon, build, eventually, makeVideo, tempDir } from '../lib/daemon.js';
import { median, percentile, row } from './measure.js';

const run = promisify(execFile);
const { values: { mib } } = parseArgs({ options: { mib: { type: 'string', default: '1024' } } });
const ROUNDS = 5;
const EVENTS = 100;
const server = ['taskset', '-c', '0'];
const client = ['taskset', '-c', os.cpus().length > 1 ? '1' : '0'];
const dir = tempDir('reeld-bench-');
process.on('exit', () => fs.rmSync(dir, { recursive: true, force: true }));

/** nginx that serves `root` with sendfile on one processor. */
async function startNginx(root) {
  const socket = net.createServer().listen(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  await new Promise((resolve) => { socket.close(resolve); });
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${dir}/${name};`);
  const file = path.join(dir, 'nginx.conf');
  fs.writeFileSync(file, `daemon off;
worker_processes 1;
pid ${dir}/nginx.pid;
error_log ${dir}/error.log warn;
events { worker_connections 1000; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  ${temp.join('\n  ')}
  server { listen 127.0.0.1:${port}; root ${root}; }
}
`);
  const child = spawn(server[0], [...server.slice(1), 'nginx', '-p', dir, '-e', path.join(dir, 'error.log'), '-c', file], { stdio: 'inherit' });
  process.on('exit', () => child.kill());
  await eventually(() => fetch(`http://127.0.0.1:${port}/small`).catch(() => null), 'nginx answers');
  return { port, child };
}

async function load(port, target) {
  const { stdout } = await run(client[0], [...client.slice(1), path.join(build, 'fileload'), String(port), target]);
  const { bytes, seconds } = JSON.parse(stdout);
  return bytes / seconds / 2 ** 20;
}

/** From asking for a scan of nothing to the event of its end, in ms. */
async function latencies(daemon, channel, tree) {
  const times = [];
  for (let i = 0; i < EVENTS; i++) {
    const from = performance.now();
    const id = await daemon.scan(path.join(tree, 'empty'));
    await channel.find((frame) => frame.type === 'SCAN_COMPLETED' && frame.payload.job_id === id);
    times.push(performance.now() - from);
  }
  return { p50: median(times), p99: percentile(times, 99) };
}

const tree = path.join(dir, 'tree');
fs.mkdirSync(path.join(tree, 'empty'), { recursive: true });
fs.chmodSync(dir, 0o755);
makeVideo(path.join(tree, 'warm.mp4'), { extra: ['-movflags', '+faststart'] });
execFileSync('dd', ['if=/dev/zero', `of=${path.join(tree, 'warm.mp4')}`, 'bs=1M', `count=${mib}`, 'oflag=append', 'conv=notrunc', 'status=none']);
makeVideo(path.join(tree, 'large.mp4'), { extra: ['-movflags', '+faststart'] });
fs.truncateSync(path.join(tree, 'large.mp4'), 4 * 2 ** 30);
const nginx = await startNginx(tree);
const daemon = await Daemon.start({ wrap: server });
await daemon.wait(await daemon.scan(tree));
const videos = await daemon.videos();
const target = (name) => `/api/v1/videos/${videos.find(({ filename }) => filename === name).id}/file`;
const channel = await daemon.channel();

const speeds = { ours: [], nginx: [] };
const quiet = [];
const busy = [];
await load(daemon.port, target('warm.mp4'));
await load(nginx.port, '/warm.mp4');
for (let round = 0; round < ROUNDS; round++) {
  speeds.ours.push(await load(daemon.port, target('warm.mp4')));
  speeds.nginx.push(await load(nginx.port, '/warm.mp4'));
}
for (let round = 0; round < ROUNDS; round++) {
  quiet.push(await latencies(daemon, channel, tree));
  let over = false;
  const downloads = (async () => { while (!over) await load(daemon.port, target('large.mp4')); })();
  busy.push(await latencies(daemon, channel, tree));
  over = true;
  await downloads;
}
const ratios = speeds.ours.map((speed, i) => speed / speeds.nginx[i]);
console.log(`one reader, ${mib} MiB from the page cache`);
row('reeld', median(speeds.ours), 'MiB/s');
row('nginx, sendfile', median(speeds.nginx), 'MiB/s');
row('reeld / nginx', median(ratios), '×', '≥ 0.5');
console.log('a scan of an empty folder, from its POST to its SCAN_COMPLETED');
for (const name of ['p50', 'p99']) {
  row(`${name}, nothing beside`, median(quiet.map((one) => one[name])), 'ms');
  row(`${name}, a download of 4 GiB beside`, median(busy.map((one) => one[name])), 'ms');
}
await channel.close();
await daemon.cleanup();
nginx.child.kill();
await once(nginx.child, 'exit');
