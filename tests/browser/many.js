// Catalogues of many videos that are nowhere, and what the library shows of them.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after } from 'node:test';
import { build, eventually, tempDir } from '../lib/daemon.js';
import { start } from './page.js';

/** Catalogues that were made, by what is in them: where they are. */
const made = new Map();
after(() => {
  for (const dir of made.values()) fs.rmSync(dir, { recursive: true, force: true });
});

/** A daemon with a catalogue of many videos that are nowhere. */
export async function startMany(t, videos, more = []) {
  const data = tempDir();
  t.after(() => fs.rmSync(data, { recursive: true, force: true }));
  const args = ['--videos', String(videos), ...more];
  if (!made.has(args.join())) {
    made.set(args.join(), tempDir());
    execFileSync(path.join(build, 'catalogue_fill'), [path.join(made.get(args.join()), 'catalog.db'), ...args]);
  }
  fs.copyFileSync(path.join(made.get(args.join()), 'catalog.db'), path.join(data, 'catalog.db'));
  const started = await start(t, { dir: data });
  await eventually(async () => (await started.daemon.get('/api/v1/stats')).status === 200, 'the catalogue is read');
  return started;
}

/** Waits until the library says that it has so many. */
export const total = (page, count) => page.waitForFunction((text) => document.querySelector('.summary')?.textContent.split(' ')[0] === text, count.toLocaleString('en'));
/** Waits until nothing in view is still being read. */
export const settled = (page) => page.waitForFunction(() => document.querySelector('reeld-grid .item') && !document.querySelector('reeld-grid .waiting, reeld-grid[aria-busy]'));
/** Of what REST says to a question. */
export const names = async (daemon, query) => (await daemon.get(`/api/v1/videos?${query}`)).body.videos.map(({ filename }) => filename);
