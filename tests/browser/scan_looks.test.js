// How scans and activity look: pictures at three widths, light and dark, kept in tests/artefacts to be looked at by people; what can be
// measured of them: nothing sticks out, also at twice the size of text, and axe finds nothing.
import fs from 'node:fs';
import path from 'node:path';
import test, { after } from 'node:test';
import { makeVideo } from '../lib/daemon.js';
import { fill } from '../lib/trees.js';
import { assertNotTooWide, pictures } from './looks.js';
import { GONE, ONE_WORKER, artefacts, assertAccessible, closeBrowser, holdWorker, linkMany, scanByForm, showView, start } from './page.js';

after(closeBrowser);

/** A daemon with a folder of files, some of which fail; and one that was refused. */
async function scene(t) {
  const { daemon, dir, open } = await start(t, { args: ONE_WORKER });
  const films = path.join(dir, 'Films and series');
  fill(films, 12);
  const past = new Date(Date.now() - 86400e3);
  for (const [name, text] of [['GOPR0014.mp4', ''], ['readme as video.mkv', 'no video at all\n'.repeat(99)], ['Die fabelhafte Welt der Amélie – Directors Cut.mp4', '']]) {
    fs.writeFileSync(path.join(films, name), text);
    fs.utimesSync(path.join(films, name), past, past);
  }
  const gone = path.join(dir, 'disk');
  fill(gone, 14);
  await daemon.wait(await daemon.scan(gone));
  fs.renameSync(gone, `${gone} away`);
  fs.mkdirSync(gone);
  await daemon.wait(await daemon.scan(gone));
  return { daemon, dir, open, films };
}

test('pictures of scans and activity', async (t) => {
  const { daemon, dir, open, films } = await scene(t);
  linkMany(path.join(dir, 'archive'), makeVideo(path.join(dir, 'one.mp4')), 16000);
  const page = await open({ allow: GONE });
  const look = (what, more = {}) => pictures(page, 'scans', what, { fullPage: true, check: () => assertAccessible(page), ...more });
  await showView(page, 'Scans');
  await page.locator('reeld-refused').first().waitFor();
  await look('refused');
  await page.getByRole('button', { name: 'They are gone for good…' }).first().click();
  await page.getByRole('dialog').getByText('and 9 more').waitFor();
  await look('question', { fullPage: false });
  await page.keyboard.press('Escape');
  const small = await scanByForm(page, films);
  await small.and(page.locator('[data-status="complete"]')).waitFor();
  const large = await scanByForm(page, path.join(dir, 'archive'));
  await large.locator('reeld-speed-graph:not([hidden])').waitFor();
  await large.locator('.job-line').getByText(/ left /).waitFor();
  const goOn = await holdWorker(daemon);
  await look('working', { check: undefined });
  goOn();
  await large.getByRole('button', { name: 'Pause' }).click();
  await large.locator('.badge').getByText('Paused').waitFor();
  await look('paused');
  await page.getByRole('button', { name: 'Browse…' }).click();
  await page.getByRole('button', { name: 'Films and series' }).waitFor();
  await look('folders', { fullPage: false });
  await page.keyboard.press('Escape');
  await showView(page, 'Activity');
  await page.locator('.frame:visible').nth(3).click();
  await look('activity');
  await showView(page, 'Scans');
  await large.getByRole('button', { name: 'Cancel' }).click();
  await large.and(page.locator('[data-status="cancelled"]')).waitFor();
  await look('ended');
});

test('at twice the size of text, and on the narrowest phone: nothing sticks out', async (t) => {
  const { open, films } = await scene(t);
  // A zoom of 200 % halves the width that the page has.
  for (const [width, height] of [[640, 450], [320, 568]]) {
    const page = await open({ width, height, allow: GONE });
    const card = await scanByForm(page, films);
    await card.and(page.locator('[data-status="complete"]')).waitFor();
    await assertNotTooWide(page, `scans at ${width}`);
    await page.screenshot({ path: path.join(artefacts, `scans-${width}.png`), fullPage: true });
    await showView(page, 'Activity');
    await page.locator('.frame:visible').first().click();
    await assertNotTooWide(page, `activity at ${width}`);
    await page.screenshot({ path: path.join(artefacts, `activity-${width}.png`), fullPage: true });
  }
});
