// Opens the page of a real daemon in a real Chromium, and keeps an ear on what the browser complains about.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { describe, test } from 'node:test';
import { chromium } from 'playwright-core';
import { Daemon, eventually, tempDir, top } from '../lib/daemon.js';
import { slowDown } from './slow.js';

const ARGUMENTS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];
export const artefacts = path.join(top, 'tests/artefacts');
/** What one waits for in a page, in ms: far more than it takes, also under sanitizers. */
export const LONG = Number(process.env.REELD_TEST_WAIT_MS ?? 120000);
/** What Chromium writes of the picture of a video whose file a test took away. */
export const GONE = /404 \(Not Found\)|410 \(Gone\)/;
export const LIVE = 'reeld-connection[data-mode="live"]';

/** @type {Promise<import('playwright-core').Browser> | null} */
let browser = null;

/** One Chromium a test file; closed with its last page's process. */
function theBrowser() {
  browser ??= chromium.launch({ executablePath: process.env.REELD_CHROMIUM ?? '/usr/bin/chromium', args: ARGUMENTS, timeout: LONG });
  return browser;
}

export async function closeBrowser() {
  await (await browser)?.close();
  browser = null;
}

/**
 * A test() for files whose tests wait more than they work: `count` of the file's tests at once, each with a daemon and a page of its own.
 * @param {number} count
 * @returns {(name: string, body: (t: import('node:test').TestContext) => unknown) => void}
 */
export function testsAtOnce(count) {
  const tests = [];
  // Once the file has named them all.
  queueMicrotask(() => describe(`${count} at once`, { concurrency: count }, () => tests.forEach(([name, body]) => test(name, body))));
  return (name, body) => tests.push([name, body]);
}

/** For holdWorker(): one worker, and no time limit for a file. */
export const ONE_WORKER = ['--workers', '1', '--file-timeout', '3600'];

/**
 * Stops the only worker of a daemon with ONE_WORKER: a scan stays where it is, however slow the page; it can be paused and cancelled,
 * but not end. Gives what lets it go on.
 */
export async function holdWorker(daemon) {
  await eventually(async () => (await daemon.get('/health/ready')).status === 200, 'the worker is there');
  const { pid } = daemon.process;
  const [worker, ...others] = fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
  assert.ok(worker > 0 && others.length === 0, 'one worker');
  process.kill(worker, 'SIGSTOP');
  return () => {
    try {
      process.kill(worker, 'SIGCONT');
    } catch (error) {
      // Whom a cancelled scan left stuck, the daemon may have replaced.
      if (error.code !== 'ESRCH') throw error;
    }
  };
}

/** No test of the page is about files that are still being written, and none shall wait until they are not. */
const SETTLED = ['--settle', '0'];

/**
 * A daemon, a directory for its files, and pages of it: open(options) gives one in a fresh context. When the test
 * ends, no page may have had an error or a violation of its security policy.
 * @param {import('node:test').TestContext} t
 * @param {object} [options] as for Daemon.start
 */
export async function start(t, options = {}) {
  const dir = tempDir();
  const daemon = await Daemon.start({ ...options, args: [...SETTLED, ...(options.args ?? [])] });
  const pages = [];
  t.after(async () => {
    for (const one of pages) {
      one.over = true;
      // What a test answers itself may be under way: it ends with the page, and is no error of either.
      await one.page.unrouteAll({ behavior: 'ignoreErrors' });
      await one.context.unrouteAll({ behavior: 'ignoreErrors' });
      await one.context.close();
    }
    await daemon.cleanup();
    fs.rmSync(dir, { recursive: true, force: true });
    for (const { complaints, allow } of pages) {
      assert.deepEqual(complaints.filter((line) => !allow?.test(line)), [], 'what the browser complained of');
    }
  });
  return { daemon, dir, open: (more = {}) => openPage(daemon.url, pages, more) };
}

/**
 * @param {{ width?: number, height?: number, dark?: boolean, allow?: RegExp, prepare?: (page: any) => Promise<void>,
 *   url?: string, path?: string, live?: boolean }} options
 */
async function openPage(url, pages, options) {
  const context = await (await theBrowser()).newContext({
    viewport: { width: options.width ?? 1280, height: options.height ?? 900 }, locale: 'en-GB',
    colorScheme: options.dark ? 'dark' : 'light',
  });
  const page = await context.newPage();
  const one = { context, page, complaints: /** @type {string[]} */ ([]), allow: options.allow, over: false };
  const complain = (/** @type {string} */ line) => one.over || one.complaints.push(line);
  pages.push(one);
  page.setDefaultTimeout(LONG);
  page.on('pageerror', (error) => complain(`uncaught: ${error.stack}`));
  page.on('console', (message) => {
    // A picture or a file that cannot be had is no error of the page's: a placeholder stays, or words say so.
    if (/\/videos\/[^/]+\/(thumbnail|storyboard|file)/.test(message.location().url)) return;
    // Nor is a server that is busy and says to come again: the page does.
    if (/status of 503/.test(message.text())) return;
    if (['error', 'warning'].includes(message.type())) complain(message.text());
  });
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      console.error(`policy violated: ${event.violatedDirective} ${event.blockedURI}`);
    });
    window.spoken = [];
    document.addEventListener('readystatechange', () => {
      const node = document.querySelector('#announcer');
      new MutationObserver(() => window.spoken.push(node.textContent)).observe(node, { childList: true, characterData: true, subtree: true });
    }, { once: true });
  });
  await slowDown(page);
  await options.prepare?.(page);
  await page.goto((options.url ?? url) + (options.path ?? '/'));
  if (options.live !== false) await page.waitForSelector(LIVE);
  return page;
}

/** Waits until that was spoken, be it that something else was since. */
export const spoken = (page, text) => page.waitForFunction((want) => window.spoken.includes(want), text);

const axe = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** axe finds nothing on the page as it is now. */
export async function assertAccessible(page) {
  // Into a world of its own: the page's policy lets no foreign script in.
  const session = await page.context().newCDPSession(page);
  const { frameTree } = await session.send('Page.getFrameTree');
  const { executionContextId: contextId } = await session.send('Page.createIsolatedWorld', { frameId: frameTree.frame.id, worldName: 'axe' });
  const evaluate = async (expression) => {
    const { result, exceptionDetails } = await session.send('Runtime.evaluate', { contextId, expression, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  };
  await evaluate(axe);
  const found = await evaluate(`axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations.map(({ id, help, nodes }) =>
    [id, help, ...nodes.slice(0, 3).map((node) => node.html.slice(0, 200) + ' ' + node.failureSummary)]))`);
  await session.detach();
  assert.deepEqual(found, []);
}

/** Goes to one of the views by the navigation: Library, Scans, Activity. */
export async function showView(page, name) {
  await page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name }).click();
}

/** Starts a scan by the form, as a person would; gives the card of its job. */
export async function scanByForm(page, folder) {
  await showView(page, 'Scans');
  await page.getByLabel('Folder on the server').fill(folder);
  await page.getByRole('button', { name: 'Start scan' }).click();
  return page.locator('reeld-job').filter({ hasText: path.basename(folder) }).first();
}

/** The numbers of a job's card. */
export async function countsOf(card) {
  return card.locator('.counts').evaluate((list) => Object.fromEntries(
    [...list.querySelectorAll('.count')].map((box) => [
      box.querySelector('dt').textContent, Number(box.querySelector('dd').textContent.replaceAll(',', '')),
    ])));
}

/** What the card of an ended job must say: the same as REST. */
export async function assertCardEquals(card, job) {
  assert.equal(await card.getAttribute('data-status'), job.status);
  const { result } = job;
  assert.deepEqual(await countsOf(card), {
    new: result.new, updated: result.updated, moved: result.moved, unchanged: result.skipped, failed: result.error_count,
  });
}

/** The library's items, and in each its name. */
export const ITEM = 'reeld-grid .item:not(.waiting)';
export const NAME = `${ITEM} .item-name`;

/** The names in the library, in order. */
export const namesShown = (page) => page.locator(NAME).evaluateAll((all) => all.map((one) => one.textContent));

/** Waits until the library begins with these names, in order, as far as it reaches; it is in view. */
export const waitNames = (page, want) => page.waitForFunction(([selector, names]) => {
  const shown = [...document.querySelectorAll(selector)].map((one) => one.textContent);
  return (shown.length > 0 || names.length === 0) && shown.every((one, at) => one === names[at]) && (shown.length === names.length || names.length > 20);
}, [NAME, want]);

/** Waits until a scan has found something. */
export const somethingFound = (daemon) => eventually(async () => (await daemon.get('/api/v1/videos?limit=1')).body.total > 0, 'a video is found');

/** Waits until the library shows what REST says, name by name; then goes back to the view where one was. */
export async function assertListEquals(page, daemon) {
  const { body } = await daemon.get('/api/v1/videos?sort=added&order=desc&limit=50');
  const want = body.videos.map((video) => video.filename);
  const before = await page.locator('nav.views a[aria-current]').getAttribute('data-view');
  await showView(page, 'Library');
  await waitNames(page, want);
  await page.waitForFunction((total) => document.querySelector('reeld-library .summary').textContent.replaceAll(',', '').startsWith(total ? `${total} video` : ''), body.total);
  await page.locator(`nav.views a[data-view="${before}"]`).click();
}

/** Many names for few files: hard links, 500 a folder; long work for a scan at no cost of disk. */
export function linkMany(folder, file, count) {
  for (let i = 0; i < count; i++) {
    const dir = path.join(folder, `part ${String(Math.floor(i / 500)).padStart(2, '0')}`);
    if (i % 500 === 0) fs.mkdirSync(dir, { recursive: true });
    fs.linkSync(file, path.join(dir, `clip ${String(i).padStart(5, '0')}${path.extname(file)}`));
  }
}
