// The catalogues that earlier versions made are opened by this one: brought up to date, after a copy, and everything is there.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { Daemon, build, tempDir, top } from '../lib/daemon.js';
import { assertHas, folder, readAll } from '../lib/versions.js';

const kept = fs.readdirSync(folder).filter((name) => /^\d+\.db$/.test(name)).map((name) => parseInt(name, 10)).sort((a, b) => a - b);
const sql = (file, statement) => execFileSync('sqlite3', [file, statement], { encoding: 'utf8' }).trim();

/** A folder with a copy of that version's catalogue as catalog.db. */
function place(version) {
  const dir = tempDir();
  fs.copyFileSync(path.join(folder, `${version}.db`), path.join(dir, 'catalog.db'));
  return dir;
}

test('a catalogue of each version is kept', async () => {
  const daemon = await Daemon.start();
  const present = Number(sql(path.join(daemon.dir, 'catalog.db'), 'PRAGMA user_version'));
  await daemon.cleanup();
  for (let version = 1; version < present; version++) assert.ok(kept.includes(version), `version ${version} is missing`);
  assert.ok(kept.includes(1) && kept.at(-1) <= present, String(kept));
});

for (const version of kept) {
  test(`version ${version}`, async () => {
    const dir = place(version);
    const file = path.join(dir, 'catalog.db');
    const daemon = await Daemon.start({ dir });
    const present = Number(sql(file, 'PRAGMA user_version'));
    const { event_id: then, order: before, ...manifest } = JSON.parse(fs.readFileSync(path.join(folder, `${version}.json`), 'utf8'));
    const { event_id: now, order, ...all } = await readAll(daemon);
    manifest.videos.sort((a, b) => (a.id < b.id ? -1 : 1));
    assertHas(all, manifest);
    // Names are in their natural order since version 2.
    assert.deepEqual([...order].sort(), [...before].sort());
    const [[catalogue, from], [same, to]] = [then.split(':'), now.split(':')];
    assert.equal(same, catalogue);
    assert.ok(Number(to) >= Number(from), `${now} after ${then}`);
    await daemon.cleanup();
    assert.equal(sql(file, 'PRAGMA integrity_check; PRAGMA foreign_key_check;'), 'ok');
    assert.equal(/is of version (\d+) now/.exec(daemon.stderr)?.[1], version < present ? String(present) : undefined, daemon.stderr);
    const copies = fs.readdirSync(dir).filter((name) => /^catalog\.db\.v/.test(name));
    assert.deepEqual(copies, version < present ? [`catalog.db.v${version}`] : []);
    for (const copy of copies) {
      const dump = (from2) => sql(from2, '.dump');
      assert.equal(dump(path.join(dir, copy)), dump(path.join(folder, `${version}.db`)), 'the copy is what was there');
      assert.equal(sql(path.join(dir, copy), 'PRAGMA user_version; PRAGMA integrity_check'), `${version}\nok`);
    }
    fs.rmSync(dir, { recursive: true });
  });
}

test('a catalogue of a later version is refused in one line, exit code 1, and left as it is', () => {
  const dir = place(kept.at(-1));
  const file = path.join(dir, 'catalog.db');
  sql(file, 'PRAGMA user_version = 999');
  const before = fs.readFileSync(file);
  const { status, stderr, stdout } = spawnSync(path.join(build, 'reeld'), ['--database', file, '--web', path.join(top, 'web'), '--port', '0'],
    { encoding: 'utf8', timeout: 120000 });
  assert.equal(status, 1, stderr);
  assert.match(stderr, /^\S+ error main: cannot start: .*catalog\.db was made by a newer reeld \(version 999; this one knows \d+\): update reeld\n$/);
  assert.equal(stdout, '');
  assert.ok(fs.readFileSync(file).equals(before));
  fs.rmSync(dir, { recursive: true });
});
