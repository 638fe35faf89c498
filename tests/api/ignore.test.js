// What a scan passes over: names, .nomedia, rules in .reeldignore; symbolic links when they are asked for.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { Daemon, tempDir } from '../lib/daemon.js';
import { checkResult } from '../lib/checks.js';
import { masters } from '../lib/trees.js';

/** A folder with copies of one video at these paths, and texts at those. */
function tree(t, videos, texts = {}) {
  const dir = fs.realpathSync(tempDir());
  t.after(() => fs.rmSync(dir, { recursive: true }));
  const at = (name) => {
    const file = path.join(dir, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    return file;
  };
  for (const name of videos) fs.copyFileSync(masters()[0], at(name));
  for (const [name, text] of Object.entries(texts)) fs.writeFileSync(at(name), text);
  return dir;
}

/** What a fresh daemon with these arguments finds at `folder`, relative to `base`. */
async function found(args, folder, base = folder) {
  const daemon = await Daemon.start({ args });
  const job = await daemon.wait(await daemon.scan(folder));
  assert.equal(job.status, 'complete', job.error);
  assert.equal(checkResult(job).error_count, 0);
  const again = checkResult(await daemon.wait(await daemon.scan(folder)));
  assert.equal(again.skipped, again.scanned);
  const videos = (await daemon.videos()).map((video) => path.relative(base, video.path)).sort();
  await daemon.cleanup();
  return videos;
}

test('names, .nomedia and nested rules are passed over; each can be kept', async (t) => {
  const dir = tree(t,
    ['a.mp4', 'trailer.mp4', 'sub/trailer.mp4', 'sub/b.mp4', 'extras/c.mp4', 'extras/deep/d.mp4', '.hidden/e.mp4', '@eaDir/f.mp4',
      '#recycle/g.mp4', 'quiet/h.mp4', 'quiet/deep/i.mp4', 'lost+found/j.mp4', 'new.PART/k.mp4'],
    { '.reeldignore': 'trailer.mp4\r\n/extras/\r\n', 'sub/.reeldignore': '!trailer.mp4\n', 'extras/.reeldignore': '!*\n', 'quiet/.nomedia': '' });
  assert.deepEqual(await found(['--root', dir], dir), ['a.mp4', 'sub/b.mp4', 'sub/trailer.mp4']);
  const keep = ['.*', '@eaDir', '#recycle', 'lost+found', '*.part', '.nomedia'].flatMap((pattern) => ['--keep', pattern]);
  assert.deepEqual(await found(['--root', dir, ...keep], dir), ['#recycle/g.mp4', '.hidden/e.mp4', '@eaDir/f.mp4', 'a.mp4',
    'lost+found/j.mp4', 'new.PART/k.mp4', 'quiet/deep/i.mp4', 'quiet/h.mp4', 'sub/b.mp4', 'sub/trailer.mp4']);
  assert.deepEqual(await found(['--root', dir, '--keep', '.reeldignore'], dir),
    ['a.mp4', 'extras/c.mp4', 'extras/deep/d.mp4', 'sub/b.mp4', 'sub/trailer.mp4', 'trailer.mp4']);
});

test('a folder scanned by itself gives what it gives within the whole', async (t) => {
  const dir = tree(t, ['sub/deep/a.mp4', 'sub/deep/b.mp4', 'sub/deep/c.mp4', 'sub/deep/d/a.mp4', '.asked/x.mp4', '.asked/a.mp4'],
    { '.reeldignore': 'sub/deep/a.mp4\nc.*\n', 'sub/.reeldignore': '/deep/d/\n' });
  const deep = path.join(dir, 'sub/deep');
  assert.deepEqual(await found(['--root', dir], dir), ['sub/deep/b.mp4']);
  assert.deepEqual(await found(['--root', dir], deep, dir), ['sub/deep/b.mp4']);
  assert.deepEqual(await found([], deep, dir), ['sub/deep/b.mp4']);
  // Above the root nothing has a say.
  assert.deepEqual(await found(['--root', deep], deep), ['a.mp4', 'b.mp4', 'c.mp4', 'd/a.mp4']);
  // Whoever asks for a hidden folder or an ignored file by name gets it.
  assert.deepEqual(await found(['--root', dir], path.join(dir, '.asked')), ['a.mp4', 'x.mp4']);
  assert.deepEqual(await found(['--root', dir], path.join(deep, 'a.mp4'), dir), ['sub/deep/a.mp4']);
});

test('symbolic links are followed when asked for, within the roots only, and into each folder once', async (t) => {
  const dir = tree(t, ['real/a.mp4', 'real/deep/b.mp4', 'other/c.mp4']);
  const outside = tree(t, ['secret.mp4']);
  const link = (target, name) => fs.symlinkSync(target, path.join(dir, name));
  link(outside, 'outside');
  link(path.join(outside, 'secret.mp4'), 'secret.mp4');
  link('real/a.mp4', 'link.mp4');
  link('nowhere', 'dangling.mp4');
  link('..', 'real/up');
  link('real', 'zz');
  const plain = ['other/c.mp4', 'real/a.mp4', 'real/deep/b.mp4'];
  const followed = ['link.mp4', ...plain];
  assert.deepEqual(await found(['--root', dir], dir), plain);
  assert.deepEqual(await found(['--root', dir, '--follow-symlinks', 'yes'], dir), followed);
  assert.deepEqual(await found(['--root', dir, '--root', outside, '--follow-symlinks', 'true'], dir),
    ['link.mp4', 'other/c.mp4', 'outside/secret.mp4', 'real/a.mp4', 'real/deep/b.mp4', 'secret.mp4']);
  assert.deepEqual(await found(['--follow-symlinks', 'no'], dir), plain);
  // Through a link a scan of its own comes to the real folder.
  assert.deepEqual(await found(['--root', dir, '--follow-symlinks', '1'], path.join(dir, 'zz'), dir), ['real/a.mp4', 'real/deep/b.mp4', 'real/up/link.mp4', 'real/up/other/c.mp4']);
});
