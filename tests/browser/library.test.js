// The library: many videos from end to end, news that comes while one looks, names, keys.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test, { after } from 'node:test';
import { Rows } from '../../web/library/layout.js';
import { makeVideo, sanitized } from '../lib/daemon.js';
import { names, settled, startMany, total } from './many.js';
import { ITEM, NAME, assertAccessible, closeBrowser, linkMany, namesShown, showView, start, waitNames } from './page.js';

after(closeBrowser);

/** A hundred thousand take half a minute to be made under ThreadSanitizer. */
const MANY = sanitized ? 20000 : 100000;

const elements = (page) => page.evaluate(() => document.querySelectorAll('*').length);

for (const layout of ['grid', 'table']) {
  test(`${MANY.toLocaleString('en')} videos, from end to end, as a ${layout}: the right ones are shown, and few elements are there`, async (t) => {
    const { daemon, open } = await startMany(t, MANY);
    const page = await open({ path: `/?sort=name&order=asc${layout === 'table' ? '&view=table' : ''}` });
    await total(page, MANY);
    await settled(page);
    const most = { elements: await elements(page) };
    const height = await page.evaluate(() => document.documentElement.scrollHeight);
    for (let part = 0; part <= 20; part++) {
      await page.evaluate((top) => scrollTo(0, top), (height * part) / 20);
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
      await settled(page);
      most.elements = Math.max(most.elements, await elements(page));
      const first = await page.evaluate((item) => {
        const node = [...document.querySelectorAll(item)].find((one) => one.getBoundingClientRect().top > 150);
        const row = Number(node.closest('.row').getAttribute('aria-rowindex'));
        const grid = document.querySelector('reeld-grid');
        const columns = grid.dataset.layout === 'table' ? 1 : Number(grid.getAttribute('aria-colcount'));
        const column = columns === 1 ? 1 : Number(node.getAttribute('aria-colindex'));
        return { name: node.querySelector('.item-name').textContent, index: (row - (columns === 1 ? 2 : 1)) * columns + column - 1 };
      }, ITEM);
      const [want] = await names(daemon, `sort=name&order=asc&limit=1&offset=${first.index}`);
      assert.equal(first.name, want, `at ${first.index}`);
    }
    assert.ok(most.elements < 1300, `${most.elements} elements`);
    assert.equal((await namesShown(page)).at(-1), (await names(daemon, 'sort=name&order=desc&limit=1'))[0]);
    assert.ok(await page.evaluate(() => document.querySelector('reeld-grid').catalogue.held) <= 14 * 60);
  });
}

/** Draws nothing before the list is there, as a page does that is late to begin. */
const holdFrames = (one) => one.addInitScript(() => {
  const draw = window.requestAnimationFrame.bind(window);
  let held = [];
  window.requestAnimationFrame = (work) => (held ? held.push(work) : draw(work)); // for those too who kept it
  const timer = setInterval(() => {
    if (!document.querySelector('reeld-grid')?.catalogue?.known) return;
    clearInterval(timer);
    const due = held;
    held = null;
    due.forEach((work) => draw(work));
  }, 10);
});

for (const [begins, prepare] of [['', undefined], [', with the list there before the first drawing', holdFrames]]) {
  test(`how far one was is kept too: by reload, and from a video back${begins}`, async (t) => {
    const { open } = await startMany(t, 5000);
    const page = await open({ path: '/?sort=name', prepare });
    await total(page, 5000);
    await settled(page);
    await page.evaluate(() => scrollTo(0, 54321));
    await settled(page);
    await page.waitForFunction(() => history.state?.list?.index > 0);
    const before = await placesShown(page);
    await page.reload();
    await settled(page);
    await page.waitForFunction(() => scrollY > 50000);
    assert.deepEqual(await placesShown(page), before);
    await page.locator(ITEM).filter({ hasText: Object.keys(before)[3] }).locator('a').click();
    await page.locator('#video-title').getByText(Object.keys(before)[3]).waitFor();
    await page.goBack();
    await page.locator('reeld-grid').waitFor();
    assert.deepEqual(await placesShown(page), before);
  });
}

test('a list that is higher than a page can be: small steps are small, the ends are the ends', () => {
  const rows = new Rows();
  rows.measures = { columns: 1, row: 52, gap: 0, width: 100 };
  rows.total = 3000000;
  const view = 900;
  assert.ok(rows.full > rows.height);
  let scroll = 0;
  const go = (to) => {
    rows.scrolled(to, scroll, view);
    scroll = to;
    return scroll + rows.base;
  };
  assert.equal(go(0), 0);
  assert.equal(go(300), 300);
  const middle = go(rows.height / 2);
  assert.ok(Math.abs(middle / rows.full - 0.5) < 0.01);
  assert.equal(Math.round(go(scroll + 100) - middle), 100);
  assert.equal(Math.round(go(scroll - 100) - middle), 0);
  assert.equal(go(rows.height - view), rows.full - view);
  assert.equal(go(0), 0);
  // What came in above is made up for, in whole rows.
  rows.measures = { columns: 5, row: 200, gap: 0, width: 100 };
  const column = rows.columnOf(1000);
  const moved = rows.shift(1000, 1013);
  assert.equal(rows.columnOf(1013), column);
  assert.ok(Number.isInteger(moved) && rows.lead < 5);
});

/** Where the items stand in the view, by their names; those above and below it may still be without one. */
const places = (page) => page.locator(ITEM).evaluateAll((all) => Object.fromEntries(all.map((one) => {
  const { x, y } = one.getBoundingClientRect();
  return { name: one.querySelector('.item-name')?.textContent, x: Math.round(x), y: Math.round(y) };
}).filter(({ y }) => y > 120 && y < 800).map(({ name, x, y }) => [name, `${x} ${y}`])));

/** The same, once the rows that belong there are: where one scrolls to, they come with the next frame. */
async function placesShown(page) {
  await page.waitForFunction((item) => [...document.querySelectorAll(item)].filter((one) => {
    const { y } = one.getBoundingClientRect();
    return y > 120 && y < 800;
  }).length >= 8, ITEM);
  await settled(page);
  return places(page);
}

for (const sort of ['added', 'name']) {
  test(`videos that come while one looks do not move what one looks at, in the order of ${sort}`, async (t) => {
    const { daemon, dir, open } = await start(t);
    const file = makeVideo(path.join(dir, 'one.mp4'));
    linkMany(path.join(dir, 'm'), file, 400);
    await daemon.wait(await daemon.scan(path.join(dir, 'm')));
    const page = await open({ path: sort === 'name' ? '/?sort=name' : '/' });
    await total(page, 400);
    await page.evaluate(() => scrollTo(0, 4321));
    await settled(page);
    await page.waitForFunction(() => history.state?.list?.index > 0);
    const before = await placesShown(page);
    for (const [at, count] of [7, 1, 5].entries()) {
      // They come before all that is there, in either order.
      const folder = path.join(dir, `a${at}`);
      fs.mkdirSync(folder);
      for (let i = 0; i < count; i++) fs.linkSync(file, path.join(folder, `a${at} ${i}.mp4`));
      await daemon.wait(await daemon.scan(folder));
      await total(page, (await daemon.get('/api/v1/videos?limit=1')).body.total);
      await settled(page);
      assert.deepEqual(await places(page), before, `after ${count} more`);
    }
    // And many of them, while another view is shown.
    await page.keyboard.press('2');
    fs.mkdirSync(path.join(dir, 'a'));
    for (let i = 0; i < 300; i++) fs.linkSync(file, path.join(dir, 'a', `a9 ${i}.mp4`));
    await daemon.wait(await daemon.scan(path.join(dir, 'a')));
    await page.keyboard.press('1');
    await total(page, 713);
    await settled(page);
    assert.deepEqual(await placesShown(page), before, 'after 300 more');
    await page.getByRole('button', { name: '↑ 313 new' }).click();
    await page.waitForFunction(([selector, first]) => document.querySelector(selector)?.textContent === first, [NAME, (await names(daemon, `sort=${sort}&order=${sort === 'name' ? 'asc' : 'desc'}&limit=1`))[0]]);
    await page.getByRole('button', { name: /new$/ }).waitFor({ state: 'hidden' });
  });
}

test('at the beginning new ones slide in; changed and removed ones follow', async (t) => {
  const { daemon, dir, open } = await start(t);
  const file = makeVideo(path.join(dir, 'one.mp4'));
  linkMany(path.join(dir, 'm'), file, 30);
  await daemon.wait(await daemon.scan(path.join(dir, 'm')));
  const page = await open();
  await total(page, 30);
  await page.evaluate(() => { window.notReloaded = true; });
  fs.linkSync(file, path.join(dir, 'm', 'the newest.mp4'));
  await daemon.wait(await daemon.scan(path.join(dir, 'm')));
  await page.waitForFunction((name) => document.querySelector(name)?.textContent === 'the newest.mp4', NAME);
  fs.renameSync(path.join(dir, 'm', 'the newest.mp4'), path.join(dir, 'm', 'the renamed.mp4'));
  await daemon.wait(await daemon.scan(path.join(dir, 'm')));
  await page.waitForFunction((name) => document.querySelector(name)?.textContent === 'the renamed.mp4', NAME);
  fs.rmSync(path.join(dir, 'm', 'the renamed.mp4'));
  await daemon.wait(await daemon.scan(path.join(dir, 'm')));
  await total(page, 30);
  await waitNames(page, await names(daemon, 'sort=added&order=desc&limit=100'));
  await page.goto(`${daemon.url}/?missing=true`);
  await page.locator(ITEM).filter({ hasText: 'the renamed.mp4' }).getByText('Missing').waitFor();
  // Another order: the view that is hidden meanwhile is right when it is seen again.
  await page.goto(daemon.url);
  await total(page, 30);
  await showView(page, 'Scans');
  fs.linkSync(file, path.join(dir, 'm', 'meanwhile.mp4'));
  await daemon.wait(await daemon.scan(path.join(dir, 'm')));
  await showView(page, 'Library');
  await page.waitForFunction((name) => document.querySelector(name)?.textContent === 'meanwhile.mp4', NAME);
});

test('by keyboard: the arrows go through the grid, Enter opens, Escape comes back to it', async (t) => {
  const { daemon, open } = await startMany(t, 3000);
  const page = await open({ path: '/?sort=name' });
  await total(page, 3000);
  await settled(page);
  const order = await names(daemon, 'sort=name&order=asc&limit=1000');
  const focused = () => page.evaluate(() => document.activeElement.closest('.item')?.querySelector('.item-name')?.textContent);
  const is = (name) => page.waitForFunction((want) => document.activeElement.closest('.item')?.querySelector('.item-name')?.textContent === want, name)
    .catch(async (error) => {
      throw new Error(`${name} has not the focus: ${await page.evaluate(() => document.activeElement.outerHTML.slice(0, 300))}`, { cause: error });
    });
  const columns = Number(await page.locator('reeld-grid').getAttribute('aria-colcount'));
  await page.keyboard.press('/');
  await page.keyboard.press('ArrowDown');
  await is(order[0]);
  await page.keyboard.press('ArrowRight');
  await is(order[1]);
  await page.keyboard.press('ArrowDown');
  await is(order[1 + columns]);
  await page.keyboard.press('Home');
  await is(order[columns]);
  await page.keyboard.press('End');
  await is(order[2 * columns - 1]);
  for (let row = 2; row < 30; row++) {
    await page.keyboard.press('ArrowDown');
    await is(order[(row + 1) * columns - 1]);
  }
  const box = await page.evaluate(() => document.activeElement.closest('.item').getBoundingClientRect().toJSON());
  assert.ok(box.top >= 0 && box.bottom <= 900, `in view: ${box.top} to ${box.bottom}`);
  const name = await focused();
  await page.keyboard.press('Enter');
  await page.locator('#video-title').getByText(name).waitFor();
  assert.match(page.url(), /\/videos\/[0-9a-f-]{36}$/);
  await page.keyboard.press('Escape');
  await is(name);
  const after = await page.evaluate(() => document.activeElement.closest('.item').getBoundingClientRect().toJSON());
  assert.equal(Math.round(after.top), Math.round(box.top), 'it is where it was');
  await page.keyboard.press('Control+End');
  await is((await names(daemon, 'sort=name&order=desc&limit=1'))[0]);
  await page.keyboard.press('Control+Home');
  await is(order[0]);
  // The wheel takes it out of view: the next arrow goes on from it.
  await page.evaluate(() => scrollTo(0, 9000));
  await page.waitForFunction(() => document.activeElement.localName === 'reeld-grid');
  await page.keyboard.press('ArrowRight');
  await is(order[1]);
  // What has the focus goes while the help is over it: what is in its place has it then.
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keys' }).waitFor();
  const [, gone] = (await daemon.get('/api/v1/videos?sort=name&order=asc&limit=2')).body.videos;
  await daemon.request('DELETE', `/api/v1/videos/${gone.id}`);
  await page.locator(ITEM).filter({ hasText: order[1] }).waitFor({ state: 'detached' });
  await page.keyboard.press('Escape');
  await is(order[2]);
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keys' }).waitFor();
  await page.getByLabel('Keys that are a single character').uncheck();
  await page.keyboard.press('Escape');
  await is(order[2]);
  await page.keyboard.press('/');
  await is(order[2]);
});

test('for those who do not see it: rows and columns have their true numbers, and axe finds nothing', async (t) => {
  const { open } = await startMany(t, 3000, ['--missing', '20']);
  for (const [query, options] of [['', {}], ['?view=table', { dark: true }], ['?missing=true', { width: 390 }], ['?q=nothing+at+all', {}]]) {
    const page = await open({ path: `/${query}`, ...options });
    await page.waitForFunction(() => document.querySelector('.summary').textContent || !document.querySelector('.empty').hidden);
    await page.waitForSelector('reeld-facet label', { state: 'attached' });
    if (!query.includes('nothing')) {
      await settled(page);
      const grid = page.locator('reeld-grid');
      const [rows, columns] = [Number(await grid.getAttribute('aria-rowcount')), Number(await grid.getAttribute('aria-colcount'))];
      assert.ok(columns === 7 || Math.ceil((query ? 20 : 3000) / columns) === rows, `${rows} rows of ${columns}`);
      await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
      await page.waitForFunction((last) => [...document.querySelectorAll('reeld-grid .row')].at(-1)?.getAttribute('aria-rowindex') === last, String(rows));
      assert.equal(await page.locator('reeld-grid [tabindex="0"], reeld-grid[tabindex="0"]').count(), 1, 'one way in by Tab');
    }
    await assertAccessible(page);
  }
});

const BAD_NAMES = ['<img src=x onerror=alert(1)>.mp4', 'evil\u202egpj.mp4', 'line\nbreak.mp4', 'עברית וידאו.mp4', `${'é'.repeat(125)}x.mp4`, '"quotes" \'n\' &amp; #%?.mp4', '日本の映画.mp4'];

test('bad names: shown right as a card, as a line, and at the video itself', async (t) => {
  const { daemon, dir, open } = await start(t);
  const good = makeVideo(path.join(dir, 'one.mp4'));
  const tree = path.join(dir, 'bad \u202e<b>folder');
  fs.mkdirSync(tree);
  for (const name of BAD_NAMES) fs.linkSync(good, path.join(tree, name));
  fs.linkSync(good, Buffer.concat([Buffer.from(`${tree}/latin-`), Buffer.from([0xe9, 0xff]), Buffer.from('.mp4')]));
  await daemon.wait(await daemon.scan(tree));
  const shown = (name) => name.replaceAll('\u202e', 'U+202E').replaceAll('\n', '␊');
  const want = [...BAD_NAMES.map(shown), 'latin-\ufffd\ufffd.mp4'].sort();
  for (const options of [{}, { path: '/?view=table' }, { width: 320, height: 3000 }, { path: '/?view=table', width: 320 }]) {
    const page = await open(options);
    await page.waitForFunction(([item, count]) => document.querySelectorAll(item).length === count, [ITEM, want.length]);
    assert.deepEqual((await namesShown(page)).sort(), want);
    assert.equal(await page.locator('reeld-library :is(b, img[src]:not([src*="/thumbnail?"]))').count(), 0);
    const sideways = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(sideways <= 0, `the page is ${sideways} px too wide`);
    assert.equal(await page.locator(ITEM).filter({ hasText: 'עברית' }).locator('bdi').first().evaluate((one) => getComputedStyle(one).unicodeBidi), 'isolate');
  }
  const page = await open();
  await page.locator(ITEM).filter({ hasText: 'latin-' }).locator('a').click();
  await page.locator('#video-title').getByText('latin-\ufffd\ufffd.mp4').waitFor();
  await page.locator('.video-where a').click();
  await total(page, want.length);
  assert.match(page.url(), /folder_uri=/);
});

test('a video whose file fails is marked so while one looks, in both layouts, until it is read again', async (t) => {
  const { daemon, dir, open } = await start(t);
  const media = path.join(dir, 'media');
  const file = makeVideo(path.join(media, 'one.mp4'));
  const good = fs.readFileSync(file);
  makeVideo(path.join(media, 'two.mkv'));
  // It never was a video: it is counted as failed, and no filter finds it.
  fs.writeFileSync(path.join(media, 'never.mp4'), 'no video at all\n'.repeat(99));
  await daemon.wait(await daemon.scan(media));
  let read;
  const page = await open({ prepare: async (one) => {
    read = one.waitForResponse(/videos\?failed=true/);
  } });
  const mark = page.locator('reeld-grid .item').filter({ hasText: 'one.mp4' }).locator('.mark', { hasText: 'Failed' });
  const filter = page.locator('reeld-facet').getByText('File failed');
  await page.locator('reeld-grid .item').nth(1).waitFor();
  await (await read).finished();
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  assert.equal(await filter.count(), 0);
  assert.equal(await page.locator('.mark', { hasText: 'Failed' }).count(), 0);
  fs.writeFileSync(file, 'no video at all\n'.repeat(99));
  fs.utimesSync(file, 1e9, 1e9);
  await daemon.wait(await daemon.scan(media));
  await mark.waitFor();
  await filter.waitFor();
  assert.equal(await page.locator('.mark', { hasText: 'Failed' }).count(), 1);
  await page.getByRole('button', { name: 'Table' }).click();
  await mark.waitFor();
  fs.writeFileSync(file, good);
  fs.utimesSync(file, 2e9, 2e9);
  await daemon.wait(await daemon.scan(media));
  await mark.waitFor({ state: 'detached' });
  await filter.waitFor({ state: 'detached' });
});
