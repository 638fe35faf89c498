// The library follows the disk by itself: files that come, are written, move and go.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { Daemon, eventually, sanitized, tempDir } from '../lib/daemon.js';
import { masters } from '../lib/trees.js';
import { Watched, refusesFanotify } from '../lib/watched.js';

test('a file is moved in, renamed, moved between folders and deleted', async () => {
  const place = await Watched.start({ prepare: (p) => { p.make('keep.mp4', p.folder); fs.mkdirSync(p.at('d')); } });
  place.put('a.mp4');
  await place.heard('VIDEO_ADDED a.mp4');
  const [{ id }] = (await place.daemon.videos()).filter(({ filename }) => filename === 'a.mp4');
  fs.renameSync(place.at('a.mp4'), place.at('b.mp4'));
  await place.heard('VIDEO_MOVED b.mp4');
  fs.renameSync(place.at('b.mp4'), place.at('d/c.mp4'));
  await place.heard('VIDEO_MOVED d/c.mp4');
  fs.renameSync(place.at('d'), place.at('e'));
  await place.heard('VIDEO_MOVED e/c.mp4');
  assert.equal((await place.daemon.videos()).find(({ filename }) => filename === 'c.mp4').id, id);
  fs.rmSync(place.at('e/c.mp4'));
  await place.heard('VIDEO_MISSING e/c.mp4');
  await place.same();
  // The folder that was renamed is watched under its new name.
  place.put('e/new.mp4');
  await place.heard('VIDEO_ADDED e/new.mp4');
  await eventually(async () => (await place.root()).watches === 2, 'two folders are watched');
  assert.deepEqual(place.said().filter((line) => /MISSING/.test(line)), ['VIDEO_MISSING e/c.mp4'], 'what moves is never missing');
  await place.end();
});

test('whole trees come, move and go', async () => {
  const place = await Watched.start({ prepare: (p) => { for (let i = 0; i < 30; i++) p.make(`keep${i}.mp4`, p.folder); } });
  for (const name of ['x/1.mp4', 'x/y/2.mp4', 'x/y/z/3.mp4']) place.make(name);
  fs.renameSync(path.join(place.out, 'x'), place.at('x'));
  await place.same();
  fs.cpSync(place.at('x'), place.at('copy'), { recursive: true });
  await place.same();
  await eventually(async () => (await place.root()).watches === 7, 'each folder is watched');
  for (const name of ['1.mp4', 'y/2.mp4', 'y/z/3.mp4']) await place.heard(`VIDEO_ADDED copy/${name}`);
  const from = place.channel.frames.length;
  fs.renameSync(place.at('x'), place.at('copy/in'));
  await place.same();
  await eventually(() => place.said(from, /VIDEO_MOVED/).length === 3, 'each moved');
  assert.equal(place.said(from, /VIDEO_(ADDED|MISSING)/).length, 0);
  fs.renameSync(place.at('copy'), path.join(place.out, 'away'));
  await place.same();
  await eventually(async () => (await place.root()).watches === 1, 'the watches of what left are given back');
  // Of what is out of the tree nobody hears any more.
  place.make('away/4.mp4');
  place.put('last.mp4');
  await place.heard('VIDEO_ADDED last.mp4');
  await place.same();
  await place.end();
});

test('a slow copy is one video, with its final length', async () => {
  const place = await Watched.start({ settle: '5' }); // longer than a machine may take between two pieces
  const bytes = fs.readFileSync(masters()[0]);
  const file = fs.openSync(place.at('slow.mp4'), 'w');
  const piece = Math.ceil(bytes.length / 12);
  for (let at = 0; at < bytes.length; at += piece) {
    fs.writeSync(file, bytes, at, Math.min(piece, bytes.length - at));
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  assert.deepEqual(place.said(), [], 'nothing is said of a file that is being written');
  fs.closeSync(file);
  await place.heard('VIDEO_ADDED slow.mp4');
  await place.quiet();
  assert.deepEqual(place.said(), ['VIDEO_ADDED slow.mp4']);
  await place.same();
  await place.end();
});

test('a scan leaves alone what is being written, and what was taken up is not probed again', async () => {
  const place = await Watched.start({ settle: '5' });
  const bytes = fs.readFileSync(masters()[0]);
  const file = fs.openSync(place.at('open.mp4'), 'w');
  fs.writeSync(file, bytes);
  // On and on, however long the machine takes for what follows.
  const writing = setInterval(() => fs.writeSync(file, ' '), 200);
  place.put('whole.mp4');
  await place.heard('VIDEO_ADDED whole.mp4');
  const { result } = await place.daemon.wait(await place.daemon.scan(place.folder));
  clearInterval(writing);
  assert.equal(result.new, 0);
  // It is never closed, and taken up when it has been quiet.
  await place.heard('VIDEO_ADDED open.mp4');
  const probed = async () => Number(/^reeld_probed_total (\d+)$/m.exec((await place.daemon.get('/metrics')).body)[1]);
  assert.equal(await probed(), 2);
  await place.daemon.wait(await place.daemon.scan(place.folder));
  assert.equal(await probed(), 2);
  fs.closeSync(file);
  await place.end();
});

test('names of unfinished downloads are left alone until they are renamed', async () => {
  const place = await Watched.start();
  for (const name of ['a.mp4.part', 'b.mp4.crdownload', '.c.mp4', 'd.tmp']) fs.renameSync(place.make(), place.at(name));
  place.put('first.mp4');
  await place.heard('VIDEO_ADDED first.mp4');
  await place.quiet();
  assert.deepEqual(place.said(), ['VIDEO_ADDED first.mp4']);
  for (const [from, to] of [['a.mp4.part', 'a.mp4'], ['b.mp4.crdownload', 'b.mp4'], ['.c.mp4', 'c.mp4']]) fs.renameSync(place.at(from), place.at(to));
  for (const name of ['a', 'b', 'c']) await place.heard(`VIDEO_ADDED ${name}.mp4`);
  await place.same();
  await place.end();
});

test('rules that come and go are followed', async () => {
  const place = await Watched.start({ prepare: (p) => { for (let i = 0; i < 12; i++) p.make(`keep${i}.mp4`, p.folder); p.make('d/e/1.mp4', p.folder); } });
  fs.writeFileSync(place.at('d/.nomedia'), '');
  await place.heard('VIDEO_MISSING d/e/1.mp4');
  place.put('d/e/2.mp4');
  place.put('seen.mp4');
  await place.heard('VIDEO_ADDED seen.mp4');
  fs.rmSync(place.at('d/.nomedia'));
  await place.heard('VIDEO_ADDED d/e/2.mp4');
  await place.same();
  fs.writeFileSync(place.at('.reeldignore'), 'e/\n');
  await place.heard('VIDEO_MISSING d/e/2.mp4');
  await place.end();
});

test('a scan that was asked for and the watch never probe the same file', async () => {
  const place = await Watched.start({ prepare: (p) => fs.mkdirSync(p.at('d')) });
  const scans = [];
  for (let i = 0; i < 120; i++) {
    place.put(`d/${i}.mp4`);
    if (i % 10 === 9) scans.push(await place.daemon.scan(i % 20 === 9 ? place.folder : place.at('d')));
  }
  for (const id of scans) await place.daemon.wait(id);
  await place.same();
  await place.quiet();
  assert.equal(Number(/^reeld_probed_total (\d+)$/m.exec((await place.daemon.get('/metrics')).body)[1]), 120);
  await eventually(() => place.said().length >= 120, 'each is said');
  assert.equal(place.said().length, 120);
  await place.end();
});

test('hard links, names that are no UTF-8, and a name that holds a line break', async () => {
  const place = await Watched.start();
  place.put('a.mp4');
  await place.heard('VIDEO_ADDED a.mp4');
  fs.linkSync(place.at('a.mp4'), place.at('link.mp4'));
  await place.heard('VIDEO_ADDED link.mp4');
  fs.appendFileSync(place.at('a.mp4'), ' ');
  for (const name of ['a', 'link']) await place.heard(`VIDEO_UPDATED ${name}.mp4`);
  assert.deepEqual(place.said(0, /ADDED/), ['VIDEO_ADDED a.mp4', 'VIDEO_ADDED link.mp4'], 'also when one job comes by a file twice');
  fs.renameSync(place.make(), Buffer.concat([Buffer.from(`${place.folder}/`), Buffer.from([0xff, 0x0a]), Buffer.from('.mp4')]));
  await place.heard('VIDEO_ADDED �\n.mp4');
  await place.end();
});

test('a burst of changes is one job, and an idle tree has none', async () => {
  const place = await Watched.start();
  await place.quiet();
  const before = (await place.jobs()).length;
  for (let i = 0; i < 200; i++) {
    place.put(`${i % 7}/${i}.mp4`);
    if (i % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await place.same();
  await place.quiet();
  const jobs = (await place.jobs()).slice(0, -before);
  assert.ok(jobs.length <= 20, `${jobs.length} jobs`); // one as a rule; more where it takes long to make so many files
  assert.ok(jobs.every(({ trigger, status, path: folder }) => trigger === 'watch' && status === 'complete' && folder === place.folder));
  assert.equal(jobs.reduce((sum, { result }) => sum + result.new, 0), 200);
  await eventually(() => place.said(0, /VIDEO_ADDED/).length === 200, 'each is said');
  await place.end();
});

test('a folder is replaced by a link out of the root: nothing outside is read', async () => {
  const place = await Watched.start({ prepare: (p) => { for (let i = 0; i < 12; i++) p.make(`keep${i}.mp4`, p.folder); p.make('d/1.mp4', p.folder); } });
  place.make('secret/2.mp4');
  fs.renameSync(place.at('d'), path.join(place.out, 'd'));
  fs.symlinkSync(path.join(place.out, 'secret'), place.at('d'));
  await place.heard('VIDEO_MISSING d/1.mp4');
  place.make('secret/3.mp4');
  place.put('sign.mp4');
  await place.heard('VIDEO_ADDED sign.mp4');
  await place.quiet();
  assert.deepEqual(place.said(0, /VIDEO_/).filter((line) => !/keep|ADDED d\/1/.test(line)), ['VIDEO_MISSING d/1.mp4', 'VIDEO_ADDED sign.mp4']);
  await place.end();
});

test('what happened while it was down is found at the start', async () => {
  const place = await Watched.start({ prepare: (p) => { for (let i = 0; i < 12; i++) p.make(`${i}.mp4`, p.folder); } });
  await place.same();
  await place.channel.close();
  await place.daemon.stop();
  fs.renameSync(place.at('0.mp4'), place.at('moved.mp4'));
  fs.rmSync(place.at('1.mp4'));
  place.put('new/2.mp4');
  await place.daemon.launch();
  place.channel = await place.daemon.channel();
  await place.same();
  assert.ok((await place.jobs()).some(({ trigger }) => trigger === 'start'));
  await place.end();
});

test('a root that is polled', async () => {
  const place = await Watched.start({ watch: 'poll', args: ['--poll-interval', '0.2'] });
  assert.deepEqual([(await place.root()).followed, (await place.root()).poll_interval_s], ['poll', 0.2]);
  place.put('a.mp4');
  await place.heard('VIDEO_ADDED a.mp4');
  await place.end();
});

test('with a budget of 10 watches the rest is polled, and that is said', async () => {
  const place = await Watched.start({
    args: ['--watch-max', '10', '--poll-interval', '0.5', '--fanotify', 'no'],
    prepare: (p) => { for (let i = 0; i < 30; i++) p.make(`${i}/${i}.mp4`, p.folder); },
  });
  await place.same();
  const root = await eventually(async () => {
    const one = await place.root();
    return one.partly_polled && one;
  }, 'a part is polled');
  assert.deepEqual([root.watches, root.poll_interval_s], [10, 0.5]);
  assert.equal((await place.daemon.get('/api/v1/roots')).body.watches_allowed, 10);
  for (let i = 0; i < 30; i++) place.put(`${i}/new.mp4`);
  await place.same();
  await place.end();
});

test('with a budget of 10 watches fanotify tells of the rest, where the rights allow it', { skip: refusesFanotify() }, async () => {
  const place = await Watched.start({
    args: ['--watch-max', '10', '--fanotify', 'auto'],
    prepare: (p) => { for (let i = 0; i < 30; i++) p.make(`${i}/${i}.mp4`, p.folder); },
  });
  await place.same();
  const root = await place.root();
  assert.deepEqual([root.watches, root.partly_polled], [31, false]);
  assert.match(root.why, /inotify.*; fanotify beyond/);
  for (let i = 0; i < 30; i++) place.put(`${i}/new.mp4`);
  await place.same();
  fs.renameSync(place.at('3'), place.at('29/3'));
  fs.renameSync(place.at('29'), place.at('0/29'));
  place.put('0/29/3/more.mp4');
  await place.same();
  await place.end();
});

test('without roots nothing is watched', async () => {
  const daemon = await Daemon.start({ args: ['--watch', 'auto'] });
  assert.deepEqual((await daemon.get('/api/v1/roots')).body.roots, []);
  assert.equal((await daemon.get('/api/v1/jobs')).body.jobs.length, 0);
  await daemon.cleanup();
});
