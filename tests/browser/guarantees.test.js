// What the contract promises, as the page sees it: what an event names is there; nothing that was said is taken back; numbers add up.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test, { after } from 'node:test';
import { eventually, makeVideo, sanitized } from '../lib/daemon.js';
import { fill } from '../lib/trees.js';
import {
  GONE, NAME, ONE_WORKER, assertCardEquals, assertListEquals, closeBrowser, countsOf, holdWorker, linkMany, scanByForm, showView, somethingFound, start,
} from './page.js';

after(closeBrowser);

const past = new Date(Date.now() - 3600e3);
const TERMINAL = ['complete', 'failed', 'timeout', 'cancelled'];

/** Keeps each state that a card was seen in: status, part done, counters. */
async function watchCards(page) {
  await page.evaluate(() => {
    window.states = new Map();
    const number = (text) => Number(text.replaceAll(',', ''));
    new MutationObserver(() => {
      for (const card of document.querySelectorAll('reeld-job')) {
        const id = card.querySelector('h4').id;
        const now = card.querySelector('[role=progressbar]').getAttribute('aria-valuenow');
        const state = {
          status: card.dataset.status, done: now === null ? null : Number(now),
          counts: [...card.querySelectorAll('.count dd')].map((one) => number(one.textContent || '0')),
        };
        const states = window.states.get(id) ?? [];
        if (JSON.stringify(states.at(-1)) !== JSON.stringify(state)) window.states.set(id, [...states, state]);
      }
    }).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
  });
}

const statesOf = (page) => page.evaluate(() => [...window.states]);

test('what an event that reached the page names, a query finds at once; a job that it ends is over', async (t) => {
  const { daemon, dir, open } = await start(t);
  fill(path.join(dir, 'films'), 80);
  const asked = [];
  const page = await open({ prepare: async (one) => one.on('websocket', (socket) => socket.on('framereceived', ({ payload }) => {
    const frame = JSON.parse(payload);
    const id = frame.type.startsWith('VIDEO_') ? frame.payload.id : frame.payload.video_id;
    if (id) asked.push(daemon.get(`/api/v1/videos/${id}`).then(({ status }) => assert.equal(status, 200, payload)));
    if (/^SCAN_(COMPLETED|CANCELLED|FAILED|TIMEOUT)$/.test(frame.type)) {
      asked.push(daemon.get(`/api/v1/jobs/${frame.payload.job_id}`).then(({ body }) => assert.equal(body.status, frame.payload.status)));
    }
  })) });
  const card = await scanByForm(page, path.join(dir, 'films'));
  await card.and(page.locator('[data-status="complete"]')).waitFor();
  await Promise.all(asked);
  assert.ok(asked.length >= 161, String(asked.length));
  await assertListEquals(page, daemon);
});

test('nothing that a card said is taken back, through queue, pause, another job ahead, and the end', async (t) => {
  const { daemon, dir, open } = await start(t, { args: ONE_WORKER });
  linkMany(path.join(dir, 'many'), makeVideo(path.join(dir, 'one.mp4')), sanitized ? 1500 : 2000);
  fill(path.join(dir, 'few'), 5);
  const page = await open();
  await showView(page, 'Scans');
  await watchCards(page);
  const many = await scanByForm(page, path.join(dir, 'many'));
  await somethingFound(daemon);
  const goOn = await holdWorker(daemon);
  await many.getByRole('button', { name: 'Pause' }).click();
  await many.locator('.badge').getByText('Paused').waitFor();
  goOn();
  const few = await scanByForm(page, path.join(dir, 'few'));
  await few.and(page.locator('[data-status="complete"]')).waitFor();
  await many.getByRole('button', { name: 'Resume' }).click();
  await daemon.wait(await daemon.scan(path.join(dir, 'few'), { recursive: false }));
  await many.and(page.locator('[data-status="complete"]')).waitFor();
  const states = await statesOf(page);
  assert.equal(states.length, 3);
  for (const [id, seen] of states) {
    const statuses = seen.map(({ status }) => status);
    const end = statuses.findIndex((status) => TERMINAL.includes(status));
    assert.ok(end >= 0 && statuses.slice(end).every((status) => status === statuses[end]), `${id}: ${statuses}`);
    const done = seen.map((state) => state.done).filter((value) => value !== null);
    assert.deepEqual(done, [...done].sort((a, b) => a - b), `${id}: the bar went back`);
    assert.equal(done.at(-1), 100);
    for (let i = 0; i < 5; i++) {
      const numbers = seen.map(({ counts }) => counts[i]);
      assert.deepEqual(numbers, [...numbers].sort((a, b) => a - b), `${id}: a counter went back`);
    }
  }
});

test('an answer that was on its way when the job ended does not bring it back', async (t) => {
  const { daemon, dir, open } = await start(t, { args: ['--workers', '1'] });
  linkMany(path.join(dir, 'many'), makeVideo(path.join(dir, 'one.mp4')), 20000);
  const page = await open();
  let release;
  const ended = new Promise((resolve) => { release = resolve; });
  const card = await scanByForm(page, path.join(dir, 'many'));
  await somethingFound(daemon);
  await watchCards(page);
  let late = 0;
  await page.route(/\/api\/v1\/jobs\/[^/]+$/, async (route) => {
    const answer = await route.fetch().catch(() => null); // read now, while it runs
    if (!answer) return;
    const job = await answer.json();
    if (job.status === 'running') {
      late++;
      await ended;
    }
    await route.fulfill({ response: answer, json: job }).catch(() => {});
  });
  const [{ job_id: id }] = (await daemon.get('/api/v1/jobs')).body.jobs;
  await daemon.post(`/api/v1/jobs/${id}/pause`); // by somebody else: the page reads it
  await eventually(() => late > 0, 'an answer is held');
  await daemon.post(`/api/v1/jobs/${id}/cancel`);
  const job = await daemon.wait(id);
  await card.and(page.locator('[data-status="cancelled"]')).waitFor();
  release();
  // What comes behind it has been read: so has it.
  fill(path.join(dir, 'few'), 1);
  await (await scanByForm(page, path.join(dir, 'few'))).and(page.locator('[data-status="complete"]')).waitFor();
  await assertCardEquals(card, job);
  const statuses = (await statesOf(page)).find(([one]) => one === `job-${id}`)[1].map(({ status }) => status);
  assert.ok(statuses.slice(statuses.indexOf('cancelled')).every((status) => status === 'cancelled'), String(statuses));
});

test('an answer that is older than what the events said does not take it back', async (t) => {
  const { daemon, dir, open } = await start(t, { args: ['--workers', '1'] });
  linkMany(path.join(dir, 'many'), makeVideo(path.join(dir, 'one.mp4')), 20000);
  const page = await open();
  let release;
  const grown = new Promise((resolve) => { release = resolve; });
  let held = 0;
  await page.route(/\/api\/v1\/jobs\/[^/]+$/, async (route) => {
    const answer = await route.fetch().catch(() => null);
    if (!answer) return;
    const job = await answer.json();
    if (job.status === 'running') {
      held++;
      await grown;
    }
    await route.fulfill({ response: answer, json: job }).catch(() => {});
  });
  await showView(page, 'Scans');
  await watchCards(page);
  await page.getByLabel('Folder on the server').fill(path.join(dir, 'many'));
  await page.getByRole('button', { name: 'Start scan' }).click();
  const card = page.locator('reeld-job').first();
  const counted = (least) => page.waitForFunction((number) => Number((document.querySelector('.count-new dd')?.textContent ?? '').replaceAll(',', '')) >= number, least);
  await counted(1);
  const [{ job_id: id }] = (await daemon.get('/api/v1/jobs')).body.jobs;
  for (const word of ['pause', 'resume']) await daemon.post(`/api/v1/jobs/${id}/${word}`); // the page reads it, if it does not yet
  await eventually(() => held > 0, 'an answer is held');
  await counted((await countsOf(card)).new + 100);
  const before = (await countsOf(card)).new;
  release();
  await counted(before + 1);
  await card.getByRole('button', { name: 'Cancel' }).click();
  await card.and(page.locator('[data-status="cancelled"]')).waitFor();
  const [[, states]] = await statesOf(page);
  const numbers = states.map(({ counts }) => counts[0]);
  assert.deepEqual(numbers, [...numbers].sort((a, b) => a - b), 'a counter went back');
});

test('each file has one outcome: what the card counts adds up to what was looked at', async (t) => {
  const { daemon, dir, open } = await start(t);
  const tree = path.join(dir, 'films');
  const files = fill(tree, 30);
  await daemon.wait(await daemon.scan(tree));
  fs.renameSync(files[0], path.join(tree, 'elsewhere.mp4'));
  fs.appendFileSync(files[1], 'more');
  fs.utimesSync(files[1], past, past);
  fs.rmSync(files[2]);
  fs.writeFileSync(path.join(tree, 'empty.mp4'), '');
  fs.utimesSync(path.join(tree, 'empty.mp4'), past, past);
  fs.copyFileSync(files[3], path.join(tree, 'a copy.mp4'));
  fs.utimesSync(path.join(tree, 'a copy.mp4'), past, past);
  const page = await open({ allow: GONE });
  const card = await scanByForm(page, tree);
  await card.and(page.locator('[data-status="complete"]')).waitFor();
  const counts = await countsOf(card);
  assert.deepEqual(counts, { new: 1, updated: 1, moved: 1, unchanged: 27, failed: 1 });
  assert.match(await card.locator('.job-line').textContent(), /^31 files looked at in .*1 missing/);
});

test('what is removed, moved or goes missing while one looks, is so in the list', async (t) => {
  const { daemon, dir, open } = await start(t);
  const tree = path.join(dir, 'films');
  const files = fill(tree, 6);
  await daemon.wait(await daemon.scan(tree));
  const page = await open({ allow: GONE });
  const names = page.locator(NAME);
  await names.nth(5).waitFor();
  fs.renameSync(files[0], path.join(tree, 'a new name.mp4'));
  fs.rmSync(files[1]);
  await daemon.wait(await daemon.scan(tree));
  await names.filter({ hasText: 'a new name' }).waitFor();
  const { videos } = (await daemon.get('/api/v1/videos?limit=1')).body;
  await daemon.request('DELETE', `/api/v1/videos/${videos[0].id}`);
  await names.nth(3).waitFor();
  await page.waitForFunction((selector) => document.querySelectorAll(selector).length === 4, NAME);
  await assertListEquals(page, daemon);
});
