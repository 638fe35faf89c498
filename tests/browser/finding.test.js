// What is asked of the library: search, filters, sort, and the address that has all of it; and where it cannot be had.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test, { after } from 'node:test';
import { eventually, makeVideo } from '../lib/daemon.js';
import { names, settled, startMany, total } from './many.js';
import { ITEM, LONG, NAME, closeBrowser, linkMany, start, waitNames } from './page.js';

after(closeBrowser);

/** Waits until that is asked in the address. */
const asked = (page, search) => page.waitForFunction((want) => location.search === want, search);

test('search, filters, sort and layout are in the address: back, reload and a link give the same view', async (t) => {
  const { daemon, open } = await startMany(t, 5000);
  const page = await open();
  await total(page, 5000);
  const search = page.getByRole('searchbox', { name: 'Search the library' });
  await page.keyboard.press('/');
  await page.keyboard.type('garden', { delay: 20 });
  const found = (await daemon.get('/api/v1/videos/search?q=garden&limit=1')).body.total;
  await asked(page, '?q=garden');
  await total(page, found);
  const choice = page.locator('reeld-filters label.choice').filter({ hasText: /^HEVC/ });
  const box = choice.getByRole('checkbox');
  const narrower = (await daemon.get('/api/v1/videos?q=garden&video_codec=hevc&limit=1')).body.total;
  await choice.locator('.number').getByText(narrower.toLocaleString('en'), { exact: true }).waitFor();
  await box.check();
  await total(page, narrower);
  await page.getByLabel('Sort the library').selectOption('size desc');
  await page.getByRole('button', { name: 'Table' }).click();
  await asked(page, '?q=garden&video_codec=hevc&sort=size&view=table');
  const want = await names(daemon, 'q=garden&video_codec=hevc&sort=size&order=desc&limit=100');
  await waitNames(page, want);
  await page.reload();
  await waitNames(page, want);
  assert.equal(await search.inputValue(), 'garden');
  assert.ok(await box.isChecked());
  const other = await open({ path: new URL(page.url()).pathname + new URL(page.url()).search });
  await waitNames(other, want);
  await page.goBack();
  await page.waitForSelector('reeld-grid[data-layout="grid"]');
  await page.goBack();
  await waitNames(page, await names(daemon, 'q=garden&video_codec=hevc&sort=added&order=desc&limit=100'));
  await page.goBack();
  await total(page, found);
  await page.goBack();
  await total(page, 5000);
  assert.equal(await search.inputValue(), '');
  await page.getByRole('searchbox').fill('no such thing');
  await page.getByText('Nothing is called “no such thing”.').waitFor();
  await page.getByRole('link', { name: 'Show all videos' }).click();
  await total(page, 5000);
});

test('a search that is typed on ends the one before, and the last one is what is shown', async (t) => {
  const { daemon, open } = await startMany(t, 2000);
  const ended = [];
  const page = await open({ prepare: async (one) => {
    one.on('requestfailed', (request) => ended.push(new URL(request.url()).searchParams.get('q')));
    await one.route(/videos\?.*q=h(&|$)/, () => {}); // never answered
  } });
  await total(page, 2000);
  await Promise.all([page.waitForRequest(/videos\?.*q=h(&|$)/), page.getByRole('searchbox').fill('h')]);
  await page.getByRole('searchbox').fill('harbour');
  await total(page, (await daemon.get('/api/v1/videos/search?q=harbour&limit=1')).body.total);
  await eventually(() => ended.includes('h'), 'the one before is ended');
  await waitNames(page, await names(daemon, 'q=harbour&sort=added&order=desc&limit=100'));
});

for (const first of ['reeld-library', 'reeld-grid']) {
  test(`where nothing is found nothing is held of what was there, with ${first} drawn first`, async (t) => {
    const { daemon, open } = await startMany(t, 2000);
    const page = await open();
    await total(page, 2000);
    await settled(page);
    await page.evaluate((name) => {
      const [library, grid] = ['reeld-library', 'reeld-grid'].map((one) => document.querySelector(one));
      const [before, other] = name === 'reeld-library' ? [library, grid] : [grid, library];
      const invalidate = other.invalidate.bind(other);
      other.invalidate = () => {
        before.invalidate();
        invalidate();
      };
    }, first);
    for (let round = 0; round < 2; round++) {
      await page.getByRole('searchbox').fill('nothing at all');
      await page.getByText('Nothing is called “nothing at all”.').waitFor();
      await page.waitForFunction((item) => !document.querySelector(item), ITEM);
      assert.equal(await page.locator('reeld-grid').isVisible(), false);
      await page.getByRole('searchbox').fill('');
      await total(page, 2000);
      await waitNames(page, await names(daemon, 'sort=added&order=desc&limit=100'));
    }
  });
}

test('a link that makes no sense: the server\'s words, and everything else goes on', async (t) => {
  const { daemon, open } = await startMany(t, 100);
  const page = await open({ path: '/?sort=beauty', allow: /Failed to load resource.*400/ });
  await page.getByRole('alert').getByText('Sort must be name, added, modified').waitFor();
  assert.equal(await page.getAttribute('reeld-connection', 'data-mode'), 'live');
  await page.getByLabel('Sort the library').selectOption('name asc');
  await waitNames(page, await names(daemon, 'sort=name&limit=100'));
  await page.getByRole('alert').waitFor({ state: 'hidden' });
});

/** Lets that much time go by for the page, whose clock stands still: half a second at a time, and what is asked then is answered before the next. */
async function passTime(page, ms) {
  for (let passed = 0; passed < ms; passed += 500) {
    await page.clock.runFor(500);
    await page.evaluate(() => fetch('/health/live').then((answer) => answer.text()));
  }
}

/** Its clock stands still from now on. */
const stopClock = async (page) => page.clock.pauseAt(await page.evaluate(() => Date.now() + 1000));

test('a list that cannot be read is asked for now and then, not without end, be it the first or a part of it', async (t) => {
  const { open } = await startMany(t, 2000);
  let away = true;
  let tries = 0;
  const page = await open({ live: false, prepare: async (one) => {
    await one.clock.install();
    await one.route(/\/videos\?/, (route) => {
      tries++;
      return away ? route.fulfill({ status: 503 }) : route.continue();
    });
  } });
  await page.getByRole('alert').getByText('The library could not be read').waitFor();
  await stopClock(page);
  tries = 0;
  await passTime(page, 10000);
  assert.ok(tries >= 2 && tries <= 6, `${tries} in ten seconds of the first list`);
  away = false;
  await passTime(page, 4000);
  await total(page, 2000);
  away = true;
  await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight / 2));
  await passTime(page, 1000);
  await page.getByRole('alert').getByText('The library could not be read').waitFor();
  tries = 0;
  await passTime(page, 10000);
  assert.ok(tries >= 2 && tries <= 6, `${tries} in ten seconds of a part`);
  away = false;
  await passTime(page, 4000);
  await settled(page);
});

test('a question that fails says no number, neither that of the list before nor that nothing is there', async (t) => {
  const { open } = await startMany(t, 2000);
  let away = false;
  const page = await open({
    allow: /ERR_FAILED/, prepare: (one) => one.route(/\/videos\?/, (route) => (away ? route.abort() : route.continue())),
  });
  const problem = page.getByRole('alert').getByText('The library could not be read: The server does not answer.');
  const search = page.getByRole('searchbox');
  await total(page, 2000);
  away = true;
  await search.fill('harbour');
  await problem.waitFor();
  assert.equal(await page.locator('.summary').textContent(), '');
  away = false;
  await search.fill('nothing at all');
  await page.getByText('Nothing is called “nothing at all”.').waitFor();
  away = true;
  await search.fill('nor this');
  await problem.waitFor();
  assert.equal(await page.locator('reeld-library .empty').isVisible(), false);
  assert.equal(await page.locator('.summary').textContent(), '');
  // The next try reads the list that was asked for, and not the one before.
  await search.fill('garden');
  await asked(page, '?q=garden');
  await page.waitForFunction(() => !document.querySelector('reeld-grid').catalogue.loading);
  away = false;
  await page.locator(NAME).filter({ hasText: /garden/i }).first().waitFor();
  await problem.waitFor({ state: 'hidden' });
});


test('what was typed a moment ago is asked with what one does next, and pulls nobody back', async (t) => {
  const { daemon, open } = await startMany(t, 2000);
  // The clock stands still: what was typed is asked by what is done, and by nothing else.
  const page = await open({ prepare: (one) => one.clock.install() });
  const search = page.getByRole('searchbox');
  const count = async (query) => (await daemon.get(`/api/v1/videos?limit=1&${query}`)).body.total;
  await total(page, 2000);
  await settled(page);
  await stopClock(page);
  const drawn = () => page.clock.runFor(100);
  /** What is to be seen, once it was read and drawn. */
  const shows = (number) => eventually(async () => {
    await drawn();
    return (await page.locator('.summary').textContent()).split(' ')[0] === number.toLocaleString('en');
  }, `${number} are shown`, LONG);
  const focusIs = (want) => eventually(async () => {
    await drawn();
    return (await page.evaluate(() => document.activeElement.closest('.item')?.querySelector('.item-name')?.textContent)) === want;
  }, `${want} has the focus`, LONG);

  await search.pressSequentially('harbour');
  await search.press('Enter');
  assert.equal(await page.evaluate(() => location.search), '?q=harbour');
  await focusIs((await names(daemon, 'q=harbour&sort=added&order=desc&limit=1'))[0]);
  await shows(await count('q=harbour'));

  // Nothing is found: the search keeps the focus.
  await search.fill('nothing at all');
  await search.press('ArrowDown');
  assert.equal(await page.evaluate(() => location.search), '?q=nothing+at+all');
  await eventually(async () => {
    await drawn();
    return page.locator('reeld-library .empty').isVisible();
  }, 'nothing is found', LONG);
  assert.equal(await page.evaluate(() => document.activeElement.id), 'search');

  // A sort, and a chip, take the text with them.
  await search.fill('garden');
  await page.getByLabel('Sort the library').selectOption('size desc');
  assert.equal(await page.evaluate(() => location.search), '?q=garden&sort=size');
  await drawn();
  await page.evaluate(() => document.querySelector('reeld-facet label.choice input').click());
  await drawn();
  await search.fill('winter');
  await page.evaluate(() => document.querySelector('.chips a').click());
  assert.equal(await page.evaluate(() => location.search), '?q=winter&sort=size');
  await shows(await count('q=winter'));

  // Another view is another view.
  await search.fill('harbour');
  await page.evaluate(() => document.querySelector('nav a[data-view="scans"]').click());
  await page.clock.runFor(1000);
  assert.equal(await page.evaluate(() => location.pathname), '/scans');

  // Back: the box says what the list is of, also where it has the focus; and what is typed then is another step.
  await page.goBack();
  await shows(await count('q=winter'));
  assert.equal(await search.inputValue(), 'winter');
  await search.focus();
  await search.fill('garden');
  await page.clock.runFor(1000);
  assert.equal(await page.evaluate(() => location.search), '?q=garden&sort=size');
  await search.fill('garden party');
  await page.goBack();
  await page.clock.runFor(1000);
  assert.equal(await page.evaluate(() => location.search), '?q=winter&sort=size');
  assert.equal(await search.inputValue(), 'winter');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'search');
  await search.fill('lake');
  await page.clock.runFor(1000);
  await page.goBack();
  assert.equal(await page.evaluate(() => location.search), '?q=winter&sort=size');
});


const ODD = [
  ['container=constructor', ['constructor']],
  ['resolution=constructor', ['constructor'], /resolution/i],
  ['video_codec=h264,,', ['H.264']],
  ['added=99999999999', []],
  ['added=soon', []],
  ['missing=maybe', ['missing maybe'], /missing/i],
  ['subtitles=maybe', ['subtitles maybe'], /subtitles/i],
  ['duration_min_s=abc&duration_max_s=60', ['duration_min_s abc, duration_max_s 60'], /duration_min_s/i],
];

test('links with odd filters: what is on is said as it is, and nothing breaks', async (t) => {
  const { open } = await startMany(t, 100);
  for (const [query, chips, problem] of ODD) {
    const page = await open({ path: `/?${query}`, allow: /Failed to load resource.*400/ });
    if (problem) await page.getByRole('alert').getByText(problem).waitFor();
    else await page.waitForFunction(() => document.querySelector('.summary').textContent.endsWith('B') || !document.querySelector('reeld-library .empty').hidden);
    assert.deepEqual(await page.locator('.chips bdi').allTextContents(), chips, query);
  }
});

test('a picture that cannot be had is asked for again after a while, not with each drawing', async (t) => {
  const { open } = await startMany(t, 100);
  const times = new Map();
  const most = () => Math.max(...times.values());
  const page = await open({ prepare: async (one) => {
    await one.clock.install();
    await one.route(/\/videos\?/, async (route) => {
      const answer = await route.fetch();
      const body = await answer.json();
      for (const video of body.videos) Object.assign(video, { thumbnail: 'ready', thumbnail_url: `/api/v1/videos/${video.id}/thumbnail`, missing_since: null });
      await route.fulfill({ response: answer, json: body });
    });
    await one.route(/\/thumbnail\?w=\d+$/, (route) => {
      times.set(route.request().url(), (times.get(route.request().url()) ?? 0) + 1);
      return route.fulfill({ status: 503 });
    });
  } });
  await settled(page);
  await stopClock(page);
  await passTime(page, 1000);
  /** Draws it anew, and waits until all pictures that were asked for then could not be had. */
  const drawn = async () => {
    await page.evaluate(() => document.querySelector('reeld-grid').invalidate());
    await passTime(page, 500);
    await page.waitForFunction(() => [...document.querySelectorAll('reeld-grid img')].every((one) => one.hidden), undefined, { polling: 50 });
  };
  for (let round = 0; round < 5; round++) await drawn();
  assert.ok(times.size > 5, `${times.size} pictures`);
  assert.equal(most(), 1);
  await passTime(page, 30000);
  await drawn();
  assert.equal(most(), 2);
});


test('what is pressed and then gone does not leave the focus nowhere', async (t) => {
  const { daemon, dir, open } = await start(t);
  const file = makeVideo(path.join(dir, 'one.mp4'));
  linkMany(path.join(dir, 'm'), file, 200);
  await daemon.wait(await daemon.scan(path.join(dir, 'm')));
  const page = await open({ path: '/?video_codec=h264&container=mov&added=7' });
  const focusIs = (selector) => page.waitForFunction((want) => document.activeElement.matches(want), selector);
  const view = 'main > [data-view="library"]';
  const chips = page.locator('.chips .chip');
  await total(page, 200);
  for (const left of [2, 1]) {
    await chips.last().focus();
    await page.keyboard.press('Enter');
    await page.waitForFunction((count) => document.querySelectorAll('.chips .chip').length === count, left);
    await focusIs('.chips li:nth-child(1) .chip, .chips li:nth-child(2) .chip');
  }
  await page.keyboard.press('Enter');
  await chips.waitFor({ state: 'detached' });
  await focusIs(view);
  await page.goBack();
  await page.goBack();
  await page.getByRole('link', { name: 'Clear all' }).press('Enter');
  await chips.first().waitFor({ state: 'detached' });
  await focusIs(view);

  await page.getByRole('searchbox').fill('nothing at all');
  await page.getByRole('link', { name: 'Show all videos' }).press('Enter');
  await total(page, 200);
  await focusIs(view);

  // New ones above, and the button that leads to them.
  await settled(page);
  await page.evaluate(() => scrollTo(0, 2000));
  await page.waitForFunction(() => history.state?.list?.index > 0);
  fs.mkdirSync(path.join(dir, 'new'));
  fs.linkSync(file, path.join(dir, 'new', 'new.mp4'));
  await daemon.wait(await daemon.scan(path.join(dir, 'new')));
  await page.getByRole('button', { name: '↑ 1 new' }).press('Enter');
  await page.getByRole('button', { name: /new$/ }).waitFor({ state: 'hidden' });
  await focusIs(view);

  // The last video goes while it has the focus.
  await page.goto(`${daemon.url}/?folder=${encodeURIComponent(path.join(dir, 'new'))}`);
  await total(page, 1);
  await page.locator(ITEM).locator('a').focus();
  const [{ id }] = (await daemon.get('/api/v1/videos?q=new.mp4')).body.videos;
  await daemon.request('DELETE', `/api/v1/videos/${id}`);
  await page.getByText('No video is behind these filters.').waitFor();
  await focusIs(view);
});
