// How the page looks: pictures at three widths, light and dark, kept in tests/artefacts to be looked at by people; and
// what can be measured of it: nothing sticks out, everything has a name, text stands out from its ground.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test, { after } from 'node:test';
import { makeVideo } from '../lib/daemon.js';
import { masters } from '../lib/trees.js';
import { pictures } from './looks.js';
import { ONE_WORKER, closeBrowser, holdWorker, linkMany, scanByForm, start } from './page.js';

after(closeBrowser);

const LIBRARY = [
  ['Films/Bohemian Rhapsody (2018)/Bohemian Rhapsody (2018).mkv', 1], ['Films/Die fabelhafte Welt der Amélie.mp4', 0],
  ['Films/千と千尋の神隠し (2001).webm', 4], ['Series/Chef’s Table/S01E01.mov', 2], ['Series/Chef’s Table/S01E02.mov', 2],
  ['Home/Crete 2019/GOPR0012.mp4', 0], ['Home/Crete 2019/GOPR0013.mp4', 0], ['Home/VHS/tape 3, side A.avi', 3],
  ['Recordings/News 20:00.ts', 5], ['Recordings/Concert <live> & more.mpg', 6], ['Old/clip.flv', 7], ['Old/demo.ogv', 8],
];

/** A small library with two files that fail, long untouched. */
function makeLibrary(dir) {
  const past = new Date(Date.now() - 86400e3);
  const tree = path.join(dir, 'media');
  const put = (name, write) => {
    const file = path.join(tree, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    write(file);
    fs.utimesSync(file, past, past);
  };
  for (const [name, master] of LIBRARY) put(name, (file) => fs.copyFileSync(masters()[master], file));
  put('Home/Crete 2019/GOPR0014.mp4', (file) => fs.writeFileSync(file, ''));
  put('Old/readme as video.mkv', (file) => fs.writeFileSync(file, 'no video at all\n'.repeat(99)));
  return tree;
}

test('pictures of a scan, from nothing to its end', async (t) => {
  const { daemon, dir, open } = await start(t, { args: ONE_WORKER });
  const tree = makeLibrary(dir);
  const page = await open();
  const look = (what, more) => pictures(page, 'page', what, more);
  await look('empty');
  const small = await scanByForm(page, tree);
  await small.and(page.locator('[data-status="complete"]')).waitFor();
  await look('ended', { fullPage: true });
  await page.getByRole('button', { name: 'Browse…' }).click();
  await page.getByRole('button', { name: 'Home' }).waitFor();
  await look('folders');
  await page.keyboard.press('Escape');
  linkMany(path.join(dir, 'archive'), makeVideo(path.join(dir, 'one.mp4')), 20000);
  const large = await scanByForm(page, path.join(dir, 'archive'));
  await large.locator('.job-at').waitFor();
  const goOn = await holdWorker(daemon);
  await look('working');
  goOn();
  await large.getByRole('button', { name: 'Cancel' }).click();
  await large.and(page.locator('[data-status="cancelled"]')).waitFor();
  await look('cancelled');
  assert.equal((await daemon.get('/api/v1/jobs')).body.jobs.length, 2);
});

test('everything has a name and a place, for those who do not see it', async (t) => {
  const { dir, open } = await start(t);
  const page = await open();
  const card = await scanByForm(page, makeLibrary(dir));
  await card.and(page.locator('[data-status="complete"]')).waitFor();
  const session = await page.context().newCDPSession(page);
  const { nodes } = await session.send('Accessibility.getFullAXTree');
  const shown = nodes.filter((node) => !node.ignored).map((node) => [node.role.value, node.name?.value ?? '']);
  const named = new Set(['button', 'textbox', 'searchbox', 'checkbox', 'combobox', 'progressbar', 'table', 'region', 'navigation', 'link']);
  assert.deepEqual(shown.filter(([role, name]) => named.has(role) && !name.trim()), []);
  const roles = new Set(shown.map(([role]) => role));
  for (const role of ['banner', 'main', 'navigation', 'heading', 'status', 'progressbar', 'textbox']) {
    assert.ok(roles.has(role), `there is no ${role}`);
  }
  const levels = await page.locator('h1, h2, h3').evaluateAll((all) => all.filter((one) => one.checkVisibility()).map((one) => Number(one.tagName[1])));
  assert.equal(levels.filter((level) => level === 1).length, 1);
  levels.forEach((level, at) => assert.ok(at === 0 || level <= levels[at - 1] + 1, `headings skip a level: ${levels}`));
  assert.equal(await page.evaluate(() => document.documentElement.lang), 'en');
});

for (const dark of [false, true]) {
  test(`text stands out from its ground, ${dark ? 'dark' : 'light'}`, async (t) => {
    const { open } = await start(t);
    const page = await open({ dark });
    const weak = await page.evaluate(() => {
      const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
      const style = getComputedStyle(document.documentElement);
      const luminance = (token) => {
        canvas.fillStyle = style.getPropertyValue(token);
        canvas.fillRect(0, 0, 1, 1);
        const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((value) => {
          const part = value / 255;
          return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const pairs = [['--accent-ink', '--accent', 4.5]];
      for (const ground of ['--ground', '--panel', '--raised']) {
        for (const ink of ['--ink', '--ink-soft', '--accent', '--bad', '--good']) pairs.push([ink, ground, 4.5]);
        pairs.push(['--field-line', ground, 3]);
      }
      for (const tone of ['good', 'warn', 'bad', 'accent']) pairs.push([`--${tone}`, `--${tone}-soft`, 4.5]);
      return pairs.map(([ink, ground, least]) => {
        const [high, low] = [luminance(ink), luminance(ground)].sort((a, b) => b - a);
        return { ink, ground, least, ratio: (high + 0.05) / (low + 0.05) };
      }).filter(({ ratio, least }) => ratio < least);
    });
    assert.deepEqual(weak, []);
  });
}
