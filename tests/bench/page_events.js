// The page beside scans that send so many events a second: the longest task of its main thread and its heap over time, in each of its
// views. Real Chromium, real daemon; folders of a tree change their names again and again, so that each scan finds all their files moved,
// which costs it little: two events a file, and no file is opened.
//   --seconds N   in each view (20)
//   --rate N      events a second; a round of scans each second, which sends them as fast as it goes (2,000)
//   --views A,B   of: Scans, Activity, Library, Scroll (the first three); Scroll: the library, from end to end and back each minute
//   --videos N    of the library beside the tree (0)
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { Daemon, build, makeVideo, tempDir } from '../lib/daemon.js';
import { mainTasks, percentile, row } from './measure.js';

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '20' }, rate: { type: 'string', default: '2000' }, views: { type: 'string', default: 'Scans,Activity,Library' },
    videos: { type: 'string', default: '0' }, help: { type: 'boolean' },
  },
});
if (options.help) {
  console.log(fs.readFileSync(new URL(import.meta.url), 'utf8').split('\n').slice(0, 7).map((line) => line.replace(/^\/\/ ?/, '')).join('\n'));
  process.exit(0);
}
const FOLDER_FILES = 250;
const ROUND_MS = 1000;
const SLICE_MS = 15000; // of a trace: a longer one would not fit into a string
const SAMPLE_MS = 500;
const MIB = 1024 * 1024;

/** Folders of files of their own, each known by its inode; twice as many as one round moves. */
function makeTree(dir, tree) {
  const one = makeVideo(path.join(dir, 'one.mp4'), { size: '64x48', rate: 5 });
  const folders = Math.max(2, Math.ceil(Number(options.rate) / FOLDER_FILES));
  for (let folder = 0; folder < folders; folder++) {
    const at = path.join(tree, `part ${folder}`);
    fs.mkdirSync(at, { recursive: true });
    for (let file = 0; file < FOLDER_FILES; file++) fs.copyFileSync(one, path.join(at, `clip ${folder} ${file}.mp4`));
  }
  return folders;
}

/** A round a second until stop(): half of the folders get another name, and the tree is scanned. */
function scanForever(daemon, tree, folders) {
  let going = true;
  const names = Array.from({ length: folders }, (_, folder) => `part ${folder}`);
  const state = { rounds: 0, late: 0 };
  const over = (async () => {
    for (let due = performance.now(); going; due += ROUND_MS) {
      for (let folder = state.rounds % 2; folder < folders; folder += 2) {
        const name = `part ${folder}${names[folder].endsWith('moved') ? '' : ' moved'}`;
        fs.renameSync(path.join(tree, names[folder]), path.join(tree, name));
        names[folder] = name;
      }
      await daemon.wait(await daemon.scan(tree, { timeout_s: 0 }));
      state.rounds++;
      if (performance.now() > due + ROUND_MS) state.late++;
      else await new Promise((resolve) => setTimeout(resolve, due + ROUND_MS - performance.now()));
    }
  })();
  return { state, events: Math.floor(folders / 2) * FOLDER_FILES * 2, stop: async () => {
    going = false;
    await over;
  } };
}

/** Scrolls through all of the library, there and back each minute, until window.scrolls is false. */
function scrollForever() {
  const begun = performance.now();
  window.scrolls = true;
  const step = () => {
    const part = ((performance.now() - begun) / 60000) % 1;
    scrollTo(0, (document.documentElement.scrollHeight - innerHeight) * (part < 0.5 ? part * 2 : 2 - part * 2));
    if (window.scrolls) requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
}

/** Traces the page for so long, slice by slice. */
async function trace(browser, page, session, milliseconds) {
  const figures = async () => Object.fromEntries((await session.send('Performance.getMetrics')).metrics.map(({ name, value }) => [name, value]));
  const seen = { cpu: 0, clock: 0, busy: 0, traced: 0, heaps: [], live: [] };
  const begun = performance.now();
  while (performance.now() - begun < milliseconds) {
    const until = Math.min(performance.now() + SLICE_MS, begun + milliseconds);
    await browser.startTracing(page, { categories: ['toplevel'] });
    const started = performance.now();
    while (performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, SAMPLE_MS));
      seen.heaps.push((await figures()).JSHeapUsedSize / MIB);
    }
    seen.traced += performance.now() - started;
    for (const { tdur, dur } of mainTasks(await browser.stopTracing())) {
      seen.busy += tdur / 1000;
      seen.cpu = Math.max(seen.cpu, tdur / 1000);
      seen.clock = Math.max(seen.clock, dur / 1000);
    }
    await session.send('HeapProfiler.collectGarbage');
    seen.live.push((await figures()).JSHeapUsedSize / MIB);
  }
  return { ...seen, last: await figures(), seconds: (performance.now() - begun) / 1000 };
}

/** What the page goes through in one view. */
async function watch(browser, page, session, view, scans) {
  await page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name: view === 'Scroll' ? 'Library' : view }).click();
  if (view === 'Scroll') await page.evaluate(scrollForever);
  await session.send('HeapProfiler.collectGarbage');
  await page.evaluate(() => new Promise(requestAnimationFrame));
  await page.evaluate(() => { window.tasks.length = 0; });
  const [heardBefore, roundsBefore] = [await page.evaluate(() => window.heard), { ...scans.state }];
  const seen = await trace(browser, page, session, Number(options.seconds) * 1000);
  const { tasks, heard } = await page.evaluate(() => {
    window.scrolls = false;
    return { tasks: window.tasks, heard: window.heard };
  });
  const rounds = scans.state.rounds - roundsBefore.rounds;
  row(`${view}: events a second, sent`, (rounds * scans.events) / seen.seconds, '', Number(options.rate).toLocaleString('en'));
  // A page that lags, as on a machine that others use too, is not told progress that is superseded.
  row(`${view}: events a second, told`, (heard - heardBefore) / seen.seconds, '', 'as many, on an idle machine');
  row(`${view}: scans that took longer than their second`, scans.state.late - roundsBefore.late, `of ${rounds}`);
  // What the main thread itself did; by the clock also what it waited for while others had the processor.
  row(`${view}: longest task, processor time`, seen.cpu, 'ms', 'none over 50');
  row(`${view}: tasks over 50 ms by the clock`, tasks.length, '', '0 on an idle machine');
  row(`${view}: longest task by the clock`, seen.clock, 'ms');
  row(`${view}: main thread busy, processor time`, (seen.busy / seen.traced) * 100, '%');
  row(`${view}: heap, median sample`, percentile(seen.heaps, 50), 'MiB');
  row(`${view}: heap, highest sample`, Math.max(...seen.heaps), 'MiB', 'under 60');
  row(`${view}: heap after collection, first slice`, seen.live[0], 'MiB');
  row(`${view}: heap after collection, last slice`, seen.live.at(-1), 'MiB', 'as the first');
  row(`${view}: elements and other nodes`, seen.last.Nodes, '');
}

const dir = tempDir('reeld-bench-');
const tree = path.join(dir, 'tree');
if (Number(options.videos) > 0) execFileSync(path.join(build, 'catalogue_fill'), [path.join(dir, 'catalog.db'), '--videos', options.videos]);
const daemon = await Daemon.start({ dir });
const browser = await chromium.launch({ executablePath: process.env.REELD_CHROMIUM ?? '/usr/bin/chromium', args: ['--headless', '--no-sandbox', '--disable-gpu'] });
let scans;
try {
  const folders = makeTree(dir, tree);
  await daemon.wait(await daemon.scan(tree, { timeout_s: 0 }));
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable');
  await session.send('HeapProfiler.enable');
  await page.addInitScript(() => {
    window.tasks = [];
    window.heard = 0; // counted in the page: each frame told to the outside would cost more than the page itself
    window.WebSocket = class extends WebSocket {
      constructor(...given) {
        super(...given);
        this.addEventListener('message', () => { window.heard++; });
      }
    };
    new PerformanceObserver((list) => window.tasks.push(...list.getEntries().map(({ duration }) => duration))).observe({ type: 'longtask' });
  });
  await page.goto(daemon.url);
  await page.waitForSelector('reeld-connection[data-mode="live"]');
  scans = scanForever(daemon, tree, folders);
  await page.getByRole('link', { name: 'Scans' }).click();
  await page.locator('reeld-job').first().waitFor();
  for (const view of options.views.split(',')) await watch(browser, page, session, view, scans);
} finally {
  await scans?.stop();
  await browser.close();
  await daemon.cleanup();
  fs.rmSync(dir, { recursive: true, force: true });
}
