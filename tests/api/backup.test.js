// GET /api/v1/backup: a copy that is whole and a state that was, while everything goes on; one at a time; nothing stays behind.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { Daemon, eventually, promised, sanitized, tempDir } from '../lib/daemon.js';
import { checkAnswer } from '../lib/documents.js';
import { fill } from '../lib/trees.js';
import { assertHas, folder, readAll } from '../lib/versions.js';
import { Raw } from './raw.js';

const route = '/api/v1/backup';
const sql = (file, statement) => execFileSync('sqlite3', [file, statement], { encoding: 'utf8' }).trim();
const sqlRows = (file, statement) => sql(file, statement).split('\n').filter(Boolean);

/** Asks for a copy; what was answered, and the copy's bytes. */
async function backup(daemon, headers = {}) {
  const answer = await fetch(daemon.url + route, { headers });
  const bytes = Buffer.from(await answer.arrayBuffer());
  const type = answer.headers.get('content-type');
  const body = /json/.test(type) ? JSON.parse(bytes.toString()) : '';
  checkAnswer({ method: 'GET', url: route, status: answer.status, type, body });
  return { status: answer.status, headers: answer.headers, bytes, body };
}

/** Until nobody else's is under way. */
const backupInTurn = (daemon) => eventually(async () => {
  const answer = await backup(daemon);
  if (answer.status === 503) assert.equal(answer.body.code, 'BACKUP_RUNNING');
  return answer.status !== 503 && answer;
}, 'a backup');

/** Copies that the daemon has open; they have no name any more. */
function nameless(daemon) {
  const at = `/proc/${daemon.process.pid}/fd`;
  return fs.readdirSync(at).map((fd) => path.join(at, fd)).filter((fd) => {
    try {
      return / \(deleted\)$/.test(fs.readlinkSync(fd)) && /\.backup-/.test(fs.readlinkSync(fd));
    } catch {
      return false; // it was closed meanwhile
    }
  });
}

/** A folder with a catalogue of many rows: those of the kept one, and `rows` failures beside them. */
function largeCatalogue(rows) {
  const dir = tempDir();
  const file = path.join(dir, 'catalog.db');
  fs.copyFileSync(path.join(folder, '1.db'), file);
  sql(file, `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows})
    INSERT INTO failures SELECT 1, CAST('a file that failed ' || i AS BLOB), i, i, i, i, 1, 'CORRUPT', hex(randomblob(400)), 'x' FROM n;
    INSERT OR REPLACE INTO meta VALUES ('clean', 1);
    -- What is scanned later shall not be taken for one of these, whose files are nowhere.
    UPDATE videos SET fingerprint = 0`);
  return dir;
}

test('a backup is a catalogue: its headers, HEAD, and a daemon that starts on it', async () => {
  const dir = tempDir();
  fs.copyFileSync(path.join(folder, '1.db'), path.join(dir, 'catalog.db'));
  const daemon = await Daemon.start({ dir });
  const { status, headers, bytes } = await backup(daemon);
  assert.equal(status, 200);
  assert.equal(headers.get('content-type'), 'application/vnd.sqlite3');
  assert.match(headers.get('content-disposition'), /^attachment; filename="reeld-\d{8}T\d{6}Z\.db"$/);
  assert.equal(Number(headers.get('content-length')), bytes.length);
  assert.equal(headers.get('cache-control'), 'no-store');
  const head = await daemon.request('HEAD', route);
  assert.equal(head.status, 200);
  assert.equal(head.headers.get('content-length'), String(bytes.length));
  assert.equal(head.headers.get('content-type'), 'application/vnd.sqlite3');
  assert.equal((await daemon.get(`${route}?x=1`)).status, 400);
  assert.equal((await daemon.post(route, {})).status, 405);
  const all = await readAll(daemon);
  await daemon.cleanup();
  assert.deepEqual(fs.readdirSync(path.join(dir, 'data')), []);
  fs.rmSync(dir, { recursive: true });

  const restored = tempDir();
  const file = path.join(restored, 'catalog.db');
  fs.writeFileSync(file, bytes);
  // Also where nothing can be written beside it.
  assert.equal(execFileSync('sqlite3', [`file:${file}?mode=ro`, 'PRAGMA integrity_check; PRAGMA journal_mode'], { encoding: 'utf8' }), 'ok\ndelete\n');
  const second = await Daemon.start({ dir: restored });
  assertHas(await readAll(second), all);
  await second.cleanup();
  fs.rmSync(restored, { recursive: true });
});

test('while a scan writes: each copy is whole, and a state that was', async () => {
  const dir = largeCatalogue(sanitized ? 2000 : 8000);
  const tree = path.join(dir, 'tree');
  const daemon = await Daemon.start({ dir });
  const copies = [];
  const file = path.join(dir, 'copy.db');
  const sequenceOf = (bytes) => {
    fs.writeFileSync(file, bytes);
    return sql(file, "SELECT value FROM meta WHERE key = 'sequence'");
  };
  let files = 0;
  // Scan after scan, until copies were made at different moments of them.
  for (let scans = 0; scans < 1 || new Set(copies.map(sequenceOf)).size <= 2; scans++) {
    assert.ok(scans < 20, 'a scan lasts longer than a copy');
    const count = sanitized ? 200 : 900;
    fill(path.join(tree, String(scans)), count);
    files += count;
    const job = await daemon.scan(tree);
    for (let status = 'pending'; ['pending', 'running'].includes(status);) {
      copies.push((await backup(daemon)).bytes);
      status = (await daemon.get(`/api/v1/jobs/${job}`)).body.status;
    }
    assert.equal((await daemon.wait(job)).result.new, count);
    copies.push((await backup(daemon)).bytes);
  }
  const sequences = [];
  const { body: { changes, next } } = await daemon.get('/api/v1/changes?limit=1000');
  const now = Number(next.split(':')[1]);
  const place = new Map(changes.map(({ event_id: id, ...change }) => [change.id, Number(id.split(':')[1])]));
  for (const bytes of copies) {
    fs.writeFileSync(file, bytes);
    assert.equal(sql(file, "PRAGMA integrity_check; PRAGMA foreign_key_check; INSERT INTO videos_text (videos_text) VALUES ('integrity-check')"), 'ok');
    const sequence = Number(sql(file, "SELECT value FROM meta WHERE key = 'sequence'"));
    assert.ok(sequence <= now && sequence >= (sequences.at(-1) ?? 0), `${sequence} of ${now}`);
    sequences.push(sequence);
    // Nothing of this library changes twice: what the feed says up to there is what the copy has.
    const expected = [...place].filter(([, at]) => at <= sequence).map(([id]) => id.replaceAll('-', '')).sort();
    const rows = sqlRows(file, 'SELECT lower(hex(id)) FROM videos UNION ALL SELECT lower(hex(id)) FROM tombstones ORDER BY 1');
    assert.deepEqual(rows, expected);
  }
  assert.equal((await daemon.get('/api/v1/videos?limit=1&q=%2Ftree%2F')).body.total, files);
  await daemon.cleanup();
  fs.rmSync(dir, { recursive: true });
});

test('several clients: one at a time, all get one, and memory and disk stay', async () => {
  const dir = largeCatalogue(30000);
  const daemon = await Daemon.start({ dir });
  const size = fs.statSync(path.join(dir, 'catalog.db')).size;
  const memory = () => Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${daemon.process.pid}/status`, 'utf8'))[1]);
  await backupInTurn(daemon);
  const before = memory();
  // What nobody takes is under way until he hangs up.
  const raw = await Raw.open(daemon.port);
  raw.socket.pause();
  raw.send(`GET ${route} HTTP/1.1\r\nHost: 127.0.0.1:${daemon.port}\r\n\r\n`);
  await eventually(() => nameless(daemon).length > 0, 'it is being made');
  for (const { status, headers, body } of await Promise.all(Array.from({ length: 5 }, () => backup(daemon)))) {
    assert.equal(status, 503);
    assert.equal(body.code, 'BACKUP_RUNNING');
    assert.match(headers.get('retry-after'), /^\d+$/);
  }
  raw.destroy();
  for (const { bytes } of await Promise.all(Array.from({ length: 4 }, () => backupInTurn(daemon)))) assert.equal(bytes.length, size);
  if (!sanitized) assert.ok(memory() - before < 8192, `${memory() - before} KiB more for files of ${size}`);
  await eventually(() => nameless(daemon).length === 0, 'the disk is free');
  assert.deepEqual(fs.readdirSync(path.join(dir, 'data')), []);
  await daemon.cleanup();
  fs.rmSync(dir, { recursive: true });
});

test('a client that hangs up, while it is made or sent, frees the disk and the next one comes at once', async () => {
  const dir = largeCatalogue(sanitized ? 30000 : 60000);
  const daemon = await Daemon.start({ dir });
  const ask = `GET ${route} HTTP/1.1\r\nHost: 127.0.0.1:${daemon.port}\r\n\r\n`;
  for (const sent of [false, true]) {
    const raw = await Raw.open(daemon.port);
    raw.send(ask);
    if (!sent) raw.socket.pause(); // what nobody takes is under way until he hangs up
    if (sent) await raw.until((text) => text.includes('SQLite format 3'), 'the first bytes').then(() => raw.socket.pause());
    else await eventually(() => nameless(daemon).length > 0, 'it is being made');
    assert.equal((await backup(daemon)).status, 503);
    raw.destroy();
    await eventually(() => nameless(daemon).length === 0, 'the disk is free');
    assert.equal((await backupInTurn(daemon)).status, 200);
  }
  await daemon.cleanup();
  fs.rmSync(dir, { recursive: true });
});

test('a stop, while it is made and while a client does not take it, is quick and leaves nothing', async () => {
  const dir = largeCatalogue(sanitized ? 30000 : 60000);
  const daemon = await Daemon.start({ dir });
  /** Asks, stops it at that moment; gives what was answered. */
  const stopped = async (moment) => {
    const raw = await Raw.open(daemon.port);
    raw.send(`GET ${route} HTTP/1.1\r\nHost: 127.0.0.1:${daemon.port}\r\n\r\n`);
    await moment(raw);
    const start = Date.now();
    const { code, stderr } = await daemon.stop();
    assert.equal(code, 0, stderr);
    assert.ok(Date.now() - start < promised(5000), 'the contract promises 5 s');
    assert.deepEqual(fs.readdirSync(path.join(dir, 'data')), []);
    const text = raw.socket.isPaused() ? '' : await raw.end();
    raw.destroy();
    await daemon.launch();
    return text;
  };
  const made = () => eventually(() => nameless(daemon).length > 0, 'it is being made');
  // On a machine that is busy elsewhere it may be made before it is told to stop.
  for (let tries = 0; !/^HTTP\/1\.1 503 [^]*"STOPPING"/.test(await stopped(made)); tries++) assert.ok(tries < 20, 'it is stopped while it is made');
  await stopped((raw) => raw.until((text) => text.includes('SQLite format 3'), 'the first bytes').then(() => raw.socket.pause()));
  await daemon.cleanup();
  fs.rmSync(dir, { recursive: true });
});

test('a page of another origin gets none, nor does a client without the token', async () => {
  const dir = tempDir();
  fs.writeFileSync(path.join(dir, 'token'), 'a-token-of-enough-length\n');
  const daemon = await Daemon.start({ args: ['--token-file', path.join(dir, 'token')] });
  const bearer = { authorization: 'Bearer a-token-of-enough-length' };
  assert.equal((await backup(daemon)).status, 401);
  assert.equal((await backup(daemon, { ...bearer, origin: 'http://elsewhere.example' })).status, 403);
  assert.equal((await backup(daemon, { ...bearer, 'sec-fetch-site': 'cross-site' })).status, 403);
  assert.equal((await backup(daemon, bearer)).status, 200);
  await daemon.cleanup();
  fs.rmSync(dir, { recursive: true });
});

const small = tempDir();
const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', small]).status === 0;
test.after(() => {
  if (mounted) execFileSync('umount', ['-l', small]);
  fs.rmSync(small, { recursive: true, force: true });
});

test('no room for it: 507 in words, and nothing else suffers', { skip: !mounted && 'mounting a tmpfs is not allowed here' }, async () => {
  const dir = largeCatalogue(16000);
  const daemon = await Daemon.start({ dir, args: ['--data', small] });
  const { status, body } = await backup(daemon);
  assert.equal(status, 507, JSON.stringify(body));
  assert.equal(body.code, 'STORAGE_FULL');
  assert.match(body.detail, /needs \d+ MiB of disk for a while, and the data directory has 1\d/);
  assert.deepEqual(fs.readdirSync(small), []);
  assert.equal((await daemon.get('/health/ready')).status, 200);
  await daemon.cleanup();
  fs.rmSync(dir, { recursive: true });
});
