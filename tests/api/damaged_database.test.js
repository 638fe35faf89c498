// A damaged catalogue is never used: the daemon says so in one line with what can be done, ends with 1, and leaves it as it is.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { Daemon, build, tempDir, top } from '../lib/daemon.js';
import { fill, random } from '../lib/trees.js';
import { folder, readAll, assertHas } from '../lib/versions.js';

const dir = tempDir();
const file = path.join(dir, 'catalog.db');
test.after(() => fs.rmSync(dir, { recursive: true }));
const sql = (statement) => execFileSync('sqlite3', [file, statement], { encoding: 'utf8' }).trim();

/** A whole catalogue that a killed daemon left. */
function whole() {
  for (const name of fs.readdirSync(dir)) fs.rmSync(path.join(dir, name), { recursive: true });
  fs.copyFileSync(path.join(folder, '1.db'), file);
}

function start() {
  const { status, stderr, stdout } = spawnSync(path.join(build, 'reeld'),
    ['--database', file, '--web', path.join(top, 'web'), '--port', '0', '--log-level', 'warn'], { encoding: 'utf8', timeout: 120000 });
  assert.equal(stderr.trim().split('\n').length, 1, stderr);
  assert.equal(stdout, '');
  assert.equal(status, 1, stderr);
  return stderr;
}

function refused(why, pattern = /catalog\.db is damaged \(.+\).*-wal.*backup.*no copy stands beside it.*\.recover/) {
  const before = fs.readFileSync(file);
  assert.match(start(), pattern, why);
  assert.ok(fs.readFileSync(file).equals(before), `${why}: it was left as it is`);
}

function write(at, bytes) {
  const fd = fs.openSync(file, 'r+');
  fs.writeSync(fd, bytes, 0, bytes.length, at);
  fs.closeSync(fd);
}

const rootOf = (name) => (Number(sql(`SELECT rootpage FROM sqlite_schema WHERE name = '${name}'`)) - 1) * 4096;

test('damage in the header', () => {
  whole();
  write(0, Buffer.from('X'));
  refused('its first bytes', /not a catalogue/);
  for (const [what, at, bytes] of [['the page size', 16, [0x30, 0]], ['the format', 44, [0, 0, 0, 9]], ['the root page', 100, [0xa5, 0xa5, 0xa5]]]) {
    whole();
    write(at, Buffer.from(bytes));
    refused(what, /is damaged|not a catalogue|cannot use/);
  }
});

test('damage in a page of a table, of an index, of the search index, and a file that was cut', () => {
  whole();
  const places = ['videos', 'videos_sequence', 'sqlite_autoindex_videos_1', 'streams', 'jobs', 'tombstones', 'videos_text_data', 'directories'].map((name) => [name, rootOf(name)]);
  for (const [name, at] of places) {
    for (const bytes of [Buffer.alloc(4096), Buffer.from([0xa5]), Buffer.alloc(40, 0xff)]) {
      whole();
      write(at, bytes);
      refused(`${name} ${bytes.length}`);
    }
  }
  whole();
  fs.truncateSync(file, fs.statSync(file).size - 3 * 4096);
  refused('cut');
});

test('it names the copy that stands beside it', () => {
  whole();
  for (const [name, time] of [['older.db', 1.5e9], ['catalog.db.v0', 1.6e9]]) {
    fs.copyFileSync(path.join(folder, '1.db'), path.join(dir, name));
    fs.utimesSync(path.join(dir, name), time, time);
  }
  fs.writeFileSync(path.join(dir, 'newer.db'), 'not a catalogue, though newer');
  write(rootOf('videos_sequence'), Buffer.alloc(4096));
  refused('copies', /the newest beside it is catalog\.db\.v0 of 2020-09-13/);
});

// Debian's sqlite3 is built without what .recover needs.
const recovers = !/error/.test(spawnSync('sqlite3', [path.join(folder, '1.db'), '.recover'], { encoding: 'utf8' }).stderr);
test('what sqlite3 saves is a catalogue', { skip: !recovers && 'this sqlite3 cannot .recover' }, async () => {
  whole();
  write(rootOf('videos_sequence'), Buffer.alloc(4096));
  const saved = tempDir();
  execFileSync('sh', ['-c', 'sqlite3 "$1" .recover | sqlite3 "$2"', 'sh', file, path.join(saved, 'catalog.db')]);
  const daemon = await Daemon.start({ dir: saved });
  const { event_id: _, ...manifest } = JSON.parse(fs.readFileSync(path.join(folder, '1.json'), 'utf8'));
  assertHas(await readAll(daemon), manifest);
  await daemon.cleanup();
  fs.rmSync(saved, { recursive: true });
});

test('damage in the log costs at most what it held: the catalogue is sound, or refused', async () => {
  whole();
  const tree = path.join(dir, 'tree');
  fill(tree, 40);
  const first = await Daemon.start({ dir });
  await first.wait(await first.scan(tree));
  await first.stop('SIGKILL');
  const [before, log] = [file, `${file}-wal`].map((name) => fs.readFileSync(name));
  assert.ok(log.length > 20 * 4120, 'the log has something to lose');
  const next = random(7);
  const middle = Math.floor(log.length / 2);
  for (const at of [0, 9, 33, 60, 32 + 4120, middle, log.length - 9, ...Array.from({ length: 5 }, () => Math.floor(next() * log.length))]) {
    fs.writeFileSync(file, before);
    const copy = Buffer.from(log);
    copy[at] ^= 0x5a;
    fs.writeFileSync(`${file}-wal`, copy);
    fs.rmSync(`${file}-shm`, { force: true });
    try {
      const daemon = await Daemon.start({ dir });
      for (const { id } of await daemon.videos()) assert.equal((await daemon.get(`/api/v1/videos/${id}`)).status, 200);
      await daemon.cleanup();
      assert.equal(sql('PRAGMA integrity_check; PRAGMA foreign_key_check;'), 'ok', `at ${at}`);
    } catch (error) {
      assert.match(error.message, /ended before it was ready \(1\)[^]*is damaged/, `at ${at}`);
    }
  }
});

test('only a file that was not closed cleanly is checked', async () => {
  whole();
  const checked = /not closed cleanly: checking it/;
  const daemon = await Daemon.start({ dir });
  assert.match(daemon.stderr, checked);
  await daemon.stop();
  for (let i = 0; i < 2; i++) {
    await daemon.launch();
    assert.doesNotMatch(daemon.stderr, checked);
    assert.equal(sql("SELECT value FROM meta WHERE key = 'clean'"), '1', 'nothing was written');
    await daemon.stop(i ? 'SIGTERM' : 'SIGKILL');
  }
  await daemon.launch();
  const tree = path.join(dir, 'tree');
  fill(tree, 4);
  await daemon.wait(await daemon.scan(tree));
  assert.equal(sql("SELECT value FROM meta WHERE key = 'clean'"), '0', 'it is being written');
  await daemon.stop('SIGKILL');
  await daemon.launch();
  assert.match(daemon.stderr, checked);
  assert.match(daemon.stderr, /is sound/);
  await daemon.cleanup();
});

test('damage that comes while it runs is not written over, and found at the next start', async () => {
  whole();
  const daemon = await Daemon.start({ dir });
  await daemon.stop();
  const at = rootOf('videos_sequence');
  await daemon.launch(); // it was closed cleanly: nothing looks
  write(at, Buffer.alloc(4096, 0xa5));
  const { status } = await daemon.get('/api/v1/changes');
  assert.equal(status, 503);
  const ready = await daemon.get('/health/ready');
  assert.equal(ready.status, 503);
  assert.match(ready.body.checks.database.reason, /damaged; start reeld again/);
  await daemon.stop();
  await assert.rejects(daemon.launch(), /is damaged \(/);
});
