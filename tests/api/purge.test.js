// Forgetting what is missing: what is asked for, what was missing for long, and nothing else.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { Daemon, eventually } from '../lib/daemon.js';
import { openDir } from '../lib/nobody.js';
import { fill } from '../lib/trees.js';

/** A tree of 60 videos that were scanned, of which the first so many are missing then. */
async function missing(t, count, more = {}) {
  const dir = path.join(openDir(t), 'tree');
  const files = fill(dir, 60);
  // Other content each: or the scan would take one for another that moved.
  files.forEach((file, i) => fs.appendFileSync(file, Buffer.alloc(i + 1)));
  const daemon = await Daemon.start(more);
  t.after(() => daemon.cleanup());
  assert.equal((await daemon.wait(await daemon.scan(dir))).status, 'complete');
  const all = await daemon.videos();
  const gone = files.slice(0, count);
  for (const file of gone) fs.rmSync(file);
  const { result } = await daemon.wait(await daemon.scan(dir));
  assert.equal(result.missing, gone.length);
  assert.equal(result.refused, null);
  return { dir, daemon, files, gone: all.filter((video) => gone.includes(video.path)), there: all.filter((video) => !gone.includes(video.path)) };
}

const hidden = async (daemon) => (await daemon.get('/api/v1/videos?missing=true&limit=1000')).body;
const ids = (videos) => videos.map((video) => video.id).sort();

test('what is purged is gone for good, and everybody hears of it', async (t) => {
  const { daemon, dir, gone, there } = await missing(t, 9);
  assert.deepEqual(ids((await hidden(daemon)).videos), ids(gone));
  const channel = await daemon.channel('?topics=library');
  assert.deepEqual((await daemon.post('/api/v1/videos/purge', { older_than_days: 1 })).body, { purged: 0 });
  assert.equal((await hidden(daemon)).total, 9);
  const { status, body, headers } = await daemon.post('/api/v1/videos/purge', { older_than_days: 0 }, { 'x-request-id': 'purging' });
  assert.deepEqual([status, body, headers.get('x-request-id')], [200, { purged: 9 }, 'purging']);
  assert.equal((await hidden(daemon)).total, 0);
  await channel.find(() => channel.frames.filter(({ type }) => type === 'VIDEO_REMOVED').length === 9, 'nine removals');
  const removed = channel.frames.filter(({ type }) => type === 'VIDEO_REMOVED');
  assert.deepEqual(removed.map(({ payload }) => payload.id).sort(), ids(gone));
  assert.ok(removed.every(({ correlation_id: id, payload }) => id === 'purging' && payload.missing_since));
  for (const { id } of gone) assert.equal((await daemon.get(`/api/v1/videos/${id}`)).status, 404);
  assert.deepEqual(ids(await daemon.videos()), ids(there));
  const changes = (await daemon.get('/api/v1/changes?limit=1000')).body.changes.filter((change) => change.removed);
  assert.deepEqual(ids(changes), ids(gone));
  const again = await daemon.wait(await daemon.scan(dir));
  assert.deepEqual([again.result.missing, again.result.skipped], [0, there.length]);
  assert.deepEqual((await daemon.post('/api/v1/videos/purge', { older_than_days: 0 })).body, { purged: 0 });
  await channel.close();
});

test('a purge does not touch the disk, nor what is back', async (t) => {
  const { daemon, dir, gone, files } = await missing(t, 5);
  fs.mkdirSync(path.dirname(files[0]), { recursive: true });
  fs.writeFileSync(files[0], 'here again, as something else');
  fs.utimesSync(files[0], 1e9, 1e9);
  await daemon.wait(await daemon.scan(dir));
  const { body } = await daemon.post('/api/v1/videos/purge', { older_than_days: 0 });
  assert.equal(body.purged, gone.length);
  assert.equal(fs.readFileSync(files[0], 'utf8'), 'here again, as something else');
});

test('what was missing for long goes by itself, at the start; without being asked for, never', async (t) => {
  const { daemon, gone, there } = await missing(t, 7);
  const start = async (args) => {
    await daemon.stop();
    daemon.options.args = args;
    await daemon.launch();
  };
  await start([]);
  assert.equal((await hidden(daemon)).total, gone.length);
  await start(['--purge-missing-days', '1']);
  // Whatever begins by itself at the start is before this one.
  assert.deepEqual((await daemon.post('/api/v1/videos/purge', { older_than_days: 36500 })).body, { purged: 0 });
  assert.equal((await hidden(daemon)).total, gone.length);
  await start(['--purge-missing-days', '0.00000001']); // a millisecond
  await eventually(async () => (await hidden(daemon)).total === 0, 'all that is missing is forgotten');
  assert.deepEqual(ids(await daemon.videos()), ids(there));
});

test('a purge of every wrong shape', async (t) => {
  const daemon = await Daemon.start();
  t.after(() => daemon.cleanup());
  const post = (text, type = 'application/json') => fetch(`${daemon.url}/api/v1/videos/purge`, {
    method: 'POST', body: text, headers: { 'content-type': type },
  }).then(async (answer) => ({ status: answer.status, body: await answer.json() }));
  for (const [text, status, code, field] of [
    ['', 400, 'MALFORMED_JSON'], ['{', 400, 'MALFORMED_JSON'], ['"7"', 400, 'NOT_AN_OBJECT'], ['[]', 400, 'NOT_AN_OBJECT'],
    ['{}', 422, 'MISSING_FIELD', 'older_than_days'], ['{"older_than_days":null}', 422, 'WRONG_TYPE', 'older_than_days'],
    ['{"older_than_days":"1"}', 422, 'WRONG_TYPE', 'older_than_days'], ['{"older_than_days":true}', 422, 'WRONG_TYPE', 'older_than_days'],
    ['{"older_than_days":-1}', 422, 'OUT_OF_RANGE', 'older_than_days'], ['{"older_than_days":1e300}', 422, 'OUT_OF_RANGE', 'older_than_days'],
    ['{"older_than_days":-0.001}', 422, 'OUT_OF_RANGE', 'older_than_days'], ['{"older_than_days":36501}', 422, 'OUT_OF_RANGE', 'older_than_days'],
    ['{"older_than_days":1,"older_than_days":2}', 400, 'DUPLICATE_FIELD'], ['{"older_than_days":1,"id":"x"}', 422, 'UNKNOWN_FIELD', 'id'],
    ['{"days":1}', 422, 'UNKNOWN_FIELD', 'days'],
  ]) {
    const { status: said, body } = await post(text);
    assert.deepEqual([said, body.code, body.field], [status, code, field], text);
    assert.ok(body.detail.length > 10, body.detail);
  }
  assert.equal((await post('{"older_than_days":1}', 'text/plain')).status, 415);
  assert.equal((await daemon.post('/api/v1/videos/purge?days=1', { older_than_days: 1 })).body.code, 'UNKNOWN_PARAMETER');
  for (const method of ['GET', 'DELETE', 'PUT']) {
    const answer = await daemon.request(method, '/api/v1/videos/purge');
    assert.equal(answer.status, 405);
    assert.equal(answer.headers.get('allow'), 'POST');
  }
  for (const days of [0, 0.5, 36500, 1e-9]) assert.deepEqual((await daemon.post('/api/v1/videos/purge', { older_than_days: days })).body, { purged: 0 });
});
