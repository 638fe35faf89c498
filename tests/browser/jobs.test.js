// Jobs as the page shows them, to their end and beyond: continued, tried again, planned, refused, seen from two pages.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test, { after } from 'node:test';
import { eventually, makeVideo } from '../lib/daemon.js';
import { fill, masters } from '../lib/trees.js';
import {
  GONE, ONE_WORKER, assertCardEquals, assertListEquals, closeBrowser, countsOf, holdWorker, linkMany, scanByForm, showView, somethingFound, spoken, start,
} from './page.js';

after(closeBrowser);

const past = new Date(Date.now() - 3600e3);
const is = (page, card, status) => card.and(page.locator(`[data-status="${status}"]`)).waitFor();

/** Waits until something that is shown, in `place`, has the focus, with that word. */
const hasFocus = (page, place, word) => page.waitForFunction(([selector, text]) => {
  const node = document.activeElement;
  return node.matches('button, a, summary, input') && node.checkVisibility() && node.closest(selector) && node.textContent.includes(text);
}, [place, word]);

/** Empty files with names of a video. */
function fillEmpty(folder, count) {
  fs.mkdirSync(folder, { recursive: true });
  for (let i = 0; i < count; i++) {
    const file = path.join(folder, `empty ${String(i).padStart(3, '0')}.mp4`);
    fs.writeFileSync(file, '');
    fs.utimesSync(file, past, past);
  }
}

test('out of time: said with what was done; Continue goes on where it stopped', async (t) => {
  const { daemon, dir, open } = await start(t, { args: [...ONE_WORKER, '--job-timeout', '3'] });
  const tree = path.join(dir, 'many');
  linkMany(tree, makeVideo(path.join(dir, 'one.mp4')), 2000);
  const page = await open();
  const card = await scanByForm(page, tree);
  await somethingFound(daemon);
  await holdWorker(daemon);
  await is(page, card, 'timeout');
  const first = (await daemon.get('/api/v1/jobs')).body.jobs[0];
  await assertCardEquals(card, first);
  assert.match(await card.textContent(), /Timed out.*The time limit of 3 s for the job was reached/is);
  assert.ok(first.result.new > 0);
  await card.getByRole('button', { name: 'Continue' }).click();
  const next = await eventually(async () => (await daemon.get('/api/v1/jobs')).body.jobs.find(({ job_id: id }) => id !== first.job_id), 'a second job');
  const { status } = await daemon.wait(next.job_id); // complete, unless the machine is slow
  const second = page.locator(`reeld-job:has([id="job-${next.job_id}"])`);
  await is(page, second, status);
  const counts = await countsOf(second);
  assert.ok(counts.unchanged >= first.result.new || counts.new > 0, JSON.stringify(counts));
  await page.locator('reeld-job-line').filter({ hasText: 'Timed out' }).waitFor();
});

test('failures, page by page, each with what to do; one put right is tried again alone', async (t) => {
  const { daemon, dir, open } = await start(t);
  const tree = path.join(dir, 'films');
  fillEmpty(tree, 120);
  const page = await open();
  await is(page, await scanByForm(page, tree), 'complete');
  const [{ job_id: id }] = (await daemon.get('/api/v1/jobs')).body.jobs;
  const card = page.locator(`reeld-job:has([id="job-${id}"])`);
  const items = card.locator('.failures li');
  await items.nth(49).waitFor();
  assert.equal(await items.count(), 50);
  await card.getByText('50 of 120.').waitFor();
  await card.getByRole('button', { name: 'Show more' }).click();
  await items.nth(99).waitFor();
  assert.equal(await items.nth(50).evaluate((one) => one === document.activeElement), true, 'the focus is where one reads on');
  await card.getByRole('button', { name: 'Show more' }).click();
  await items.nth(119).waitFor();
  assert.equal(await card.getByRole('button', { name: 'Show more' }).isVisible(), false);
  assert.match(await items.first().textContent(), /It is empty \(0 bytes\)\.Copy it again from where it came, or delete it\./);
  const name = await items.first().locator('.failure-name').textContent();
  fs.copyFileSync(masters()[0], path.join(tree, name));
  fs.utimesSync(path.join(tree, name), past, past);
  await card.getByRole('button', { name: `Try again ${name}` }).click();
  await hasFocus(page, `reeld-job:has([id="job-${id}"])`, `See the new job ${name}`);
  const alone = page.locator('reeld-job').filter({ has: page.getByRole('heading', { name: `Scan ${path.join(tree, name)}` }) });
  await is(page, alone, 'complete');
  assert.deepEqual(await countsOf(alone), { new: 1, updated: 0, moved: 0, unchanged: 0, failed: 0 });
  await card.getByRole('button', { name: 'Try all failed files again' }).click();
  await eventually(async () => (await daemon.get('/api/v1/jobs')).body.jobs.length === 3, 'a third job');
  const [all] = (await daemon.get('/api/v1/jobs')).body.jobs;
  assert.equal((await daemon.wait(all.job_id)).result.error_count, 119);
});

test('a dry run says what would change, and changes nothing', async (t) => {
  const { daemon, dir, open } = await start(t);
  const tree = path.join(dir, 'films');
  const files = fill(tree, 3);
  await daemon.wait(await daemon.scan(tree));
  fs.renameSync(files[0], path.join(tree, 'moved here.mp4'));
  fs.rmSync(files[1]);
  const page = await open({ allow: GONE });
  await showView(page, 'Scans');
  await page.getByLabel('Only say what would change').check();
  const card = await scanByForm(page, tree);
  await is(page, card, 'complete');
  await card.getByText('What a scan would do: 2 changes').click();
  const lines = await card.locator('.plan li').allTextContents();
  assert.ok(lines.some((line) => /moved.*moved here\.mp4.*from.*0\.mp4/.test(line)), lines.join('\n'));
  assert.ok(lines.some((line) => line.includes('missing') && line.includes(path.basename(files[1]))), lines.join('\n'));
  assert.equal((await daemon.get('/api/v1/videos')).body.total, 3);
  await page.reload();
  await page.locator('reeld-job-line').filter({ hasText: 'Dry run' }).getByRole('button').click();
  await page.locator('reeld-job').getByText('What a scan would do: 2 changes').waitFor();
});

test('so much is gone that it is refused: what and how many are shown, and hidden when it was meant', async (t) => {
  const media = fs.mkdtempSync('/tmp/reeld-media-');
  t.after(() => fs.rmSync(media, { recursive: true, force: true }));
  const { daemon, open } = await start(t, { args: ['--root', media] });
  fill(media, 12);
  await daemon.wait(await daemon.scan(media));
  const page = await open({ allow: GONE });
  await showView(page, 'Scans');
  const root = page.locator('reeld-root');
  await root.getByText('12 videos · looked through').waitFor();
  for (const name of fs.readdirSync(media)) fs.rmSync(path.join(media, name), { recursive: true });
  await root.getByRole('button', { name: `Scan ${media}` }).click();
  const card = page.locator('reeld-job').first();
  await is(page, card, 'complete');
  for (const place of [root, card]) await place.locator('reeld-refused').getByText('12 videos were left as they were. Is a disk not mounted?').waitFor();
  await root.getByText('Out of reach: it is empty').waitFor();
  const ask = () => root.getByRole('button', { name: 'They are gone for good…' }).click();
  await ask();
  const dialog = page.getByRole('dialog', { name: 'Hide 12 videos?' });
  await dialog.getByText('and 7 more').waitFor();
  assert.equal(await dialog.locator('li bdi').count(), 5);
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  assert.equal((await daemon.get('/api/v1/videos')).body.total, 12);
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'They are gone for good…');
  await ask();
  await dialog.getByRole('button', { name: 'Hide 12 videos' }).press('Enter');
  await spoken(page, '12 videos are hidden.');
  await hasFocus(page, 'reeld-root', 'Scan');
  for (const place of [root, card]) await place.locator('reeld-refused').waitFor({ state: 'hidden' });
  assert.equal((await daemon.get('/api/v1/videos?missing=true')).body.total, 12);
  await assertListEquals(page, daemon);
});

test('a refusal that is not the last any more: the question closes; one that comes too late is told so', async (t) => {
  const media = fs.mkdtempSync('/tmp/reeld-media-');
  const away = fs.mkdtempSync('/tmp/reeld-away-');
  t.after(() => [media, away].forEach((one) => fs.rmSync(one, { recursive: true, force: true })));
  const { daemon, open } = await start(t, { args: ['--root', media] });
  fill(media, 12);
  await daemon.wait(await daemon.scan(media));
  fs.renameSync(path.join(media, 'folder 0'), path.join(away, 'folder 0'));
  await daemon.wait(await daemon.scan(media));
  const page = await open({ allow: /404|409|410/ });
  await showView(page, 'Scans');
  const ask = () => page.locator('reeld-root').getByRole('button', { name: 'They are gone for good…' }).click();
  // Meanwhile they are back.
  await ask();
  fs.renameSync(path.join(away, 'folder 0'), path.join(media, 'folder 0'));
  await daemon.wait(await daemon.scan(media));
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.locator('reeld-root reeld-refused').waitFor({ state: 'hidden' });
  // Another scan refused anew, and the page does not know yet.
  fs.renameSync(path.join(media, 'folder 0'), path.join(away, 'folder 0'));
  await daemon.wait(await daemon.scan(media));
  await ask();
  let release;
  const held = new Promise((resolve) => { release = resolve; });
  await page.route(/\/api\/v1\/roots$/, async (route) => {
    await held;
    await route.continue().catch(() => {});
  });
  await daemon.wait(await daemon.scan(media));
  await page.getByRole('dialog').getByRole('button', { name: 'Hide 12 videos' }).click();
  await page.getByText('Since then another scan found otherwise, or the server was restarted. Scan the folder again.').waitFor();
  release();
  assert.equal((await daemon.get('/api/v1/videos')).body.total, 12);
});

test('the past: fifty jobs, and those before when they are asked for; folded by itself, unfolded at a press', async (t) => {
  const { daemon, dir, open } = await start(t);
  fill(path.join(dir, 'films'), 1);
  for (let i = 0; i < 63; i++) await daemon.wait(await daemon.scan(path.join(dir, 'films')));
  const page = await open();
  await showView(page, 'Scans');
  const lines = page.locator('reeld-job-line');
  await lines.nth(49).waitFor();
  assert.equal(await lines.count(), 50);
  await page.getByRole('button', { name: 'Show earlier jobs' }).press('Enter');
  await lines.nth(62).waitFor();
  await hasFocus(page, 'reeld-job-line:nth-child(51)', 'Complete');
  assert.equal(await lines.count(), 63);
  assert.equal(await page.getByRole('button', { name: 'Show earlier jobs' }).isVisible(), false);
  for (let i = 0; i < 8; i++) await daemon.wait(await daemon.scan(path.join(dir, 'films')));
  // All of them are over, and six of them unfolded.
  await page.waitForFunction(() => document.querySelectorAll('reeld-job[data-status="complete"]').length === 6
    && document.querySelectorAll('reeld-job-line').length === 63 + 8 - 6);
  await lines.last().getByRole('button').press('Enter');
  await page.waitForFunction(() => document.querySelectorAll('reeld-job').length === 7);
  await hasFocus(page, 'reeld-job:last-child', 'Scan again');
  await page.locator('reeld-job').nth(2).getByRole('button', { name: 'Dismiss' }).focus();
  for (const left of [6, 5, 4, 3]) {
    await page.keyboard.press('Enter');
    await page.waitForFunction((count) => document.querySelectorAll('reeld-job').length === count, left);
    await hasFocus(page, `reeld-job:nth-child(${Math.min(3, left)})`, 'Dismiss');
  }
});

test('by keyboard: the focus stays with what was pressed, or goes on at what came of it', async (t) => {
  const { daemon, dir, open } = await start(t, { args: ONE_WORKER });
  const tree = path.join(dir, 'many');
  linkMany(tree, makeVideo(path.join(dir, 'one.mp4')), 2000);
  const page = await open();
  await showView(page, 'Scans');
  await page.getByLabel('Folder on the server').fill(tree);
  await page.getByRole('button', { name: 'Start scan' }).press('Enter');
  await somethingFound(daemon);
  const goOn = await holdWorker(daemon);
  await hasFocus(page, 'reeld-scan-form', 'Start scan');
  const card = page.locator('reeld-job');
  await card.getByRole('button', { name: 'Pause' }).press('Enter');
  await hasFocus(page, 'reeld-job', 'Resume');
  await page.keyboard.press('Enter');
  await card.locator('.badge').getByText('Running').waitFor();
  await hasFocus(page, 'reeld-job', 'Pause');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  goOn();
  await is(page, card, 'cancelled');
  await hasFocus(page, 'reeld-job', 'Continue');
  await page.keyboard.press('Enter');
  await page.locator('reeld-job-line').filter({ hasText: 'Cancelled' }).waitFor();
  await is(page, card, 'complete');
  await hasFocus(page, 'reeld-job', 'Scan again');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await hasFocus(page, 'reeld-job-line', 'Complete');
  await page.keyboard.press('Enter');
  await hasFocus(page, 'reeld-job', 'Scan again');
});

test('by keyboard: who waits for an answer keeps the focus, and a second press does nothing', async (t) => {
  const { daemon, dir, open } = await start(t, { args: ONE_WORKER });
  linkMany(path.join(dir, 'many'), makeVideo(path.join(dir, 'one.mp4')), 500);
  const page = await open();
  await holdWorker(daemon);
  await showView(page, 'Scans');
  /** Holds what is asked with POST; counts it. */
  const hold = async (address) => {
    const held = { asked: 0, release: null };
    const released = new Promise((resolve) => { held.release = resolve; });
    await page.route(address, async (route) => {
      if (route.request().method() === 'POST') {
        held.asked++;
        await released;
      }
      await route.fallback();
    });
    return held;
  };
  const scans = await hold(/\/videos\/scan$/);
  const field = page.getByLabel('Folder on the server');
  await field.fill(path.join(dir, 'many'));
  await field.press('Enter');
  const begin = page.getByRole('button', { name: 'Start scan', disabled: true });
  await begin.waitFor();
  await field.press('Enter');
  await begin.click({ force: true });
  for (const key of ['Enter', 'Space']) await begin.press(key);
  await hasFocus(page, 'reeld-scan-form', 'Start scan');
  scans.release();
  const card = page.locator('reeld-job');
  await is(page, card, 'running');
  await hasFocus(page, 'reeld-scan-form', 'Start scan');
  assert.equal(scans.asked, 1);
  assert.equal((await daemon.get('/api/v1/jobs')).body.jobs.length, 1);
  const pauses = await hold(/\/pause$/);
  await card.getByRole('button', { name: 'Pause' }).press('Enter');
  await card.getByRole('button', { name: 'Pause', disabled: true }).waitFor();
  for (const key of ['Enter', 'Space']) await page.keyboard.press(key);
  await hasFocus(page, 'reeld-job', 'Pause');
  pauses.release();
  await hasFocus(page, 'reeld-job', 'Resume');
  assert.equal(pauses.asked, 1);
});

test('a card that makes way for another keeps the focus', async (t) => {
  const { daemon, dir, open } = await start(t, { args: ONE_WORKER });
  linkMany(path.join(dir, 'many'), makeVideo(path.join(dir, 'one.mp4')), 500);
  const page = await open();
  await holdWorker(daemon);
  await is(page, await scanByForm(page, path.join(dir, 'many')), 'running');
  const id = await daemon.scan(dir);
  await page.locator('reeld-job').nth(1).waitFor();
  await page.locator('reeld-job').nth(1).getByRole('button', { name: 'Cancel' }).focus();
  await daemon.post(`/api/v1/jobs/${id}/cancel`);
  await is(page, page.locator('reeld-job:last-child'), 'cancelled');
  await hasFocus(page, 'reeld-job:first-child', 'Cancel');
});

test('a job of a status that nobody knows can be scanned again, whatever the status is called', async (t) => {
  const { daemon, dir, open } = await start(t);
  fill(path.join(dir, 'films'), 1);
  await daemon.wait(await daemon.scan(path.join(dir, 'films')));
  const page = await open({ prepare: (one) => one.route(/\/api\/v1\/jobs\?/, async (route) => {
    const answer = await route.fetch();
    const body = await answer.json();
    for (const job of body.jobs) job.status = 'constructor';
    await route.fulfill({ response: answer, json: body });
  }) });
  await showView(page, 'Scans');
  const card = page.locator('reeld-job[data-status="constructor"]');
  await card.waitFor();
  assert.deepEqual(await card.locator('.job-actions button:visible').allTextContents(), ['Scan again', 'Dismiss']);
});

test('two pages of one server: what is done in the one is seen in the other', async (t) => {
  const { daemon, dir, open } = await start(t, { args: ONE_WORKER });
  const tree = path.join(dir, 'many');
  linkMany(tree, makeVideo(path.join(dir, 'one.mp4')), 2000);
  const [here, there] = [await open(), await open()];
  await showView(there, 'Scans');
  const card = await scanByForm(here, tree);
  await somethingFound(daemon);
  const goOn = await holdWorker(daemon);
  const other = there.locator('reeld-job').first();
  await is(there, other, 'running');
  await other.getByRole('button', { name: 'Pause' }).click();
  await card.locator('.badge').getByText('Paused').waitFor();
  await card.getByRole('button', { name: 'Resume' }).click();
  await other.locator('.badge').getByText('Running').waitFor();
  await other.getByRole('button', { name: 'Cancel' }).click();
  goOn();
  await is(here, card, 'cancelled');
  await is(there, other, 'cancelled');
  const [job] = (await daemon.get('/api/v1/jobs')).body.jobs;
  for (const one of [card, other]) await assertCardEquals(one, job);
  for (const page of [here, there]) await assertListEquals(page, daemon);
});

test('what is spoken: the turning points of a scan, not its files', async (t) => {
  const { daemon, dir, open } = await start(t);
  fill(path.join(dir, 'films'), 300);
  const page = await open();
  await is(page, await scanByForm(page, path.join(dir, 'films')), 'complete');
  await spoken(page, 'Scan of films: Complete. 300 new videos, 0 failures.');
  const all = await page.evaluate(() => window.spoken);
  assert.ok(all.length <= 4, all.join('\n'));
  assert.ok(all.includes('Scan of films: 300 files found.'), all.join('\n'));
  const live = await page.locator('reeld-job [aria-live], reeld-job [role="status"]').evaluateAll((all) => all.filter((one) => !one.classList.contains('hint')).length);
  assert.equal(live, 0, 'something that changes with every file is spoken');
});
