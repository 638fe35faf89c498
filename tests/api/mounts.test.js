// Disks that come and go: real file systems are mounted and unmounted under the daemon. A disk that is taken away is a folder
// mounted in another place (mount --bind), so that the same files are there when it is back.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { tempDir } from '../lib/daemon.js';
import { Shelf, names } from '../lib/shelf.js';

/** Whether file systems may be mounted here. */
function mountable() {
  const dir = tempDir();
  try {
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', dir], { stdio: 'ignore' });
    execFileSync('umount', [dir], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  } finally {
    fs.rmdirSync(dir);
  }
}

const skip = mountable() ? false : 'mounting is not allowed here: the games with disks cannot be played';

/** A shelf whose folder, or `inside` of it, is to be the mount point of the disk at shelf.disk. */
async function withDisk(inside, files, own = [], options = {}) {
  const shelf = await Shelf.start(own, { root: true, ...options });
  shelf.disk = path.join(shelf.dir, 'disk');
  shelf.point = path.join(shelf.folder, inside);
  fs.mkdirSync(shelf.disk);
  fs.mkdirSync(shelf.point, { recursive: true });
  shelf.mount('-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', shelf.disk);
  for (const file of files) shelf.put(file, shelf.disk);
  shelf.mount('--bind', shelf.disk, shelf.point);
  return shelf;
}

const ids = (videos) => [...videos].map(([name, { id, created_at }]) => `${name} ${id} ${created_at}`).sort();

test('a root is unmounted and mounted again', { skip }, async () => {
  const shelf = await withDisk('', names(5));
  await shelf.scan({ new: 5 });
  const before = await shelf.videos();
  await shelf.unmount(shelf.point);
  const { job, said } = await shelf.scan({ refused: 'empty' });
  assert.match(job.error, /looks unmounted/);
  assert.deepEqual(said.find(({ type }) => type === 'ROOT_OFFLINE').payload, { root: shelf.folder, reason: 'empty' });
  assert.deepEqual(await shelf.missing(), []);
  shelf.mount('--bind', shelf.disk, shelf.point);
  const { types } = await shelf.scan({ skipped: 5 });
  assert.ok(types.includes('ROOT_ONLINE'));
  assert.deepEqual(ids(await shelf.videos()), ids(before));
  await shelf.end();
});

test('a mount point that has files of its own is another device', { skip }, async () => {
  const shelf = await withDisk('', names(5), ['hidden.mp4']);
  await shelf.scan({ new: 5 });
  await shelf.unmount(shelf.point);
  const away = await shelf.scan({ refused: 'device', new: 1 });
  assert.equal(away.result.refused.count, 5);
  assert.equal((await shelf.root()).reason, 'device');
  shelf.mount('--bind', shelf.disk, shelf.point);
  const back = await shelf.scan({ refused: 'device', skipped: 5 }); // now that other one is out of sight
  assert.equal(back.result.refused.count, 1);
  assert.deepEqual((await shelf.accept((await shelf.root()).number, back.result.refused.token)).body, { missing: 1 });
  await shelf.scan({ skipped: 5 });
  assert.deepEqual(await shelf.missing(), ['hidden.mp4']);
  await shelf.end();
});

test('another disk is mounted in the place of the first', { skip }, async () => {
  const shelf = await withDisk('', names(5));
  await shelf.scan({ new: 5 });
  await shelf.unmount(shelf.point);
  shelf.mount('-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', shelf.point);
  for (let i = 0; i < 3; i++) shelf.put(`other/${i}.mp4`);
  const { result } = await shelf.scan({ refused: 'device', new: 3 });
  assert.equal(result.refused.count, 5);
  const { number } = await shelf.root();
  assert.deepEqual((await shelf.accept(number, result.refused.token)).body, { missing: 5 });
  await shelf.same();
  // From now on it is the one that is expected here, and files may go from it.
  shelf.remove('other/0.mp4');
  await shelf.scan({ missing: 1, skipped: 2 });
  await shelf.unmount(shelf.point);
  shelf.mount('--bind', shelf.disk, shelf.point);
  await shelf.scan({ updated: 5, refused: 'device' });
  await shelf.end();
});

for (const [what, point, files] of [
  ['in the mount point itself', 'disk', names(5).map((name) => path.basename(name))],
  ['deeper', 'disk/in', names(5)],
]) {
  test(`a disk inside a root is unmounted: files ${what}`, { skip }, async () => {
    const shelf = await withDisk(point, files, names(40));
    await shelf.scan({ new: 45 });
    await shelf.unmount(shelf.point);
    shelf.remove('a/0.mp4');
    const { result } = await shelf.scan({ refused: 'device', skipped: 39 });
    assert.equal(result.refused.count, 6);
    // A part of the root alone is no news of the rest.
    await shelf.scan({ skipped: 5 }, { folder: shelf.at('b') });
    assert.equal((await shelf.root()).reason, 'device');
    assert.equal((await shelf.root()).refused.token, result.refused.token);
    // Nor does scanning the mount point make it what was expected there.
    for (let i = 0; i < 2; i++) await shelf.scan({ refused: 'device' }, { folder: path.join(shelf.folder, 'disk') });
    shelf.mount('--bind', shelf.disk, shelf.point);
    const { types } = await shelf.scan({ missing: 1, skipped: 44 });
    assert.ok(types.includes('ROOT_ONLINE'));
    assert.deepEqual(await shelf.missing(), ['a/0.mp4']);
    // What is deleted on a disk that is there is deleted.
    fs.rmSync(path.join(shelf.point, files[0]));
    await shelf.scan({ missing: 1, skipped: 43 });
    await shelf.end();
  });
}

test('the mount point is removed while the disk is away', { skip }, async () => {
  const shelf = await withDisk('disk', ['x/1.mp4'], names(40));
  await shelf.scan({ new: 41 });
  await shelf.unmount(shelf.point);
  fs.rmdirSync(shelf.point);
  await shelf.scan({ refused: 'device', skipped: 40 });
  await shelf.end();
});

test('a disk that is mounted read-only, or full, is as it was', { skip }, async () => {
  const shelf = await withDisk('', names(20));
  await shelf.scan({ new: 20 });
  await shelf.unmount(shelf.point);
  shelf.mount('--bind', shelf.disk, shelf.point);
  execFileSync('mount', ['-o', 'remount,bind,ro', shelf.point]);
  assert.throws(() => shelf.put('no.mp4'), /EROFS/);
  await shelf.scan({ skipped: 20 });
  execFileSync('mount', ['-o', 'remount,bind,rw', shelf.point]);
  const full = shelf.at('full.bin');
  assert.throws(() => fs.writeFileSync(full, Buffer.alloc(32 << 20)), /ENOSPC/);
  await shelf.scan({ skipped: 20 });
  shelf.remove('full.bin', 'a/0.mp4');
  await shelf.scan({ missing: 1, skipped: 19 });
  await shelf.end();
});
