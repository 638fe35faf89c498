// Pictures of a page in each of the ways that it is looked at, kept in tests/artefacts to be looked at by people.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { artefacts } from './page.js';

/** Three widths, light and dark. */
const SCENES = [[1280, 900], [768, 1000], [390, 844]].flatMap(([width, height]) =>
  [false, true].map((dark) => ({ width, height, dark, name: `${width}-${dark ? 'dark' : 'light'}` })));

/** Nothing sticks out to the side. */
export async function assertNotTooWide(page, what) {
  const sideways = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(sideways <= 0, `${what}: the page is ${sideways} px too wide`);
}

/** Waits until the page has drawn itself for a size or colours that it was given, and what moves only once has moved. */
async function drawn(page) {
  await page.evaluate(async () => {
    for (let frames = 0; frames < 3; frames++) await new Promise((next) => { requestAnimationFrame(next); });
  });
  // Not by their promises: that of a transition whose element is drawn anew meanwhile is not kept.
  await page.waitForFunction(() => !document.getAnimations().some((one) => one.playState === 'running' && one.effect?.getTiming().iterations === 1));
}

/**
 * A picture of the page as it is now in each scene, as `<kind>-<scene>-<what>.png`; in none of them anything sticks out.
 * @param {any} page
 * @param {string} kind
 * @param {string} what
 * @param {{ fullPage?: boolean, check?: (name: string) => Promise<void>, which?: (scene: { width: number, dark: boolean }) => boolean }} [more]
 *   check: what else must be true in each; which: the scenes that have it, default all
 */
export async function pictures(page, kind, what, { fullPage = false, check, which = () => true } = {}) {
  fs.mkdirSync(artefacts, { recursive: true });
  for (const scene of SCENES.filter(which)) {
    const { width, height, dark, name } = scene;
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme: dark ? 'dark' : 'light' });
    await drawn(page);
    await page.screenshot({ path: path.join(artefacts, `${kind}-${name}-${what}.png`), fullPage });
    await assertNotTooWide(page, `${what} at ${name}`);
    await check?.(`${what} at ${name}`);
  }
}
