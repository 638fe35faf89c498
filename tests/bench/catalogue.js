// scripts/bench catalogue: rescans beside find, latency at a million rows beside a scan, pages beside their peers, a moved
// folder, and how fast rows go in.
import { spawnSync } from 'node:child_process';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { tempDir } from '../lib/daemon.js';
import { daemonOf, data, fill, groups, insertFloor, metric, timedScan, tree } from './catalogue_data.js';
import { FastApi, FastApiUsual, Nginx, NodeSqlite, copyCatalogue, peerCursors } from './catalogue_peers.js';
import { cursorAt, floor, queries, random, samples, shuffled } from './catalogue_queries.js';
import { HttpLoad, loadHttp, serverCore, startServer } from './channel_servers.js';
import { latencyHead, latencyRow, median, resident, residentPeak, row } from './measure.js';

const parts = { rescan, latency, requests, unchanged, moved, insert };
const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: Object.keys(parts).join(',') }, rounds: { type: 'string', default: '5' },
    videos: { type: 'string', default: '1000000' }, files: { type: 'string', default: '100000' },
    writing: { type: 'string', default: '200000' }, rate: { type: 'string', default: '200' },
    seconds: { type: 'string', default: '3' }, longest: { type: 'string', default: '90' },
    fills: { type: 'string', default: '1' }, workers: { type: 'string', default: '2' }, help: { type: 'boolean' },
  },
});
if (options.help) {
  console.log(`options: --only ${options.only}
  --videos ${options.videos} (the large catalogue, and its tree)  --files ${options.files} (the tree that is scanned again and moved about)
  --rounds ${options.rounds}  --seconds ${options.seconds} (of one measurement of requests)  --workers ${options.workers}
  --writing ${options.writing} (files of the tree that is scanned beside the questions)  --rate ${options.rate} (questions a second)
  --longest ${options.longest} (seconds of questions beside the scan)  --fills ${options.fills} (times that the large catalogue is written)
Trees and catalogues are made once in build/bench-data; a file takes 4 KiB and an inode.`);
  process.exit(0);
}
const rounds = Number(options.rounds);
const seconds = Number(options.seconds);
const videos = Number(options.videos);
const files = Number(options.files);
const workers = ['--workers', options.workers];

const begun = () => process.hrtime.bigint();
const since = (start) => Number(process.hrtime.bigint() - start) / 1e9;

// ---- rescans -------------------------------------------------------------------------------------------------------

function find(folder) {
  const start = begun();
  const { status } = spawnSync('find', [folder, '-type', 'f', '-size', '+0', '-printf', '%s %T@ %i\\n'],
    { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error(`find ended with ${status}`);
  return since(start);
}

async function rescanOf(daemon, folder, count) {
  const probed = await metric(daemon, 'reeld_probed_total');
  const { seconds: took, result } = await timedScan(daemon, folder);
  assert.equal(result.skipped, count, JSON.stringify(result));
  assert.equal(await metric(daemon, 'reeld_probed_total'), probed);
  return took;
}

async function rescan() {
  const small = tree(files), large = tree(videos);
  const smallDaemon = await daemonOf(small, { args: workers });
  const largeDaemon = await daemonOf(large, { args: workers });
  console.log(`\nRescan of unchanged trees of ${files} and ${videos} files, ${rounds} rounds, interleaved`);
  row('the large catalogue, start to counts that answer', largeDaemon.warmSeconds * 1000, 'ms');
  row('its memory then', resident(largeDaemon.process.pid) / 1024, 'MiB');
  for (const [daemon, folder, count] of [[smallDaemon, small, files], [largeDaemon, large, videos]]) {
    find(folder);
    await rescanOf(daemon, folder, count);
  }
  const times = { smallFind: [], small: [], largeFind: [], large: [] };
  for (let i = 0; i < rounds; i++) {
    times.smallFind.push(find(small));
    times.small.push(await rescanOf(smallDaemon, small, files));
    times.largeFind.push(find(large));
    times.large.push(await rescanOf(largeDaemon, large, videos));
  }
  row(`find -type f -size +0 -printf, ${files}`, median(times.smallFind) * 1000, 'ms');
  row(`rescan, ${files}`, median(times.small) * 1000, 'ms');
  row('rescan / find', median(times.small) / median(times.smallFind), '×', '≤ 1.5');
  row(`find, ${videos}`, median(times.largeFind) * 1000, 'ms');
  row(`rescan, ${videos}`, median(times.large) * 1000, 'ms');
  row('rescan / find', median(times.large) / median(times.largeFind), '×');
  row(`rescan of ${videos} / rescan of ${files}`, median(times.large) / median(times.small), '×', '≤ 12');
  for (const [, , page] of await queries(largeDaemon, videos)) {
    const answer = await fetch(largeDaemon.url + page);
    if (answer.status !== 200) throw new Error(`${page}: ${answer.status}`);
    await answer.arrayBuffer();
  }
  row('memory of the large catalogue, after some questions', resident(largeDaemon.process.pid) / 1024, 'MiB', '< 96');
  row('and the highest', residentPeak(largeDaemon.process.pid), 'MiB', '< 96');
  await smallDaemon.cleanup();
  await largeDaemon.cleanup();
}

// ---- latency -------------------------------------------------------------------------------------------------------

function pagesFile(lines) {
  const file = path.join(tempDir('reeld-bench-'), 'pages');
  fs.writeFileSync(file, lines.map((line) => `${line.join('\t')}\n`).join(''));
  return file;
}

/** One row a question, and one a kind of them. */
function printLatencies(title, report, asked) {
  const byName = new Map(report.groups.map((group) => [group.name, group]));
  const goal = '< 10';
  latencyHead(title);
  for (const kind of new Set(asked.map(([name]) => name))) {
    const names = new Set(asked.filter(([name]) => name === kind).map(([, name]) => name));
    for (const name of names) {
      if (byName.has(name)) latencyRow(`  ${name}`, byName.get(name), kind === floor ? '' : goal);
    }
    if (names.size > 1 && byName.has(kind)) latencyRow(kind, byName.get(kind), goal);
  }
  latencyRow('all of them', report, goal);
}

async function latency() {
  const writing = Number(options.writing);
  const large = tree(videos), other = tree(writing, videos);
  const daemon = await daemonOf(large, { roots: [other], args: workers });
  const asked = await queries(daemon, videos);
  const pages = pagesFile(shuffled(asked));
  const load = { pages, rate: Number(options.rate), connections: 1, core: ['env'] };
  console.log(`\n${asked.length} questions, ${options.rate} a second by one client, to a catalogue of ${videos} videos`);
  const still = await new HttpLoad(daemon.port, { ...load, seconds: Math.max(seconds * 2, asked.length / load.rate) }).report;
  printLatencies('at rest', still, asked);
  const id = await daemon.scan(other, { timeout_s: 0 });
  const rows = await metric(daemon, 'reeld_rows_total');
  const start = begun();
  const running = new HttpLoad(daemon.port, { ...load, seconds: 0 });
  const over = daemon.wait(id, 3600).then(() => true);
  const early = await Promise.race([over, running.report.then(() => false),
    new Promise((resolve) => { setTimeout(resolve, Number(options.longest) * 1000, false).unref(); })]);
  const report = await running.end();
  const written = await metric(daemon, 'reeld_rows_total') - rows;
  console.log('');
  row('rows that a scan committed meanwhile', written / since(start), 'rows/s');
  printLatencies('beside the scan', report, asked);
  row('memory of the daemon, highest', residentPeak(daemon.process.pid), 'MiB', '< 96');
  if (!early) {
    await daemon.post(`/api/v1/jobs/${id}/cancel`);
    await over;
  }
  await daemon.cleanup();
}

// ---- requests a second ---------------------------------------------------------------------------------------------

const pageCount = 2000;
const apart = `8 connections, one processor a server, ${rounds} rounds of ${seconds} s, interleaved`;

/** Reeld's pages: the 20 rows behind cursors at random places, and folders. */
async function ownPages(daemon, folders) {
  const next = random(3);
  const cursors = [];
  for (let i = 0; i < pageCount; i++) cursors.push(await cursorAt(daemon, { sort: 'name' }, 1 + next(videos - 100)));
  const list = (query) => `/api/v1/videos?${new URLSearchParams({ sort: 'name', limit: '20', ...query })}`;
  return { cursor: cursors.map((cursor) => [list({ cursor })]), folder: folders.map((folder) => [list({ folder })]) };
}

function peerPages(prefix, database, folders) {
  const list = (query) => `${prefix}/videos?${new URLSearchParams({ limit: '20', ...query })}`;
  const cursors = peerCursors(database, pageCount, 3);
  return { cursor: cursors.map((cursor) => [list({ cursor })]), folder: folders.map((folder) => [list({ folder })]) };
}

/** That a peer's page of a folder is reeld's, member by member. */
async function checkSame(daemon, server, folder) {
  const ask = async (url) => (await fetch(url)).json();
  const query = `limit=20&folder=${encodeURIComponent(folder)}`;
  const ours = await ask(`${daemon.url}/api/v1/videos?sort=name&${query}`);
  const theirs = await ask(`http://127.0.0.1:${server.port}${server.constructor.prefix}/videos?${query}`);
  const byId = (list) => [...list].sort((a, b) => (a.id < b.id ? -1 : 1));
  assert.equal(ours.videos.length > 0, true);
  assert.deepEqual(byId(theirs.videos), byId(ours.videos));
  assert.deepEqual(Object.keys(theirs).sort(), Object.keys(ours).sort());
  assert.equal(theirs.total, ours.total);
}

async function requests() {
  const daemon = await daemonOf(tree(videos), { wrap: serverCore, args: workers });
  const database = path.join(data, `peers-${videos}.db`);
  fs.rmSync(database, { force: true });
  console.log('Copying the catalogue for the peers…');
  await copyCatalogue(daemon, database);
  const folders = (await samples(daemon, videos, pageCount)).map((video) => path.dirname(video.path));
  const kinds = [NodeSqlite, FastApi, FastApiUsual];
  const own = await ownPages(daemon, folders);
  const rates = new Map();
  const measure = async (name, port, pages) => {
    for (const [kind, lines] of Object.entries(pages)) {
      const { rate, client_cpu: client } = await new HttpLoad(port, { pages: pagesFile(lines), connections: 8, seconds }).report;
      const key = `${name}: ${kind}`;
      rates.set(key, [...(rates.get(key) ?? []), { rate, client }]);
    }
  };
  for (let i = 0; i < rounds; i++) {
    await measure('reeld', daemon.port, own);
    for (const Kind of kinds) {
      const server = await startServer(Kind, { database });
      await checkSame(daemon, server, folders[0]);
      const pages = peerPages(Kind.prefix, database, folders);
      await new HttpLoad(server.port, { pages: pagesFile(pages.cursor), seconds: 1 }).report; // both compile as they run
      await measure(Kind.title, server.port, pages);
      await server.stop();
    }
  }
  const rate = (name) => median(rates.get(name).map((one) => one.rate));
  console.log(`\nPages of 20 rows of ${videos}, each another, ${apart}`);
  for (const kind of Object.keys(own)) {
    const title = { cursor: 'by name, from random cursors', folder: 'of random folders' }[kind];
    row(`reeld, ${title}`, rate(`reeld: ${kind}`), 'pages/s');
    for (const Kind of kinds) row(`${Kind.title}, the same`, rate(`${Kind.title}: ${kind}`), 'pages/s');
    row('reeld / FastAPI, a JSONResponse', rate(`reeld: ${kind}`) / rate(`${FastApi.title}: ${kind}`), '×', '≥ 5');
    row('reeld / FastAPI, a dictionary', rate(`reeld: ${kind}`) / rate(`${FastApiUsual.title}: ${kind}`), '×', '≥ 5');
    row('reeld / node, better-sqlite3', rate(`reeld: ${kind}`) / rate(`${NodeSqlite.title}: ${kind}`), '×', '≥ 3');
  }
  row('processor of the load client at reeld', median(rates.get('reeld: cursor').map((one) => one.client)) * 100, '%');
  await daemon.cleanup();
}

// ---- an unchanged page ---------------------------------------------------------------------------------------------

async function unchanged() {
  const daemon = await daemonOf(tree(videos), { wrap: serverCore, args: workers });
  const page = '/api/v1/videos?limit=20&sort=name';
  const etag = (await fetch(daemon.url + page)).headers.get('etag');
  if (!etag) throw new Error('the page has no ETag');
  const nginx = await startServer(Nginx, {});
  const times = { ours: [], whole: [], peer: [], peer304: [] };
  const client = [];
  const ask = async (port, target, header) => {
    const more = header ? { headers: [`If-None-Match: ${header}`], status: 304 } : {};
    const report = await loadHttp(port, target, { ...more, connections: 8, seconds });
    client.push(report.client_cpu);
    return report.rate;
  };
  for (let i = 0; i < rounds; i++) {
    times.ours.push(await ask(daemon.port, page, etag));
    times.peer.push(await ask(nginx.port, '/small.json'));
    times.peer304.push(await ask(nginx.port, '/small.json', nginx.etag));
    times.whole.push(await ask(daemon.port, page));
  }
  console.log(`\nAn unchanged page of 20 rows of ${videos}, ${apart}`);
  row('reeld, If-None-Match, 304', median(times.ours), 'answers/s');
  row('reeld, the same page whole', median(times.whole), 'answers/s');
  row('nginx, a file of 1 KiB', median(times.peer), 'answers/s');
  row('nginx, If-None-Match, 304', median(times.peer304), 'answers/s');
  row('reeld, 304 / nginx, a file of 1 KiB', median(times.ours) / median(times.peer), '×', '≥ 0.5');
  row('processor of the load client, highest', Math.max(...client) * 100, '%');
  await nginx.stop();
  await daemon.cleanup();
}

// ---- a moved folder ------------------------------------------------------------------------------------------------

async function moved() {
  const folder = tree(files);
  const shelf = path.join(folder, 'shelf');
  const here = path.join(folder, 'group 003'), there = path.join(shelf, 'group 003');
  fs.mkdirSync(shelf, { recursive: true });
  if (fs.existsSync(there)) fs.renameSync(there, here); // a run that was ended
  const daemon = await daemonOf(folder, { args: workers });
  const inside = async (place) => {
    const { body } = await daemon.get(`/api/v1/videos?sort=name&limit=1000&folder=${encodeURIComponent(place)}`);
    return [body.total, body.videos.map((video) => [video.id, video.filename, video.created_at, video.thumbnail])];
  };
  const times = { unchanged: [], moved: [] };
  try {
    await rescanOf(daemon, folder, files);
    const [count, before] = await inside(here);
    assert.equal(Math.abs(count - files / groups(files)) <= 20, true, `${count} videos in a group`);
    console.log(`\nmv of a folder with ${count} of ${files} videos, then a scan; ${rounds} rounds, interleaved`);
    const probed = await metric(daemon, 'reeld_probed_total');
    for (let i = 0; i < rounds; i++) {
      times.unchanged.push(await rescanOf(daemon, folder, files));
      const [from, to] = i % 2 === 0 ? [here, there] : [there, here];
      fs.renameSync(from, to);
      const { seconds: took, result } = await timedScan(daemon, folder);
      assert.equal(result.moved, count, JSON.stringify(result));
      assert.equal(result.missing + result.new, 0, JSON.stringify(result));
      assert.deepEqual(await inside(to), [count, before]);
      times.moved.push(took);
    }
    row('files probed', await metric(daemon, 'reeld_probed_total') - probed, 'files', '0');
    row('unchanged rescan', median(times.unchanged) * 1000, 'ms');
    row('scan after mv', median(times.moved) * 1000, 'ms');
    row('scan after mv / unchanged rescan', median(times.moved) / median(times.unchanged), '×', '< 2');
  } finally {
    if (fs.existsSync(there)) fs.renameSync(there, here);
  }
  await daemon.cleanup();
}

// ---- first insert --------------------------------------------------------------------------------------------------

function insert() {
  fs.mkdirSync(data, { recursive: true });
  const file = path.join(data, 'insert.db');
  const folders = Math.ceil(videos / 20);
  console.log(`\nFirst insert of ${videos} rows in ${folders} folders through the writer, ${options.fills} times`);
  const reports = { 1000: [], 80: [] };
  const floors = [];
  for (let i = 0; i < Number(options.fills); i++) {
    floors.push(insertFloor(file, videos));
    for (const commit of [1000, 80]) reports[commit].push(fill(file, { videos, folders, groups: groups(videos), commit }));
    floors.push(insertFloor(file, videos));
  }
  const rate = (commit) => median(reports[commit].map((report) => report.rate));
  // 30,000 rows/s beside the 131,000 that bare SQLite made of such rows where the goal was set.
  row('bare rows with their indexes, SQLite alone', median(floors), 'rows/s');
  row('1,000 rows a commit', rate(1000), 'rows/s', '≥ 30000');
  row('1,000 rows a commit / bare rows', rate(1000) / median(floors), '×', '≥ 0.23');
  row('80 rows a commit, as the library has them', rate(80), 'rows/s', '≥ 30000');
  row('the catalogue\'s file', median(reports[1000].map((report) => report.bytes_a_video)), 'bytes a video', '< 700');
}

for (const name of options.only.split(',')) {
  if (!parts[name]) throw new Error(`no such part: ${name}; there are ${Object.keys(parts).join(', ')}`);
  await parts[name]();
}
