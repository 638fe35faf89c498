// What a person does with the page: start a scan, watch it, stop it, look through the library.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test, { after } from 'node:test';
import { eventually, makeVideo, tempDir } from '../lib/daemon.js';
import { fill } from '../lib/trees.js';
import {
  ITEM, LIVE, NAME, ONE_WORKER, assertCardEquals, assertListEquals, closeBrowser, holdWorker, linkMany, scanByForm, showView, somethingFound, spoken, start,
  waitNames,
} from './page.js';

after(closeBrowser);

/** The values that a progress bar took, from now on. */
async function watchBar(page) {
  await page.evaluate(() => {
    window.seen = { values: [], moving: 0, at: new Set(), modes: new Set() };
    const look = () => {
      for (const bar of document.querySelectorAll('[role=progressbar]')) {
        const now = bar.getAttribute('aria-valuenow');
        if (now === null) window.seen.moving++;
        else window.seen.values.push(Number(now));
      }
      const at = document.querySelector('.job-at:not([hidden])');
      if (at) window.seen.at.add(at.textContent);
    };
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
  });
}

/**
 * Holds a scan back from the page at a third and at two thirds of it, until what came before is drawn: however fast the scan and
 * however slow the page, it is seen under way.
 */
async function stopOver(page) {
  const stops = [1 / 3, 2 / 3];
  let begun = false;
  let pass;
  const passed = new Promise((resolve) => { pass = resolve; });
  await page.route(/\/api\/v1\/jobs/, async (route) => {
    if (begun) await passed;
    await route.fallback();
  });
  await page.routeWebSocket(/\/ws(\?|$)/, (socket) => {
    let last = Promise.resolve();
    const tell = async (message) => {
      const { type, payload } = JSON.parse(String(message));
      begun ||= type === 'JOB_QUEUED';
      socket.send(message);
      if (type !== 'SCAN_PROGRESS' || !payload.path || !(payload.progress >= stops[0])) return;
      stops.shift();
      await page.waitForFunction((least) => Number(document.querySelector('[role=progressbar]')?.getAttribute('aria-valuenow')) >= least
        && document.querySelector('.job-at:not([hidden])'), Math.floor(payload.progress * 100));
      if (stops.length === 0) pass();
    };
    socket.connectToServer().onMessage((message) => { last = last.then(() => tell(message)); });
  });
}

test('a scan from the form: bar, counts, file at hand, failures in words, result, list', async (t) => {
  const { daemon, dir, open } = await start(t);
  const tree = path.join(dir, 'films');
  fill(tree, 400);
  fs.writeFileSync(path.join(tree, 'empty.mp4'), '');
  fs.writeFileSync(path.join(tree, 'words.mkv'), 'these are only words\n'.repeat(50));
  const long = new Date(Date.now() - 3600e3);
  for (const name of ['empty.mp4', 'words.mkv']) fs.utimesSync(path.join(tree, name), long, long);
  const page = await open({ prepare: stopOver });
  await watchBar(page);
  const card = await scanByForm(page, tree);
  await card.and(page.locator('[data-status="complete"]')).waitFor();
  const [job] = (await daemon.get('/api/v1/jobs')).body.jobs;
  assert.equal(job.result.new, 400);
  assert.equal(job.result.error_count, 2);
  await assertCardEquals(card, job);
  const seen = await page.evaluate(() => ({ ...window.seen, at: [...window.seen.at] }));
  assert.equal(seen.values.at(-1), 100);
  assert.ok(seen.values.some((value) => value > 0 && value < 100), `the bar never stood in between: ${seen.values.slice(0, 20)}`);
  assert.deepEqual(seen.values, [...seen.values].sort((a, b) => a - b), 'the bar went backwards');
  assert.ok(seen.at.length > 1, 'the file at hand was never shown');
  await card.locator('.failures li').nth(1).waitFor(); // they are read once the scan has ended
  const failures = await card.locator('.failures li').allTextContents();
  assert.equal(failures.length, 2);
  assert.ok(failures.some((text) => text.includes('empty.mp4') && text.includes('It is empty (0 bytes).')), failures.join('\n'));
  assert.ok(failures.some((text) => text.includes('words.mkv') && text.includes('It is not in a media format that is known.')), failures.join('\n'));
  await assertListEquals(page, daemon);
  const first = (await daemon.get('/api/v1/videos?sort=added&order=desc&limit=1')).body.videos[0];
  await showView(page, 'Library');
  const facts = await page.locator(ITEM).first().locator('.item-facts').textContent();
  assert.match(facts, new RegExp(`^${first.rotation % 180 ? `${first.height}×${first.width}` : `${first.width}×${first.height}`}`));
});

test('the same again: everything is unchanged; the earlier job is a line with its result', async (t) => {
  const { daemon, dir, open } = await start(t);
  const tree = path.join(dir, 'films');
  fill(tree, 12);
  await daemon.wait(await daemon.scan(tree));
  const page = await open();
  await showView(page, 'Scans');
  await page.locator('reeld-job-line').filter({ hasText: '12 files, 12 new' }).waitFor();
  const card = await scanByForm(page, tree);
  await card.and(page.locator('[data-status="complete"]')).waitFor();
  const [job] = (await daemon.get('/api/v1/jobs')).body.jobs;
  assert.equal(job.result.skipped, 12);
  await assertCardEquals(card, job);
  await card.getByRole('button', { name: 'Dismiss' }).click();
  await page.waitForFunction(() => document.querySelectorAll('reeld-job').length === 0
    && document.querySelectorAll('reeld-job-line').length === 2);
  await page.locator('reeld-job-line button').first().click();
  await page.locator('reeld-job').waitFor();
});

test('cancel: it stops, says so, and what was done stays', async (t) => {
  const { daemon, dir, open } = await start(t, { args: ONE_WORKER });
  const tree = path.join(dir, 'many');
  linkMany(tree, makeVideo(path.join(dir, 'one.mp4')), 20000);
  const page = await open();
  const card = await scanByForm(page, tree);
  await somethingFound(daemon);
  const goOn = await holdWorker(daemon);
  await card.getByRole('button', { name: 'Cancel' }).click();
  goOn();
  await card.and(page.locator('[data-status="cancelled"]')).waitFor();
  const [job] = (await daemon.get('/api/v1/jobs')).body.jobs;
  assert.equal(job.status, 'cancelled');
  assert.ok(job.result.new > 0 && job.result.new < 20000);
  await assertCardEquals(card, job);
  await assertListEquals(page, daemon);
  assert.match(await card.textContent(), /Cancelled.*What it had done stays/);
  const elements = await page.evaluate(() => document.querySelectorAll('*').length);
  assert.ok(elements < 2500, `the page holds ${elements} elements`);
});

test('pause and resume: it rests, says so, and goes on', async (t) => {
  const { daemon, dir, open } = await start(t, { args: ONE_WORKER });
  const tree = path.join(dir, 'films');
  linkMany(tree, makeVideo(path.join(dir, 'one.mp4')), 2000);
  const page = await open();
  const card = await scanByForm(page, tree);
  await somethingFound(daemon);
  const goOn = await holdWorker(daemon);
  await card.locator('.job-at:not([hidden])').waitFor();
  await card.getByRole('button', { name: 'Pause' }).click();
  await card.locator('.badge').getByText('Paused', { exact: true }).waitFor();
  assert.equal((await daemon.get('/api/v1/jobs')).body.jobs[0].paused, true);
  assert.match(await card.textContent(), /It rests until you resume it/);
  assert.equal(await card.locator('.bar.moving').count(), 0);
  await card.getByRole('button', { name: 'Resume' }).click();
  await card.locator('.badge').getByText('Running', { exact: true }).waitFor();
  await daemon.post(`/api/v1/jobs/${(await daemon.get('/api/v1/jobs')).body.jobs[0].job_id}/pause`); // by somebody else
  await card.locator('.badge').getByText('Paused', { exact: true }).waitFor();
  await card.getByRole('button', { name: 'Cancel' }).click();
  goOn();
  await card.and(page.locator('[data-status="cancelled"]')).waitFor();
  assert.equal(await card.getByRole('button', { name: 'Resume' }).isVisible(), false);
});

test('several jobs at once, one waiting for the other', async (t) => {
  const { daemon, dir, open } = await start(t, { args: ONE_WORKER });
  const file = makeVideo(path.join(dir, 'one.mp4'));
  linkMany(path.join(dir, 'first'), file, 500);
  fill(path.join(dir, 'second'), 5);
  const page = await open();
  const goOn = await holdWorker(daemon);
  const first = await scanByForm(page, path.join(dir, 'first'));
  await first.and(page.locator('[data-status="running"]')).waitFor();
  // It rests: else it would go ahead of the large one in two seconds.
  const id = await daemon.scan(path.join(dir, 'second'));
  await daemon.post(`/api/v1/jobs/${id}/pause`);
  const second = page.locator('reeld-job').filter({ hasText: 'second' }).first();
  await second.and(page.locator('[data-status="pending"]')).waitFor();
  await first.getByRole('button', { name: 'Cancel' }).click();
  goOn();
  await first.and(page.locator('[data-status="cancelled"]')).waitFor();
  await second.getByRole('button', { name: 'Resume' }).click();
  await second.and(page.locator('[data-status="complete"]')).waitFor();
});

test('a folder that is not there: the reason beside the field', async (t) => {
  const { daemon, dir, open } = await start(t);
  const page = await open({ allow: /Failed to load resource.*400/ });
  await showView(page, 'Scans');
  await page.getByLabel('Folder on the server').fill(path.join(dir, 'nowhere'));
  await page.getByRole('button', { name: 'Start scan' }).click();
  await page.waitForFunction(() => document.querySelector('#folder-problem').textContent.length > 10);
  assert.equal(await page.getByLabel('Folder on the server').getAttribute('aria-invalid'), 'true');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'folder');
  assert.equal(await page.getByRole('button', { name: 'Start scan' }).isEnabled(), true);
});

test('by keyboard alone: pick the folder, start, and end up at the job', async (t) => {
  const { daemon, dir, open } = await start(t);
  fill(path.join(dir, 'top/inner one'), 3);
  fs.mkdirSync(path.join(dir, 'top/other'));
  const page = await open();
  await showView(page, 'Scans');
  await page.locator('nav.views a').first().focus();
  const focus = () => page.evaluate(() => document.activeElement.textContent || document.activeElement.id);
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Shift+Tab');
  assert.equal(await focus(), 'Skip to the content');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => location.hash !== '');
  await page.keyboard.press('Tab');
  assert.equal(await focus(), 'folder');
  await page.keyboard.type(path.join(dir, 'top'));
  await page.keyboard.press('Tab');
  assert.equal(await focus(), 'Browse…');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.activeElement.textContent === 'One level up');
  await page.keyboard.press('Tab');
  assert.equal(await focus(), 'inner one');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.querySelector('dialog[open] .where').textContent.endsWith('/inner one'));
  await page.getByRole('button', { name: 'Choose this folder' }).focus();
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.activeElement.id === 'folder');
  assert.equal(await page.inputValue('#folder'), path.join(dir, 'top/inner one'));
  await page.keyboard.press('Enter');
  await page.locator('reeld-job[data-status="complete"]').waitFor();
  await spoken(page, 'Scan of inner one: Complete. 3 new videos, 0 failures.');
});

test('a folder out of reach: who closed the notice is told again when the reason is another, or it was there meanwhile', async (t) => {
  const { open } = await start(t);
  const root = { number: 1, path: '/media/away', path_uri: '/media/away', online: false, reason: 'empty', videos: 1, scanned_at: null, refused: null };
  let readings = 0;
  let socket;
  const page = await open({ prepare: async (one) => {
    await one.route(/\/api\/v1\/roots$/, (route) => {
      readings++;
      return route.fulfill({ json: { roots: [root] } });
    });
    await one.routeWebSocket(/\/ws(\?|$)/, (opened) => {
      socket = opened;
      const server = opened.connectToServer();
      server.onMessage((message) => opened.send(message));
    });
  } });
  const notice = page.locator('.notice').filter({ hasText: '/media/away' });
  const close = () => notice.getByRole('button', { name: 'Close' }).click();
  const say = (type, path, reason) => socket.send(JSON.stringify({ event_id: null, type, timestamp: new Date().toISOString(), correlation_id: null, payload: { root: path, reason } }));
  await notice.getByText('it is empty').waitFor();
  await close();
  for (let i = 0; i < 2; i++) { // that the second began, says that the first is over
    const before = readings;
    socket.close({ code: 4000 });
    await eventually(() => readings > before, 'the folders are read again');
    await page.waitForSelector(LIVE);
  }
  say('ROOT_OFFLINE', '/media/away', 'empty');
  say('ROOT_OFFLINE', '/media/other', 'empty');
  await page.locator('.notice').filter({ hasText: '/media/other' }).waitFor();
  assert.equal(await notice.count(), 0, 'it was closed');
  say('ROOT_OFFLINE', '/media/away', root.reason = 'unreadable');
  await notice.waitFor();
  await close();
  await notice.waitFor({ state: 'detached' });
  say('ROOT_ONLINE', '/media/away');
  say('ROOT_OFFLINE', '/media/away', 'unreadable');
  await notice.waitFor();
});

test('the list follows: removed elsewhere, searched, sorted', async (t) => {
  const { daemon, dir, open } = await start(t);
  const file = makeVideo(path.join(dir, 'one.mp4'));
  linkMany(path.join(dir, 'tree'), file, 120);
  fs.linkSync(file, path.join(dir, 'tree', 'the needle.mp4'));
  await daemon.wait(await daemon.scan(path.join(dir, 'tree')));
  const page = await open();
  await assertListEquals(page, daemon);
  // One in view, and far behind in the order of names, whichever file was the last to be read.
  const shown = (await daemon.get('/api/v1/videos?sort=added&order=desc&limit=50')).body.videos.filter(({ filename }) => filename.startsWith('clip'));
  const gone = shown.toSorted((a, b) => a.filename.localeCompare(b.filename)).at(-1);
  assert.equal((await daemon.request('DELETE', `/api/v1/videos/${gone.id}`)).status, 204);
  await assertListEquals(page, daemon);
  await showView(page, 'Library');
  await page.getByLabel('Sort the library').selectOption('name asc');
  await page.waitForFunction((name) => document.querySelector(name)?.textContent === 'clip 00000.mp4', NAME);
  await page.getByLabel('Search the library').fill('NEEDLE');
  await waitNames(page, ['the needle.mp4']);
  await page.getByLabel('Search the library').fill('no such thing');
  await page.getByText('Nothing is called “no such thing”.').waitFor();
});

test('a server with a token: asked once, told when it is wrong, then live', async (t) => {
  const tokenDir = tempDir();
  t.after(() => fs.rmSync(tokenDir, { recursive: true, force: true }));
  const tokenFile = path.join(tokenDir, 'token');
  fs.writeFileSync(tokenFile, 'correct-horse-battery-staple\n', { mode: 0o600 });
  const { open } = await start(t, { args: ['--token-file', tokenFile] });
  const page = await open({ live: false, allow: /401|WebSocket connection/ });
  const dialog = page.getByRole('dialog');
  await dialog.waitFor();
  assert.equal(await page.locator('dialog[open]').count(), 1);
  await page.getByLabel('Token', { exact: true }).fill('wrong-horse-battery-staple');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.querySelector('#token-why').textContent.length > 5);
  await page.getByLabel('Token', { exact: true }).fill('correct-horse-battery-staple');
  await page.keyboard.press('Enter');
  await page.waitForSelector(LIVE);
  assert.equal(await page.locator('dialog[open]').count(), 0);
  await eventually(async () => (await page.locator('reeld-jobs').textContent()).includes('No job yet'), 'the jobs are read');
  assert.equal(await page.evaluate(() => document.cookie), '', 'scripts can read the session');
  await page.reload();
  await page.waitForSelector(LIVE);
  assert.equal(await page.locator('dialog[open]').count(), 0, 'the cookie was not kept');
});
