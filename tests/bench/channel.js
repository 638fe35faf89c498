// scripts/bench channel: the channel beside its floor and its peers, paced and at saturation, its memory, and who it disturbs.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Daemon, makeVideo, tempDir, top } from '../lib/daemon.js';
import { Floor, Load, Nchan, NodeWsFramed, NodeWsSend, Reeld, checkMachine, clientCore, loadHttp, startServer } from './channel_servers.js';
import { median, resident, row } from './measure.js';

const parts = { saturation, paced, idle, rest, stuck };
const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: Object.keys(parts).join(',') }, rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '3' }, size: { type: 'string', default: '200' },
    many: { type: 'string', default: '10000' }, help: { type: 'boolean' },
  },
});
if (options.help) {
  console.log(`options: --only ${options.only}
  --rounds ${options.rounds}  --seconds ${options.seconds} (of one measurement)  --size ${options.size} (bytes of an event's JSON)
  --many ${options.many} (clients where there are many)`);
  process.exit(0);
}
const rounds = Number(options.rounds);
const seconds = Number(options.seconds);
const size = Number(options.size);
const many = Number(options.many);
const warmup = 1;

/** One measurement: a fresh server of a kind, its clients, their report. */
async function measure(Kind, clients, { rate = 0, window, stuck: stuckClients = 0, ...more } = {}) {
  const server = await startServer(Kind, { rate, window, size, ...more });
  try {
    const before = resident(server.pid);
    const load = await Load.start(server.port, {
      clients, stuck: stuckClients, latency: rate > 0, progress: server.progress, pid: server.pid, warmup,
      seconds: more.seconds ?? seconds,
    });
    const report = await load.report;
    if (report.missing || report.repeated || report.lost > stuckClients || !report.events) {
      throw new Error(`${Kind.title}: ${JSON.stringify(report)}`);
    }
    const slow = stuckClients ? await server.metric('reeld_channel_slow_total') : 0;
    return { ...report, rate: report.events / report.seconds, before, after: resident(server.pid), slow };
  } finally {
    await server.stop();
  }
}

/** Interleaved rounds of several kinds: by kind, the reports of all rounds. */
async function interleaved(kinds, once) {
  const reports = new Map(kinds.map((Kind) => [Kind, []]));
  for (let i = 0; i < rounds; i++) {
    for (const Kind of kinds) reports.get(Kind).push(await once(Kind));
  }
  return (Kind, member) => median(reports.get(Kind).map((report) => report[member]));
}

// ---- saturation ----------------------------------------------------------------------------------------------------

async function saturation() {
  const kinds = [Floor, Reeld, NodeWsSend, NodeWsFramed, Nchan];
  for (const clients of [100, 1000]) {
    console.log(`\nSaturation, ${clients} clients, events of ${size} bytes, ${rounds} rounds of ${seconds} s, interleaved`);
    // Much waits for each client, as far as the ring goes before a client counts as lagging: 8 MiB, a quarter.
    const window = Math.floor((2 << 20) / (size + 4) / 1.25);
    const figure = await interleaved(kinds, (Kind) => measure(Kind, clients, { window }));
    for (const Kind of kinds) row(Kind.title, figure(Kind, 'rate'), 'deliveries/s');
    const peers = [NodeWsSend, NodeWsFramed, Nchan];
    row('reeld / floor', figure(Reeld, 'rate') / figure(Floor, 'rate'), '×', '≥ 0.5');
    for (const Kind of peers) row(`reeld / ${Kind.title}`, figure(Reeld, 'rate') / figure(Kind, 'rate'), '×', '≥ 20');
    row('processor of the load clients at reeld', figure(Reeld, 'client_cpu') * 100, '%');
    row('processor of the load clients at the floor', figure(Floor, 'client_cpu') * 100, '%');
  }
}

// ---- paced ---------------------------------------------------------------------------------------------------------

async function paced() {
  const goals = [[1000, 100, 1, 3], [100, 1000, 6, 15], [10, many, 60, 150]];
  for (const [rate, clients, p50, p99] of goals) {
    console.log(`\n${rate} events/s to ${clients} clients, ${rounds} rounds of ${seconds} s, interleaved`);
    const figure = await interleaved([Floor, Reeld], (Kind) => measure(Kind, clients, { rate }));
    row('reeld, publish to receipt, median', figure(Reeld, 'p50_ms'), 'ms', `< ${p50}`);
    row('reeld, publish to receipt, 99th percentile', figure(Reeld, 'p99_ms'), 'ms', `< ${p99}`);
    row('floor, publish to receipt, median', figure(Floor, 'p50_ms'), 'ms');
    row('floor, publish to receipt, 99th percentile', figure(Floor, 'p99_ms'), 'ms');
    row('reeld, processor', figure(Reeld, 'server_cpu') * 100, '%');
    row('floor, processor', figure(Floor, 'server_cpu') * 100, '%');
    row('processor, reeld / floor', figure(Reeld, 'server_cpu') / figure(Floor, 'server_cpu'), '×', '≤ 1.2');
  }
}

// ---- the daemon with many idle clients -----------------------------------------------------------------------------

/** The real daemon on the server's processor. */
function startDaemon() {
  return Daemon.start({ wrap: ['taskset', '-c', '0'], env: { REELD_SERVER_MAX_CLIENTS: String(many + 100) } });
}

/** The same, when it has indexed `videos` small files. */
async function daemonWithVideos(videos) {
  const folder = tempDir('reeld-bench-');
  const first = makeVideo(path.join(folder, 'clip-0.mp4'), { size: '64x64', seconds: 0.2 });
  for (let i = 1; i < videos; i++) fs.copyFileSync(first, path.join(folder, `clip-${i}.mp4`));
  const daemon = await startDaemon();
  await daemon.wait(await daemon.scan(folder));
  fs.rmSync(folder, { recursive: true });
  return daemon;
}

async function idle() {
  console.log(`\n${many} idle clients of the daemon`);
  for (const [name, more] of [['WebSocket', []], ['Server-Sent Events', ['--sse', '--path', '/api/v1/events']]]) {
    const daemon = await startDaemon();
    await daemon.get('/health/live');
    const before = resident(daemon.process.pid);
    const load = await Load.start(daemon.port, { clients: many, more });
    await daemon.get('/health/live');
    row(`resident memory a client, ${name}`, (resident(daemon.process.pid) - before) / many, 'KiB', more.length ? '' : '≤ 8');
    await load.end();
    await daemon.cleanup();
  }
}

async function rest() {
  const page = '/api/v1/videos?limit=20';
  console.log(`\nGET ${page} over 4 connections, ${rounds} rounds of ${seconds} s, interleaved`);
  const daemon = await daemonWithVideos(50);
  const alone = [], beside = [], even = [];
  for (let i = 0; i < rounds; i++) {
    alone.push(await loadHttp(daemon.port, page, { seconds }));
    const load = await Load.start(daemon.port, { clients: many });
    beside.push(await loadHttp(daemon.port, page, { seconds }));
    even.push(await loadHttp(daemon.port, page, { seconds, rate: 3000 }));
    await load.end();
  }
  await daemon.cleanup();
  const figure = (reports, member) => median(reports.map((report) => report[member]));
  row('no client on the channel', figure(alone, 'rate'), 'requests/s');
  row(`beside ${many} idle clients`, figure(beside, 'rate'), 'requests/s', '≥ 3000');
  row(`beside ${many} idle clients, 99th percentile`, figure(beside, 'p99_ms'), 'ms', '< 5');
  row('and of 3,000 requests/s that come evenly', figure(even, 'p99_ms'), 'ms');
}

// ---- clients that never read ---------------------------------------------------------------------------------------

async function stuck() {
  const clients = 1000, rate = 100, few = clients / 100;
  // They are overtaken within the measurement: a small ring, and more than a socket keeps.
  const pace = { rate, ringMib: 1, size: 5000, seconds: 10 };
  console.log(`\n${rate} events/s of 5 kB to ${clients} clients, 1 % of which never read, ${rounds} rounds of 10 s, interleaved`);
  const without = [], beside = [];
  for (let i = 0; i < rounds; i++) {
    without.push(await measure(Reeld, clients, pace));
    beside.push(await measure(Reeld, clients, { ...pace, stuck: few }));
  }
  const figure = (reports, member) => median(reports.map((report) => report[member]));
  row('median latency without', figure(without, 'p50_ms'), 'ms');
  row('median latency of the others', figure(beside, 'p50_ms'), 'ms');
  row('the others / without', figure(beside, 'p50_ms') / figure(without, 'p50_ms'), '×', '< 1.2');
  row('resident memory after it, without', figure(without, 'after') / 1024, 'MiB');
  row('resident memory after it, with them', figure(beside, 'after') / 1024, 'MiB', 'the same');
  row('stuck clients that were closed', figure(beside, 'slow'), `of ${few}`);
  await scanBesideStuck();
}

async function timedScan(folder, clients, stuckClients) {
  const daemon = await Daemon.start({ env: { REELD_SERVER_RING_MIB: '1' } });
  const load = await Load.start(daemon.port, { clients, stuck: stuckClients });
  const start = process.hrtime.bigint();
  const job = await daemon.wait(await daemon.scan(folder, { timeout_s: 0 }), 600);
  const rate = job.result.scanned / (Number(process.hrtime.bigint() - start) / 1e9);
  await load.end();
  await daemon.cleanup();
  return rate;
}

async function scanBesideStuck() {
  const data = path.join(top, 'build/bench-data');
  fs.mkdirSync(data, { recursive: true });
  execFileSync(path.join(top, 'tests/bench/library.sh'), [data, '2000'], { stdio: 'inherit' });
  const folder = path.join(data, 'library');
  console.log(`\nFirst scan of 2000 files beside 100 clients, ${rounds} rounds, interleaved`);
  await timedScan(folder, 100, 0); // so that every round finds the files in the page cache
  const without = [], beside = [];
  for (let i = 0; i < rounds; i++) {
    without.push(await timedScan(folder, 100, 0));
    beside.push(await timedScan(folder, 101, 1));
  }
  row('all of them read', median(without), 'files/s');
  row('and one more that never reads', median(beside), 'files/s');
  row('with it / without', median(beside) / median(without), '×', '≈ 1');
}

checkMachine(many);
console.log(`Server on processor 0, clients on ${clientCore[2]}.`);
for (const name of options.only.split(',')) {
  if (!parts[name]) throw new Error(`no such part: ${name}; there are ${Object.keys(parts).join(', ')}`);
  await parts[name]();
}
