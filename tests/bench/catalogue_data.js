// What scripts/bench catalogue works on: generated trees and the catalogues of them, each made once in build/bench-data.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { Daemon, build, eventually, makeVideo, tempDir, top } from '../lib/daemon.js';

export const data = path.join(top, 'build/bench-data');
const program = (name) => path.join(build, name);

/** A video of one frame: 1,000,000 of them take 4 GiB. */
function master() {
  const file = path.join(data, 'one-frame.mp4');
  if (!fs.existsSync(file)) {
    const part = path.join(data, 'one-frame.part.mp4');
    makeVideo(part, { size: '32x32', seconds: 0.04, extra: ['-an', '-frames:v', '1', '-fflags', '+bitexact'] });
    fs.renameSync(part, file);
  }
  return file;
}

/** Videos that share a folder of a group when all else is moved. */
export const groups = (videos) => Math.max(10, Math.round(videos / 10000));

/**
 * A tree of `videos` files, 20 in a folder, 10,000 in a group of folders (a tenth of all where there are fewer than
 * 100,000); `first` is the number of the first. Its files fill their tree, and no two trees share a number.
 */
export function tree(videos, first = 0) {
  const folder = path.join(data, `tree-${videos}-${first}`);
  if (fs.existsSync(`${folder}.complete`)) return folder;
  console.log(`Making a tree of ${videos} files (once)…`);
  fs.mkdirSync(data, { recursive: true });
  fs.rmSync(folder, { recursive: true, force: true });
  execFileSync(program('tree_make'), ['--tree', folder, '--master', master(), '--videos', videos, '--groups', groups(videos),
    '--first', first].map(String), { stdio: 'inherit' });
  fs.writeFileSync(`${folder}.complete`, '');
  return folder;
}

function removeDatabase(file) {
  for (const ending of ['', '-wal', '-shm', '.lock']) fs.rmSync(file + ending, { force: true });
}

/** Bare rows a second that SQLite takes with nothing of reeld around it. */
export function insertFloor(file, videos) {
  removeDatabase(file);
  const report = JSON.parse(execFileSync(program('insert_floor'), [file, String(videos)], { encoding: 'utf8' }));
  removeDatabase(file);
  return report.rate;
}

/** catalogue_fill; gives its report. */
export function fill(file, options) {
  removeDatabase(file);
  const argv = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  return JSON.parse(execFileSync(program('catalogue_fill'), [file, ...argv], { encoding: 'utf8' }));
}

/** The catalogue of a tree, as a scan would have left it; made again when the program that makes it is newer. */
function catalogueOf(folder) {
  const file = `${folder}.db`;
  const made = fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const needed = Math.max(fs.statSync(program('catalogue_fill')).mtimeMs, fs.statSync(`${folder}.complete`).mtimeMs);
  if (made < needed) {
    console.log(`Making the catalogue of ${path.basename(folder)}…`);
    const part = `${file}.part`;
    fill(part, { tree: folder, missing: 1000, commit: 1000 });
    fs.renameSync(part, file);
  }
  return file;
}

/** A daemon with a copy of a tree's catalogue, which has read what it keeps in memory. */
export async function daemonOf(folder, { roots = [], wrap = [], args = [] } = {}) {
  const dir = tempDir('reeld-bench-');
  const file = path.join(dir, 'catalog.db');
  fs.copyFileSync(catalogueOf(folder), file);
  const fd = fs.openSync(file, 'r+');
  fs.fsyncSync(fd); // so that the disk is at rest when it is measured
  fs.closeSync(fd);
  const rootArguments = [folder, ...roots].flatMap((root) => ['--root', root]);
  const daemon = await Daemon.start({ dir, wrap, args: [...rootArguments, ...args] });
  daemon.ownsDir = true;
  const begun = process.hrtime.bigint();
  await eventually(async () => (await fetch(`${daemon.url}/api/v1/stats`)).status !== 503, 'the catalogue is in memory', 300000);
  daemon.warmSeconds = Number(process.hrtime.bigint() - begun) / 1e9;
  return daemon;
}

/** Seconds from asking for a scan to its end, as a long poll hears of it; and the job. */
export async function timedScan(daemon, folder) {
  const begun = process.hrtime.bigint();
  const job = await daemon.wait(await daemon.scan(folder, { timeout_s: 0 }), 3600);
  const seconds = Number(process.hrtime.bigint() - begun) / 1e9;
  if (job.status !== 'complete' || job.result.error_count || job.result.refused) throw new Error(JSON.stringify(job));
  return { seconds, result: job.result };
}

/** One figure of the daemon's metrics. */
export async function metric(daemon, name) {
  const { body } = await daemon.get('/metrics');
  const found = new RegExp(`^${name} (\\S+)$`, 'm').exec(body);
  if (!found) throw new Error(`no such metric: ${name}`);
  return Number(found[1]);
}
