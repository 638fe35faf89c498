// The roots over REST: what is told of each, and accepting what a scan refused, in every wrong shape.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { Daemon } from '../lib/daemon.js';
import { percent } from '../lib/explain.js';
import { openDir } from '../lib/nobody.js';
import { fill } from '../lib/trees.js';

const nobody = '01890000-0000-7000-8000-000000000000';

async function start(t, args, dir) {
  const daemon = await Daemon.start({ args, ...(dir && { dir }) });
  t.after(() => daemon.cleanup());
  return daemon;
}

const roots = async (daemon) => (await daemon.get('/api/v1/roots')).body.roots;
const accept = (daemon, number, body) => daemon.post(`/api/v1/roots/${number}/accept-missing`, body);
const outcome = ({ status, body }) => [status, body.code, body.field];

test('configured roots are told before anything was scanned, by number', async (t) => {
  const dir = openDir(t);
  const one = path.join(dir, 'one');
  const two = path.join(dir, 'two');
  for (const folder of [one, two]) fill(folder, 3);
  const daemon = await start(t, ['--root', one, '--root', two]);
  const before = await roots(daemon);
  assert.deepEqual(before.map((root) => root.path).sort(), [one, two]);
  for (const root of before)
    assert.deepEqual({ ...root, number: 0, path: '' }, {
      number: 0, path: '', online: true, reason: null, offline_since: null, scanned_at: null, configured: true, kept: false, mode: 'off', followed: 'off',
      why: 'asked for', watches: 0, partly_polled: false, poll_interval_s: null, last_event_at: null, videos: 0, refused: null,
    });
  await daemon.wait(await daemon.scan(two));
  await daemon.wait(await daemon.scan(path.join(one, 'folder 0')));
  const after = await roots(daemon);
  assert.deepEqual(after.map((root) => root.number), [...new Set(before.map((root) => root.number))].sort((a, b) => a - b));
  assert.deepEqual(after.map((root) => [root.path, root.videos, root.scanned_at !== null]).sort(), [[one, 3, false], [two, 3, true]]);
  for (const query of ['?', '?limit=1', '?path=/']) {
    const answer = await daemon.get(`/api/v1/roots${query}`);
    assert.equal(answer.status, query === '?' ? 200 : 400);
  }
  const { status, headers } = await daemon.request('DELETE', '/api/v1/roots');
  assert.deepEqual([status, headers.get('allow')], [405, 'GET, HEAD, POST']);
});

test('without roots, what was scanned is one; its bytes are told losslessly', async (t) => {
  const dir = openDir(t);
  const folder = Buffer.concat([Buffer.from(`${dir}/caf`), Buffer.from([0xe9])]);
  const [file] = fill(path.join(dir, 'plain'), 1);
  fs.mkdirSync(folder);
  fs.copyFileSync(file, Buffer.concat([folder, Buffer.from('/a.mp4')]));
  const daemon = await start(t, []);
  assert.deepEqual(await roots(daemon), []);
  const { body } = await daemon.post('/api/v1/videos/scan', { path_uri: percent(folder) });
  await daemon.wait(body.job_id);
  const [root] = await roots(daemon);
  assert.deepEqual([root.path, root.path_uri, root.configured, root.videos], [`${dir}/caf\ufffd`, percent(folder), false, 1]);
  const channel = await daemon.channel('?topics=library');
  fs.renameSync(folder, `${dir}/away`);
  fs.mkdirSync(folder);
  const again = await daemon.post('/api/v1/videos/scan', { path_uri: percent(folder) });
  await daemon.wait(again.body.job_id);
  const { payload } = await channel.find('ROOT_OFFLINE');
  assert.deepEqual(payload, { root: root.path, root_uri: root.path_uri, reason: 'empty' });
});

test('what was refused is accepted once, with its token alone', async (t) => {
  const dir = path.join(openDir(t), 'tree');
  fill(dir, 12);
  const daemon = await start(t, ['--root', dir]);
  await daemon.wait(await daemon.scan(dir));
  const [{ number }] = await roots(daemon);
  fs.rmSync(dir, { recursive: true });
  fs.mkdirSync(dir);
  const dry = (await daemon.wait(await daemon.scan(dir, { dry_run: true }))).result;
  assert.deepEqual(dry.refused, { root: number, reason: 'empty', count: 12, token: null });
  assert.equal((await roots(daemon))[0].online, true);
  const { refused } = (await daemon.wait(await daemon.scan(dir))).result;
  assert.deepEqual({ ...refused, token: null }, dry.refused);
  const [root] = await roots(daemon);
  assert.deepEqual([root.online, root.reason, root.videos], [false, 'empty', 12]);
  assert.ok(Date.parse(root.offline_since) <= Date.now());
  assert.deepEqual(root.refused, { count: 12, reason: 'empty', token: refused.token });

  assert.deepEqual(outcome(await accept(daemon, number, { token: nobody })), [409, 'TOKEN_STALE', 'token']);
  for (const wrong of [number + 1, 0, 999999999999, '999999999999999999999', 'x', '-1', '1.0', `0x${number}`, `${number}%20`, nobody])
    assert.deepEqual(outcome(await accept(daemon, wrong, { token: refused.token })), [404, 'NOT_FOUND', undefined], String(wrong));
  for (const [body, ...expected] of [
    [{}, 422, 'MISSING_FIELD', 'token'], [{ token: null }, 422, 'WRONG_TYPE', 'token'], [{ token: 7 }, 422, 'WRONG_TYPE', 'token'],
    [{ token: '' }, 422, 'BAD_VALUE', 'token'], [{ token: 'x' }, 422, 'BAD_VALUE', 'token'], [{ token: `${refused.token}0` }, 422, 'BAD_VALUE', 'token'],
    [{ token: refused.token, all: true }, 422, 'UNKNOWN_FIELD', 'all'], [[], 400, 'NOT_AN_OBJECT', undefined],
  ]) assert.deepEqual(outcome(await accept(daemon, number, body)), expected, JSON.stringify(body));
  assert.deepEqual(outcome(await daemon.post(`/api/v1/roots/${number}/accept-missing?token=x`, { token: refused.token })), [400, 'UNKNOWN_PARAMETER', 'token']);
  assert.equal((await daemon.get(`/api/v1/roots/${number}/accept-missing`)).status, 405);
  assert.equal((await daemon.get(`/api/v1/roots/${number}`)).status, 405);
  assert.equal((await daemon.videos()).length, 12);

  const { status, body } = await accept(daemon, number, { token: refused.token });
  assert.deepEqual([status, body], [200, { missing: 12 }]);
  assert.equal((await daemon.videos()).length, 0);
  const [back] = await roots(daemon);
  assert.deepEqual([back.online, back.reason, back.offline_since, back.videos, back.refused], [true, null, null, 0, null]);
  assert.deepEqual(outcome(await accept(daemon, number, { token: refused.token })), [409, 'TOKEN_STALE', 'token']);
});

/** Scans to the end; what came of it. */
const scanned = async (daemon, folder) => (await daemon.wait(await daemon.scan(folder))).result;

test('of a root that is offline nothing is hidden by and by, part after part', async (t) => {
  const dir = path.join(openDir(t), 'tree');
  const parts = ['a', 'b', 'c', 'd'].map((name) => path.join(dir, name));
  for (const part of parts) fill(part, 10);
  const daemon = await start(t, ['--root', dir]);
  await scanned(daemon, dir);
  const files = (part) => fs.readdirSync(part, { recursive: true, withFileTypes: true }).filter((one) => one.isFile()).map((one) => path.join(one.path, one.name)).sort();
  const remove = (part, count) => files(part).slice(0, count).forEach((file) => fs.rmSync(file));
  for (const part of parts) remove(part, 8);
  const { refused } = await scanned(daemon, dir);
  assert.deepEqual([refused.reason, refused.count], ['many', 32]);
  for (const part of parts) {
    const result = await scanned(daemon, part);
    assert.deepEqual([result.missing, result.refused], [0, refused], part);
  }
  assert.equal((await daemon.videos()).length, 40);

  // One more that is gone is refused with the others.
  remove(parts[0], 1);
  const more = (await scanned(daemon, parts[0])).refused;
  assert.deepEqual([more.reason, more.count], ['many', 33]);
  remove(parts[1], 1);
  const all = (await scanned(daemon, parts[1])).refused;
  assert.deepEqual([all.reason, all.count], ['many', 34]);
  const [root] = await roots(daemon);
  assert.deepEqual([root.online, root.refused], [false, { count: 34, reason: 'many', token: all.token }]);
  for (const { token } of [refused, more]) assert.deepEqual(outcome(await accept(daemon, root.number, { token })), [409, 'TOKEN_STALE', 'token']);
  assert.deepEqual((await accept(daemon, root.number, { token: all.token })).body, { missing: 34 });
  assert.deepEqual((await daemon.videos()).length, 6);
  assert.equal((await roots(daemon))[0].online, true);
});

test('what was refused is not gone any more: found in another root, or put back, its root is online again', async (t) => {
  const dir = openDir(t);
  const [one, other] = ['one', 'other'].map((name) => path.join(dir, name));
  for (const folder of [path.join(one, 'a'), path.join(other, 'a'), path.join(other, 'b')]) fill(folder, 12);
  const daemon = await start(t, ['--root', one, '--root', other]);
  for (const folder of [one, other]) await scanned(daemon, folder);
  const online = async () => (await roots(daemon)).map((root) => root.online);
  const ids = async () => (await daemon.videos()).map(({ id }) => id).sort();
  const before = await ids();

  fs.renameSync(path.join(other, 'b'), path.join(one, 'b'));
  assert.equal((await scanned(daemon, other)).refused.count, 12);
  assert.deepEqual(await online(), [true, false]);
  const channel = await daemon.channel('?topics=library');
  assert.equal((await scanned(daemon, one)).moved, 12);
  assert.deepEqual((await channel.find('ROOT_ONLINE')).payload.root, other);
  assert.deepEqual(await online(), [true, true]);
  assert.deepEqual(await ids(), before);

  fs.renameSync(path.join(one, 'b'), path.join(dir, 'away'));
  assert.equal((await scanned(daemon, one)).refused.count, 12);
  fs.renameSync(path.join(dir, 'away'), path.join(one, 'b'));
  await scanned(daemon, path.join(one, 'a'));
  assert.deepEqual(await online(), [true, true]);
  assert.deepEqual(await ids(), before);
});
