// Every status, known and unknown, has an end that one can see; bad names are shown as they are and do nothing.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test, { after } from 'node:test';
import { makeVideo } from '../lib/daemon.js';
import { fill } from '../lib/trees.js';
import { GONE, ITEM, LIVE, NAME, closeBrowser, showView, start } from './page.js';

after(closeBrowser);

const running = { status: 'running', phase: 'probing', progress: 0.5, result: null, finished_at: null };
const partial = { scanned: 2, new: 2, updated: 0, moved: 0, skipped: 0, missing: 0, errors: [], error_count: 0, duration_ms: 900 };

/** A page beside one ended job of a real scan, of which REST says what `said` changes of it. */
class Edited {
  said = running;

  static async open(t) {
    const edited = new Edited();
    const { daemon, dir, open } = await start(t);
    fill(path.join(dir, 'films'), 2);
    edited.job = await daemon.wait(await daemon.scan(path.join(dir, 'films')));
    edited.page = await open({ prepare: (page) => edited.route(page) });
    edited.card = edited.page.locator('reeld-job');
    return edited;
  }

  async route(page) {
    await page.routeWebSocket(/\/ws(\?|$)/, (socket) => {
      socket.connectToServer();
      this.say = (frame) => socket.send(JSON.stringify(frame));
    });
    await page.route(/\/api\/v1\/jobs/, async (route) => {
      const answer = await route.fetch();
      const body = await answer.json();
      for (const job of body.jobs ?? [body]) if (job.job_id) Object.assign(job, this.said);
      await route.fulfill({ response: answer, json: body });
    });
  }

  /** The page loaded anew while the job is like that. */
  async begin(said) {
    this.said = said;
    await this.page.reload();
    await this.page.waitForSelector(LIVE);
    await showView(this.page, 'Scans');
  }

  /** From now on the job is like that, and the page is told to read it: it would by itself, but seconds later. */
  become(said) {
    this.said = said;
    this.say({ event_id: null, type: 'JOB_QUEUED', timestamp: new Date().toISOString(), correlation_id: null, payload: { job_id: this.job.job_id } });
  }

  badge(label) {
    return this.card.locator('.badge').getByText(label, { exact: true });
  }

  button(name) {
    return this.card.getByRole('button', { name });
  }
}

test('whatever becomes of a job, its card says it', async (t) => {
  const edited = await Edited.open(t);
  const { job, card, page } = edited;
  const half = card.locator('[role="progressbar"][aria-valuenow="50"]');

  for (const [name, edit, label, ended] of [
    ['pending', { ...running, status: 'pending', phase: 'queued', progress: null, started_at: null }, 'Waiting', false],
    ['paused', { ...running, paused: true }, 'Paused', false],
    ['one that others go ahead of', { ...running, queue_position: 0 }, 'Waiting', false],
    ['complete', { status: 'complete' }, 'Complete', true],
    ['cancelled', { status: 'cancelled', result: partial }, 'Cancelled', true],
    ['failed', { status: 'failed', result: partial, error: 'the disk is full' }, 'Failed', true],
    ['timeout', { status: 'timeout', result: partial, error: 'not done within 300 s' }, 'Timed out', true],
    ['one nobody knows, ended', { status: 'hibernating', result: partial }, 'Status “hibernating”', true],
    ['one nobody knows, open', { ...running, status: 'dreaming', phase: 'rem' }, 'Status “dreaming”', true],
  ]) {
    await t.test(`a running job becomes ${name}`, async () => {
      await edited.begin(running);
      await edited.badge('Running').waitFor();
      await half.waitFor();
      edited.become({ result: job.result, finished_at: job.finished_at, ...edit });
      await edited.badge(label).waitFor();
      await edited.button('Cancel').waitFor({ state: ended ? 'hidden' : 'visible' });
      await edited.button('Dismiss').waitFor({ state: ended ? 'visible' : 'hidden' });
      await card.locator('.bar.moving').waitFor({ state: 'detached' });
      if (edit.error) await card.getByText(edit.error).waitFor();
      if (label.startsWith('Status')) await card.getByText('does not know that status').waitFor();
    });
  }

  for (const [type, label] of [['thumbnails', 'Pictures'], ['frobnicate', 'Job “frobnicate”']]) {
    await t.test(`a job of another kind, ${type}: the same from its beginning to its end, without what only a scan can`, async () => {
      await edited.begin({ ...running, type });
      await edited.badge('Running').waitFor();
      await half.waitFor();
      assert.equal(await card.locator('.job-title').textContent(), `${label} ${job.path}`);
      await edited.button('Pause').waitFor();
      edited.become({ type, status: 'timeout', result: partial, error: 'not done within 300 s', finished_at: job.finished_at });
      await edited.badge('Timed out').waitFor();
      await edited.button('Dismiss').waitFor();
      assert.equal(await edited.button('Continue').isVisible(), false);
    });
  }

  await t.test('what REST said is not taken back by news that was on its way', async () => {
    await edited.begin({ ...running, processed: 10, total: 20 });
    await half.waitFor();
    await page.evaluate(() => {
      const bar = document.querySelector('[role="progressbar"]');
      window.seen = [];
      new MutationObserver(() => window.seen.push(bar.getAttribute('aria-valuenow'))).observe(bar, { attributes: true });
    });
    const progress = (processed) => edited.say({ event_id: null, type: 'SCAN_PROGRESS', timestamp: new Date().toISOString(), correlation_id: null,
      payload: { job_id: job.job_id, processed, total: 20, progress: processed / 20, counts: null, outcome: null, path: null, paused: false } });
    progress(5);
    // So many frames are drawn, that its own drawing is among them.
    await page.evaluate(() => new Promise((resolve) => {
      const next = (left) => (left ? requestAnimationFrame(() => next(left - 1)) : resolve());
      next(20);
    }));
    progress(15);
    await card.locator('[role="progressbar"][aria-valuenow="75"]').waitFor();
    assert.ok(!(await page.evaluate(() => window.seen)).includes('25'));
  });

  await t.test('while nothing is counted yet the bar moves without a number, and the count is told; it stands where motion is not wanted', async () => {
    await edited.begin({ ...running, phase: 'counting', progress: null, processed: 1234, total: 5678 });
    const bar = card.locator('.bar.moving:not([aria-valuenow])');
    await bar.waitFor();
    await card.locator('.job-line').getByText('1,234 files done, 5,678 found so far').waitFor();
    assert.match(await bar.getAttribute('aria-valuetext'), /1,234/);
    const moving = (some) => page.waitForFunction((want) => document.querySelector('.bar.moving').getAnimations({ subtree: true })
      .some(({ playState }) => playState === 'running') === want, some);
    await moving(true);
    await page.emulateMedia({ reducedMotion: 'reduce' });
    await moving(false);
  });
});

const BAD_NAMES = [
  '<img src=x onerror=alert(1)>.mp4', 'evil\u202egpj.mp4', 'line\nbreak.mp4', 'tab\tand bell\u0007.mp4', 'עברית וידאו.mp4',
  `${'é'.repeat(125)}x.mp4`, '&amp;amp; "quotes" \'n\' `ticks`.mp4', '${alert(1)}.mp4', ' .. .mp4', '日本の映画.mp4', 'zero\u200bwidth.mp4',
];

test('bad names: shown right, and harmless', async (t) => {
  const { daemon, dir, open } = await start(t);
  const good = makeVideo(path.join(dir, 'one.mp4'));
  const tree = path.join(dir, 'bad \u202e<b>folder\n');
  fs.mkdirSync(tree);
  for (const name of BAD_NAMES) fs.copyFileSync(good, path.join(tree, name));
  fs.copyFileSync(good, Buffer.concat([Buffer.from(`${tree}/latin-`), Buffer.from([0xe9, 0xff]), Buffer.from('.mp4')]));
  const past = new Date(Date.now() - 3600e3);
  for (const name of ['<i>broken\u202e.mp4', 'broken\n2.mp4']) {
    fs.writeFileSync(path.join(tree, name), '');
    fs.utimesSync(path.join(tree, name), past, past);
  }
  assert.equal(Buffer.byteLength(BAD_NAMES[5]), 255);
  const page = await open();
  let dialogs = 0;
  page.on('dialog', (dialog) => {
    dialogs++;
    dialog.dismiss();
  });
  // The folder's own name holds a line break: only the picker can give it to the form.
  await showView(page, 'Scans');
  await page.getByLabel('Folder on the server').fill(dir);
  await page.getByRole('button', { name: 'Browse…' }).click();
  await page.getByRole('button', { name: 'bad U+202E<b>folder␊' }).click();
  await page.waitForFunction(() => document.querySelector('dialog[open] .where').textContent.includes('folder'));
  await page.getByRole('button', { name: 'Choose this folder' }).click();
  await page.getByRole('button', { name: 'Start scan' }).click();
  const card = page.locator('reeld-job[data-status="complete"]');
  await card.waitFor();
  const { body } = await daemon.get('/api/v1/videos?limit=100');
  assert.equal(body.total, BAD_NAMES.length + 1);
  const shown = (name) => name.replaceAll('\u202e', 'U+202E').replaceAll('\n', '␊').replaceAll('\t', '␉').replaceAll('\u0007', '␇').replaceAll('\u200b', 'U+200B');
  await card.locator('.failure-name').nth(1).waitFor(); // they are read once the scan has ended
  const failures = await card.locator('.failure-name').allTextContents();
  assert.deepEqual([...failures].sort(), ['<i>broken\u202e.mp4', 'broken\n2.mp4'].map(shown).sort());
  await showView(page, 'Library');
  await page.waitForFunction(([item, total]) => document.querySelectorAll(item).length === total, [ITEM, body.total]);
  const names = await page.locator(NAME).allTextContents();
  assert.deepEqual([...names].sort(), [...BAD_NAMES.map(shown), 'latin-\ufffd\ufffd.mp4'].sort());
  // Pictures of videos are the page's own; whatever a name makes is not.
  assert.equal(await page.locator('reeld-library img[src]:not([src*="/api/v1/videos/"]), img[onerror], reeld-library b, reeld-job i, reeld-job b').count(), 0);
  assert.equal(dialogs, 0);
  const sideways = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(sideways <= 0, `the page is ${sideways} px too wide`);
  assert.equal(await page.locator(ITEM).filter({ hasText: 'עברית' }).locator('bdi').first().evaluate((one) => getComputedStyle(one).unicodeBidi), 'isolate');
});

test('a folder out of reach is said until it is back; what is missing, moved or only planned is seen', async (t) => {
  const { daemon, dir, open } = await start(t);
  const films = path.join(dir, 'films');
  fill(films, 3);
  const [first, second] = fs.readdirSync(path.join(films, 'folder 0')).map((name) => path.join(films, 'folder 0', name));
  await daemon.wait(await daemon.scan(films));
  const page = await open({ allow: GONE });
  const rows = page.locator(ITEM);
  const notice = page.locator('.notice').filter({ hasText: 'out of reach' });
  await rows.nth(2).waitFor();
  fs.rmSync(first);
  fs.renameSync(second, path.join(films, 'moved.mkv'));
  await daemon.wait(await daemon.scan(films, { dry_run: true }));
  await page.locator('reeld-job').filter({ hasText: 'Dry run: scan' }).first().waitFor({ state: 'attached' });
  assert.equal(await rows.count(), 3);
  await daemon.wait(await daemon.scan(films));
  await rows.filter({ hasText: 'moved.mkv' }).waitFor();
  await page.waitForFunction((item) => document.querySelectorAll(item).length === 2, ITEM);
  fs.renameSync(films, `${films} away`);
  fs.mkdirSync(films);
  await daemon.wait(await daemon.scan(films));
  await notice.filter({ hasText: 'it is empty, as when a disk is not mounted' }).waitFor();
  await page.locator('reeld-job').filter({ hasText: 'unmounted' }).filter({ hasText: '2 videos were left as they were' }).first().waitFor({ state: 'attached' });
  await page.reload();
  await notice.waitFor();
  await page.waitForFunction((item) => document.querySelectorAll(item).length === 2, ITEM);
  fs.rmdirSync(films);
  fs.renameSync(`${films} away`, films);
  await daemon.wait(await daemon.scan(films));
  await notice.waitFor({ state: 'detached' });
});
