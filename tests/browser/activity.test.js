// The activity view: the frames as they come, filtered, paused, cleared and copied; bounded whatever comes; by keyboard too.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test, { after } from 'node:test';
import { Channel, eventually, makeVideo } from '../lib/daemon.js';
import { fill } from '../lib/trees.js';
import { closeBrowser, showView, spoken, start } from './page.js';

after(closeBrowser);

/** Frames are counted: none shall come because time goes by. */
const QUIET = { args: ['--heartbeat', '3600'] };
const state = (page) => page.locator('.activity-tools .hint');
const rows = (page) => page.locator('.frame:visible');
/** Waits until so many frames match, and the rows are theirs. */
const match = (page, count) => state(page).filter({ hasText: ` ${count} match` }).waitFor();

/** Chooses one frame after the other with the keyboard, from the newest up; gives the texts of the opened ones. */
async function readFrames(page, count) {
  const texts = [];
  await page.locator('.frames').focus();
  for (let i = 0; i < count; i++) {
    await page.keyboard.press('ArrowUp');
    texts.unshift(JSON.parse(await page.locator('.frame-detail pre').textContent()));
  }
  return texts;
}

/** What the browser would paste. */
const pasted = (page) => page.evaluate(() => navigator.clipboard.readText());

async function openActivity(open) {
  const page = await open();
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await showView(page, 'Activity');
  return page;
}

test('every frame as a client of the channel hears it, in order', async (t) => {
  const { daemon, dir, open } = await start(t, QUIET);
  fill(path.join(dir, 'films'), 6);
  const page = await openActivity(open);
  const client = await daemon.channel();
  await client.find('HELLO');
  await daemon.wait(await daemon.scan(path.join(dir, 'films')));
  await client.find('SCAN_COMPLETED');
  await state(page).filter({ hasText: `${client.frames.length} heard` }).waitFor();
  const shown = await readFrames(page, client.frames.length);
  const plain = ({ received_ms, ...frame }) => frame;
  assert.deepEqual(shown.slice(1), client.frames.slice(1).map(plain));
  assert.equal(shown[0].type, 'HELLO');
  await client.close();
});

test('filtered by type, topic, job and text; paused, gone on, cleared', async (t) => {
  const { daemon, dir, open } = await start(t, QUIET);
  fill(path.join(dir, 'films'), 5);
  fill(path.join(dir, 'series'), 3);
  const page = await openActivity(open);
  const [first, second] = [await daemon.scan(path.join(dir, 'films')), await daemon.scan(path.join(dir, 'series'))];
  await daemon.wait(first);
  await daemon.wait(second);
  await page.getByLabel('Type').selectOption('VIDEO_ADDED');
  await match(page, 8);
  await page.getByLabel('Type').selectOption('');
  await page.getByLabel('Topic').selectOption('library');
  await match(page, 8);
  await page.getByLabel('Text').fill('/SERIES/folder');
  await match(page, 3);
  await page.getByLabel('Text').fill('');
  await page.getByLabel('Topic').selectOption('');
  await page.getByLabel('Job', { exact: true }).selectOption(second);
  await page.getByLabel('Type').selectOption('SCAN_COMPLETED');
  await match(page, 1);
  assert.match(await rows(page).first().textContent(), /"status":"complete".*series/);
  await page.getByLabel('Type').selectOption('');
  await page.getByLabel('Job', { exact: true }).selectOption('');

  await page.getByRole('button', { name: 'Pause' }).click();
  const heard = Number(/^([\d,]+) heard/.exec(await state(page).textContent())[1]);
  await daemon.wait(await daemon.scan(path.join(dir, 'films')));
  await state(page).filter({ hasText: /paused, [1-9]\d* passed by/ }).waitFor();
  assert.match(await state(page).textContent(), new RegExp(`^${heard} heard`));
  await page.getByRole('button', { name: 'Resume' }).click();
  await daemon.wait(await daemon.scan(path.join(dir, 'series')));
  await page.getByLabel('Type').selectOption('SCAN_COMPLETED');
  await match(page, 3); // the last frame of what goes on
  await page.getByRole('button', { name: 'Clear' }).click();
  await state(page).filter({ hasText: ', 0 kept' }).waitFor();
  assert.equal(await rows(page).count(), 0);
});

test('of thousands of frames the last are kept, and there are rows for what is in view alone', async (t) => {
  const { daemon, dir, open } = await start(t);
  // Files that fail without being opened: many frames in a moment.
  for (let i = 0; i < 2200; i++) {
    const file = path.join(dir, 'many', `part ${Math.floor(i / 600)}`, `${i}.mp4`);
    if (i % 600 === 0) fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, '');
    fs.utimesSync(file, 1e9, 1e9);
  }
  const page = await openActivity(open);
  await daemon.wait(await daemon.scan(path.join(dir, 'many')));
  await state(page).filter({ hasText: 'the last 2,000 are kept' }).waitFor();
  await page.waitForFunction(() => [...document.querySelectorAll('.frame')].some((row) => row.textContent.includes('SCAN_COMPLETED')));
  assert.ok(await page.locator('.frame').count() < 60, 'rows beyond what is in view');
  const bottom = await page.locator('.frames').evaluate((list) => list.scrollHeight - list.scrollTop - list.clientHeight);
  assert.ok(bottom <= 1, 'the newest frame is not in view');
  // Away from the end one stays where one is, whatever comes.
  await page.locator('.frames').evaluate((list) => list.scrollTo(0, list.scrollHeight / 2));
  /** The row at the list's upper edge, once it is drawn there. */
  const top = () => page.waitForFunction(() => {
    const list = document.querySelector('.frames');
    const at = list.getBoundingClientRect().top + 2;
    const row = [...list.querySelectorAll('.frame:not([hidden])')].find((one) => one.getBoundingClientRect().top <= at && one.getBoundingClientRect().bottom > at);
    return row?.textContent;
  }).then((handle) => handle.jsonValue());
  const before = await top();
  fs.rmSync(path.join(dir, 'many', 'part 0'), { recursive: true });
  const known = (await daemon.get('/api/v1/jobs')).body.jobs.length;
  await daemon.wait(await daemon.scan(path.join(dir, 'many', 'part 1'), { retry_failed: true }));
  await page.waitForFunction((count) => document.querySelector('#activity-job').options.length > count + 1, known);
  assert.equal(await top(), before);
});

test('copied: a frame as it came, and a line for wscat that hears the same', async (t) => {
  const { daemon, dir, open } = await start(t);
  fill(path.join(dir, 'films'), 2);
  const page = await openActivity(open);
  const id = await daemon.scan(path.join(dir, 'films'));
  await daemon.wait(id);
  await page.getByLabel('Type').selectOption('JOB_QUEUED');
  await match(page, 1); // else a row that goes could be what is clicked
  await rows(page).first().click();
  await page.getByRole('button', { name: 'Copy frame' }).click();
  await spoken(page, 'Copied.');
  const frame = JSON.parse(await pasted(page));
  assert.equal(frame.type, 'JOB_QUEUED');
  assert.equal(frame.payload.job_id, id);
  await page.getByLabel('Job', { exact: true }).selectOption(id);
  await page.getByRole('button', { name: 'Copy wscat line' }).click();
  const line = await eventually(async () => /^wscat/.test(await pasted(page)) && pasted(page), 'it is copied'); // as the frame was before
  const [, address] = /^wscat -c '([^']+)'$/.exec(line);
  const client = await Channel.open(address);
  await client.find('SCAN_COMPLETED');
  const said = await client.find('SUBSCRIBED');
  assert.deepEqual(said.payload, { topics: ['jobs'], recovered: true });
  assert.deepEqual(client.frames.filter(({ event_id: number }) => number).map(({ type }) => type), ['SCAN_STARTED', 'SCAN_COMPLETED']);
  await client.close();
});

test('by keyboard: up, down, to the ends, out', async (t) => {
  const { daemon, dir, open } = await start(t);
  fill(path.join(dir, 'films'), 40);
  const page = await openActivity(open);
  await daemon.wait(await daemon.scan(path.join(dir, 'films')));
  await page.getByLabel('Type').selectOption('VIDEO_ADDED');
  await match(page, 40);
  await page.locator('.frames').focus();
  const chosen = async () => {
    const id = await page.locator('.frames').getAttribute('aria-activedescendant');
    return id && page.locator(`[id="${id}"]`).getAttribute('aria-posinset');
  };
  const press = async (key, want) => {
    await page.keyboard.press(key);
    await page.waitForFunction((at) => {
      const id = document.querySelector('.frames').getAttribute('aria-activedescendant');
      return id ? document.getElementById(id)?.getAttribute('aria-posinset') === at : at === null;
    }, want);
    assert.equal(await chosen(), want);
  };
  await press('ArrowUp', '40');
  await press('ArrowUp', '39');
  await press('Home', '1');
  await press('ArrowDown', '2');
  await press('End', '40');
  await press('ArrowDown', '40');
  assert.ok(await page.locator('.frame-detail').isVisible());
  await press('Escape', null);
  assert.equal(await page.locator('.frame-detail').isVisible(), false);
});

test('names from a disk are text in frames too', async (t) => {
  const { daemon, dir, open } = await start(t);
  const tree = path.join(dir, 'bad');
  fs.mkdirSync(tree);
  fs.copyFileSync(makeVideo(path.join(dir, 'one.mp4')), path.join(tree, '<img src=x onerror=alert(1)>\u202e.mp4'));
  const page = await openActivity(open);
  await daemon.wait(await daemon.scan(tree));
  await page.getByLabel('Type').selectOption('VIDEO_ADDED');
  await match(page, 1);
  await rows(page).first().click();
  await page.locator('.frame-detail pre').getByText('<img src=x onerror=alert(1)>U+202E.mp4').first().waitFor();
  assert.equal(await page.locator('reeld-activity img').count(), 0);
});
