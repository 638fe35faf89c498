// Guarantee 3 as an invariant: what was scanned adds up, every file of the tree is in exactly one list, and /explain says in
// which; at the first scan, at the second, when failures are tried again, and after kill -9 in the middle.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { account } from '../lib/accounting.js';
import { checkFrames } from '../lib/checks.js';
import { Daemon, corpusDir } from '../lib/daemon.js';
import { asNobody, canDrop, openDir } from '../lib/nobody.js';
import { damage, fill, masters, random } from '../lib/trees.js';

const seed = Number(process.env.REELD_SEED ?? 3);
const old = new Date(1e12);

/** Lets all files be quiet for long. */
function settle(tree) {
  execFileSync('find', [tree, '-type', 'f', '-exec', 'touch', '-h', '-d', old.toISOString(), '{}', '+']);
}

/** Names that no text can hold, damaged copies of every container, things that are no files. */
function hostile(tree) {
  const next = random(seed);
  const join = (name) => Buffer.concat([Buffer.from(`${tree}/hostile/`), Buffer.from(name)]);
  fs.mkdirSync(`${tree}/hostile`, { recursive: true });
  for (const name of ['with space.mp4', 'new\nline.mp4', 'esc\u001b[31m.mkv', '%00%2e.mp4', "'; DROP TABLE videos; --.mp4", '影片 🎬.mp4', '-rf.mp4',
    Buffer.from([0x63, 0xe9, 0x2e, 0x6d, 0x70, 0x34]), Buffer.from([0xff, 0xfe, 0x2e, 0x6d, 0x70, 0x34]), `${'n'.repeat(251)}.mp4`, 'UPPER.MP4',
    '*.mp4', '[a].mp4', 'no extension', 'double.txt.mp4', 'mp4']) fs.copyFileSync(masters()[0], join(name));
  masters().forEach((master, kind) => {
    const bytes = fs.readFileSync(master);
    for (let i = 0; i < 6; i++) fs.writeFileSync(join(`damaged ${kind} ${i}${path.extname(master)}`), damage(bytes, next));
  });
}

/** Every kind of what is ignored, what fails and what cannot be read. */
function everyKind(tree) {
  let copies = 0;
  const put = (name, text) => {
    const file = path.join(tree, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    // Other content each: or what is gone would be found in what is new.
    if (text === undefined) fs.writeFileSync(file, Buffer.concat([fs.readFileSync(masters()[0]), Buffer.alloc(++copies)]));
    else fs.writeFileSync(file, text);
  };
  for (const name of ['a.mp4', 'b/c.mp4', '.hidden.mp4', '.dir/d.mp4', '@eaDir/e.mp4', '#recycle/f.mp4', 'lost+found/g.mp4', 'new.part/h.mp4', 'i.mp4.tmp',
    'quiet/j.mp4', 'quiet/deep/k.mp4', 'rules/trailer.mp4', 'rules/l.mp4', 'rules/deep/m.mkv', 'rules/deep/kept.mkv', 'closed/n.mp4', 'closed/deep/o.mp4',
    'blind/p.mp4', 'secret.mp4']) put(name);
  put('quiet/.nomedia', '');
  put('rules/.reeldignore', 'trailer.*\n*.mkv\n');
  put('rules/deep/.reeldignore', '!kept.*\n');
  put('empty.mp4', '');
  put('words.mkv', 'this is a shopping list\n');
  put('types.ts', 'export const answer: number = 42;\n'.repeat(100));
  put('noise.ts', Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 2654435761) >>> 24)));
  put('half.mp4', fs.readFileSync(masters()[0]).subarray(0, 900));
  put('notes.txt', 'x');
  execFileSync('ffmpeg', ['-nostdin', '-loglevel', 'error', '-f', 'lavfi', '-i', 'sine=duration=0.2', `${tree}/sound.mp4`]);
  for (const name of ['pipe.mp4', 'pipe']) execFileSync('mkfifo', [path.join(tree, name)]);
  for (const [name, to] of [['link.mp4', 'a.mp4'], ['dangling.mp4', 'nowhere'], ['loop.mp4', 'loop.mp4'], ['way', 'b'], ['b/up', '..'], ['link.txt', 'a.mp4']])
    fs.symlinkSync(to, path.join(tree, name));
  fs.mkdirSync(path.join(tree, 'folder.mp4'));
}

function close(tree) {
  for (const [name, mode] of [['closed', 0o000], ['blind', 0o711], ['secret.mp4', 0o000]]) fs.chmodSync(path.join(tree, name), mode);
}

/** Scans and holds the tree against the lists; and the frames against the job. */
async function scan(daemon, tree, more = {}) {
  const channel = await daemon.channel();
  const job = await daemon.wait(await daemon.scan(tree, more));
  assert.equal(job.status, 'complete', job.error);
  await channel.find((frame) => frame.type === 'SCAN_COMPLETED' && frame.payload.job_id === job.job_id);
  checkFrames(channel.frames, job);
  await channel.close();
  return { ...job.result, met: await account(daemon, tree, job) };
}

async function start(t, options) {
  const daemon = await Daemon.start(options);
  t.after(() => daemon.cleanup());
  return daemon;
}

/** A first scan, a second one, and one that tries the failures again: all give the same account of the tree. */
async function thrice(daemon, tree) {
  const first = await scan(daemon, tree);
  assert.equal(first.new, first.scanned - first.error_count);
  const second = await scan(daemon, tree);
  assert.deepEqual([second.new, second.skipped, second.error_count], [0, first.new, first.error_count]);
  const third = await scan(daemon, tree, { retry_failed: true });
  assert.deepEqual([third.new, third.skipped, third.error_count], [0, first.new, first.error_count]);
  for (const { met } of [second, third]) assert.deepEqual(met, first.met);
  return first;
}

test('the corpus', { skip: !corpusDir() }, async (t) => {
  const daemon = await start(t, { args: ['--root', fs.realpathSync(corpusDir())] });
  const { met } = await thrice(daemon, fs.realpathSync(corpusDir()));
  assert.ok(met.indexed > 0);
});

test('a hostile tree', async (t) => {
  const tree = path.join(openDir(t), 'tree');
  hostile(tree);
  settle(tree);
  const daemon = await start(t, { args: ['--root', tree] });
  const { met } = await thrice(daemon, tree);
  assert.ok(met.indexed > 20 && met.failed > 0, JSON.stringify(met));
});

test('a tree with everything in it; and what changes in it', { skip: !canDrop() }, async (t) => {
  const dir = openDir(t);
  const tree = path.join(dir, 'tree');
  everyKind(tree);
  settle(tree);
  close(tree);
  const daemon = await start(t, { ...asNobody(dir), args: ['--root', tree] });
  const { met } = await thrice(daemon, tree);
  assert.deepEqual(Object.keys(met).sort(), ['failed', 'folder', 'ignored', 'indexed', 'link', 'not_a_file', 'not_a_video', 'not_media', 'unreadable']);

  const at = (name) => path.join(tree, name);
  fs.rmSync(at('a.mp4')); // gone,
  fs.renameSync(at('b/c.mp4'), at('b/moved.mp4')); // moved,
  fs.writeFileSync(at('rules/l.mp4'), 'nothing of a film'); // broken,
  fs.copyFileSync(masters()[1], at('words.mkv')); // mended,
  fs.writeFileSync(at('rules/deep/.reeldignore'), ''); // ignored,
  fs.rmSync(at('quiet/.nomedia')); // and not any more;
  fs.rmSync(at('empty.mp4')); // a failure that is gone
  fs.chmodSync(at('blind'), 0o755); // and what may be read now
  settle(tree);
  const after = await scan(daemon, tree);
  assert.equal(after.met.missing, 1); // nothing is at the path of what is missing, but for what is ignored now
  assert.deepEqual([after.moved, after.missing, after.refused], [1, 2, null]);
  await scan(daemon, tree, { retry_failed: true });
  fs.copyFileSync(masters()[0], at('a.mp4')); // back, as something else
  settle(tree);
  await scan(daemon, tree);
  await scan(daemon, tree);
});

test('killed in the middle: the resumed scan gives account of the whole tree', async (t) => {
  const tree = path.join(openDir(t), 'tree');
  fill(tree, 240);
  hostile(tree);
  settle(tree);
  const daemon = await start(t, { args: ['--root', tree, '--workers', '1'] });
  for (const share of [0.1, 0.5]) {
    const channel = await daemon.channel();
    const id = await daemon.scan(tree, { retry_failed: true });
    await channel.find(({ type, payload }) => type === 'SCAN_PROGRESS' && payload.processed > 300 * share, `${share} of the scan`);
    daemon.process.kill('SIGKILL');
    await daemon.exited;
    await daemon.launch();
    const job = await daemon.wait(id);
    assert.deepEqual([job.job_id, job.status], [id, 'complete']);
    await account(daemon, tree, job);
    await scan(daemon, tree);
  }
});

test('a scan that is stopped half-way adds up as far as it came', async (t) => {
  const tree = path.join(openDir(t), 'tree');
  fill(tree, 120);
  settle(tree);
  const daemon = await start(t, { args: ['--root', tree, '--workers', '1'] });
  const channel = await daemon.channel();
  const id = await daemon.scan(tree);
  await channel.find(({ type, payload }) => type === 'SCAN_PROGRESS' && payload.processed > 0, 'a beginning');
  await daemon.post(`/api/v1/jobs/${id}/cancel`);
  const { result } = await daemon.wait(id);
  assert.equal(result.scanned, result.new + result.error_count);
  const late = await daemon.wait(await daemon.scan(tree, { timeout_s: 0.0001 }));
  assert.equal(late.result.scanned, late.result.new + late.result.skipped + late.result.error_count);
  await scan(daemon, tree);
});
