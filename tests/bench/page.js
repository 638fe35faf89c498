// The page: how large it is, how soon it shows something, and what it costs to scroll through a large library. Real Chromium, real daemon, through
// the DevTools protocol.
//   --videos N    of the library that is scrolled through (100,000)
//   --seconds S   for the way from end to end and back (60)
//   --web DIR     another page than the one served by default, e.g. --web web: the sources
//   --parts A,B   of: size, paint, scroll, events (these), soak; of events see page_events.js; soak: both at once, for all of --seconds
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { Daemon, build, tempDir, top } from '../lib/daemon.js';
import { pageFiles, sizeOf } from '../lib/page_files.js';
import { mainTasks, median, percentile, row } from './measure.js';

const { values: options } = parseArgs({
  options: {
    videos: { type: 'string', default: '100000' }, seconds: { type: 'string', default: '60' }, parts: { type: 'string', default: 'size,paint,scroll,events' },
    loads: { type: 'string', default: '15' }, web: { type: 'string' }, help: { type: 'boolean' },
  },
});
if (options.help) {
  console.log(fs.readFileSync(new URL(import.meta.url), 'utf8').split('\n').slice(0, 7).map((line) => line.replace(/^\/\/ ?/, '')).join('\n'));
  process.exit(0);
}
// Every daemon from here on hears of it.
if (options.web !== undefined) process.env.REELD_SERVER_WEB = path.resolve(options.web);
const parts = new Set(options.parts.split(','));

/** Every script and style sheet of the page, also of what it fetches later, in bytes as they come over the wire. */
function size(files) {
  const [scripts, styles] = [sizeOf(files, 'js'), sizeOf(files, 'css')];
  row('script and style: files', files.size, '');
  row('script, gzip', scripts / 1024, 'KiB');
  row('style, gzip', styles / 1024, 'KiB');
  row('script and style, gzip', (scripts + styles) / 1024, 'KiB', 'under 60');
}

async function withBrowser(work) {
  const browser = await chromium.launch({
    executablePath: process.env.REELD_CHROMIUM ?? '/usr/bin/chromium', args: ['--headless', '--no-sandbox', '--disable-gpu', '--enable-precise-memory-info'],
  });
  try {
    return await work(browser);
  } finally {
    await browser.close();
  }
}

/** What of it had come when the library, as the first view, showed its first videos. */
async function firstView(daemon, files) {
  let bytes = 0;
  await withBrowser(async (browser) => {
    const page = await browser.newPage();
    await page.addInitScript(() => {
      new MutationObserver((_, observer) => {
        if (!document.querySelector('reeld-grid .item:not(.waiting)')) return;
        window.shown = performance.now();
        observer.disconnect();
      }).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ['class'] });
    });
    await page.goto(daemon.url);
    await page.waitForFunction(() => window.shown);
    const came = await page.evaluate(() => performance.getEntriesByType('resource').filter(({ responseEnd }) => responseEnd <= window.shown).map(({ name }) => new URL(name).pathname));
    for (const name of came) bytes += files.get(name)?.bytes ?? 0;
  });
  row('of it, there when the library shows its first videos', bytes / 1024, 'KiB', 'under 60');
}

/** From the start of the navigation to the first content, and to the first videos; nothing is cached. */
async function paint(daemon) {
  const paints = [];
  const firsts = [];
  await withBrowser(async (browser) => {
    for (let load = 0; load <= Number(options.loads); load++) {
      const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
      const page = await context.newPage();
      await page.goto(daemon.url);
      await page.waitForSelector('reeld-grid .item:not(.waiting)');
      const { content, items } = await page.evaluate(() => new Promise((done) => {
        const items = performance.now();
        new PerformanceObserver((list) => done({ content: list.getEntriesByName('first-contentful-paint')[0].startTime, items })).observe({ type: 'paint', buffered: true });
      }));
      await context.close();
      if (load === 0) continue; // the browser itself was cold
      paints.push(content);
      firsts.push(items);
    }
  });
  row('first paint of content, cold cache, median', median(paints), 'ms', 'under 300');
  row('first paint of content, cold cache, highest', percentile(paints, 100), 'ms', 'under 300');
  row('first videos in the page, median (as it was noticed)', median(firsts), 'ms');
}

/** Scrolls from end to end and back; what it costs the main thread, and what it leaves. */
async function scroll(daemon) {
  await withBrowser(async (browser) => {
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    const session = await page.context().newCDPSession(page);
    await session.send('Performance.enable');
    await session.send('HeapProfiler.enable');
    await page.addInitScript(() => {
      window.tasks = [];
      new PerformanceObserver((list) => window.tasks.push(...list.getEntries().map(({ duration }) => duration))).observe({ type: 'longtask', buffered: true });
    });
    await page.goto(daemon.url);
    await page.waitForSelector('reeld-grid .item:not(.waiting)');
    const heap = async () => {
      await session.send('HeapProfiler.collectGarbage');
      const { metrics } = await session.send('Performance.getMetrics');
      return metrics.find(({ name }) => name === 'JSHeapUsedSize').value / 1024 / 1024;
    };
    const before = await heap();
    await browser.startTracing(page, { categories: ['toplevel'] });
    const seen = await page.evaluate(async (seconds) => {
      window.tasks.length = 0;
      const height = document.documentElement.scrollHeight - innerHeight;
      const begun = performance.now();
      const frames = [];
      let last = begun;
      let elements = 0;
      let peak = 0;
      let steps = 0;
      for (;;) {
        const part = (performance.now() - begun) / 1000 / seconds;
        if (part >= 1) break;
        scrollTo(0, height * (part < 0.5 ? part * 2 : 2 - part * 2));
        await new Promise((done) => requestAnimationFrame(done));
        const now = performance.now();
        frames.push(now - last);
        last = now;
        if (++steps % 20 === 0) {
          elements = Math.max(elements, document.querySelectorAll('*').length);
          peak = Math.max(peak, performance.memory.usedJSHeapSize);
        }
      }
      return { frames, elements, peak: peak / 1024 / 1024, tasks: window.tasks };
    }, Number(options.seconds));
    const tasks = mainTasks(await browser.stopTracing());
    const after = await heap();
    row('videos scrolled through, there and back', Number(options.videos), '');
    row('frames drawn', seen.frames.length, '');
    row('a frame, 99th of 100', percentile(seen.frames, 99), 'ms');
    // What the main thread itself did; by the clock also what it waited for while others had the processor.
    row('longest task of the main thread, processor time', Math.max(...tasks.map(({ tdur }) => tdur)) / 1000, 'ms', 'none over 50');
    row('tasks over 50 ms by the clock', seen.tasks.length, '', '0 on an idle machine');
    row('longest task by the clock', Math.max(...tasks.map(({ dur }) => dur)) / 1000, 'ms');
    row('elements in the page, most', seen.elements, '');
    row('heap before, after collection', before, 'MiB');
    row('heap while scrolling, highest', seen.peak, 'MiB', 'under 60');
    row('heap after, after collection', after, 'MiB', 'under 60');
  });
}

console.log('The page');
if (['size', 'paint', 'scroll'].some((part) => parts.has(part))) {
  const dir = tempDir();
  execFileSync(path.join(build, 'catalogue_fill'), [path.join(dir, 'catalog.db'), '--videos', options.videos]);
  const daemon = await Daemon.start({ dir });
  try {
    if (parts.has('size')) {
      const files = await pageFiles(daemon.url);
      size(files);
      await firstView(daemon, files);
    }
    if (parts.has('paint')) await paint(daemon);
    if (parts.has('scroll')) await scroll(daemon);
  } finally {
    await daemon.cleanup();
    fs.rmSync(dir, { recursive: true, force: true });
  }
}
/** @param {string[]} more */
const events = (more = []) => execFileSync(process.execPath, [path.join(top, 'tests/bench/page_events.js'), '--seconds', options.seconds, ...more], { stdio: 'inherit' });
if (parts.has('events')) events();
if (parts.has('soak')) events(['--videos', options.videos, '--views', 'Scroll']);
