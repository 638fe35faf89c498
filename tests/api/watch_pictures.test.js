// What the watch finds gets its picture as what a scan finds does, and keeps it where it goes.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { eventually } from '../lib/daemon.js';
import { hold, holding } from '../lib/trees.js';
import { Watched } from '../lib/watched.js';

const video = async (place, name) => (await place.daemon.videos()).find(({ filename }) => filename === name);
const made = async (place) => Number(/^reeld_pictures_made_total (\d+)$/m.exec((await place.daemon.get('/metrics')).body)[1]);
const pictures = async (place) => (await place.jobs()).filter(({ type }) => type === 'thumbnails');

test('a file that is moved in gets its picture, and a rename keeps it', async () => {
  const place = await Watched.start({ args: ['--thumbnails', 'yes'] });
  await place.quiet();
  place.put('a.mp4');
  await eventually(async () => (await video(place, 'a.mp4'))?.thumbnail === 'ready', 'the picture is made');
  await place.quiet();
  const jobs = (await pictures(place)).length;
  assert.equal(await made(place), 1, 'it was made once');
  const before = await video(place, 'a.mp4');
  fs.renameSync(place.at('a.mp4'), place.at('b.mp4'));
  await place.heard('VIDEO_MOVED b.mp4');
  await place.quiet();
  const after = await video(place, 'b.mp4');
  assert.deepEqual([after.id, after.thumbnail, after.thumbnail_path], [before.id, 'ready', before.thumbnail_path]);
  assert.deepEqual([(await pictures(place)).length, await made(place)], [jobs, 1], 'nothing was left to do');
  await place.end();
});

test('a picture does not wait for the end of a burst', async () => {
  const place = await Watched.start({ args: ['--thumbnails', 'yes'] });
  let count = 0;
  const put = async () => {
    place.put(`${count}.mp4`);
    await place.heard(`VIDEO_ADDED ${count++}.mp4`);
  };
  // Where a busy machine took so long between two files that the burst was over, it says nothing.
  await eventually(async () => {
    const before = (await place.quiet()).length;
    const first = `${count}.mp4`;
    for (let i = 0; i < 2 || (await video(place, first)).thumbnail !== 'ready'; i++) {
      assert.ok(i < 100, 'the picture is made while files still come');
      await put();
    }
    return (await place.jobs()).length === before + 1;
  }, 'the picture is made in the job that the files came in');
  await place.quiet();
  await eventually(async () => (await place.daemon.videos()).every(({ thumbnail }) => thumbnail === 'ready'), 'all pictures are made');
  assert.equal(await made(place), count, 'each was made once');
  await place.same();
  await place.end();
});

test('files that come while pictures are made go first, and get theirs from the same job', async () => {
  const count = 120;
  const place = await Watched.start({
    args: ['--workers', '2', ...holding],
    prepare: (p) => { for (let i = 0; i < count; i++) fs.utimesSync(p.make(`keep${i}.mp4`, p.folder), 1e9, 1e9 + i); },
  });
  await place.quiet();
  await place.channel.close();
  await place.daemon.stop();
  const release = hold(place.at('keep7.mp4')); // the job of the pictures lasts until then
  place.daemon.options.args = [...place.args, '--thumbnails', 'yes'];
  await place.daemon.launch();
  place.channel = await place.daemon.channel();
  await eventually(async () => (await pictures(place))[0]?.status === 'running', 'pictures are made');
  for (let i = 0; i < 5; i++) place.put(`late${i}.mp4`);
  for (let i = 0; i < 5; i++) await place.heard(`VIDEO_ADDED late${i}.mp4`);
  assert.equal((await pictures(place))[0].status === 'complete', false, 'it was not waited for');
  release();
  await eventually(async () => (await place.daemon.videos()).filter(({ thumbnail }) => thumbnail === 'ready').length === count + 5, 'all pictures are made');
  await place.quiet();
  const [job, ...others] = await pictures(place);
  assert.deepEqual([job.status, others.length], ['complete', 0]);
  assert.equal(await made(place), count + 5, 'each was made once');
  await place.same();
  await place.end();
});
