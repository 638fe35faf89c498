// Several writers at a watched tree, in any order, and the daemon stopped and killed now and then: when it is over, the catalogue
// is as the disk is. Replay one with REELD_WATCH_SEED=7; longer with REELD_WATCH_ROUNDS=100.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { Watched } from '../lib/watched.js';

const seed = Number(process.env.REELD_WATCH_SEED ?? 1);
const rounds = Number(process.env.REELD_WATCH_ROUNDS ?? 6);

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
function random(state) {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** What one writer does: it works in names of its own and in those of all, and is never surprised by what is not there. */
function writer(place, next, number) {
  const pick = (list) => list[Math.floor(next() * list.length)];
  const folders = () => ['', ...fs.readdirSync(place.folder, { recursive: true, withFileTypes: true }).filter((e) => e.isDirectory())
    .map((e) => path.relative(place.folder, path.join(e.parentPath ?? e.path, e.name)))];
  const files = () => place.disk().map((line) => line.slice(0, line.lastIndexOf(' '))).filter((name) => !name.startsWith('keep/'));
  const fresh = () => path.join(pick(folders().filter((name) => !name.startsWith('keep'))), `${number}-${Math.floor(next() * 1e6)}`);
  const acts = [
    () => fs.renameSync(place.make(), place.at(`${fresh()}.mp4`)),
    () => fs.copyFileSync(place.make(), place.at(`${fresh()}.mp4`)),
    () => fs.mkdirSync(place.at(fresh())),
    () => fs.renameSync(place.at(pick(files())), place.at(`${fresh()}.mp4`)),
    () => fs.renameSync(place.at(pick(files())), place.at(pick(files()))),
    () => fs.rmSync(place.at(pick(files()))),
    () => fs.renameSync(place.at(pick(folders().filter((name) => name && name !== 'keep'))), place.at(fresh())),
    () => fs.rmdirSync(place.at(pick(folders().filter((name) => name && name !== 'keep')))),
    () => fs.appendFileSync(place.at(pick(files().filter((name) => fs.statSync(place.at(name)).nlink === 1))), ' '),
    () => fs.renameSync(place.make(), place.at(`${fresh()}.mp4.part`)),
    () => fs.linkSync(place.at(pick(files())), place.at(`${fresh()}.mp4`)),
    () => {
      const dir = place.at(fresh());
      fs.mkdirSync(path.join(dir, 'deep/er'), { recursive: true });
      fs.renameSync(place.make(), path.join(dir, 'deep/er/x.mp4'));
    },
  ];
  return () => {
    try {
      pick(acts)();
    } catch (error) {
      if (!/^(ENOENT|EEXIST|ENOTEMPTY|EINVAL|ENOTDIR|EISDIR)$/.test(error.code ?? '') && !(error instanceof TypeError)) throw error;
    }
  };
}

test(`storms, seed ${seed}`, async (t) => {
  // So many that stay, that no storm looks like a disk that is gone.
  const place = await Watched.start({ settle: '0.2', prepare: (p) => { for (let i = 0; i < 150; i++) p.make(`keep/${i}.mp4`, p.folder); } });
  await place.same();
  for (let round = 0; round < rounds; round++) {
    const next = random(seed * 1000 + round);
    const writers = [0, 1, 2].map((number) => writer(place, next, number));
    for (let i = 0; i < 60; i++) {
      writers[Math.floor(next() * writers.length)]();
      if (next() < 0.3) await new Promise((resolve) => setTimeout(resolve, Math.floor(next() * 30)));
      if (next() < 0.02) await place.daemon.scan(place.folder);
    }
    if (next() < 0.3) {
      await place.channel.close();
      await place.daemon.stop('SIGKILL');
      for (let i = 0; i < 10; i++) writers[i % 3]();
      await place.daemon.launch();
      place.channel = await place.daemon.channel();
    }
    await place.same(`round ${round} of seed ${seed}: the catalogue is as the disk is`);
    const jobs = await place.quiet();
    assert.ok(jobs.every(({ status, error }) => status === 'complete' && !error), JSON.stringify(jobs.find(({ status, error }) => status !== 'complete' || error)));
  }
  t.diagnostic(`${place.number} files were made`);
  await place.end();
});
